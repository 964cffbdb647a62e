/* The status says only that the gate answers: without its ledger it still says what pages cost, gives free
 * ones away, and tells who pays to try again. A proxy that took it for dead then would take that away as
 * well. */
#include "server/published/health.h"

bool health_asked(const struct message *message)
{
    return slice_eq(message_path(message), EXCHANGE_HEALTH) &&
           (slice_eq(message->method, SLICE("GET")) || slice_eq(message->method, SLICE("HEAD")));
}

enum err health_reply(struct exchange *exchange, bool ledger_ready)
{
    /* Constant texts: it is asked several times a second, and must not need memory to say that all is well.
     */
    static const char ready[] = "{\"gate\":\"up\",\"ledger\":\"ready\"}\n";
    static const char away[] = "{\"gate\":\"up\",\"ledger\":\"away\"}\n";
    exchange->reply.status = 200;
    exchange->reply.body = slice_of(ledger_ready ? ready : away);
    return exchange_header(exchange, "Cache-Control", "no-store") &&
                   exchange_header(exchange, "Content-Type", "application/json")
               ? ERR_OK
               : ERR_REQUEST_TOO_LARGE;
}
