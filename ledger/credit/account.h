/* Accounts: what is known of each crawler at each site, and the sites' billing days. Of credit.c, which holds
 * a lock over all of it. Behind each account stands its origin, which in everything is the sum of its
 * accounts: whoever has an origin can make as many of them as it likes. */
#ifndef LEDGER_CREDIT_ACCOUNT_H
#define LEDGER_CREDIT_ACCOUNT_H

#include "ledger/credit/credit.h"

/* What an account, or an origin, spends on one billing day. */
struct account_day {
    int64_t starts_ms;
    int64_t read_micros;
    int64_t held_micros;
};

/* Never freed before the end, so that claims may point to it. */
struct credit_account {
    struct account_site *site;
    struct credit_account *whole; /* of the origin; NULL: this is one */
    struct credit_account *next;  /* in the same bucket */
    int64_t owed_micros;          /* the balance, */
    int64_t counted_ms;           /* which counts what was spent before this moment; of an origin: unused */
    struct account_day *days;     /* from there on, as they came */
    size_t day_count, day_room;
    size_t name_len;
    char name[];
};

struct account_span {
    int64_t starts_ms, ends_ms;
    bool sealed;
};

struct account_site {
    struct account_site *next;
    struct account_site *beside; /* in the same bucket */
    int64_t counted_ms;          /* for accounts that have no balance */
    struct account_span *days;   /* billing days around now, in the table's array */
    size_t day_count;
    size_t name_len;
    char name[];
};

struct account_table {
    struct account_site *sites;
    struct account_site **site_buckets;
    size_t site_bucket_count; /* as bucket_count, of sites */
    size_t site_count;
    struct account_span *spans; /* days of all of them */
    struct credit_account **buckets;
    size_t bucket_count; /* a power of two, and no less than accounts as long as there is memory */
    size_t count;
};

/* False without memory; account_table_free is right then, too. */
bool account_table_init(struct account_table *table);
void account_table_free(struct account_table *table);

/* find: NULL if there is none; make: NULL without memory. A new account counts what its site does. An agent
 * may have the name of an account of before (ledger/base/http/agent.h): found is the one that it is now. */
struct account_site *account_table_find_site(const struct account_table *table, struct slice name);
struct account_site *account_table_make_site(struct account_table *table, struct slice name);
struct credit_account *account_table_find(const struct account_table *table, const struct account_site *site,
                                          struct slice agent);
struct credit_account *account_table_make(struct account_table *table, struct account_site *site,
                                          struct slice agent);

/* As credit_apply_days; false without memory: nothing has changed. */
bool account_table_days(struct account_table *table, const struct credit_day *days, size_t count);

/* Takes back what was read of all days; what is held stays. */
void account_table_forget_read(struct account_table *table);

/* The site's billing day at a moment; NULL: it is not known. `site` may be NULL. */
const struct account_span *account_site_day(const struct account_site *site, int64_t ms);

/* NULL: nothing was spent on it, or the balance counts it. Good until another day is made or dropped. */
const struct account_day *account_find_day(const struct credit_account *account, int64_t starts_ms);

/* Makes a day that the balance does not count, of the account and its origin, unless it is there. False
 * without memory. */
bool account_make_day(struct credit_account *account, int64_t starts_ms);

/* Drops days with nothing on them. */
void account_drop_empty_days(struct credit_account *account);

/* Adds to what was read of a day, or is held on it (less than nothing: takes off); nothing is done on a day
 * that is not there. */
void account_add_read(struct credit_account *account, int64_t starts_ms, int64_t micros);
void account_add_held(struct credit_account *account, int64_t starts_ms, int64_t micros);

/* The balance is this now, and counts what was spent before the moment: days before are dropped, and not made
 * again, since what is held on them could not be told from what is not. */
void account_set_balance(struct credit_account *account, int64_t owed_micros, int64_t counted_ms);

/* Sums stop at the largest number, which is above every limit. */
int64_t account_sum(int64_t a, int64_t b);

#endif
