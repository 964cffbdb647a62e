/* What invoices must say: a second opinion on the night, computed from a history in memory, in whole numbers.
 * It shares nothing with the product, neither its code nor its tables: only what README.md says of terms,
 * rounding and corrections. */
#ifndef TESTS_PG_SUPPORT_ORACLE_H
#define TESTS_PG_SUPPORT_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_TIERS_MAX 3
#define ORACLE_NONE      SIZE_MAX

enum oracle_cadence { ORACLE_DAILY, ORACLE_WEEKLY, ORACLE_MONTHLY };

/* A version of an agreement. In force at an instant is the highest version from not after it. */
struct oracle_terms {
    int64_t from_ms;
    enum oracle_cadence cadence;
    bool subscription;
    int64_t fee;             /* micro-units, as all that follows of money but for what says minor */
    int64_t minimum_fee;     /* of a period, without corrections */
    int64_t minimum_invoice; /* less than this is carried forward */
    int64_t included;        /* crawls of a period, by their ids */
    size_t tier_count;
    struct oracle_tier {
        int64_t from; /* crawl of the period after the included ones, from 1 */
        int64_t ppm;
    } tiers[ORACLE_TIERS_MAX];
    int64_t tax_ppm;
    int64_t due_days;
};

struct oracle_entry {
    char id[37];
    int64_t at_ms; /* of its id */
    size_t crawler;
    int64_t amount;
    int64_t taken;  /* back, so that no more is taken than there was */
    size_t invoice; /* on which it stands, or ORACLE_NONE */
};

/* Taken back, at an instant, of an entry or of a whole invoice. */
struct oracle_adjustment {
    int64_t at_ms;
    size_t crawler;
    size_t entry;   /* or ORACLE_NONE */
    size_t invoice; /* which is void, or ORACLE_NONE */
    int64_t amount;
    size_t day; /* that took it up, or ORACLE_NONE */
};

struct oracle_document {
    bool credit_note;
    size_t crawler;
    size_t day;
    size_t corrects; /* of a credit note: index of the invoice */
    int64_t entries, carried_in, subtotal, net, carried_out;
    int64_t crawls, included, tiers, subscription, fees, minimums, corrected; /* its lines, by kind */
    int64_t net_minor, tax_minor, total_minor;
    int64_t tax_ppm, due_days;              /* due_days: 30 without an agreement */
    int64_t credited, credited_total_minor; /* by credit notes */
    int64_t paid_minor;
};

struct oracle_day {
    char date[11];
    int64_t starts_ms, ends_ms;
};

struct oracle_account {
    struct oracle_terms *terms; /* in the order of their versions */
    size_t terms_count;
    int64_t carried;
    int64_t period_crawls, period_micros;
    struct oracle_document open; /* what the next invoice will say */
};

/* A site. Entries are in the order of their ids; days in order, one more than will be closed. */
struct oracle {
    int64_t minor; /* micro-units in the currency's minor unit */
    struct oracle_day *days;
    size_t day_count;
    size_t closed; /* days */
    struct oracle_account *accounts;
    size_t account_count;
    struct oracle_entry *entries;
    size_t entry_count, entries_closed;
    struct oracle_adjustment *adjustments;
    size_t adjustment_count;
    struct oracle_document *documents;
    size_t document_count;
};

/* Closes the next day. */
void oracle_close(struct oracle *oracle);

/* What can still be taken back of an invoice: its net amount less all that was taken back since its day, also
 * what no day has taken up yet. */
int64_t oracle_left(const struct oracle *oracle, size_t invoice);

/* What the crawler owes in all: carried, and what is open of documents. */
int64_t oracle_owed(const struct oracle *oracle, size_t crawler);

#endif
