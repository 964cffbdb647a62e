/* The outbox: messages for the publisher's own systems, made from what has happened, and their deliveries.
 * At least once: a receiver tells messages apart by their ids. */
#ifndef LEDGER_OUTBOX_OUTBOX_H
#define LEDGER_OUTBOX_OUTBOX_H

#include "ledger/pg/pg.h"

/* What happened longer ago is not told any more, for instance when a site gets its first webhook. */
#define OUTBOX_OLDEST_MS (INT64_C(90) * 86400 * 1000)

#define OUTBOX_ID_MAX 65

/* Puts one message into the outbox; with an id that is there already it does nothing. Inside the caller's
 * transaction. */
enum err outbox_put(struct pg *pg, int64_t site_id, const char *id, const char *type, const char *body,
                    int64_t now_ms) MUST_USE;

/* Makes a message of everything that has happened to the site's invoices and disputes and is in none yet. */
enum err outbox_collect(struct pg *pg, int64_t site_id, const char *site, int64_t now_ms) MUST_USE;

/* A message that is to be sent. Texts are good until outbox_each returns. */
struct outbox_message {
    const char *id;
    const char *type;
    const char *body;
    int64_t failures; /* so far */
};

/* What came of sending it. */
struct outbox_result {
    long status;        /* of HTTP; 0: no answer */
    const char *detail; /* "" or why */
};

typedef struct outbox_result outbox_send(const struct outbox_message *message, void *context);

struct outbox_count {
    int64_t delivered;
    int64_t failed;
    int64_t waiting;  /* for a later try */
    int64_t given_up; /* after three days */
};

/* Sends what is due, oldest first, and records each attempt as it is made. */
enum err outbox_each(struct pg *pg, int64_t site_id, int64_t now_ms, outbox_send *send, void *context,
                     struct outbox_count *count) MUST_USE;

/* Records an attempt. */
enum err outbox_record(struct pg *pg, const char *id, const struct outbox_result *result,
                       int64_t now_ms) MUST_USE;

#endif
