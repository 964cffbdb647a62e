/* What the facilitator answers (WIRE.md section 9): JSON, and the failures of the gate in the words of x402.
 */
#ifndef SERVER_FACILITATOR_ANSWER_H
#define SERVER_FACILITATOR_ANSWER_H

#include "ledger/base/err.h"
#include "ledger/base/http/exchange.h"

#include <jansson.h>

/* Why something is not done. */
struct refusal {
    unsigned status;
    const char *code;   /* static */
    const char *detail; /* one sentence, static or in the exchange's arena */
};

/* What is called, as far as answers differ. */
enum call_kind { CALL_VERIFY, CALL_SETTLE };

/* A failure of the gate. 200 for what was judged: the payment is refused and not the call. */
struct refusal refusal_of(enum err err, enum call_kind kind);

/* Fills the reply; takes the value, NULL included: then there was no memory. */
void answer_json(struct exchange *exchange, unsigned status, json_t *value);

/* A refusal of a call that is about no payment (RFC 9457). */
void answer_problem(struct exchange *exchange, const struct refusal *refusal);

#endif
