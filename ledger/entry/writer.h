/* The writer: takes charges from the HTTP threads through a bounded queue and commits everything that has
 * queued meanwhile as one transaction (group commit). One or more threads (ledger.writers), each with
 * a connection, share the queue. A charge is answered exactly once, and with ERR_OK only after its entry
 * is durable (promise P1). */
#ifndef LEDGER_ENTRY_WRITER_H
#define LEDGER_ENTRY_WRITER_H

#include "ledger/base/config/config.h"
#include "ledger/base/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/uuid.h"

struct snapshot;

/* One entry to record. Everything but the result belongs to the caller and stays untouched until `done`. */
struct charge {
    uint8_t payment_id[UUID_SIZE];   /* version 7: its time says which day and partition */
    size_t site;                     /* index in config->sites */
    int64_t amount_micros;           /* of the site's currency */
    struct slice agent;              /* account key: normalised origin or URL of the Signature-Agent */
    struct slice directory_url;      /* where the key was found */
    const struct snapshot *snapshot; /* the directory's body; stored before the entry. NULL: none */
    struct slice public_key;         /* JWK members that make the thumbprint, as JSON (RFC 7638 section 3) */
    uint8_t thumbprint[DIGEST_SIZE];
    int64_t agreement_id;        /* the version that was in force; 0: there was none */
    enum err unless_repeat;      /* not ERR_OK: it is not recorded now, and this is its outcome if it was not
                                  * recorded earlier */
    struct slice rule;           /* name of the rule that set the price */
    struct slice resource;       /* scheme, authority and request target: the URL that was asked for */
    struct slice signature;      /* raw bytes */
    struct slice signature_base; /* RFC 9421 section 2.5 */

    /* The result, set before `done` is called on a writer's thread:
     * ERR_OK               recorded now, or earlier with the same signer and content
     * ERR_PAYMENT_CONFLICT the id was used by another signer or for other content; a conflict row was written
     * unless_repeat        when that is not ERR_OK: it was not recorded
     * ERR_LEDGER_UNAVAILABLE  not known to be durable; the same id may be sent again
     * ERR_INTERNAL         nothing was recorded and never will be: the values do not fit the ledger, such as
     * a resource that is not UTF-8 */
    enum err outcome;
    bool repeated;                /* with ERR_OK: recorded earlier */
    int64_t recorded_at_ms;       /* with ERR_OK: when it was first recorded */
    uint8_t writer_id[UUID_SIZE]; /* with ERR_OK and not repeated: the batch that recorded it, */
    int64_t sequence;             /* as in the ledger's table "spend" */
    bool unsure; /* an earlier try may have recorded it: its connection was lost. The caller's before */
    void (*done)(struct charge *charge);
    struct charge *next; /* the queue's, like the deadline (clock_monotonic_ms) */
    int64_t deadline_ms;
};

struct writer;

/* Starts the threads. They connect when they can and as often as they must: a missing database is no error.
 * `config` must outlive the writer. NULL without memory or thread. */
struct writer *writer_start(const struct config *config);

/* True if this very entry (id, site, account, amount and resource) is remembered as recorded: the result is
 * set as of a repeated one, and there is nothing to submit. No statement and no waiting. */
bool writer_recall(struct writer *writer, struct charge *charge);

/* Queues the charge. ERR_OK: `done` will be called once. ERR_OVERLOADED: the queue is full,
 * ERR_LEDGER_UNAVAILABLE: there is no connection; the charge stays the caller's and `done` is not called.
 * Never waits. */
enum err writer_submit(struct writer *writer, struct charge *charge) MUST_USE;

/* True while there is at least one connection whose schema fits. */
bool writer_ready(const struct writer *writer);

/* Commits what is queued, or answers ERR_LEDGER_UNAVAILABLE if there is no connection; ends the threads and
 * frees. No other thread may use the writer any more. NULL is fine. */
void writer_stop(struct writer *writer);

#endif
