/* Each crawler has two entries here, its own and its origin's, which has the sum of all its paths: a limit on
 * an origin costs one more look-up, and not a walk. What is added to an account is added to its origin in the
 * same step, so that the two never differ by what is half done. */
#include "ledger/credit/account.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/http/agent.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS_MIN      1024
#define SITE_BUCKETS_MIN 16

bool account_table_init(struct account_table *table)
{
    *table = (struct account_table){.bucket_count = BUCKETS_MIN, .site_bucket_count = SITE_BUCKETS_MIN};
    table->buckets = calloc(BUCKETS_MIN, sizeof(struct credit_account *));
    table->site_buckets = calloc(SITE_BUCKETS_MIN, sizeof(struct account_site *));
    return table->buckets && table->site_buckets;
}

void account_table_free(struct account_table *table)
{
    for (struct account_site *site = table->sites, *next; site; site = next) {
        next = site->next;
        free(site);
    }
    for (size_t i = 0; table->buckets && i < table->bucket_count; i++)
        for (struct credit_account *account = table->buckets[i], *next; account; account = next) {
            next = account->next;
            free(account->days);
            free(account);
        }
    free(table->spans);
    free(table->site_buckets);
    free(table->buckets);
}

/* --- Sites and their days --- */

static struct slice name_of(const struct account_site *site)
{
    return (struct slice){site->name, site->name_len};
}

static struct account_site **site_bucket_of(const struct account_table *table, struct slice name)
{
    assert((table->site_bucket_count & (table->site_bucket_count - 1)) == 0);
    return &table->site_buckets[slice_hash(name) & (table->site_bucket_count - 1)];
}

static void put_site(struct account_table *table, struct account_site *site)
{
    struct account_site **bucket = site_bucket_of(table, name_of(site));
    site->beside = *bucket;
    *bucket = site;
}

/* Without memory the buckets stay as few as they are. */
static void spread_sites(struct account_table *table)
{
    struct account_site **buckets = calloc(2 * table->site_bucket_count, sizeof(struct account_site *));
    if (!buckets)
        return;
    free(table->site_buckets);
    table->site_buckets = buckets;
    table->site_bucket_count *= 2;
    for (struct account_site *site = table->sites; site; site = site->next)
        put_site(table, site);
}

struct account_site *account_table_find_site(const struct account_table *table, struct slice name)
{
    /* A table of their own: a payment asks for its site, and a reading for that of each row. */
    struct account_site *site = *site_bucket_of(table, name);
    while (site && !slice_eq(name_of(site), name))
        site = site->beside;
    return site;
}

struct account_site *account_table_make_site(struct account_table *table, struct slice name)
{
    struct account_site *site = account_table_find_site(table, name);
    /* In one block with its name, and never freed before the end: claims point at it. */
    if (site || !(site = calloc(1, sizeof(*site) + name.len)))
        return site;
    site->next = table->sites;
    site->name_len = name.len;
    memcpy(site->name, name.data, name.len);
    if (table->site_count >= table->site_bucket_count)
        spread_sites(table);
    put_site(table, site);
    table->sites = site;
    table->site_count++;
    return site;
}

/* The days of one site stand together, so that each site has a piece of the one array. */
static void spread_days(struct account_table *table, const struct credit_day *days, size_t count)
{
    struct account_site *site;
    for (site = table->sites; site; site = site->next)
        site->day_count = 0;
    for (size_t i = 0, made = 0; i < count; i++) {
        if (!site || !slice_eq(name_of(site), days[i].site)) {
            site = account_table_find_site(table, days[i].site);
            assert(site && site->day_count == 0); /* made before, and its days stand together */
            site->days = &table->spans[made];
            site->counted_ms = days[i].counted_ms;
        }
        if (!days[i].taken)
            continue;
        assert(made < count && &table->spans[made] == &site->days[site->day_count]);
        site->days[site->day_count++] =
            (struct account_span){days[i].starts_ms, days[i].ends_ms, days[i].sealed};
        made++;
    }
}

