/* The log says a failure once until it changes. */
#include "tests/unit/support.h"

#include "ledger/base/log.h"

#include <stdio.h>
#include <unistd.h>

/* Lines that `tell` writes to standard error. */
static size_t lines_of(void (*tell)(struct log_repeats *), struct log_repeats *repeats)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t lines = 0;
    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    tell(repeats);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void tell_one(struct log_repeats *repeats)
{
    log_repeats_begin(repeats);
    LOG(ERROR, "no_bread", {"shop", "a"});
    log_repeats_end();
}

static void tell_other(struct log_repeats *repeats)
{
    log_repeats_begin(repeats);
    LOG(ERROR, "no_bread", {"shop", "b"});
    log_repeats_end();
}

static void tell_both(struct log_repeats *repeats)
{
    log_repeats_begin(repeats);
    LOG(ERROR, "no_bread", {"shop", "a"});
    LOG(ERROR, "no_bread", {"shop", "b"});
    log_repeats_end();
}

static void tell_outside(struct log_repeats *repeats)
{
    (void)repeats;
    LOG(ERROR, "no_bread", {"shop", "a"});
}

static void a_failure_is_told_until_it_changes(void **state)
{
    struct log_repeats repeats = {0};
    (void)state;
    assert_int_equal(lines_of(tell_one, &repeats), 1);
    assert_int_equal(lines_of(tell_one, &repeats), 0);
    assert_int_equal(lines_of(tell_one, &repeats), 0); /* what was left out counts as told */
    assert_int_equal(lines_of(tell_both, &repeats), 1);
    assert_int_equal(lines_of(tell_both, &repeats), 0);
    assert_int_equal(lines_of(tell_other, &repeats), 0);
    assert_int_equal(lines_of(tell_one, &repeats), 1); /* it came back */
    assert_int_equal(lines_of(tell_outside, &repeats), 1);
    repeats = (struct log_repeats){0};
    assert_int_equal(lines_of(tell_one, &repeats), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_failure_is_told_until_it_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
