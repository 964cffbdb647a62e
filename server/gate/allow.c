#include "server/gate/allow.h"

#include "ledger/base/text/amount.h"

enum err allow_write(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    struct arena *arena = &exchange->arena;
    const char *location = crawl->gate->parts.config->decisions_accel;
    const char *agent = "", *id = "", *price = "";
    char amount[AMOUNT_TEXT_MAX];
    if (crawl->candidate && !crawl->decision.observed)
        agent = arena_copy(arena, crawl->candidate->agent->account);
    if (crawl->redeeming) {
        id = arena_copy(arena, crawl->id_text);
        price = arena_copy(arena, slice_of(amount_format(crawl->id.price_micros, amount)));
    }
    exchange->reply.status = 200;
    bool fits = exchange_header(exchange, "X-Crawltab-Amount", price) &&
                exchange_header(exchange, "X-Crawltab-Payment", id) &&
                exchange_header(exchange, "X-Crawltab-Agent", agent) &&
                exchange_header(exchange, "Cache-Control", "no-store") &&
                (!*location || exchange_header(exchange, "X-Accel-Redirect", location));
    return fits ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}
