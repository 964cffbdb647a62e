/* Invariants, under the mutex: of each day, `read` is the sum of the batches up to the marks, and `held` the
 * sum of claims that are not settled, of `known` and of `doubtful` entries. An entry moves from held to read
 * when the mark of its writer reaches it, in the same step; so it is counted once at any moment. All of an
 * origin is the sum of its agents in everything. */
#include "ledger/credit/credit.h"

#include "ledger/base/amount.h"
#include "ledger/base/http/agent.h"
#include "ledger/entry/entry.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096 /* of the table of accounts; more accounts than that share buckets */

struct day_sum {
    int64_t starts_ms;
    int64_t read_micros;
    int64_t held_micros;
};

/* What one agent, or a whole origin, spends and owes. Never freed before the end, so that claims may point to
 * it. */
struct credit_account {
    struct credit_site *site;
    struct credit_account
        *whole; /* that of the agent's origin, all of whose agents count in it; NULL: this is one */
    struct credit_account *next; /* in the same bucket */
    int64_t owed_micros;         /* from closed days */
    struct day_sum *days;        /* not closed, as they came */
    size_t day_count;
    size_t agent_len;
    char agent[];
};

struct span {
    int64_t starts_ms, ends_ms;
};

struct credit_site {
    struct credit_site *next;
    int64_t open_ms;   /* start of the first day that is not closed */
    struct span *days; /* billing days around now */
    size_t day_count;
    size_t name_len;
    char name[];
};

/* Recorded, and not read back yet: it waits for a mark. With a writer_id of zeros, for a round of reading. */
struct known {
    struct credit_mark at;
    struct credit_claim claim;
    int64_t amount_micros;
};

/* May be recorded: it waits to be tried again, to be found, or for the time after which nothing is recorded.
 */
struct doubtful {
    uint8_t id[UUID_SIZE];
    struct credit_claim claim;
    int64_t amount_micros;
};

struct credit {
    pthread_mutex_t mutex;
    struct credit_site *sites;
    struct credit_account *buckets[BUCKETS]; /* of agents */
    struct credit_account *wholes[BUCKETS];  /* of origins */
    struct credit_mark *marks;               /* by writer_id */
    size_t mark_count;
    struct known *known;
    size_t known_count;
    struct doubtful *doubtful;
    size_t doubtful_count;
    uint64_t begun, applied; /* rounds of reading */
};

struct credit *credit_new(void)
{
    struct credit *credit = calloc(1, sizeof(*credit));
    if (credit && pthread_mutex_init(&credit->mutex, NULL) != 0) {
        free(credit);
        return NULL;
    }
    return credit;
}

static void free_accounts(struct credit_account *buckets[BUCKETS])
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct credit_account *account = buckets[i], *next; account; account = next) {
            next = account->next;
            free(account->days);
            free(account);
        }
}

void credit_free(struct credit *credit)
{
    if (!credit)
        return;
    for (struct credit_site *site = credit->sites, *next; site; site = next) {
        next = site->next;
        free(site->days);
        free(site);
    }
    free_accounts(credit->buckets);
    free_accounts(credit->wholes);
    free(credit->marks);
    free(credit->known);
    free(credit->doubtful);
    pthread_mutex_destroy(&credit->mutex);
    free(credit);
}

/* Room for one more at the end of an array that doubles. NULL without memory: the array is as it was. */
static void *grow(void *array, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; /* a power of two, or none */
    return full ? realloc(array, (count ? 2 * count : 1) * size) : array;
}

/* --- Sites, accounts and their days --- */

static struct credit_site *find_site(const struct credit *credit, struct slice name)
{
    struct credit_site *site = credit->sites;
    while (site && !slice_eq((struct slice){site->name, site->name_len}, name))
        site = site->next;
    return site;
}

static struct credit_site *make_site(struct credit *credit, struct slice name)
{
    struct credit_site *site = find_site(credit, name);
    if (site || !(site = calloc(1, sizeof(*site) + name.len)))
        return site;
    site->next = credit->sites;
    site->name_len = name.len;
    memcpy(site->name, name.data, name.len);
    credit->sites = site;
    return site;
}

