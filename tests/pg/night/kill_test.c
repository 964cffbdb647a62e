/* The night is killed after every fifth statement that it runs, or after every KILL_EVERYth, and run again:
 * all tables are then what an undisturbed night leaves, byte for byte (promise P5). */
#include "tests/pg/support_cut.h"
#include "tests/pg/support_days.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"
#define B "https://b.example"

static char output[OUTPUT_MAX];
static char original[64]; /* database with days to close */

/* All rows of all tables in one text each, hashed, but for when they were really made. Who ran what and when
 * is the operator's log, which is about the runs; of it, what was done. The second tree of a day is over
 * these times, too, and so are its root and what is signed: of them, which rows are in it, and all that the
 * day's leaf says before that root. That root and signatures fit the rows is checked after each run. */
static const char everything[] =
    "SELECT string_agg(name || ' ' || md5(query_to_xml(format('SELECT %s AS r FROM %I AS t ORDER BY 1',"
    "  CASE name WHEN 'operator_action' THEN 'action || detail'"
    "            WHEN 'fact' THEN 'source || CASE source WHEN ''operator_action'' THEN '''' ELSE key END'"
    "            WHEN 'day_fact' THEN 'local_date || source || CASE source WHEN ''operator_action'' THEN ''''"
    "                                  ELSE key END'"
    "            WHEN 'checkpoint' THEN '(to_jsonb(t) - ''leaf'' - ''log_root'' - ''note'')::text"
    "               || split_part(convert_from(leaf, ''UTF8''), E''\\nfacts-root '', 1)'"
    "            ELSE '(to_jsonb(t) - ''made_at'' - ''happened_at'')::text' END, name), true, false, "
    "'')::text),"
    " E'\\n' ORDER BY name) FROM (SELECT relname::text AS name FROM pg_class WHERE relkind IN ('r', 'p')"
    "  AND NOT relispartition AND relnamespace = 'public'::regnamespace AND relname <> 'schema_version') AS "
    "t";

static void finish_the_night(void)
{
    int relay = cut_start(0);
    int status;
    /* The session of a killed run may still hold its lock for a moment. */
    while ((status = CRAWLTAB(output, "nightly", "--day", days_date(2))) == 75)
        poll(NULL, 0, 2);
    if (status != 0 || CRAWLTAB(output, "checkpoint", "check") != 0)
        fail_msg("%s", output);
    assert_false(cut_stop(relay));
}

/* False if the night ended before the statement came. */
static bool kill_at(int number)
{
    ledger_copy(original);
    int relay = cut_start(number);
    int status = CRAWLTAB(output, "nightly", "--day", days_date(2));
    bool killed = cut_stop(relay);
    if (status != (killed ? 128 + SIGKILL : 0))
        fail_msg("statement %d: status %d: %s", number, status, output);
    return killed;
}

static void killed_night_is_finished_as_if_nothing_had_been(void **state)
{
    (void)state;
    for (int days = 3; days >= 2; days--) {
        days_charge(days, A, 3333, 4);
        days_charge(days, B, 12345, 300);
    }
    snprintf(original, sizeof(original), "%s", ledger_database());
    ledger_through("./cut", "none");
    ledger_copy(original);
    finish_the_night();
    char *expected = strdup(sql(everything));
    const char *every = getenv("KILL_EVERY");
    int step = every ? atoi(every) : 5; /* lint: banned, a setting of the tests */
    int number = 1;
    assert_true(step > 0);
    for (; kill_at(number); number += step) {
        finish_the_night();
        const char *got = sql(everything);
        if (strcmp(got, expected) != 0)
            fail_msg("killed after statement %d:\n%s\ninstead of\n%s", number, got, expected);
    }
    assert_true(number > 40);
    assert_string_equal(sql(everything), expected);
    free(expected);
    ledger_through("./pg", "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_night_is_finished_as_if_nothing_had_been, ledger_setup,
                                        ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
