/* The commitment: the Payment field, a dictionary of scheme, network and id (WIRE.md section 1). Pure. */
#ifndef SERVER_GATE_COMMITMENT_H
#define SERVER_GATE_COMMITMENT_H

#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "ledger/verify/sf.h"

struct commitment {
    struct slice scheme;
    struct slice network;
    struct slice id;
};

/* Reads the field. ERR_PAYMENT_REQUIRED when there is none, ERR_MALFORMED_PAYMENT when it does not parse, a
 * member is missing, stands twice or is not a string; ERR_CONFLICTING_PAYMENT beside a commitment in another
 * dialect. */
enum err commitment_parse(struct arena *arena, const struct message *message,
                          struct commitment *commitment) MUST_USE;

#endif
