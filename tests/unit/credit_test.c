/* Credit limits to the micro-unit, whatever is under way, unknown or read back in between. */
#include "tests/unit/support.h"

#include "ledger/credit/credit.h"
#include "ledger/entry/entry.h"

#include <stdlib.h>
#include <string.h>

#define DAY   86400000LL
#define TODAY (20000 * DAY)
#define SITE  SLICE("example")

static const struct credit_limits hundred = {{100, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
static const struct credit_days days[] = {{{"example", 7}, TODAY - DAY, TODAY},
                                          {{"example", 7}, TODAY, TODAY + DAY},
                                          {{"example", 7}, TODAY + DAY, TODAY + 2 * DAY}};

/* One payment through the gate. */
struct payment {
    struct charge charge;
    struct charge_outcome outcome;
    struct credit_claim claim;
};

static struct payment payment_of(int64_t ms, int64_t amount_micros)
{
    static uint64_t last;
    uint8_t chance[10] = {0};
    struct payment payment = {
        .charge = {.agent = SLICE("https://a.example"), .amount_micros = amount_micros}};
    last++;
    memcpy(chance + 2, &last, sizeof(last));
    uuid_make(ms, chance, payment.charge.payment_id);
    return payment;
}

static struct credit_news news_of(struct credit *credit)
{
    return (struct credit_news){.now_ms = TODAY, .round = credit_begin(credit), .days = days, .day_count = 3};
}

static struct credit *setup(void)
{
    struct credit *credit = credit_new();
    struct credit_news news = news_of(credit);
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    return credit;
}

static enum err reserve(struct credit *credit, struct payment *payment)
{
    return credit_reserve(credit, SITE, &payment->charge, &hundred, &payment->claim);
}

static void settle(struct credit *credit, struct payment *payment, enum err outcome)
{
    payment->outcome.err = outcome;
    credit_settle(credit, &payment->claim, &payment->charge, &payment->outcome);
    payment->claim = (struct credit_claim){.account = NULL};
}

/* Recorded as batch `sequence` of writer 7. */
static void record(struct credit *credit, struct payment *payment, int64_t sequence)
{
    memset(payment->outcome.writer_id, 7, UUID_SIZE);
    payment->outcome.sequence = sequence;
    settle(credit, payment, ERR_OK);
}

/* What the crawler may still spend of the hundred, on the day of `ms`. */
static int64_t left(struct credit *credit, int64_t ms)
{
    for (int64_t amount = 100; amount >= 0; amount--) {
        struct payment probe = payment_of(ms, amount);
        if (reserve(credit, &probe) == ERR_OK) {
            settle(credit, &probe, ERR_LEDGER_UNAVAILABLE);
            return amount;
        }
    }
    return -1;
}

static void read_back(struct credit *credit, uint8_t writer, int64_t sequence, int64_t amount_micros)
{
    struct credit_spend spend = {.sequence = sequence,
                                 .site = SITE,
                                 .agent = SLICE("https://a.example"),
                                 .day_ms = TODAY,
                                 .amount_micros = amount_micros};
    struct credit_news news = news_of(credit);
    memset(spend.writer_id, writer, UUID_SIZE);
    news.spend = &spend;
    news.spend_count = 1;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
}

static void a_limit_may_be_reached_and_not_passed(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment most = payment_of(TODAY, 60), rest = payment_of(TODAY, 40), one = payment_of(TODAY, 1);
    struct payment nothing = payment_of(TODAY, 0), tomorrow = payment_of(TODAY + DAY, 100);
    assert_int_equal(reserve(credit, &most), ERR_OK);
    assert_int_equal(reserve(credit, &rest), ERR_OK);
    assert_int_equal(reserve(credit, &one), ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(reserve(credit, &nothing), ERR_OK);
    assert_int_equal(reserve(credit, &tomorrow), ERR_OK);
    settle(credit, &rest, ERR_INTERNAL);
    assert_int_equal(left(credit, TODAY), 40);
    assert_int_equal(left(credit, TODAY + DAY - 1), 40);
    assert_int_equal(left(credit, TODAY - 1), 100);
    credit_free(credit);
}

static struct payment payment_by(const char *agent, int64_t amount_micros)
{
    struct payment payment = payment_of(TODAY, amount_micros);
    payment.charge.agent = slice_of(agent);
    return payment;
}

/* However many accounts an origin makes, all of them together are within its limit. */
static void an_origin_is_limited_as_a_whole(void **state)
{
    static const struct credit_limits limits = {{100, CREDIT_NONE}, {150, CREDIT_NONE}};
    static const struct credit_limits shared = {{100, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct credit *credit = setup();
    struct payment first = payment_by("https://a.example", 100),
                   second = payment_by("https://a.example/1", 50);
    struct payment third = payment_by("https://a.example/2", 1),
                   other = payment_by("https://a.example:444/2", 100);
    struct payment longer = payment_by("https://a.example.net/1", 100);
    assert_int_equal(credit_reserve(credit, SITE, &first.charge, &limits, &first.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &second.charge, &limits, &second.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &third.charge, &limits, &third.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &third.charge, &shared, &third.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &other.charge, &limits, &other.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &longer.charge, &limits, &longer.claim), ERR_OK);
    /* What comes to nothing gives room to the others; what is recorded and read back counts once. */
    settle(credit, &third, ERR_INTERNAL);
    settle(credit, &second, ERR_INTERNAL);
    record(credit, &first, 1);
    read_back(credit, 7, 1, 100);
    struct payment rest = payment_by("https://a.example/3", 50), more = payment_by("https://a.example/4", 1);
    assert_int_equal(credit_reserve(credit, SITE, &rest.charge, &limits, &rest.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    credit_free(credit);
}

/* An origin's balance goes on over midnight too, and is what its accounts owe. */
static void an_origin_owes_what_its_accounts_owe(void **state)
{
    static const struct credit_limits limits = {{CREDIT_NONE, 100}, {CREDIT_NONE, 150}};
    struct credit_balance rest[] = {{SITE, TODAY, SLICE("https://a.example/1"), 60},
                                    {SITE, TODAY, SLICE("https://a.example/2"), 70},
                                    {SITE, TODAY, SLICE("https://b.example"), 90}};
    (void)state;
    struct credit *credit = setup();
    for (int round = 0; round < 2; round++) { /* read again, nothing is added up twice */
        struct credit_news news = news_of(credit);
        news.balances = rest;
        news.balance_count = 3;
        assert_int_equal(credit_apply(credit, &news), ERR_OK);
    }
    struct payment little = payment_by("https://a.example/1", 20),
                   more = payment_by("https://a.example/3", 1);
    assert_int_equal(credit_reserve(credit, SITE, &little.charge, &limits, &little.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    credit_free(credit);
}

/* A ledger of before has accounts with queries, which are read under their names. */
static void accounts_of_before_count_in_the_present_ones(void **state)
{
    static const struct credit_limits limits = {{CREDIT_NONE, 100}, {CREDIT_NONE, CREDIT_NONE}};
    struct credit_balance rest[] = {
        {SITE, TODAY, SLICE("https://a.example/keys?1"), 60},
        {SITE, TODAY, SLICE("https://a.example/keys?2"), 30},
        {SITE, TODAY, SLICE("https://a.example/.well-known/http-message-signatures-directory?1"), 99}};
    (void)state;
    struct credit *credit = setup();
    struct credit_news news = news_of(credit);
    news.balances = rest;
    news.balance_count = 3;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    struct payment most = payment_by("https://a.example/keys", 10),
                   more = payment_by("https://a.example/keys", 1);
    struct payment origin = payment_by("https://a.example", 1), beyond = payment_by("https://a.example", 1);
    assert_int_equal(credit_reserve(credit, SITE, &most.charge, &limits, &most.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &origin.charge, &limits, &origin.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &beyond.charge, &limits, &beyond.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    credit_free(credit);
}

static void limits_of_nothing_and_of_everything(void **state)
{
    static const struct credit_limits zero = {{0, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}},
                                      none = {{CREDIT_NONE, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}},
                                      most = {{INT64_MAX - 1, INT64_MAX - 1}, {CREDIT_NONE, CREDIT_NONE}};
    struct payment free_one = payment_of(TODAY, 0), one = payment_of(TODAY, 1);
    struct payment huge = payment_of(TODAY, INT64_MAX), two = payment_of(TODAY, INT64_MAX);
    (void)state;
    struct credit *credit = setup();
    assert_int_equal(credit_reserve(credit, SITE, &one.charge, &zero, &one.claim), ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &free_one.charge, &zero, &free_one.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &huge.charge, &most, &huge.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &huge.charge, &none, &huge.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &two.charge, &most, &two.claim), ERR_CREDIT_LIMIT_REACHED);
    settle(credit, &huge, ERR_LEDGER_UNAVAILABLE);
    credit_free(credit);
}

static void what_is_read_back_counts_once(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment first = payment_of(TODAY, 10), second = payment_of(TODAY, 20),
                   late = payment_of(TODAY, 30);
    assert_int_equal(reserve(credit, &first), ERR_OK);
    assert_int_equal(reserve(credit, &second), ERR_OK);
    assert_int_equal(reserve(credit, &late), ERR_OK);
    record(credit, &first, 1);
    record(credit, &second, 2);
    assert_int_equal(left(credit, TODAY), 40);
    read_back(credit, 7, 1, 10);
    assert_int_equal(left(credit, TODAY), 40);
    read_back(credit, 7, 3, 20 + 30); /* the third is read before its answer arrives */
    assert_int_equal(left(credit, TODAY), 10);
    record(credit, &late, 3);
    assert_int_equal(left(credit, TODAY), 40);
    read_back(credit, 8, 5, 15); /* another gate's */
    assert_int_equal(left(credit, TODAY), 25);
    credit_free(credit);
}

static void an_unknown_outcome_is_held_until_it_is_known(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment lost = payment_of(TODAY, 10), found = payment_of(TODAY, 20), again = payment_of(TODAY, 30);
    uint8_t ids[8][UUID_SIZE];
    struct payment *all[] = {&lost, &found, &again};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(reserve(credit, all[i]), ERR_OK);
        all[i]->outcome.unsure = true;
        settle(credit, all[i], ERR_LEDGER_UNAVAILABLE);
    }
    assert_int_equal(left(credit, TODAY), 40);
    assert_int_equal(credit_doubts(credit, ids, 8), 3);

    struct credit_news news = news_of(credit);
    struct credit_spend spend = {.writer_id = {9},
                                 .sequence = 1,
                                 .site = SITE,
                                 .agent = SLICE("https://a.example"),
                                 .day_ms = TODAY,
                                 .amount_micros = 20};
    uint8_t is_there[1][UUID_SIZE];
    memcpy(is_there[0], found.charge.payment_id, UUID_SIZE);
    news.found = (const uint8_t(*)[UUID_SIZE])is_there;
    news.found_count = 1;
    news.spend = &spend;
    news.spend_count = 1;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    assert_int_equal(left(credit, TODAY), 40);
    assert_int_equal(credit_doubts(credit, ids, 8), 2);

    again.outcome.unsure = false; /* a new request with the same id */
    assert_int_equal(reserve(credit, &again), ERR_OK);
    assert_true(again.claim.doubtful);
    assert_int_equal(left(credit, TODAY), 40);
    again.outcome.repeated = true;
    settle(credit, &again, ERR_OK);
    assert_int_equal(left(credit, TODAY), 40); /* held until it is read */
    read_back(credit, 7, 1, 30);
    assert_int_equal(left(credit, TODAY), 40);

    news = news_of(credit);
    news.now_ms = TODAY + ENTRY_LATEST_MS;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    assert_int_equal(left(credit, TODAY), 40);
    news = news_of(credit);
    news.now_ms = TODAY + ENTRY_LATEST_MS + 1;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    assert_int_equal(left(credit, TODAY), 50);
    credit_free(credit);
}

/* Two that are the same payment: the receipt of the second costs nothing. */
static void a_repeat_costs_nothing(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment first = payment_of(TODAY, 60), again = first, altered = first;
    assert_int_equal(reserve(credit, &first), ERR_OK);
    assert_int_equal(reserve(credit, &again), ERR_CREDIT_LIMIT_REACHED);
    record(credit, &first, 1);
    altered.charge.amount_micros = 40;
    assert_int_equal(reserve(credit, &altered), ERR_OK);
    settle(credit, &altered, ERR_PAYMENT_CONFLICT);
    assert_int_equal(left(credit, TODAY), 40);
    struct payment small = payment_of(TODAY, 5);
    assert_int_equal(reserve(credit, &small), ERR_OK);
    small.outcome.repeated = true;
    settle(credit, &small, ERR_OK);
    assert_int_equal(left(credit, TODAY), 40);
    credit_free(credit);
}

/* At the limit, one whose earlier try may have been recorded: it stays counted, and is not counted twice. */
static void a_doubtful_one_at_a_lowered_limit(void **state)
{
    static const struct credit_limits lowered = {{20, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct credit *credit = setup();
    struct payment lost = payment_of(TODAY, 30);
    assert_int_equal(reserve(credit, &lost), ERR_OK);
    lost.outcome.unsure = true;
    settle(credit, &lost, ERR_LEDGER_UNAVAILABLE);
    lost.outcome.unsure = false;
    assert_int_equal(credit_reserve(credit, SITE, &lost.charge, &lowered, &lost.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(left(credit, TODAY), 70);
    assert_int_equal(reserve(credit, &lost), ERR_OK);
    record(credit, &lost, 1);
    assert_int_equal(left(credit, TODAY), 70);
    credit_free(credit);
}

static void the_balance_goes_on_over_midnight(void **state)
{
    static const struct credit_limits balance = {{CREDIT_NONE, 100}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct credit *credit = setup();
    struct payment before = payment_of(TODAY - 1, 70), after = payment_of(TODAY, 31),
                   fits = payment_of(TODAY, 30);
    assert_int_equal(credit_reserve(credit, SITE, &before.charge, &balance, &before.claim), ERR_OK);
    record(credit, &before, 1);
    assert_int_equal(credit_reserve(credit, SITE, &after.charge, &balance, &after.claim),
                     ERR_CREDIT_LIMIT_REACHED);

    /* The day is closed: an invoice of 60, and 10 are carried forward. Then the invoice is paid. */
    struct credit_balance rest[] = {{SITE, TODAY, SLICE("https://a.example"), 70},
                                    {SITE, TODAY, {NULL, 0}, 0}};
    struct credit_news news = news_of(credit);
    news.balances = rest;
    news.balance_count = 2;
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &after.charge, &balance, &after.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &fits.charge, &balance, &fits.claim), ERR_OK);
    settle(credit, &fits, ERR_INTERNAL);
    rest[0].owed_micros = 10;
    news.round = credit_begin(credit);
    assert_int_equal(credit_apply(credit, &news), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &after.charge, &balance, &after.claim), ERR_OK);
    assert_int_equal(reserve(credit, &(struct payment){.charge = before.charge}), ERR_LEDGER_UNAVAILABLE);
    credit_free(credit);
}

static void what_is_not_known_cannot_be_reserved(void **state)
{
    (void)state;
    struct credit *credit = credit_new();
    struct payment payment = payment_of(TODAY, 1), far = payment_of(TODAY + 2 * DAY, 1);
    assert_false(credit_knows(credit, SITE, TODAY));
    assert_int_equal(reserve(credit, &payment), ERR_LEDGER_UNAVAILABLE);
    settle(credit, &payment, ERR_LEDGER_UNAVAILABLE); /* nothing was reserved */
    credit_free(credit);
    credit = setup();
    assert_true(credit_knows(credit, SITE, TODAY));
    assert_false(credit_knows(credit, SLICE("other"), TODAY));
    assert_int_equal(reserve(credit, &far), ERR_LEDGER_UNAVAILABLE);
    credit_free(credit);
}

/* Against a plain model: a gate with two connections, one of which is lost now and then, and another gate. */
/* Each connection of each gate is a writer: there are many, in any order. */
static void writers_may_be_many(void **state)
{
    (void)state;
    struct credit *credit = setup();
    for (int i = 0; i < 250; i++)
        read_back(credit, (uint8_t)(i * 89 % 251), 1, i < 40);
    assert_int_equal(left(credit, TODAY), 60);
    for (int i = 0; i < 250; i++) {
        struct payment payment = payment_of(TODAY, 60);
        assert_int_equal(reserve(credit, &payment), ERR_OK);
        memset(payment.outcome.writer_id, i * 89 % 251, UUID_SIZE);
        payment.outcome.sequence = 1; /* read already: held no longer */
        settle(credit, &payment, ERR_OK);
    }
    assert_int_equal(left(credit, TODAY), 60);
    credit_free(credit);
}

static void random_histories_never_pass_the_limit(void **state)
{
    enum { STEPS = 20000, OPEN = 16 };
    (void)state;
    struct credit *credit = setup();
    struct payment open[OPEN];
    size_t count = 0;
    int64_t recorded = 0, unread = 0, foreign = 0, sequence = 0;
    srand(4);
    for (int step = 0; step < STEPS; step++) {
        int chance = rand() % 100;
        int64_t held = 0;
        for (size_t i = 0; i < count; i++)
            held += open[i].charge.amount_micros;
        if (chance < 45 && count < OPEN) {
            open[count] = payment_of(TODAY + rand() % DAY, rand() % 3);
            enum err err = reserve(credit, &open[count]);
            bool fits = recorded + foreign + held + open[count].charge.amount_micros <= 100;
            assert_int_equal(err, fits ? ERR_OK : ERR_CREDIT_LIMIT_REACHED);
            count += err == ERR_OK;
        } else if (chance < 80 && count > 0) {
            struct payment *payment = &open[(size_t)rand() % count];
            if (chance < 60) {
                recorded += payment->charge.amount_micros;
                unread += payment->charge.amount_micros;
                record(credit, payment, ++sequence);
            } else {
                settle(credit, payment, ERR_OVERLOADED);
            }
            *payment = open[--count];
        } else if (chance < 98) {
            read_back(credit, 7, sequence, unread);
            unread = 0;
        } else if (recorded + foreign + held < 100) {
            foreign++;
            read_back(credit, 8, foreign, 1);
        }
    }
    assert_int_equal(recorded + foreign, 100);
    assert_int_equal(left(credit, TODAY), 0);
    credit_free(credit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_may_be_reached_and_not_passed),
        cmocka_unit_test(an_origin_is_limited_as_a_whole),
        cmocka_unit_test(an_origin_owes_what_its_accounts_owe),
        cmocka_unit_test(accounts_of_before_count_in_the_present_ones),
        cmocka_unit_test(limits_of_nothing_and_of_everything),
        cmocka_unit_test(what_is_read_back_counts_once),
        cmocka_unit_test(an_unknown_outcome_is_held_until_it_is_known),
        cmocka_unit_test(a_repeat_costs_nothing),
        cmocka_unit_test(a_doubtful_one_at_a_lowered_limit),
        cmocka_unit_test(the_balance_goes_on_over_midnight),
        cmocka_unit_test(what_is_not_known_cannot_be_reserved),
        cmocka_unit_test(writers_may_be_many),
        cmocka_unit_test(random_histories_never_pass_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
