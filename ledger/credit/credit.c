/* Invariants, under the mutex: of each day, `read` is the sum of the batches up to the marks, and `held` the
 * sum of claims that are not settled, of `known` entries and of those in doubt. An entry moves from held to
 * read when the mark of its writer reaches it, in the same step; so it is counted once at any moment. An
 * account has no day that its balance counts: what is told of one is in there already. An origin is the sum
 * of its accounts in everything. */
#include "ledger/credit/credit.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/credit/account.h"
#include "ledger/credit/doubts.h"
#include "ledger/credit/marks.h"
#include "ledger/entry/entry.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Recorded, and not read back yet: it waits for a mark. With a writer_id of zeros, for a round of reading. */
struct known {
    struct credit_mark at;
    struct credit_claim claim;
    int64_t amount_micros;
};

#define CREDIT_MAGIC  0x3b8e40d7u
#define PRESSING_PART 16

struct credit {
    uint32_t magic;
    pthread_mutex_t mutex;
    struct account_table accounts;
    struct marks marks;
    int64_t first_quarter; /* marks of earlier ones are dropped: everything in there was read */
    struct known *known;
    size_t known_count, known_room;
    struct doubts *doubts;
    uint64_t begun, applied; /* rounds of reading */
};

struct credit *credit_new(void)
{
    struct credit *credit = calloc(1, sizeof(*credit));
    if (!credit)
        return NULL;
    OBJECT_MAKE(credit, CREDIT_MAGIC);
    credit->doubts = doubts_new();
    if (account_table_init(&credit->accounts) && credit->doubts &&
        pthread_mutex_init(&credit->mutex, NULL) == 0)
        return credit;
    doubts_free(credit->doubts);
    account_table_free(&credit->accounts);
    free(credit);
    return NULL;
}

void credit_free(struct credit *credit)
{
    if (!credit)
        return;
    OBJECT_END(credit, CREDIT_MAGIC);
    account_table_free(&credit->accounts);
    marks_free(&credit->marks);
    free(credit->known);
    doubts_free(credit->doubts);
    pthread_mutex_destroy(&credit->mutex);
    free(credit);
}

static void hold(const struct credit_claim *claim, int64_t amount_micros)
{
    assert(claim->account && claim->account->whole);
    account_add_held(claim->account, claim->day_ms, amount_micros);
}

static bool fits(int64_t limit, int64_t spent, int64_t amount_micros)
{
    /* By the sum, and not by what is left: below zero a difference would be a large credit. */
    return limit == CREDIT_NONE || account_sum(spent, amount_micros) <= limit;
}

/* With all days that the balance does not count yet; today's are in both limits. */
static int64_t balance_of(const struct credit_account *account)
{
    int64_t balance = account->owed_micros;
    for (size_t i = 0; i < account->day_count; i++) {
        const struct account_day *day = &account->days[i];
        balance = account_sum(balance, account_sum(day->read_micros, day->held_micros));
    }
    return balance;
}

static bool is_within(const struct credit_account *account, int64_t day_ms, int64_t amount_micros,
                      const struct credit_limit *limit)
{
    const struct account_day *today = account_find_day(account, day_ms);
    int64_t balance = balance_of(account);
    assert(today); /* it was made, for the account and for its origin */
    return fits(limit->day_micros, account_sum(today->read_micros, today->held_micros), amount_micros) &&
           fits(limit->balance_micros, balance, amount_micros);
}

static bool may_spend(const struct credit_claim *claim, int64_t amount_micros,
                      const struct credit_limits *limits)
{
    return is_within(claim->account, claim->day_ms, amount_micros, &limits->account) &&
           is_within(claim->account->whole, claim->day_ms, amount_micros, &limits->origin);
}

/* What of the limit is left; CREDIT_NONE: any amount. */
static int64_t left_of(int64_t limit, int64_t spent)
{
    if (limit == CREDIT_NONE)
        return CREDIT_NONE;
    return spent >= limit ? 0 : account_sum(limit, -spent);
}

static int64_t less(int64_t a, int64_t b)
{
    if (a == CREDIT_NONE || b == CREDIT_NONE)
        return a == CREDIT_NONE ? b : a;
    return a < b ? a : b;
}

/* `account` NULL: nothing was ever spent. */
static struct credit_standing stand(const struct credit_account *account, int64_t day_ms,
                                    const struct credit_limit *limit)
{
    const struct account_day *today = account ? account_find_day(account, day_ms) : NULL;
    struct credit_standing standing = {
        .spent_micros = today ? account_sum(today->read_micros, today->held_micros) : 0,
        .owed_micros = account ? balance_of(account) : 0,
    };
    standing.left_micros = less(left_of(limit->day_micros, standing.spent_micros),
                                left_of(limit->balance_micros, standing.owed_micros));
    return standing;
}

