/* What an invoice, or one of its lines, is made of: every crawl and why it costs what it does, fees, and what
 * was taken back. Streams page by page, by the keys of entries, over all the days of the invoice. What is
 * archived is told as a sum for each day, line and file, so that all that is told comes to what is billed. */
#ifndef LEDGER_BILL_INVOICE_ENTRIES_H
#define LEDGER_BILL_INVOICE_ENTRIES_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

enum invoice_entry_form {
    INVOICE_ENTRY_CRAWL,
    INVOICE_ENTRY_AWAY, /* crawls of a day whose entries are archived, or what the terms take off them */
    INVOICE_ENTRY_OTHER /* a fee or the like, or an adjustment */
};

/* One item. Texts are good until the teller returns; NULL where there is none. */
struct invoice_entry {
    enum invoice_entry_form form;
    int64_t line;          /* of the invoice, that bills it */
    int64_t discount_line; /* that takes something off it; 0: none does */
    const char *kind;      /* of `line`: "crawls", "fee", "reversal", … */
    const char *description;
    int64_t quantity;      /* 1, or of INVOICE_ENTRY_AWAY how many crawls */
    int64_t amount_micros; /* that it adds to the invoice or, if one line is told, to that one */
    int64_t price_micros, discount_micros;
    const char *date; /* of the billing day, "YYYY-MM-DD" */
    const char *payment_id;
    int64_t offered_ms;
    const char *resource, *rule;
    int64_t crawl; /* its number in the period, of those that cost something; 0: it is none of these */
    int64_t offer_version; /* of the agreement that made its price; 0: none did */
    int64_t terms_version; /* of the agreement that discounts it; 0: none */
    const char *discount_kind, *detail;
    const char *repeats; /* the payment because of which it was free */
    struct pg_hex signature_base;
    int64_t taken_micros;  /* back of it so far, on whatever document */
    const char *delivered; /* how its answer ended, as the gate has recorded it; NULL: it has not */
    const char *adjustment_id, *reason, *actor, *dispute_id;
    const char *file; /* in which the entries are */
};

/* False ends the telling. */
typedef bool invoice_entry_tell(const struct invoice_entry *entry, void *context);

struct invoice_entries_order {
    int64_t site_id;
    const char *number;
    int64_t line; /* 0: all */
    invoice_entry_tell *tell;
    void *context;
};

/* What was told, against what is billed. */
struct invoice_entries_sum {
    bool line_known;       /* false: there is no such line, and nothing was told */
    int64_t items;         /* that were told */
    int64_t archived;      /* crawls among these that are in files */
    int64_t told_micros;   /* they come to */
    int64_t billed_micros; /* the line or, of an invoice, all its lines */
    int64_t wrong_line;    /* the first line that comes to something else than it says; 0: none does */
};

enum err invoice_entries_read(struct pg *pg, const struct invoice_entries_order *order,
                              struct invoice_entries_sum *sum) MUST_USE;

#endif
