#include "ledger/base/err.h"

#include <assert.h>

static const struct {
    unsigned status;
    const char *code;
    const char *sentence;
} table[] = {
#define ERR_ROW(name, status, code, sentence) {status, code, sentence},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

unsigned err_status(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].status;
}

const char *err_code(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].code;
}

const char *err_sentence(enum err err)
{
    assert(err < ERR_COUNT);
    return table[err].sentence;
}