bool credit_stand(struct credit *credit, struct slice site, struct slice agent, int64_t now_ms,
                  const struct credit_limits *limits, struct credit_standing *standing)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    pthread_mutex_lock(&credit->mutex);
    struct account_site *at = account_table_find_site(&credit->accounts, site);
    const struct account_span *day = account_site_day(at, now_ms);
    if (day) {
        const struct credit_account *account = account_table_find(&credit->accounts, at, agent);
        const struct credit_standing whole =
            stand(account ? account->whole : NULL, day->starts_ms, &limits->origin);
        *standing = stand(account, day->starts_ms, &limits->account);
        standing->left_micros = less(standing->left_micros, whole.left_micros);
    }
    pthread_mutex_unlock(&credit->mutex);
    return day;
}

/* Whether a good part of what was left when others' spending was read last is held here by now: they may have
 * taken as much. So several gates come up to a limit in ever smaller steps, and few of them. */
static bool is_pressing(const struct credit_account *account, int64_t day_ms,
                        const struct credit_limit *limit)
{
    const struct account_day *today = account_find_day(account, day_ms);
    int64_t left = stand(account, day_ms, limit).left_micros;
    return left != CREDIT_NONE && today->held_micros > 0 && today->held_micros >= left / PRESSING_PART;
}

/* --- Marks and what waits for them --- */

static bool is_read(const struct credit *credit, const struct credit_mark *at)
{
    static const uint8_t any[UUID_SIZE];
    if (memcmp(at->writer_id, any, UUID_SIZE) == 0)
        return at->sequence <= (int64_t)credit->applied;
    const struct credit_mark *mark = marks_find(&credit->marks, at->quarter, at->writer_id);
    return at->quarter < credit->first_quarter || (mark && at->sequence <= mark->sequence);
}

/* Keeps the amount held until the batch is read. Without memory it is held for ever, which is the safe side.
 */
static void keep_known(struct credit *credit, const struct credit_mark *at, const struct credit_claim *claim,
                       int64_t amount_micros)
{
    assert(claim->account && amount_micros >= 0);
    /* A batch has many entries of one crawler: they are one known entry, with the sum. */
    struct known *last = credit->known_count > 0 ? &credit->known[credit->known_count - 1] : NULL;
    if (last && last->claim.account == claim->account && last->claim.day_ms == claim->day_ms &&
        memcmp(&last->at, at, sizeof(*at)) == 0) {
        last->amount_micros += amount_micros;
        return;
    }
    if (credit->known_count == credit->known_room) {
        size_t room = 2 * credit->known_room + 64;
        struct known *known = realloc(credit->known, room * sizeof(*known));
        if (!known)
            return;
        credit->known = known;
        credit->known_room = room;
    }
    assert(credit->known_count < credit->known_room);
    credit->known[credit->known_count++] = (struct known){*at, *claim, amount_micros};
}

/* Without memory it is held for ever, too. */
static void keep_doubtful(struct credit *credit, const struct credit_claim *claim,
                          const struct charge *charge)
{
    if (!doubts_add(credit->doubts, charge->payment_id, claim, charge_offered(charge)))
        LOG(WARN, "credit_without_memory", {"detail", "an amount stays held until the next start"});
}

/* --- Reserving --- */

bool credit_knows(struct credit *credit, struct slice site, int64_t ms)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    pthread_mutex_lock(&credit->mutex);
    bool known = account_site_day(account_table_find_site(&credit->accounts, site), ms);
    pthread_mutex_unlock(&credit->mutex);
    return known;
}

int64_t credit_sealed_until(struct credit *credit, struct slice site, int64_t ms)
{
    /* Of a day that is being closed: the crawler is told when to come again. */
    pthread_mutex_lock(&credit->mutex);
    const struct account_span *day = account_site_day(account_table_find_site(&credit->accounts, site), ms);
    int64_t until_ms = day && day->sealed ? day->ends_ms : 0;
    pthread_mutex_unlock(&credit->mutex);
    return until_ms;
}

