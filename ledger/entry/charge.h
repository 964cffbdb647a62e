/* A charge: what one request is to pay, whole before it is handed over and never changed after; what became
 * of it; and the submission, in which the two go to the writer and come back. */
#ifndef LEDGER_ENTRY_CHARGE_H
#define LEDGER_ENTRY_CHARGE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/identifier/uuid.h"

struct snapshot;

struct charge {
    uint8_t payment_id[UUID_SIZE]; /* version 7: its time says which day and partition */
    size_t site;                   /* index in config->sites */
    int64_t amount_micros;         /* of the site's currency; not negative */
    int64_t let_off_micros;        /* by so much the site's own server has lowered the price that was signed:
                                    * the amount is what is left of it */
    struct slice agent;            /* account key: normalised origin or URL of the Signature-Agent */
    struct slice directory_url;    /* where the key was found */
    const struct snapshot *snapshot; /* the directory's body; stored before the entry. NULL: none */
    struct slice public_key;         /* JWK members that make the thumbprint, as JSON (RFC 7638 section 3) */
    uint8_t thumbprint[DIGEST_SIZE];
    int64_t agreement_id;   /* the version that was in force; 0: there was none */
    enum err unless_repeat; /* not ERR_OK: it is not recorded now, and this is its outcome if it was not
                             * recorded earlier */
    bool hands_over;        /* with unless_repeat: of a request that changes something. Where it was not
                             * recorded its id is taken, once for ever, for handing it to the site */
    /* Of a page that costs nothing again for a while: within so long after it was paid; 0: it does. */
    int64_t recrawl_ms;
    bool validated;               /* it came with a strong validator, and can be told from others */
    bool whole;                   /* and not a range of it */
    uint8_t copy[DIGEST_SIZE];    /* of URL and validator; zeros without one */
    struct slice identifier;      /* by which the payer calls the payment itself; empty: by none */
    uint8_t payload[DIGEST_SIZE]; /* with it: of what was paid with */
    bool doubtful;                /* an earlier try may have recorded it: that one was never answered */
    struct slice rule;            /* name of the rule that set the price */
    struct slice resource;        /* scheme, authority and request target: the URL that was asked for */
    struct slice signature;       /* raw bytes */
    struct slice signature_base;  /* RFC 9421 section 2.5 */
};

struct charge_outcome {
    /* ERR_OK: recorded now, or earlier with the same signer and content.
     * ERR_PAYMENT_CONFLICT: the id was used by another signer or for other content; a conflict row was
     * written. ERR_PAYMENT_UNDELIVERED: recorded earlier, and its page was not delivered: the id opens
     * nothing any more. unless_repeat, when that is not ERR_OK: it was not recorded. ERR_REQUEST_REPEATED,
     * with hands_over: it was not recorded, and its id was taken before, or may have been.
     * ERR_IDENTIFIER_CONFLICT: not recorded now, as another payment of the crawler has the identifier.
     * ERR_PAGE_CHANGED, with recrawl_ms: recorded earlier as a repeat at no price, of another copy.
     * ERR_LEDGER_UNAVAILABLE: not known to be durable; the same id may be sent again.
     * ERR_INTERNAL: nothing was recorded and never will be: the values do not fit the ledger, such as
     * a resource that is not UTF-8.
     * Or why it was not taken: ERR_OVERLOADED, ERR_LEDGER_UNAVAILABLE. */
    enum err err;
    bool repeated;          /* with ERR_OK: recorded earlier */
    bool unsure;            /* a connection was lost while it was sent: it may have been recorded then */
    int64_t recorded_at_ms; /* with ERR_OK: when it was first recorded */
    int64_t amount_micros;  /* with ERR_OK: of the entry; a repeat's is the first one's, whatever it would be
                               now, or its final amount */
    uint8_t writer_id[UUID_SIZE]; /* with ERR_OK and not repeated: the batch that recorded it, */
    int64_t sequence;             /* as in the ledger's table "spend" */
};

#define SUBMISSION_MAGIC 0x5b1e93c7

/* Begins as submission_of makes it. Of one that was taken all but the charge is the writer's until `done`. */
struct submission {
    uint32_t magic;
    bool taken;                  /* by the writer: from writer_submit until `done` */
    const struct charge *charge; /* the caller's; untouched until `done` */
    struct charge_outcome outcome;
    void (*done)(struct submission *submission); /* on a writer's thread; the submission may end in it */
    struct submission *next;                     /* in the queue */
    int64_t deadline_ms; /* clock_monotonic_ms; then it is answered, recorded or not */
};

/* The price that was signed for: no entry of this id has a higher amount. */
static inline int64_t charge_offered(const struct charge *charge)
{
    return charge->amount_micros + charge->let_off_micros;
}

static inline struct submission submission_of(const struct charge *charge,
                                              void (*done)(struct submission *submission))
{
    return (struct submission){.magic = SUBMISSION_MAGIC, .charge = charge, .done = done};
}

#endif