bool account_table_days(struct account_table *table, const struct credit_day *days, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!account_table_make_site(table, days[i].site))
            return false;
    /* Everything that may fail first: the former days stay in use then. */
    struct account_span *spans = calloc(count + 1, sizeof(*spans));
    if (!spans)
        return false;
    free(table->spans);
    table->spans = spans;
    spread_days(table, days, count);
    return true;
}

const struct account_span *account_site_day(const struct account_site *site, int64_t ms)
{
    /* A handful, also of a site that is weeks behind. */
    for (size_t i = 0; site && i < site->day_count; i++)
        if (site->days[i].starts_ms <= ms && ms < site->days[i].ends_ms)
            return &site->days[i];
    return NULL;
}

/* --- Accounts --- */

static struct slice name_of_account(const struct credit_account *account)
{
    return (struct slice){account->name, account->name_len};
}

static struct credit_account **bucket_of(const struct account_table *table, struct slice name)
{
    assert(table->bucket_count > 0 && (table->bucket_count & (table->bucket_count - 1)) == 0);
    return &table->buckets[slice_hash(name) & (table->bucket_count - 1)];
}

static void put(struct account_table *table, struct credit_account *account)
{
    struct credit_account **bucket = bucket_of(table, name_of_account(account));
    account->next = *bucket;
    *bucket = account;
}

/* Without memory the buckets stay as few as they are. */
static void spread_accounts(struct account_table *table)
{
    size_t former_count = table->bucket_count, moved = 0;
    struct credit_account **former = table->buckets;
    struct credit_account **buckets = calloc(2 * former_count, sizeof(*buckets));
    if (!buckets)
        return;
    table->buckets = buckets;
    table->bucket_count = 2 * former_count;
    for (size_t i = 0; i < former_count; i++)
        for (struct credit_account *account = former[i], *next; account; account = next) {
            next = account->next;
            put(table, account);
            moved++;
        }
    assert(moved == table->count);
    free(former);
}

/* An account, or an origin, which may have the same name. */
static struct credit_account *find(const struct account_table *table, const struct account_site *site,
                                   struct slice name, bool origin)
{
    assert(site);
    /* The hash is the name's alone: the same crawler on several sites shares a bucket, which is rare enough.
     */
    struct credit_account *account = *bucket_of(table, name);
    while (account &&
           (account->site != site || !account->whole != origin || !slice_eq(name_of_account(account), name)))
        account = account->next;
    return account;
}

/* With the origin behind it; NULL: it is one. */
static struct credit_account *make(struct account_table *table, struct account_site *site, struct slice name,
                                   struct credit_account *whole)
{
    assert(!whole || (whole->site == site && !whole->whole));
    struct credit_account *account = find(table, site, name, !whole);
    if (account || !(account = calloc(1, sizeof(*account) + name.len)))
        return account;
    account->site = site;
    account->whole = whole;
    /* A new account has nothing on days that the site has counted; an origin's are its accounts'. */
    account->counted_ms = whole ? site->counted_ms : 0;
    account->name_len = name.len;
    memcpy(account->name, name.data, name.len);
    if (table->count >= table->bucket_count)
        spread_accounts(table);
    put(table, account);
    table->count++;
    return account;
}

struct credit_account *account_table_find(const struct account_table *table, const struct account_site *site,
                                          struct slice agent)
{
    return find(table, site, agent_account(agent), false);
}

struct credit_account *account_table_make(struct account_table *table, struct account_site *site,
                                          struct slice agent)
{
    struct slice name = agent_account(agent);
    struct credit_account *whole = make(table, site, agent_origin(name), NULL);
    return whole ? make(table, site, name, whole) : NULL;
}

/* --- Days of accounts --- */

int64_t account_sum(int64_t a, int64_t b)
{
    /* To the largest there is, and never round to below zero: a limit must not be passed by overflowing. */
    int64_t sum;
    return amount_add(a, b, &sum) ? sum : INT64_MAX;
}

