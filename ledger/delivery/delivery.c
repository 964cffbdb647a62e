#include "ledger/delivery/delivery.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name, *sentence;
} ends[] = {
#define DELIVERY_ROW(end, name, what) {name, what},
    DELIVERY_ENDS(DELIVERY_ROW)
#undef DELIVERY_ROW
};

const char *delivery_end_name(enum delivery_end end)
{
    assert(end < DELIVERY_ENDS_COUNT);
    return ends[end].name;
}

const char *delivery_end_sentence(const char *name)
{
    for (size_t i = 0; i < DELIVERY_ENDS_COUNT; i++)
        if (strcmp(ends[i].name, name) == 0)
            return ends[i].sentence;
    return "";
}
