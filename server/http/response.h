/* Makes libmicrohttpd's response of a reply. */
#ifndef SERVER_HTTP_RESPONSE_H
#define SERVER_HTTP_RESPONSE_H

#include "ledger/base/http/exchange.h"

struct MHD_Response;

/* Takes the reply's file over, if there is one. The body must outlive the response, the fields need not. NULL
 * without memory. */
struct MHD_Response *response_make(struct exchange_reply *reply);

/* Adds the reply's fields. NULL is fine. */
void response_fields(struct MHD_Response *response, const struct exchange_reply *reply);

#endif
