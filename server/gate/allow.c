/* Yes, to a front that delivers by itself: without a body, as the page is not here. */
#include "server/gate/allow.h"

#include "ledger/base/text/amount.h"

#include <assert.h>

enum err allow_write(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    struct arena *arena = &exchange->arena;
    const char *location = crawl->gate->parts.config->decisions_accel;
    const char *agent = "", *id = "", *price = "";
    char amount[AMOUNT_TEXT_MAX];
    assert(crawl->thread->decides && !exchange->reply.stream && exchange->reply.fd < 0);
    assert(!crawl->redeeming || crawl->id_text.len > 0); /* by which the front tells what did not arrive */
    if (crawl->candidate && !crawl->decision.observed)
        agent = arena_copy(arena, crawl->candidate->agent->account);
    if (crawl->redeeming) {
        id = arena_copy(arena, crawl->id_text);
        price = arena_copy(arena, slice_of(amount_format(crawl->id.price_micros, amount)));
    }
    exchange->reply.status = 200;
    /* All three always: a front sets what it hands on from them, and empty ones take away what a client made
     * up. */
    bool fits = exchange_header(exchange, "X-Crawltab-Amount", price) &&
                exchange_header(exchange, "X-Crawltab-Payment", id) &&
                exchange_header(exchange, "X-Crawltab-Agent", agent) &&
                exchange_header(exchange, "Cache-Control", "no-store") &&
                (!*location || exchange_header(exchange, "X-Accel-Redirect", location));
    return fits ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}