/* Start of the site's billing day at a moment; -1: not known. */
static int64_t find_day(const struct credit_site *site, int64_t ms)
{
    for (size_t i = 0; site && i < site->day_count; i++)
        if (site->days[i].starts_ms <= ms && ms < site->days[i].ends_ms)
            return site->days[i].starts_ms;
    return -1;
}

static struct credit_account *make_named(struct credit_account *buckets[BUCKETS], struct credit_site *site,
                                         struct slice name)
{
    struct credit_account **bucket = &buckets[slice_hash(name) % BUCKETS];
    for (struct credit_account *account = *bucket; account; account = account->next)
        if (account->site == site && slice_eq((struct slice){account->agent, account->agent_len}, name))
            return account;
    struct credit_account *account = calloc(1, sizeof(*account) + name.len);
    if (!account)
        return NULL;
    account->site = site;
    account->next = *bucket;
    account->agent_len = name.len;
    memcpy(account->agent, name.data, name.len);
    *bucket = account;
    return account;
}

/* The agent's account, with that of its origin behind it. NULL without memory. */
static struct credit_account *make_account(struct credit *credit, struct credit_site *site,
                                           struct slice agent)
{
    struct slice name = agent_account(agent);
    struct credit_account *whole = make_named(credit->wholes, site, agent_origin(name));
    struct credit_account *account = whole ? make_named(credit->buckets, site, name) : NULL;
    if (account)
        account->whole = whole;
    return account;
}

static struct day_sum *find_sum(const struct credit_account *account, int64_t day_ms)
{
    for (size_t i = 0; i < account->day_count; i++)
        if (account->days[i].starts_ms == day_ms)
            return &account->days[i];
    return NULL;
}

/* Makes the day's sums of the account and its origin's, if they are not there. */
static bool make_sums(struct credit_account *account, int64_t day_ms)
{
    for (; account; account = account->whole) {
        if (find_sum(account, day_ms))
            continue;
        struct day_sum *days = grow(account->days, account->day_count, sizeof(*days));
        if (!days)
            return false;
        account->days = days;
        days[account->day_count++] = (struct day_sum){.starts_ms = day_ms};
    }
    return true;
}

/* Sums stop at the largest number, which is above every limit. */
static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    return amount_add(a, b, &sum) ? sum : INT64_MAX;
}

static void hold(const struct credit_claim *claim, int64_t amount_micros)
{
    for (const struct credit_account *account = claim->account; account; account = account->whole) {
        struct day_sum *sum = find_sum(account, claim->day_ms);
        if (sum) /* its day is not closed */
            sum->held_micros += amount_micros;
    }
}

static bool fits(int64_t limit, int64_t spent, int64_t amount_micros)
{
    return limit == CREDIT_NONE || plus(spent, amount_micros) <= limit;
}

static bool is_within(const struct credit_account *account, int64_t day_ms, int64_t amount_micros,
                      const struct credit_limit *limit)
{
    int64_t balance = account->owed_micros;
    const struct day_sum *day = find_sum(account, day_ms);
    for (size_t i = 0; i < account->day_count; i++)
        balance = plus(balance, plus(account->days[i].read_micros, account->days[i].held_micros));
    return fits(limit->day_micros, plus(day->read_micros, day->held_micros), amount_micros) &&
           fits(limit->balance_micros, balance, amount_micros);
}

static bool may_spend(const struct credit_claim *claim, int64_t amount_micros,
                      const struct credit_limits *limits)
{
    return is_within(claim->account, claim->day_ms, amount_micros, &limits->account) &&
           is_within(claim->account->whole, claim->day_ms, amount_micros, &limits->origin);
}

/* --- Marks and what waits for them --- */

