/* The log says a failure once until it changes, and whatever strangers write is one line of it. */
#include "tests/unit/support.h"

#include "ledger/base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char written[1024]; /* by the last call of lines_of */

/* Lines that `tell` writes to standard error. */
static size_t lines_of(void (*tell)(struct log_repeats *), struct log_repeats *repeats)
{
    size_t len = 0;
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t lines = 0;
    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    tell(repeats);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    for (int c; (c = getc(file)) != EOF;) {
        lines += c == '\n';
        if (len + 1 < sizeof(written))
            written[len++] = (char)c;
    }
    written[len] = '\0';
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

static void tell_strange(struct log_repeats *repeats)
{
    (void)repeats;
    LOG(WARN, "odd_agent", {"agent", "a\nlevel=info\t\x1b[2J \"b\" \\ \x7f"}, {"empty", ""},
        {"absent", NULL});
}

static void tell_details(struct log_repeats *repeats)
{
    (void)repeats;
    LOG(DEBUG, "detail", {"a", "b"});
    LOG(INFO, "news", {"a", "b"});
    LOG(ERROR, "failure", {"a", "b"});
}

static void what_strangers_write_is_one_line(void **state)
{
    (void)state;
    assert_int_equal(lines_of(tell_strange, NULL), 1);
    assert_non_null(
        strstr(written, " level=warn event=odd_agent agent=\"a level=info ?[2J \\\"b\\\" \\\\ ?\""));
    assert_null(strchr(written, '\x1b'));
}

static void levels_are_a_threshold(void **state)
{
    (void)state;
    assert_int_equal(lines_of(tell_details, NULL), 2);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_int_equal(lines_of(tell_details, NULL), 3);
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(lines_of(tell_details, NULL), 1);
    log_set_level(LOG_LEVEL_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_told_until_it_changes),
        cmocka_unit_test(what_strangers_write_is_one_line),
        cmocka_unit_test(levels_are_a_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
