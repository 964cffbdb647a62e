/* Credit limits to the micro-unit, whatever is under way, unknown or read back in between.
 * Tests ledger/credit/marks.c */
#include "tests/unit/support_credit.h"

#define QUARTERS 4

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
    struct credit_spend spend = spend_of(9, QUARTER, 1, 20);
    uint8_t is_there[1][UUID_SIZE];
    memcpy(is_there[0], found.charge.payment_id, UUID_SIZE);
    news.found = (const uint8_t(*)[UUID_SIZE])is_there;
    news.found_count = 1;
    news.spend = &spend;
    news.spend_count = 1;
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
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
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
    assert_int_equal(left(credit, TODAY), 40);
    news = news_of(credit);
    news.now_ms = TODAY + ENTRY_LATEST_MS + 1;
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
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

/* The price is held, and what the site's own server has let off is free when it is recorded. */
static void what_is_let_off_is_free_again(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment first = payment_of(TODAY, 60), again = first;
    assert_int_equal(reserve(credit, &first), ERR_OK);
    assert_int_equal(left(credit, TODAY), 40);
    first.charge.amount_micros = 15;
    first.charge.let_off_micros = 45;
    record(credit, &first, 1);
    assert_int_equal(left(credit, TODAY), 85);
    /* A repeat that would be let off nothing, while nobody knows whether the first was recorded. */
    struct payment lost = payment_of(TODAY, 50);
    assert_int_equal(reserve(credit, &lost), ERR_OK);
    lost.charge.amount_micros = 0;
    lost.charge.let_off_micros = 50;
    lost.outcome.unsure = true;
    settle(credit, &lost, ERR_LEDGER_UNAVAILABLE);
    assert_int_equal(left(credit, TODAY), 35);
    lost.charge.amount_micros = 50;
    lost.charge.let_off_micros = 0;
    lost.outcome.unsure = false;
    assert_int_equal(reserve(credit, &lost), ERR_OK);
    assert_true(lost.claim.doubtful);
    lost.outcome.repeated = true;
    lost.outcome.err = ERR_OK;
    lost.outcome.amount_micros = 0; /* as it is recorded */
    credit_settle(credit, &lost.claim, &lost.charge, &lost.outcome);
    assert_int_equal(left(credit, TODAY), 85);
    read_back(credit, 7, 1, 15);
    assert_int_equal(left(credit, TODAY), 85);
    assert_int_equal(reserve(credit, &again), ERR_OK);
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
    struct credit_balance rest = {SITE, SLICE("https://a.example"), 70, TODAY};
    assert_int_equal(credit_apply_balances(credit, &rest, 1), ERR_OK);
    assert_int_equal(credit_reserve(credit, SITE, &after.charge, &balance, &after.claim),
                     ERR_CREDIT_LIMIT_REACHED);
    assert_int_equal(credit_reserve(credit, SITE, &fits.charge, &balance, &fits.claim), ERR_OK);
    settle(credit, &fits, ERR_INTERNAL);
    rest.owed_micros = 10;
    assert_int_equal(credit_apply_balances(credit, &rest, 1), ERR_OK);
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

static size_t mark_count(struct credit *credit)
{
    size_t count;
    credit_marks(credit, &count);
    return count;
}

/* However long a gate runs and however often its writers connect, it remembers the last quarters alone. What
 * it recorded in those before has been read, whatever became of it. */
static void marks_of_former_quarters_are_dropped(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment unread = payment_of(TODAY, 7);
    assert_int_equal(reserve(credit, &unread), ERR_OK);
    memset(unread.outcome.writer_id, 250, UUID_SIZE);
    unread.outcome.sequence = 3;
    settle(credit, &unread, ERR_OK);
    for (int64_t quarter = QUARTER; quarter < QUARTER + 1000; quarter++) {
        struct credit_spend spend[] = {spend_of((uint8_t)(quarter % 200), quarter, 5, 0),
                                       spend_of(201, quarter, quarter, 0)};
        struct credit_news news = news_of(credit);
        news.first_quarter = quarter < QUARTER + 9 ? 0 : quarter - 8;
        news.spend = spend;
        news.spend_count = 2;
        assert_int_equal(left(credit, TODAY), quarter < QUARTER + 10 ? 93 : 100);
        assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
        assert_in_range(mark_count(credit), 2, 18);
    }
    struct payment late = payment_of(TODAY, 9); /* its answer comes when it was read long ago */
    assert_int_equal(reserve(credit, &late), ERR_OK);
    record(credit, &late, 1);
    assert_int_equal(left(credit, TODAY), 100);
    credit_free(credit);
}

/* A clock that was set back: all is told again, and what is reserved stays. */
static void what_is_forgotten_is_told_again(void **state)
{
    (void)state;
    struct credit *credit = setup();
    struct payment held = payment_of(TODAY, 5), known = payment_of(TODAY, 6);
    struct credit_spend past = spend_of(0, 0, 0, 10);
    assert_int_equal(credit_apply_past(credit, &past, 1), ERR_OK);
    read_back(credit, 8, 3, 20);
    assert_int_equal(reserve(credit, &held), ERR_OK);
    assert_int_equal(reserve(credit, &known), ERR_OK);
    record(credit, &known, 1);
    assert_int_equal(left(credit, TODAY), 100 - 10 - 20 - 5 - 6);
    credit_forget_spend(credit);
    assert_int_equal(mark_count(credit), 0);
    assert_int_equal(left(credit, TODAY), 100 - 5 - 6);
    past.amount_micros += 20; /* that quarter is over now */
    assert_int_equal(credit_apply_past(credit, &past, 1), ERR_OK);
    read_back(credit, 7, 1, 6);
    assert_int_equal(left(credit, TODAY), 100 - 30 - 6 - 5);
    credit_free(credit);
}

/* Against a plain model: a gate with two connections, one of which is lost now and then, and another gate. */
/* What writer 7 has recorded in each quarter since it was read last. */
static void read_quarters(struct credit *credit, int64_t sequence, int64_t unread[QUARTERS])
{
    struct credit_spend spend[QUARTERS];
    struct credit_news news = news_of(credit);
    for (int64_t i = 0; i < QUARTERS; i++)
        if (unread[i] > 0)
            spend[news.spend_count++] = spend_of(7, QUARTER + i, sequence, unread[i]);
    news.spend = spend;
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
    memset(unread, 0, QUARTERS * sizeof(*unread));
}

static void random_histories_never_pass_the_limit(void **state)
{
    enum { STEPS = 20000, OPEN = 16 };
    (void)state;
    struct credit *credit = setup();
    struct payment open[OPEN];
    size_t count = 0;
    int64_t recorded = 0, unread[QUARTERS] = {0}, foreign = 0, sequence = 0;
    srand(4);
    for (int step = 0; step < STEPS; step++) {
        int chance = rand() % 100;
        int64_t held = 0;
        for (size_t i = 0; i < count; i++)
            held += open[i].charge.amount_micros;
        if (chance < 45 && count < OPEN) {
            open[count] = payment_of(TODAY + rand() % (QUARTERS * ENTRY_QUARTER_MS), rand() % 3);
            enum err err = reserve(credit, &open[count]);
            bool fits = recorded + foreign + held + open[count].charge.amount_micros <= 100;
            assert_int_equal(err, fits ? ERR_OK : ERR_CREDIT_LIMIT_REACHED);
            count += err == ERR_OK;
        } else if (chance < 80 && count > 0) {
            struct payment *payment = &open[(size_t)rand() % count];
            if (chance < 60) {
                recorded += payment->charge.amount_micros;
                unread[uuid_ms(payment->charge.payment_id) / ENTRY_QUARTER_MS - QUARTER] +=
                    payment->charge.amount_micros;
                record(credit, payment, ++sequence);
            } else {
                settle(credit, payment, ERR_OVERLOADED);
            }
            *payment = open[--count];
        } else if (chance < 98) {
            read_quarters(credit, sequence, unread);
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
        cmocka_unit_test(limits_of_nothing_and_of_everything),
        cmocka_unit_test(what_is_read_back_counts_once),
        cmocka_unit_test(an_unknown_outcome_is_held_until_it_is_known),
        cmocka_unit_test(a_repeat_costs_nothing),
        cmocka_unit_test(what_is_let_off_is_free_again),
        cmocka_unit_test(a_doubtful_one_at_a_lowered_limit),
        cmocka_unit_test(the_balance_goes_on_over_midnight),
        cmocka_unit_test(what_is_not_known_cannot_be_reserved),
        cmocka_unit_test(writers_may_be_many),
        cmocka_unit_test(marks_of_former_quarters_are_dropped),
        cmocka_unit_test(what_is_forgotten_is_told_again),
        cmocka_unit_test(random_histories_never_pass_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
