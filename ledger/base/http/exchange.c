/* A header needs its name and value to outlive the exchange, not this call: nothing is copied. */
#include "ledger/base/http/exchange.h"

#include <assert.h>

/* In front, not behind: nobody has to walk the list, and no two fields of a reply depend on their order. */
bool exchange_header(struct exchange *exchange, const char *name, const char *value)
{
    assert(name);
    struct exchange_header *header = arena_alloc(&exchange->arena, sizeof(*header));
    if (!header || !value)
        return false;
    *header = (struct exchange_header){name, value, exchange->reply.headers};
    exchange->reply.headers = header;
    return true;
}

void exchange_resume(struct exchange *exchange)
{
    assert(exchange->resume);
    exchange->resume(exchange);
}
