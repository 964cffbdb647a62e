#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"

#include <stdlib.h>
#include <string.h>

#define PAGE    "http://127.0.0.1:8402/a"
#define NOON_MS ((int64_t)43200000)

int64_t days_base_ms(void)
{
    static int64_t base;
    char text[INSTANT_TEXT_MAX];
    if (base == 0) {
        base = clock_now_ms() / DAY_MS * DAY_MS;
        instant_format(base, text);
        if (strncmp(text + 4, "-01-1", 5) < 0)
            base -= 20 * DAY_MS;
    }
    return base;
}

const char *days_date_of(int64_t ms)
{
    static char text[4][INSTANT_TEXT_MAX];
    static size_t next;
    char *out = text[next++ % 4];
    instant_format(ms, out);
    out[sizeof("2026-11-20") - 1] = '\0';
    return out;
}

const char *days_date(int days)
{
    return days_date_of(days_base_ms() - days * DAY_MS);
}

const uint8_t *days_charge(int days, const char *agent, int64_t amount_micros, size_t count)
{
    return days_charge_at(days_base_ms() - days * DAY_MS + NOON_MS, agent, amount_micros, count);
}

const uint8_t *days_charge_at(int64_t at_ms, const char *agent, int64_t amount_micros, size_t count)
{
    static uint8_t last_id[UUID_SIZE];
    clock_set_offset_ms(at_ms - clock_now_ms());
    struct writer *writer = writer_start_ready();
    struct payment *payments = calloc(count, sizeof(*payments));
    for (size_t i = 0; i < count; i++) {
        payments[i] = payment_make(clock_now_ms(), agent, amount_micros, PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    for (size_t i = 0; i < count; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
    }
    writer_stop(writer);
    memcpy(last_id, payments[count - 1].charge.payment_id, UUID_SIZE);
    clock_set_offset_ms(0);
    free(payments);
    return last_id;
}
