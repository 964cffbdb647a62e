/* Payments by one crawler at one site, for the tests of credit. */
#ifndef TESTS_UNIT_SUPPORT_CREDIT_H
#define TESTS_UNIT_SUPPORT_CREDIT_H

#include "tests/unit/support.h"

#include "ledger/credit/credit.h"
#include "ledger/entry/entry.h"

#include <stdlib.h>
#include <string.h>

#define DAY     86400000LL
#define TODAY   (20000 * DAY)
#define SITE    SLICE("example")
#define QUARTER (TODAY / ENTRY_QUARTER_MS)

static const struct credit_limits hundred = {{100, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
static const struct credit_day days[] = {{{"example", 7}, TODAY - DAY, TODAY, 0, true, false},
                                         {{"example", 7}, TODAY, TODAY + DAY, 0, true, false},
                                         {{"example", 7}, TODAY + DAY, TODAY + 2 * DAY, 0, true, false}};

/* One payment through the gate. */
struct payment {
    struct charge charge;
    struct charge_outcome outcome;
    struct credit_claim claim;
};

static inline struct payment payment_of(int64_t ms, int64_t amount_micros)
{
    static uint64_t last;
    uint8_t chance[10] = {0};
    struct payment payment = {
        .charge = {.agent = SLICE("https://a.example"), .amount_micros = amount_micros}};
    last++;
    memcpy(chance + 3, &last, sizeof(chance) - 3); /* not where the variant is */
    uuid_make(ms, chance, payment.charge.payment_id);
    return payment;
}

static inline struct credit_news news_of(struct credit *credit)
{
    return (struct credit_news){.now_ms = TODAY, .round = credit_begin(credit)};
}

static inline struct credit *setup(void)
{
    struct credit *credit = credit_new();
    assert_int_equal(credit_apply_days(credit, days, 3), ERR_OK);
    return credit;
}

static inline enum err reserve(struct credit *credit, struct payment *payment)
{
    return credit_reserve(credit, SITE, &payment->charge, &hundred, &payment->claim);
}

static inline void settle(struct credit *credit, struct payment *payment, enum err outcome)
{
    payment->outcome.err = outcome;
    payment->outcome.amount_micros = payment->charge.amount_micros;
    credit_settle(credit, &payment->claim, &payment->charge, &payment->outcome);
    payment->claim = (struct credit_claim){.account = NULL};
}

/* Recorded as batch `sequence` of writer 7. */
static inline void record(struct credit *credit, struct payment *payment, int64_t sequence)
{
    memset(payment->outcome.writer_id, 7, UUID_SIZE);
    payment->outcome.sequence = sequence;
    settle(credit, payment, ERR_OK);
}

/* What the crawler may still spend of the hundred, on the day of `ms`; it is told the same. */
static inline int64_t left(struct credit *credit, int64_t ms)
{
    struct credit_standing standing = {.left_micros = -2};
    bool known = credit_stand(credit, SITE, SLICE("https://a.example"), ms, &hundred, &standing);
    for (int64_t amount = 100; amount >= 0; amount--) {
        struct payment probe = payment_of(ms, amount);
        if (reserve(credit, &probe) == ERR_OK) {
            settle(credit, &probe, ERR_LEDGER_UNAVAILABLE);
            assert_true(known);
            assert_int_equal(standing.left_micros, amount);
            return amount;
        }
    }
    return -1;
}

static inline struct credit_spend spend_of(uint8_t writer, int64_t quarter, int64_t sequence,
                                           int64_t amount_micros)
{
    struct credit_spend spend = {.mark = {.quarter = quarter, .sequence = sequence},
                                 .site = SITE,
                                 .agent = SLICE("https://a.example"),
                                 .day_ms = TODAY,
                                 .amount_micros = amount_micros};
    memset(spend.mark.writer_id, writer, UUID_SIZE);
    return spend;
}

/* Of the quarter that payments at TODAY are in. */
static inline void read_back(struct credit *credit, uint8_t writer, int64_t sequence, int64_t amount_micros)
{
    struct credit_spend spend = spend_of(writer, QUARTER, sequence, amount_micros);
    struct credit_news news = news_of(credit);
    news.spend = &spend;
    news.spend_count = 1;
    assert_int_equal(credit_apply_spend(credit, &news), ERR_OK);
}

#endif
