/* Accounts and their origins, what their balances count, and entries that are in doubt.
 * Tests ledger/credit/doubts.c */
#include "tests/unit/support_credit.h"

#include <stdio.h>

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
    struct credit_balance rest[] = {{SITE, SLICE("https://a.example/1"), 60, TODAY},
                                    {SITE, SLICE("https://a.example/2"), 70, TODAY},
                                    {SITE, SLICE("https://b.example"), 90, TODAY}};
    (void)state;
    struct credit *credit = setup();
    for (int round = 0; round < 2; round++) /* read again, nothing is added up twice */
        assert_int_equal(credit_apply_balances(credit, rest, 3), ERR_OK);
    struct payment little = payment_by("https://a.example/1", 20),
                   more = payment_by("https://a.example/3", 1);
    assert_int_equal(credit_reserve(credit, SITE, &little.charge, &limits, &little.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    credit_free(credit);
}

/* A day of one account is closed, those of others of its origin go on: the origin loses what that one had. */
static void an_origin_loses_what_a_balance_counts(void **state)
{
    static const struct credit_limits limits = {{CREDIT_NONE, CREDIT_NONE}, {100, 200}};
    struct credit_balance counted = {SITE, SLICE("https://a.example/1"), 5, TODAY + DAY};
    struct credit_spend spend[] = {spend_of(0, 0, 0, 30), spend_of(0, 0, 0, 20)};
    (void)state;
    struct credit *credit = setup();
    spend[0].agent = SLICE("https://a.example/1");
    spend[1].agent = SLICE("https://a.example/2");
    assert_int_equal(credit_apply_past(credit, spend, 2), ERR_OK);
    struct payment held = payment_by("https://a.example/1", 10), rest = payment_by("https://a.example/2", 40),
                   more = payment_by("https://a.example/2", 41);
    assert_int_equal(credit_reserve(credit, SITE, &held.charge, &limits, &held.claim), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_apply_balances(credit, &counted, 1), ERR_OK);
    settle(credit, &held, ERR_INTERNAL); /* its day is in the balance: nothing is taken off twice */
    assert_int_equal(credit_apply_past(credit, spend, 1), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &rest.charge, &limits, &rest.claim), ERR_OK);
    more = payment_by("https://a.example/3", 40);
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &limits, &more.claim), ERR_OK);
    struct payment last = payment_by("https://a.example/3", 1);
    assert_int_equal(credit_reserve(credit, SITE, &last.charge, &limits, &last.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    /* 5 + 20 + 40 + 40 are spent of 200. */
    last = payment_by("https://a.example/3", 95);
    last.charge = payment_of(TODAY + DAY, 95).charge;
    last.charge.agent = SLICE("https://a.example/3");
    assert_int_equal(credit_reserve(credit, SITE, &last.charge, &limits, &last.claim), ERR_OK);
    last = (struct payment){.charge = payment_of(TODAY + DAY, 1).charge};
    assert_int_equal(credit_reserve(credit, SITE, &last.charge, &limits, &last.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    credit_free(credit);
}

/* A ledger of before has accounts with queries, which have spent under their names. */
static void accounts_of_before_count_in_the_present_ones(void **state)
{
    static const struct credit_limits limits = {{CREDIT_NONE, 100}, {CREDIT_NONE, CREDIT_NONE}};
    static const char *const agents[] = {"https://a.example/keys?1", "https://a.example/keys?2",
                                         "https://a.example/.well-known/http-message-signatures-directory?1"};
    struct credit_balance rest = {SITE, SLICE("https://a.example/keys"), 20, TODAY};
    struct credit_spend spend[] = {spend_of(0, 0, 0, 40), spend_of(0, 0, 0, 30), spend_of(0, 0, 0, 99)};
    (void)state;
    struct credit *credit = setup();
    for (size_t i = 0; i < 3; i++)
        spend[i].agent = slice_of(agents[i]);
    assert_int_equal(credit_apply_balances(credit, &rest, 1), ERR_OK);
    assert_int_equal(credit_apply_past(credit, spend, 3), ERR_OK);
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

/* What was spent before the balance counts is told again, and late: by the balance it is in there already. */
static void a_balance_counts_what_was_spent_before_it(void **state)
{
    static const struct credit_limits balance = {{CREDIT_NONE, 100}, {CREDIT_NONE, CREDIT_NONE}};
    struct credit_spend past[] = {spend_of(0, 0, 0, 30), spend_of(0, 0, 0, 20)};
    struct credit_balance counted = {SITE, SLICE("https://a.example"), 45, TODAY};
    struct payment rest = payment_of(TODAY, 35), more = payment_of(TODAY, 36);
    (void)state;
    struct credit *credit = setup();
    past[0].day_ms = TODAY - DAY;
    assert_int_equal(credit_apply_past(credit, past, 2), ERR_OK);
    assert_int_equal(left(credit, TODAY), 80);
    assert_int_equal(left(credit, TODAY - 1), 70);
    assert_int_equal(credit_apply_balances(credit, &counted, 1), ERR_OK);
    assert_int_equal(credit_apply_past(credit, past, 1), ERR_OK); /* of the day that is counted */
    assert_int_equal(credit_reserve(credit, SITE, &more.charge, &balance, &more.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &rest.charge, &balance, &rest.claim), ERR_OK);
    settle(credit, &rest, ERR_INTERNAL);
    /* Less than nothing: he has it to his credit. */
    counted.owed_micros = -1000;
    assert_int_equal(credit_apply_balances(credit, &counted, 1), ERR_OK);
    struct payment high = payment_of(TODAY, 1080);
    assert_int_equal(credit_reserve(credit, SITE, &high.charge, &balance, &high.claim), ERR_OK);
    credit_free(credit);
}

/* A night that ran ahead has sealed today: nothing is taken until its end, and who asks is told until when.
 */
static void a_sealed_day_takes_nothing(void **state)
{
    struct credit_day sealed[3];
    (void)state;
    struct credit *credit = setup();
    struct payment before = payment_of(TODAY, 1), after = payment_of(TODAY, 1),
                   tomorrow = payment_of(TODAY + DAY, 1);
    assert_int_equal(reserve(credit, &before), ERR_OK);
    assert_int_equal(credit_sealed_until(credit, SITE, TODAY), 0);
    memcpy(sealed, days, sizeof(sealed));
    sealed[0].sealed = sealed[1].sealed = true;
    assert_int_equal(credit_apply_days(credit, sealed, 3), ERR_OK);
    assert_int_equal(reserve(credit, &after), ERR_LEDGER_UNAVAILABLE);
    assert_true(credit_sealed_until(credit, SITE, TODAY) == TODAY + DAY);
    assert_true(credit_sealed_until(credit, SITE, TODAY - 1) == TODAY);
    assert_int_equal(credit_sealed_until(credit, SITE, TODAY + DAY), 0);
    assert_int_equal(credit_sealed_until(credit, SLICE("other"), TODAY), 0);
    assert_true(credit_knows(credit, SITE, TODAY)); /* the gate waits for nothing else */
    record(credit, &before, 1);
    assert_int_equal(reserve(credit, &tomorrow), ERR_OK);
    credit_free(credit);
}

/* Who never owed anything has no balance: then the site says what is counted. */
static void without_a_balance_the_site_says_what_is_counted(void **state)
{
    struct credit_day counted[3];
    struct credit_spend past[] = {spend_of(0, 0, 0, 30), spend_of(0, 0, 0, 20)};
    (void)state;
    struct credit *credit = credit_new();
    for (size_t i = 0; i < 3; i++) {
        counted[i] = days[i];
        counted[i].counted_ms = TODAY;
        counted[i].taken = false;
    }
    past[0].day_ms = TODAY - DAY;
    assert_int_equal(credit_apply_days(credit, counted, 3), ERR_OK);
    assert_false(credit_knows(credit, SITE, TODAY));
    assert_int_equal(credit_apply_past(credit, past, 2), ERR_OK);
    for (size_t i = 0; i < 3; i++)
        counted[i].taken = true;
    assert_int_equal(credit_apply_days(credit, counted, 3), ERR_OK);
    assert_int_equal(left(credit, TODAY), 80);
    struct payment payment = payment_of(TODAY - 1, 1);
    assert_int_equal(reserve(credit, &payment), ERR_LEDGER_UNAVAILABLE); /* its day is counted */
    credit_free(credit);
}

/* An outage leaves as many as were under way, and each that is tried again asks for its own. */
static void many_in_doubt_are_each_found(void **state)
{
    enum { COUNT = 100000, ROOM = 4096 };
    static const struct credit_limits none = {{CREDIT_NONE, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    static uint8_t asked[ROOM][UUID_SIZE];
    (void)state;
    struct credit *credit = setup();
    struct payment *payments = calloc(COUNT, sizeof(*payments));
    for (size_t i = 0; i < COUNT; i++) {
        payments[i] = payment_of(TODAY, 1 + (int64_t)i % 3);
        assert_int_equal(credit_reserve(credit, SITE, &payments[i].charge, &none, &payments[i].claim),
                         ERR_OK);
        payments[i].outcome.unsure = true;
        settle(credit, &payments[i], ERR_LEDGER_UNAVAILABLE);
    }
    /* None is asked for twice before each was asked for once. */
    size_t seen = 0;
    for (size_t round = 0; seen + ROOM <= COUNT; round++, seen += ROOM) {
        assert_int_equal(credit_doubts(credit, asked, ROOM), ROOM);
        assert_memory_equal(asked[0], payments[seen].charge.payment_id, UUID_SIZE);
        assert_memory_equal(asked[ROOM - 1], payments[seen + ROOM - 1].charge.payment_id, UUID_SIZE);
    }
    for (size_t i = 0; i < COUNT; i++) {
        payments[i].outcome.unsure = false;
        assert_int_equal(credit_reserve(credit, SITE, &payments[i].charge, &none, &payments[i].claim),
                         ERR_OK);
        assert_true(payments[i].claim.doubtful);
        settle(credit, &payments[i], i % 2 ? ERR_LEDGER_UNAVAILABLE : ERR_INTERNAL);
    }
    struct credit_news news = news_of(credit);
    news.now_ms = TODAY + ENTRY_LATEST_MS + 1;
    assert_int_equal(credit_doubts(credit, asked, 1), 1);
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
    assert_int_equal(credit_doubts(credit, asked, 1), 0);
    assert_int_equal(left(credit, TODAY), 100);
    free(payments);
    credit_free(credit);
}

/* More accounts than the table was made for, at two sites. */
static void accounts_may_be_many(void **state)
{
    enum { COUNT = 5000 };
    static char agents[COUNT][32];
    (void)state;
    struct credit *credit = setup();
    struct credit_balance *balances = calloc(2 * COUNT, sizeof(*balances));
    for (int64_t i = 0; i < COUNT; i++) {
        int len = snprintf(agents[i], sizeof(agents[i]), "https://a%d.example", (int)i);
        struct slice agent = {agents[i], (size_t)len};
        balances[2 * i] = (struct credit_balance){SITE, agent, i, TODAY};
        balances[2 * i + 1] = (struct credit_balance){SLICE("other"), agent, 1000000, TODAY};
    }
    assert_int_equal(credit_apply_balances(credit, balances, 2 * COUNT), ERR_OK);
    for (int64_t i = 0; i < COUNT; i++) {
        const struct credit_limits limits = {{CREDIT_NONE, i}, {CREDIT_NONE, i}};
        struct payment none = payment_of(TODAY, 0), one = payment_of(TODAY, 1);
        none.charge.agent = one.charge.agent = balances[2 * i].agent;
        assert_int_equal(credit_reserve(credit, SITE, &none.charge, &limits, &none.claim), ERR_OK);
        assert_int_equal(credit_reserve(credit, SITE, &one.charge, &limits, &one.claim),
                         ERR_CREDIT_LIMIT_REACHED);
    }
    free(balances);
    credit_free(credit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_limited_as_a_whole),
        cmocka_unit_test(an_origin_owes_what_its_accounts_owe),
        cmocka_unit_test(an_origin_loses_what_a_balance_counts),
        cmocka_unit_test(accounts_of_before_count_in_the_present_ones),
        cmocka_unit_test(a_balance_counts_what_was_spent_before_it),
        cmocka_unit_test(a_sealed_day_takes_nothing),
        cmocka_unit_test(without_a_balance_the_site_says_what_is_counted),
        cmocka_unit_test(many_in_doubt_are_each_found),
        cmocka_unit_test(accounts_may_be_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
