/* Opening disputes: what a crawler, or the publisher for it, says is wrong with payments or with lines of an
 * invoice. All of it is opened or, with a cause for each subject that stands in the way, nothing.
 *
 * What the gate needs for a crawler that disputes by a signed request is dispute_open_signed: its role may
 * call the database's function open_dispute, and read the tables of disputes, and has no right to add to them
 * or to decide. The request must have been verified before (signature, key, account); it is kept as evidence
 * as it came. The answer never speaks of what is another crawler's. */
#ifndef LEDGER_DISPUTE_OPENING_H
#define LEDGER_DISPUTE_OPENING_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

#include <jansson.h>

#define DISPUTE_SUBJECTS_MAX 1000
#define DISPUTE_CRAWLS_MAX   10000 /* of a line */
#define DISPUTE_WORDS_MAX    4096  /* bytes of a statement */
#define DISPUTE_EVIDENCE_MAX 1048576

/* X(its name as in the refunds of x402, what it says) */
#define DISPUTE_REASONS(X)                                                                                   \
    X("service_not_delivered", "the page did not arrive, or not whole")                                      \
    X("service_defective", "what arrived was no page: an error, or another page")                            \
    X("duplicate_payment", "the same page was paid twice")                                                   \
    X("overcharge", "more was charged than was offered and signed")                                          \
    X("customer_request", "the crawler asks for it")                                                         \
    X("other", "anything else; the statement says what")

bool dispute_reason_known(const char *reason);

/* A payment, or a line of an invoice. */
struct dispute_subject {
    char payment_id[UUID_TEXT_MAX]; /* "" with an invoice */
    const char *number;             /* of the invoice; NULL with a payment */
    int64_t line;
};

struct dispute_opening {
    int64_t site_id;
    const char *reason;
    const char *statement;                  /* "" or why, UTF-8 */
    const struct dispute_subject *subjects; /* 1 to DISPUTE_SUBJECTS_MAX */
    size_t count;
    int64_t window_days, answer_days; /* of the configuration; those of an agreement go before */
};

/* A request that a crawler has signed. */
struct dispute_request {
    int64_t crawler_id;
    struct slice body;       /* at most DISPUTE_EVIDENCE_MAX; "" is none */
    struct slice base;       /* signature base, RFC 9421 section 2.5 */
    struct slice signature;  /* raw */
    struct slice thumbprint; /* DIGEST_SIZE */
};

enum dispute_outcome {
    DISPUTE_OPENED,
    DISPUTE_KNOWN,  /* the same was opened before, by the same side: `id` is that one's */
    DISPUTE_REFUSED /* `answer` says why */
};

struct dispute_opened {
    enum dispute_outcome outcome;
    char id[UUID_TEXT_MAX]; /* "" with DISPUTE_REFUSED */
    /* {outcome: "opened", "known" or "refused", dispute_id, due_at, subjects: [{place, amount_micros, cause,
     * detail, sentence}]}: place from 1 in the order of the opening, cause "" where nothing stands in the
     * way, sentence only where something does. Freed with json_decref by the caller. */
    json_t *answer;
};

/* For a crawler, with the gate's rights. One statement, outside of a transaction. ERR_LEDGER_UNAVAILABLE and
 * its like when the ledger does not answer: then it can be sent again, and will be DISPUTE_KNOWN if it was
 * there. */
enum err dispute_open_signed(struct pg *pg, const struct dispute_opening *opening,
                             const struct dispute_request *request, int64_t now_ms,
                             struct dispute_opened *opened) MUST_USE;

/* What the publisher opens for a crawler, on his own account or after a letter. */
struct dispute_publisher {
    const char *actor;
    struct slice evidence; /* at most DISPUTE_EVIDENCE_MAX; "" is none */
    const char *name;      /* of its file */
};

/* With the operator's rights, inside a transaction or outside. */
enum err dispute_open(struct pg *pg, const struct dispute_opening *opening,
                      const struct dispute_publisher *publisher, int64_t now_ms,
                      struct dispute_opened *opened) MUST_USE;

#endif
