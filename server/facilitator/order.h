/* What /verify and /settle are called with (x402 version 2): a payment and what it is to fulfil. Pure. */
#ifndef SERVER_FACILITATOR_ORDER_H
#define SERVER_FACILITATOR_ORDER_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/message.h"
#include "server/facilitator/answer.h"

struct order {
    struct slice authority; /* of the resource, as on a request line */
    struct slice target;
    struct slice field;    /* the payment as PAYMENT-SIGNATURE would have it */
    int64_t unit_micros;   /* of the scheme */
    int64_t amount_micros; /* that is to be charged, at most what the payer accepted */
    bool whole;            /* it is all of that */
};

/* Reads the body of a call for a resource of the site. Texts are in the arena. True, or false with the
 * refusal. */
bool order_read(struct arena *arena, struct slice body, const struct config_site *site, struct order *order,
                struct refusal *refusal);

/* Takes a URL of a resource apart as a request line would be. False for what is none. */
bool order_take_url(struct arena *arena, const char *url, struct order *order);

#endif
