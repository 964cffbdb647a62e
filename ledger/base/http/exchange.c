#include "ledger/base/http/exchange.h"

bool exchange_header(struct exchange *exchange, const char *name, const char *value)
{
    struct exchange_header *header = arena_alloc(&exchange->arena, sizeof(*header));
    if (!header || !value)
        return false;
    *header = (struct exchange_header){name, value, exchange->reply.headers};
    exchange->reply.headers = header;
    return true;
}

void exchange_resume(struct exchange *exchange)
{
    exchange->resume(exchange);
}
