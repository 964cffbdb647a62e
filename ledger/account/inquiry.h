/* What a crawler asks of its own account (WIRE.md section 8): the path below /.well-known/crawltab/account
 * and the query, taken apart. Pure. */
#ifndef LEDGER_ACCOUNT_INQUIRY_H
#define LEDGER_ACCOUNT_INQUIRY_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/format/bill/rendering.h"

#define INQUIRY_PATH         SLICE("/.well-known/crawltab/account")
#define INQUIRY_LIMIT        1000 /* items of a page, if nothing else is asked for */
#define INQUIRY_LIMIT_MAX    5000
#define INQUIRY_TAG          "crawltab-account"
#define INQUIRY_LIFE_SECONDS 60

enum inquiry_topic {
    INQUIRY_SUMMARY,         /* terms, prices, what was spent and may be */
    INQUIRY_ENTRIES,         /* a page of them */
    INQUIRY_STATEMENT,       /* invoices, credit notes and payments, with the balance */
    INQUIRY_INVOICES,        /* a page of them, credit notes too */
    INQUIRY_INVOICE,         /* one, in a format */
    INQUIRY_INVOICE_ENTRIES, /* what it bills, a page */
    INQUIRY_PROOF,           /* of one entry */
    INQUIRY_CHECKPOINTS,     /* a page of them */
    INQUIRY_DISPUTES,        /* a page of them */
    INQUIRY_DISPUTE,         /* one */
    INQUIRY_DISPUTE_OPENING, /* a new one, by POST */
};

/* The texts are in the arena. */
struct inquiry {
    enum inquiry_topic topic;
    const char *path; /* as it was sent, for the target of a list's next page */
    const char *name; /* what the path names: an invoice's number, a payment id, a dispute's; NULL */
    const struct rendering *format; /* of an invoice */
    const char *from, *to;          /* billing days, both included; NULL: not given */
    const char *after;              /* of a list: what stands behind this; NULL: all. Of entries a UUID, in
                                     * its one spelling, of invoices a number, of checkpoints a size */
    int64_t limit;
};

#define INQUIRY_BODY_MAX ((size_t)131072) /* of what opens a dispute */

/* True for the path and what is below it. */
bool inquiry_asked(const struct message *message);

/* Reads the target, for which inquiry_asked is true. ERR_ACCOUNT_PATH_UNKNOWN: there is no such part of an
 * account; ERR_METHOD_NOT_ALLOWED; ERR_MALFORMED_QUERY: a parameter that this part does not have, that stands
 * twice, or has a value that it cannot have; ERR_REQUEST_TOO_LARGE: no room. */
enum err inquiry_read(struct arena *arena, const struct message *message, struct inquiry *inquiry) MUST_USE;

/* How many bytes the body of such a request may have. */
size_t inquiry_body_room(const struct message *message);

/* The methods that there are where it asks, for Allow. Static. */
const char *inquiry_methods(const struct message *message);

#endif
