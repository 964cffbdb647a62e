/* Money received for invoices, and what else happens to them after they were made: events, never changes. */
#ifndef LEDGER_COLLECT_EVENT_H
#define LEDGER_COLLECT_EVENT_H

#include "ledger/pg/pg.h"

/* Which invoice, who says so, when. `site` may be NULL if only one has the number. */
struct event_subject {
    const char *number;
    const char *site;
    const char *actor;
    int64_t now_ms;
    bool dry_run; /* event_receive: everything is done and then rolled back */
};

enum event_outcome {
    EVENT_DONE,
    EVENT_REPEATED,  /* it was recorded before, with the same amount: nothing was changed */
    EVENT_CONFLICT,  /* the reference was recorded with another amount */
    EVENT_NO_NUMBER, /* no invoice of that number, or several sites have it */
    EVENT_NO_DEBT,   /* a credit note: nobody pays it */
    EVENT_MISFIT,    /* the amount has more decimals than the currency */
    EVENT_PAID,      /* cannot be void: money was received, or all of it was taken back */
    EVENT_VOID       /* it is void already */
};

/* What the invoice has become. */
struct event_state {
    char status[16]; /* as in ledger/format/document.h, but never "overdue" */
    char currency[8];
    int64_t decimals;
    int64_t open_minor; /* below zero: too much was paid */
};

struct event_money {
    int64_t amount_micros;   /* below zero: paid back, or a debit that bounced */
    const char *reference;   /* of the bank's movement: recorded once per invoice */
    const char *received_on; /* date; NULL: the site's today */
};

/* Records money that came in. */
enum err event_receive(struct pg *pg, const struct event_subject *subject, const struct event_money *money,
                       enum event_outcome *outcome, struct event_state *state) MUST_USE;

/* The invoice or credit note went to its recipient. Idempotent. */
enum err event_sent(struct pg *pg, const struct event_subject *subject, enum event_outcome *outcome,
                    struct event_state *state) MUST_USE;

/* Cancels an invoice of which nothing was paid: an adjustment over all that is left of it, from which the
 * next close makes a credit note. Number and invoice stay, as the law wants. */
enum err event_void(struct pg *pg, const struct event_subject *subject, const char *reason,
                    enum event_outcome *outcome, struct event_state *state) MUST_USE;

#endif