/* Where the writer's mark is, or would be. */
static size_t seek_mark(const struct credit *credit, const uint8_t writer_id[UUID_SIZE])
{
    size_t low = 0, high = credit->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(credit->marks[middle].writer_id, writer_id, UUID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct credit_mark *find_mark(const struct credit *credit, const uint8_t writer_id[UUID_SIZE])
{
    size_t at = seek_mark(credit, writer_id);
    bool found = at < credit->mark_count && memcmp(credit->marks[at].writer_id, writer_id, UUID_SIZE) == 0;
    return found ? &credit->marks[at] : NULL;
}

static bool make_mark(struct credit *credit, const uint8_t writer_id[UUID_SIZE])
{
    if (find_mark(credit, writer_id))
        return true;
    struct credit_mark *marks = grow(credit->marks, credit->mark_count, sizeof(*marks));
    if (!marks)
        return false;
    credit->marks = marks;
    size_t at = seek_mark(credit, writer_id);
    memmove(&marks[at + 1], &marks[at], (credit->mark_count - at) * sizeof(*marks));
    marks[at] = (struct credit_mark){.sequence = 0};
    memcpy(marks[at].writer_id, writer_id, UUID_SIZE);
    credit->mark_count++;
    return true;
}

static bool is_read(const struct credit *credit, const struct credit_mark *at)
{
    static const uint8_t any[UUID_SIZE];
    if (memcmp(at->writer_id, any, UUID_SIZE) == 0)
        return at->sequence <= (int64_t)credit->applied;
    const struct credit_mark *mark = find_mark(credit, at->writer_id);
    return mark && at->sequence <= mark->sequence;
}

static bool same_claim(const struct credit_claim *a, const struct credit_claim *b)
{
    return a->account == b->account && a->day_ms == b->day_ms;
}

/* Keeps the amount held until the batch is read. Without memory it is held for ever, which is the safe side.
 */
static void keep_known(struct credit *credit, const struct credit_mark *at, const struct credit_claim *claim,
                       int64_t amount_micros)
{
    struct known *last = credit->known_count > 0 ? &credit->known[credit->known_count - 1] : NULL;
    if (last && same_claim(&last->claim, claim) && last->at.sequence == at->sequence &&
        memcmp(last->at.writer_id, at->writer_id, UUID_SIZE) == 0) {
        last->amount_micros += amount_micros;
        return;
    }
    struct known *known = grow(credit->known, credit->known_count, sizeof(*known));
    if (!known)
        return;
    credit->known = known;
    known[credit->known_count++] = (struct known){*at, *claim, amount_micros};
}

static void keep_doubtful(struct credit *credit, const struct credit_claim *claim,
                          const struct charge *charge)
{
    struct doubtful *doubtful = grow(credit->doubtful, credit->doubtful_count, sizeof(*doubtful));
    if (!doubtful)
        return;
    credit->doubtful = doubtful;
    doubtful += credit->doubtful_count++;
    *doubtful = (struct doubtful){.claim = *claim, .amount_micros = charge->amount_micros};
    memcpy(doubtful->id, charge->payment_id, UUID_SIZE);
}

/* Takes an entry that may have been recorded out of the list. False if there is none like it. */
static bool take_doubtful(struct credit *credit, const struct credit_claim *claim,
                          const struct charge *charge)
{
    for (size_t i = 0; i < credit->doubtful_count; i++) {
        struct doubtful *doubtful = &credit->doubtful[i];
        if (memcmp(doubtful->id, charge->payment_id, UUID_SIZE) != 0 ||
            !same_claim(&doubtful->claim, claim) || doubtful->amount_micros != charge->amount_micros)
            continue;
        *doubtful = credit->doubtful[--credit->doubtful_count];
        return true;
    }
    return false;
}

/* --- Reserving --- */

bool credit_knows(struct credit *credit, struct slice site, int64_t ms)
{
    pthread_mutex_lock(&credit->mutex);
    bool known = find_day(find_site(credit, site), ms) >= 0;
    pthread_mutex_unlock(&credit->mutex);
    return known;
}

static enum err reserve(struct credit *credit, struct slice name, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim)
{
    struct credit_site *site = find_site(credit, name);
    struct credit_claim wanted = {.day_ms = find_day(site, uuid_ms(charge->payment_id))};
    if (wanted.day_ms < 0 || wanted.day_ms < site->open_ms)
        return ERR_LEDGER_UNAVAILABLE;
    wanted.account = make_account(credit, site, charge->agent);
    if (!wanted.account || !make_sums(wanted.account, wanted.day_ms))
        return ERR_OVERLOADED;
    wanted.doubtful = take_doubtful(credit, &wanted, charge);
    if (wanted.doubtful)
        hold(&wanted, -charge->amount_micros);
    if (may_spend(&wanted, charge->amount_micros, limits)) {
        hold(&wanted, charge->amount_micros);
        *claim = wanted;
        return ERR_OK;
    }
    if (wanted.doubtful) {
        hold(&wanted, charge->amount_micros);
        keep_doubtful(credit, &wanted, charge);
    }
    return ERR_CREDIT_LIMIT_REACHED;
}

enum err credit_reserve(struct credit *credit, struct slice site, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim)
{
    assert(!claim->account && charge->amount_micros >= 0);
    pthread_mutex_lock(&credit->mutex);
    enum err err = reserve(credit, site, charge, limits, claim);
    pthread_mutex_unlock(&credit->mutex);
    return err;
}

void credit_settle(struct credit *credit, const struct credit_claim *claim, const struct charge *charge,
                   const struct charge_outcome *outcome)
{
    if (!claim->account)
        return;
    pthread_mutex_lock(&credit->mutex);
    bool recorded = outcome->err == ERR_OK;
    bool unsure = claim->doubtful || outcome->unsure;
    /* Who recorded a repeated one is not told, but it is there: the next reading finds it. */
    struct credit_mark at = {.sequence = (int64_t)credit->begun + 1};
    if (recorded && !outcome->repeated) {
        at.sequence = outcome->sequence;
        memcpy(at.writer_id, outcome->writer_id, UUID_SIZE);
    }
    if (recorded && (!outcome->repeated || unsure) && !is_read(credit, &at))
        keep_known(credit, &at, claim, charge->amount_micros);
    else if (!recorded && unsure && outcome->err != ERR_PAYMENT_CONFLICT)
        keep_doubtful(credit, claim, charge);
    else
        hold(claim, -charge->amount_micros);
    pthread_mutex_unlock(&credit->mutex);
}

/* --- Reading --- */

uint64_t credit_begin(struct credit *credit)
{
    pthread_mutex_lock(&credit->mutex);
    uint64_t round = ++credit->begun;
    pthread_mutex_unlock(&credit->mutex);
    return round;
}

const struct credit_mark *credit_marks(const struct credit *credit, size_t *count)
{
    *count = credit->mark_count; /* only credit_apply changes them */
    return credit->marks;
}

size_t credit_doubts(struct credit *credit, uint8_t (*ids)[UUID_SIZE], size_t room)
{
    pthread_mutex_lock(&credit->mutex);
    size_t count = credit->doubtful_count < room ? credit->doubtful_count : room;
    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], credit->doubtful[i].id, UUID_SIZE);
    pthread_mutex_unlock(&credit->mutex);
    return count;
}