static enum err reserve(struct credit *credit, struct slice name, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim)
{
    int64_t price = charge_offered(charge);
    struct account_site *site = account_table_find_site(&credit->accounts, name);
    const struct account_span *span = account_site_day(site, uuid_ms(charge->payment_id));
    if (!span || span->sealed)
        return ERR_LEDGER_UNAVAILABLE;
    struct credit_claim wanted = {.account = account_table_make(&credit->accounts, site, charge->agent),
                                  .day_ms = span->starts_ms};
    if (wanted.account && wanted.day_ms < wanted.account->counted_ms)
        return ERR_LEDGER_UNAVAILABLE; /* closed, or long over: nothing is added to it */
    /* Days on which nothing came of what was tried are in nobody's way for ever. */
    if (wanted.account && !account_find_day(wanted.account, wanted.day_ms))
        account_drop_empty_days(wanted.account);
    if (!wanted.account || !account_make_day(wanted.account, wanted.day_ms))
        return ERR_OVERLOADED;
    wanted.doubtful = doubts_take(credit->doubts, charge->payment_id, &wanted, price);
    /* What the earlier try holds is given back before it is asked whether this one fits: both are one. */
    if (wanted.doubtful)
        hold(&wanted, -price);
    if (may_spend(&wanted, price, limits)) {
        hold(&wanted, price);
        wanted.pressing = is_pressing(wanted.account, wanted.day_ms, &limits->account) ||
                          is_pressing(wanted.account->whole, wanted.day_ms, &limits->origin);
        *claim = wanted;
        return ERR_OK;
    }
    if (wanted.doubtful) {
        hold(&wanted, price);
        keep_doubtful(credit, &wanted, charge);
    }
    return ERR_CREDIT_LIMIT_REACHED;
}

enum err credit_reserve(struct credit *credit, struct slice site, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    assert(!claim->account && charge->amount_micros >= 0);
    assert(limits->account.day_micros >= CREDIT_NONE && limits->origin.day_micros >= CREDIT_NONE);
    pthread_mutex_lock(&credit->mutex);
    enum err err = reserve(credit, site, charge, limits, claim);
    pthread_mutex_unlock(&credit->mutex);
    return err;
}

void credit_settle(struct credit *credit, const struct credit_claim *claim, const struct charge *charge,
                   const struct charge_outcome *outcome)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    if (!claim->account)
        return;
    assert(claim->account->whole && charge->amount_micros >= 0);
    /* Three ends: recorded, and held until a reading finds it; unsure, and held until somebody knows; not
     * recorded, and free at once. An amount that is in none of them would be spent twice. */
    pthread_mutex_lock(&credit->mutex);
    int64_t held = charge_offered(charge); /* the price; the site's own server may have lowered it since */
    bool recorded = outcome->err == ERR_OK;
    bool unsure = claim->doubtful || outcome->unsure;
    /* Who recorded a repeated one is not told, but it is there: the next reading finds it. */
    struct credit_mark at = {.sequence = (int64_t)credit->begun + 1};
    if (recorded && !outcome->repeated) {
        at.quarter = uuid_ms(charge->payment_id) / ENTRY_QUARTER_MS;
        at.sequence = outcome->sequence;
        memcpy(at.writer_id, outcome->writer_id, UUID_SIZE);
    }
    if (recorded && (!outcome->repeated || unsure) && !is_read(credit, &at)) {
        hold(claim, outcome->amount_micros - held);
        keep_known(credit, &at, claim, outcome->amount_micros);
    } else if (!recorded && unsure && outcome->err != ERR_PAYMENT_CONFLICT) {
        keep_doubtful(credit, claim, charge);
    } else {
        hold(claim, -held);
    }
    pthread_mutex_unlock(&credit->mutex);
}

/* --- Reading --- */

void credit_forget_spend(struct credit *credit)
{
    /* The marks, too: what was read under them is read anew. */
    pthread_mutex_lock(&credit->mutex);
    account_table_forget_read(&credit->accounts);
    credit->first_quarter = 0;
    marks_drop_before(&credit->marks, INT64_MAX);
    pthread_mutex_unlock(&credit->mutex);
}

uint64_t credit_begin(struct credit *credit)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    pthread_mutex_lock(&credit->mutex);
    assert(credit->applied <= credit->begun);
    uint64_t round = ++credit->begun;
    pthread_mutex_unlock(&credit->mutex);
    return round;
}

const struct credit_mark *credit_marks(const struct credit *credit, size_t *count)
{
    *count = credit->marks.count; /* only credit_apply_spend changes them */
    return credit->marks.items;
}

size_t credit_doubts(struct credit *credit, uint8_t (*ids)[UUID_SIZE], size_t room)
{
    pthread_mutex_lock(&credit->mutex);
    size_t count = doubts_ask(credit->doubts, ids, room);
    pthread_mutex_unlock(&credit->mutex);
    return count;
}

/* --- Applying: first everything that may fail for want of memory, then what counts. */

enum err credit_apply_days(struct credit *credit, const struct credit_day *days, size_t count)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    assert(days || count == 0);
    pthread_mutex_lock(&credit->mutex);
    bool made = account_table_days(&credit->accounts, days, count);
    pthread_mutex_unlock(&credit->mutex);
    return made ? ERR_OK : ERR_OVERLOADED;
}

/* An account that owes nothing is made when it is needed. */
static bool needs_account(const struct credit *credit, const struct account_site *site,
                          const struct credit_balance *balance)
{
    /* Most crawlers that were ever seen owe nothing: they would only fill the table. */
    return balance->owed_micros != 0 || balance->counted_ms > site->counted_ms ||
           account_table_find(&credit->accounts, site, balance->agent);
}

