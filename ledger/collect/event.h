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
    bool dry_run; /* the caller has begun a transaction, and rolls it back in the end: none is begun or ended
                   */
};

enum event_outcome {
    EVENT_DONE,
    EVENT_REPEATED,   /* it was recorded before, with the same amount: nothing was changed */
    EVENT_CONFLICT,   /* the reference was recorded with another amount */
    EVENT_NO_NUMBER,  /* no invoice of that number, or several sites have it */
    EVENT_NO_DEBT,    /* a credit note: nobody pays it */
    EVENT_MISFIT,     /* the amount has more decimals than the currency */
    EVENT_PAID,       /* cannot be void: money was received, credit applied, or all of it taken back */
    EVENT_VOID,       /* it is void already, or billed again already */
    EVENT_TOO_LITTLE, /* less than a minor unit is left to bill again */
    EVENT_SETTLED     /* cannot be written off: nothing of it is open, or it is void */
};

/* What the invoice has become. */
struct event_state {
    char status[16]; /* as in ledger/format/document.h, but never "overdue" */
    char currency[8];
    int64_t decimals;
    int64_t total_minor;
    int64_t paid_minor;
    int64_t open_minor; /* below zero: too much was paid */
};

struct event_money {
    int64_t amount_micros;   /* below zero: paid back, or a debit that bounced */
    const char *reference;   /* of the bank's movement: recorded once per invoice */
    const char *received_on; /* date; NULL: the site's today */
    const char *identity;    /* of ledger/format/bank/movement.h; NULL: told by a person */
};

/* Records money that came in. */
enum err event_receive(struct pg *pg, const struct event_subject *subject, const struct event_money *money,
                       enum event_outcome *outcome, struct event_state *state) MUST_USE;

/* Records that the money is not counted on any more: the invoice is owed as before, and no credit note is
 * made. Repeated if it was before; EVENT_SETTLED if nothing is open. */
enum err event_write_off(struct pg *pg, const struct event_subject *subject, const char *reason,
                         enum event_outcome *outcome, struct event_state *state) MUST_USE;

struct event_cancel {
    const char *reason;
    bool reissue;
};

/* --- Several steps in one transaction: event_begin, what is to be done if its outcome is EVENT_DONE,
 * event_end; after any error pg_rollback. */

struct event_invoice {
    const struct event_subject *subject;
    int64_t site_id;
    int64_t decimals;
    bool credit_note;
};

/* Finds the invoice and locks its site's corrections and payments, so that what is read holds until the end.
 */
enum err event_begin(struct pg *pg, const struct event_subject *subject, struct event_invoice *invoice,
                     enum event_outcome *outcome) MUST_USE;

enum err event_read(struct pg *pg, const struct event_invoice *invoice, struct event_state *state) MUST_USE;

/* Records the money, and what it makes of the invoice as an event, unless the reference is there already. */
enum err event_pay(struct pg *pg, const struct event_invoice *invoice, const struct event_money *money,
                   enum event_outcome *outcome, struct event_state *state) MUST_USE;

/* Records that something has happened to the invoice: one of the events of the table invoice_event. */
enum err event_add(struct pg *pg, const struct event_invoice *invoice, const char *event,
                   const char *detail) MUST_USE;

/* Whether the invoice has the event with this detail. */
enum err event_known(struct pg *pg, const struct event_invoice *invoice, const char *event,
                     const char *detail, bool *known) MUST_USE;

/* Records the event "returned", once per detail: money went back, or the bank says that it will not come.
 * `money` is what went out, and not recorded yet; NULL: none. */
enum err event_return(struct pg *pg, const struct event_invoice *invoice, const char *detail,
                      const struct event_money *money) MUST_USE;

/* Commits, but for a dry run. */
enum err event_end(struct pg *pg, const struct event_invoice *invoice) MUST_USE;

/* --- */

/* The invoice or credit note went to its recipient. Idempotent. */
enum err event_sent(struct pg *pg, const struct event_subject *subject, enum event_outcome *outcome,
                    struct event_state *state) MUST_USE;

/* Cancels an invoice of which nothing was paid: an adjustment over all that is left of it, from which the
 * next close makes a credit note. Number and invoice stay, as the law wants. With `reissue` the same close
 * makes an invoice over the same crawls, to the buyer of the agreement that is in force then; of one that is
 * void already, the next close does. */
enum err event_void(struct pg *pg, const struct event_subject *subject, const struct event_cancel *order,
                    enum event_outcome *outcome, struct event_state *state) MUST_USE;

#endif
