/* Payment dialects (WIRE.md sections 1 and 2): the ways in which a request may commit to pay, and hears that
 * it has paid. Each is a table of functions; what they read is one and the same commitment. */
#ifndef LEDGER_DIALECT_DIALECT_H
#define LEDGER_DIALECT_DIALECT_H

#include "ledger/base/config/config.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/http/exchange.h"

struct dialect;
struct claims;

/* What a request commits to. */
struct commitment {
    const struct dialect *dialect; /* NULL: the request has no payment field */
    struct slice field; /* the one that it has, in lower case: a signature of the request covers it */
    struct slice scheme;
    struct slice id;       /* that was offered; empty: none is named, it comes from what was signed */
    int64_t amount_micros; /* that is named; -1: the id alone says it */
    bool at_most;          /* the amount is the most that is to be paid */
    int64_t unit_micros;   /* in which the dialect counts */
    const struct claims
        *claims;             /* that are signed by themselves; NULL: the request's signature says who pays */
    struct slice identifier; /* by which the payer calls the payment himself; empty: by none */
    uint8_t payload[DIGEST_SIZE]; /* with it: of what makes this the payment that it is */
};

/* Whom and what a commitment must be for. */
struct dialect_place {
    struct slice network, currency;
    struct slice pay_to;    /* data is NULL: not looked at */
    struct slice authority; /* as in the exchange, normalised */
    struct slice url;
    const struct config_list *insecure_hosts; /* of directories */
};

/* What became of a commitment that was paid. */
struct dialect_receipt {
    struct slice network, currency;
    const struct commitment *commitment;
    struct slice id;
    struct slice payer; /* account */
    int64_t amount_micros;
    int64_t recorded_at;   /* seconds */
    struct slice attested; /* a JWS of it (extension offer-receipt); empty: none */
};

struct dialect {
    /* Reads the field `commitment->field` into the rest. ERR_OK, a 400 that names the dialect when it does
     * not parse, or why what it says cannot be paid here. */
    enum err (*read)(struct arena *arena, const struct message *message, const struct dialect_place *place,
                     struct commitment *commitment);
    /* Adds the receipt's own fields to the reply. False when the arena is full. */
    bool (*write_receipt)(struct exchange *exchange, const struct dialect_receipt *receipt);
    /* Adds what the dialect says of a refusal; NULL: nothing. */
    bool (*write_refusal)(struct exchange *exchange, struct slice network, enum err err);
};

extern const struct dialect dialect_deferred;      /* the Payment field */
extern const struct dialect dialect_x402;          /* PAYMENT-SIGNATURE, x402 version 2 */
extern const struct dialect dialect_x402_v1;       /* X-PAYMENT, which is only refused */
extern const struct dialect dialect_crawler_price; /* crawler-exact-price and crawler-max-price */

/* The receipt as JSON, as PAYMENT-RESPONSE has it in base64. data is NULL when the arena is full. */
struct slice dialect_x402_receipt(struct arena *arena, const struct dialect_receipt *receipt);

/* Reads the commitment of a request. Without one ERR_PAYMENT_REQUIRED, and commitment->dialect is NULL. With
 * more than one ERR_CONFLICTING_PAYMENT. Else what the dialect's `read` says; dialect and field are set then
 * in any case. */
enum err dialect_read(struct arena *arena, const struct message *message, const struct dialect_place *place,
                      struct commitment *commitment) MUST_USE;

/* What an amount of the scheme counts, in micro-units; 0 for a scheme that is not taken. */
int64_t dialect_unit(const char *scheme, struct slice currency);

/* Reads an amount in whole units, as x402 writes them: digits without leading zeros. False for anything else,
 * and for more than an id can carry. */
bool dialect_amount(struct slice text, int64_t unit_micros, int64_t *micros) MUST_USE;

/* True if the request has a payment field of any dialect. */
bool dialect_pays(const struct message *message);

#endif
