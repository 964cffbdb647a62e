/* A payment that was offered elsewhere, by a resource server that delivers by itself and brings it here: the
 * facilitator's question to the gate, and the answer. It goes the way of a request that asks for the page and
 * pays in PAYMENT-SIGNATURE, without the page. */
#ifndef SERVER_GATE_SETTLEMENT_H
#define SERVER_GATE_SETTLEMENT_H

#include "ledger/entry/payment_id.h"
#include "server/gate/gate.h"

struct crawl;

struct settlement {
    /* The question. */
    bool only_verify;      /* whether it could be settled: nothing is recorded */
    int64_t amount_micros; /* of the entry, at most the price; -1: the price */
    /* The answer, once the request is decided. Texts are in the exchange's arena. */
    enum err err;
    bool charged;    /* with ERR_OK: recorded, now or before, or could be where it is only verified. False:
                      * the rules ask nothing for this page */
    struct slice id; /* of the payment, if it is genuine; else empty */
    uint8_t uuid[UUID_SIZE]; /* of the same */
    struct slice payer;      /* account, if its signature holds; else empty */
    int64_t paid_micros;     /* what is billed, with ERR_OK */
    int64_t recorded_at; /* when the entry was recorded, in seconds; 0: there is none, or the ledger was not
                            asked */
};

/* Makes the request, which has just come in, one about a settlement that lives as long as its exchange:
 * before `handle` has it, on a thread of the deciding handler. The reply is for whoever asked to write. False
 * when the arena is full. */
bool gate_settle(void *thread, struct exchange *exchange, struct settlement *settlement);

/* The settlement that the request was made one about; NULL: none. */
struct settlement *gate_settlement(const struct exchange *exchange);

/* What a crawler that is nobody in particular is offered a page for. */
struct gate_offer {
    enum err err;             /* ERR_BLOCKED, say; ERR_OK otherwise */
    bool charged;             /* false: the rules ask nothing for it, or only observe */
    int64_t price_micros;     /* when charged */
    char id[PAYMENT_ID_TEXT]; /* likewise: a new one */
};

/* Makes an offer of the page that the exchange's message now asks for, with no fields; on a thread of the
 * deciding handler. The exchange has no request with the gate, before and after. */
void gate_make_offer(void *thread, struct exchange *exchange, struct gate_offer *offer);

/* --- The gate's own --- */

/* The charge is prepared, unless *err says that it cannot be. True: it goes to the ledger. False: it is only
 * verified, and *err says what came of that, or it failed. Of a request about no settlement true but for an
 * error. */
bool settlement_goes_on(struct crawl *crawl, enum err *err);

/* Fills in the answer, and the reply's status for the log. */
void settlement_answer(struct crawl *crawl, enum err outcome);

/* True for a request that asks for no page: the settlement that follows, or was before, is what is counted.
 */
bool settlement_is_question(const struct crawl *crawl);

#endif