/* Everything that may fail for want of memory, before anything is changed that counts. */
static bool make_room(struct credit *credit, const struct credit_news *news)
{
    for (size_t i = 0; i < news->day_count; i++)
        if (!make_site(credit, news->days[i].site))
            return false;
    for (size_t i = 0; i < news->balance_count; i++) {
        const struct credit_balance *balance = &news->balances[i];
        struct credit_site *site = make_site(credit, balance->site);
        if (!site || (balance->agent.data && !make_account(credit, site, balance->agent)))
            return false;
    }
    for (size_t i = 0; i < news->spend_count; i++) {
        const struct credit_spend *spend = &news->spend[i];
        struct credit_site *site = make_site(credit, spend->site);
        struct credit_account *account = site ? make_account(credit, site, spend->agent) : NULL;
        bool open = site && spend->day_ms >= site->open_ms;
        if (!account || (open && !make_sums(account, spend->day_ms)) || !make_mark(credit, spend->writer_id))
            return false;
    }
    for (struct credit_site *site = credit->sites; site; site = site->next) {
        struct span *days = realloc(site->days, (news->day_count + 1) * sizeof(*days));
        if (!days)
            return false;
        site->days = days;
    }
    return true;
}

static void apply_days(struct credit *credit, const struct credit_news *news)
{
    for (struct credit_site *site = credit->sites; site; site = site->next)
        site->day_count = 0;
    for (size_t i = 0; i < news->day_count; i++) {
        struct credit_site *site = find_site(credit, news->days[i].site);
        site->days[site->day_count++] = (struct span){news->days[i].starts_ms, news->days[i].ends_ms};
    }
}