static bool make_accounts(struct credit *credit, const struct credit_balance *balances, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct account_site *site = account_table_make_site(&credit->accounts, balances[i].site);
        if (!site || (needs_account(credit, site, &balances[i]) &&
                      !account_table_make(&credit->accounts, site, balances[i].agent)))
            return false;
    }
    return true;
}

enum err credit_apply_balances(struct credit *credit, const struct credit_balance *balances, size_t count)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    assert(balances || count == 0);
    pthread_mutex_lock(&credit->mutex);
    bool made = make_accounts(credit, balances, count);
    for (size_t i = 0; made && i < count; i++) {
        const struct credit_balance *balance = &balances[i];
        struct credit_account *account = account_table_find(
            &credit->accounts, account_table_find_site(&credit->accounts, balance->site), balance->agent);
        if (account)
            account_set_balance(account, balance->owed_micros, balance->counted_ms);
    }
    pthread_mutex_unlock(&credit->mutex);
    return made ? ERR_OK : ERR_OVERLOADED;
}

static bool make_sums(struct credit *credit, const struct credit_spend *spend, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct account_site *site = account_table_make_site(&credit->accounts, spend[i].site);
        struct credit_account *account =
            site ? account_table_make(&credit->accounts, site, spend[i].agent) : NULL;
        /* Days that the balance counts are passed over: they would be owed twice. */
        if (!account ||
            (spend[i].day_ms >= account->counted_ms && !account_make_day(account, spend[i].day_ms)))
            return false;
    }
    return true;
}

static void add_sums(struct credit *credit, const struct credit_spend *spend, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct account_site *site = account_table_find_site(&credit->accounts, spend[i].site);
        struct credit_account *account = account_table_find(&credit->accounts, site, spend[i].agent);
        assert(account);                                                    /* make_sums has made it */
        account_add_read(account, spend[i].day_ms, spend[i].amount_micros); /* unless the balance counts it */
    }
}

enum err credit_apply_past(struct credit *credit, const struct credit_spend *spend, size_t count)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    pthread_mutex_lock(&credit->mutex);
    bool made = make_sums(credit, spend, count);
    if (made)
        add_sums(credit, spend, count);
    pthread_mutex_unlock(&credit->mutex);
    return made ? ERR_OK : ERR_OVERLOADED;
}

static bool make_marks(struct credit *credit, const struct credit_spend *spend, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!marks_make(&credit->marks, spend[i].mark.quarter, spend[i].mark.writer_id))
            return false;
    return true;
}

static void move_marks(struct credit *credit, const struct credit_news *news)
{
    for (size_t i = 0; i < news->spend_count; i++) {
        const struct credit_mark *read = &news->spend[i].mark;
        struct credit_mark *mark = marks_find(&credit->marks, read->quarter, read->writer_id);
        assert(read->quarter >= news->first_quarter && read->sequence > 0);
        assert(mark); /* make_marks has made it */
        /* Pages of one round may say the same batch twice, never one that was read before. */
        if (mark->sequence < read->sequence)
            mark->sequence = read->sequence;
    }
    credit->applied = news->round;
    if (news->first_quarter > credit->first_quarter)
        credit->first_quarter = news->first_quarter;
    marks_drop_before(&credit->marks, credit->first_quarter);
}

static void release(const struct credit_claim *claim, int64_t amount_micros)
{
    hold(claim, -amount_micros);
}

/* What was only held so far, and was read now. */
static void release_read(struct credit *credit, const struct credit_news *news)
{
    size_t kept = 0;
    for (size_t i = 0; i < credit->known_count; i++) {
        struct known *known = &credit->known[i];
        if (is_read(credit, &known->at))
            release(&known->claim, known->amount_micros);
        else
            credit->known[kept++] = *known;
    }
    credit->known_count = kept;
    for (size_t i = 0; i < news->found_count; i++)
        doubts_found(credit->doubts, news->found[i], release);
    doubts_expire(credit->doubts, news->now_ms - ENTRY_LATEST_MS, release);
}

enum err credit_apply_spend(struct credit *credit, const struct credit_news *news)
{
    OBJECT_CHECK(credit, CREDIT_MAGIC);
    pthread_mutex_lock(&credit->mutex);
    assert(news->round > credit->applied && news->round <= credit->begun);
    bool made = make_sums(credit, news->spend, news->spend_count) &&
                make_marks(credit, news->spend, news->spend_count);
    if (made) {
        add_sums(credit, news->spend, news->spend_count);
        move_marks(credit, news);
        release_read(credit, news);
    }
    pthread_mutex_unlock(&credit->mutex);
    return made ? ERR_OK : ERR_OVERLOADED;
}