static struct account_day *find_day(const struct credit_account *account, int64_t starts_ms)
{
    /* Two or three: those that are not counted yet. */
    for (size_t i = 0; i < account->day_count; i++)
        if (account->days[i].starts_ms == starts_ms)
            return &account->days[i];
    return NULL;
}

const struct account_day *account_find_day(const struct credit_account *account, int64_t starts_ms)
{
    return find_day(account, starts_ms);
}

/* Where an origin has nothing, none of its accounts has: no amount is below zero. */
void account_drop_empty_days(struct credit_account *account)
{
    assert(!account || !account->whole || !account->whole->whole); /* an account and its origin, no more */
    for (; account; account = account->whole) {
        size_t kept = 0;
        for (size_t i = 0; i < account->day_count; i++)
            if (account->days[i].read_micros != 0 || account->days[i].held_micros != 0)
                account->days[kept++] = account->days[i];
        account->day_count = kept;
    }
}

static bool add_day(struct credit_account *account, int64_t starts_ms)
{
    if (account->day_count == account->day_room) {
        size_t room = account->day_room + 2;
        struct account_day *days = realloc(account->days, room * sizeof(*days));
        if (!days)
            return false;
        account->days = days;
        account->day_room = room;
    }
    assert(account->day_count < account->day_room);
    account->days[account->day_count++] = (struct account_day){.starts_ms = starts_ms};
    return true;
}

bool account_make_day(struct credit_account *account, int64_t starts_ms)
{
    assert(starts_ms >= account->counted_ms);
    /* The account's first: an origin's day alone holds nothing, but an account's without it would be lost. */
    for (; account; account = account->whole)
        if (!find_day(account, starts_ms) && !add_day(account, starts_ms))
            return false;
    return true;
}

void account_add_read(struct credit_account *account, int64_t starts_ms, int64_t micros)
{
    if (micros == 0 || !find_day(account, starts_ms))
        return; /* though the origin may have the day, from another account */
    for (; account; account = account->whole) {
        struct account_day *day = find_day(account, starts_ms);
        assert(day); /* an origin has all days of its accounts that have something on them */
        day->read_micros = account_sum(day->read_micros, micros);
    }
}

void account_add_held(struct credit_account *account, int64_t starts_ms, int64_t micros)
{
    if (micros == 0 || !find_day(account, starts_ms))
        return;
    for (; account; account = account->whole) {
        struct account_day *day = find_day(account, starts_ms);
        assert(day);
        day->held_micros += micros;
        assert(day->held_micros >= 0); /* what was not held cannot be given back */
    }
}

void account_set_balance(struct credit_account *account, int64_t owed_micros, int64_t counted_ms)
{
    struct credit_account *whole = account->whole;
    size_t kept = 0;
    assert(whole && !whole->whole); /* balances are read of accounts, and their origin is told by them */
    /* Its own part of the origin's sum is taken out before the new one is put in: others have theirs there.
     */
    whole->owed_micros = account_sum(account_sum(whole->owed_micros, -account->owed_micros), owed_micros);
    account->owed_micros = owed_micros;
    if (account->counted_ms < counted_ms)
        account->counted_ms = counted_ms;
    for (size_t i = 0; i < account->day_count; i++) {
        const struct account_day *day = &account->days[i];
        if (day->starts_ms < account->counted_ms) {
            account_add_read(whole, day->starts_ms, -day->read_micros);
            account_add_held(whole, day->starts_ms, -day->held_micros);
        } else {
            account->days[kept++] = *day;
        }
    }
    account->day_count = kept;
}

void account_table_forget_read(struct account_table *table)
{
    /* What is held stays: it was promised to somebody, whatever is read anew. */
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct credit_account *account = table->buckets[i]; account; account = account->next)
            for (size_t day = 0; day < account->day_count; day++)
                account->days[day].read_micros = 0;
}