/* Drops the sums of closed days, which are in what is owed. */
static void drop_closed_days(struct credit_account *buckets[BUCKETS])
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct credit_account *account = buckets[i]; account; account = account->next) {
            size_t kept = 0;
            account->owed_micros = 0;
            for (size_t k = 0; k < account->day_count; k++)
                if (account->days[k].starts_ms >= account->site->open_ms)
                    account->days[kept++] = account->days[k];
            if (kept == account->day_count)
                continue;
            struct day_sum *days = realloc(account->days, (2 * kept + 1) * sizeof(*days));
            account->days = days ? days : account->days;
            account->day_count = kept;
        }
}

static void apply_balances(struct credit *credit, const struct credit_news *news)
{
    if (!news->balances)
        return;
    for (size_t i = 0; i < news->balance_count; i++)
        find_site(credit, news->balances[i].site)->open_ms = news->balances[i].open_ms;
    drop_closed_days(credit->buckets);
    drop_closed_days(credit->wholes);
    for (size_t i = 0; i < news->balance_count; i++) {
        const struct credit_balance *balance = &news->balances[i];
        if (!balance->agent.data)
            continue;
        struct credit_account *account =
            make_account(credit, find_site(credit, balance->site), balance->agent);
        for (; account; account = account->whole)
            account->owed_micros = plus(account->owed_micros, balance->owed_micros);
    }
}

static void apply_spend(struct credit *credit, const struct credit_news *news)
{
    for (size_t i = 0; i < news->spend_count; i++) {
        const struct credit_spend *spend = &news->spend[i];
        struct credit_mark *mark = find_mark(credit, spend->writer_id);
        struct credit_site *site = find_site(credit, spend->site);
        struct credit_account *account = make_account(credit, site, spend->agent);
        for (; account; account = account->whole) {
            struct day_sum *day = find_sum(account, spend->day_ms);
            if (day) /* not closed */
                day->read_micros = plus(day->read_micros, spend->amount_micros);
        }
        if (mark->sequence < spend->sequence)
            mark->sequence = spend->sequence;
    }
    credit->applied = news->round;
}

static bool is_found(const struct credit_news *news, const uint8_t id[UUID_SIZE])
{
    for (size_t i = 0; i < news->found_count; i++)
        if (memcmp(news->found[i], id, UUID_SIZE) == 0)
            return true;
    return news->now_ms > uuid_ms(id) + ENTRY_LATEST_MS;
}

/* What was only held so far, and was read now. */
static void release_read(struct credit *credit, const struct credit_news *news)
{
    size_t kept = 0;
    for (size_t i = 0; i < credit->known_count; i++) {
        struct known *known = &credit->known[i];
        if (is_read(credit, &known->at))
            hold(&known->claim, -known->amount_micros);
        else
            credit->known[kept++] = *known;
    }
    credit->known_count = kept;
    kept = 0;
    for (size_t i = 0; i < credit->doubtful_count; i++) {
        struct doubtful *doubtful = &credit->doubtful[i];
        if (is_found(news, doubtful->id))
            hold(&doubtful->claim, -doubtful->amount_micros);
        else
            credit->doubtful[kept++] = *doubtful;
    }
    credit->doubtful_count = kept;
}

enum err credit_apply(struct credit *credit, const struct credit_news *news)
{
    enum err err = ERR_OVERLOADED;
    pthread_mutex_lock(&credit->mutex);
    if (make_room(credit, news)) {
        apply_days(credit, news);
        apply_balances(credit, news);
        apply_spend(credit, news);
        release_read(credit, news);
        err = ERR_OK;
    }
    pthread_mutex_unlock(&credit->mutex);
    return err;
}
