/* What the statements declare is what the server answers; what differs stops the start, and names statement
 * and column.
 * Tests ledger/pg/pg_rows.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/credit/refresh.h"
#include "ledger/pg/pg.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGE "ALTER TABLE crawler ALTER COLUMN agent TYPE varchar"
#define BACK   "ALTER TABLE crawler ALTER COLUMN agent TYPE text"

static char output[OUTPUT_MAX];

static struct pg *open_as(const char *role)
{
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = role,
                                                 .application = "test",
                                                 .connect_ms = 10000,
                                                 .timeout_ms = 60000});
    assert_non_null(pg);
    return pg;
}

/* Parsing needs no right to run: so every role finds what differs, whichever statements are its own. */
static void every_statement_answers_what_it_declares(void **state)
{
    static const char *const roles[] = {"crawltab_gate", "crawltab_operator", "crawltab_owner"};
    size_t statements = 0, declared = 0;
    (void)state;
    for (const struct sql_statement *statement = sql_statements; statement->name; statement++) {
        statements++;
        declared += statement->columns != NULL;
    }
    assert_true(statements > 100 && declared > 50);
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
        struct pg *pg = open_as(roles[i]);
        struct pg_rows rows = {0};
        assert_int_equal(pg_compare(pg), ERR_OK);
        assert_int_equal(pg_run(pg, "schema_version", NULL, &rows), ERR_OK); /* it goes on from there */
        pg_rows_free(&rows);
        pg_close(pg);
    }
}

static void another_type_is_an_error_of_the_start(void **state)
{
    (void)state;
    sql(CHANGE);
    assert_int_equal(CRAWLTAB(output, "nightly"), 1);
    assert_non_null(strstr(output, "ledger columns differ (statement charge_lookup, column agent)"));
    assert_non_null(strstr(output, "\"agent\" of type 1043, the program reads \"agent\" of type 25 (text)"));
    assert_non_null(strstr(output, "statement crawler_list, column agent")); /* all of them at once */
    assert_int_equal(CRAWLTAB(output, "migrate"), 1);
    assert_non_null(strstr(output, "statement charge_lookup, column agent"));
    sql(BACK);
    assert_int_equal(CRAWLTAB(output, "migrate"), 0);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
}

/* Commands that do not ask ahead compare with the first rows that they get. */
static void another_type_is_found_in_the_first_rows(void **state)
{
    (void)state;
    sql(CHANGE);
    assert_int_equal(CRAWLTAB(output, "crawler", "list"), 1);
    assert_non_null(strstr(output, "statement crawler_list, column agent"));
    assert_int_equal(CRAWLTAB(output, "site", "list"), 0);
}

static void what_cannot_be_understood_is_named(void **state)
{
    (void)state;
    sql("ALTER TABLE outbox RENAME COLUMN body TO text");
    assert_int_equal(CRAWLTAB(output, "nightly"), 1);
    assert_non_null(strstr(output, "statement outbox_"));
    assert_non_null(strstr(output, "body"));
}

static void a_gate_is_not_ready_before_it_is_mended(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready(); /* registers the site and makes its days */
    writer_stop(writer);
    sql(CHANGE);
    struct refresh *book = refresh_start(ledger_config());
    for (int i = 0; i < 25; i++) {
        assert_false(refresh_ready(book, ledger_config()));
        poll(NULL, 0, 20);
    }
    sql(BACK);
    int64_t give_up = clock_monotonic_ms() + 60000;
    while (!refresh_ready(book, ledger_config())) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 20);
    }
    refresh_stop(book);
}

static enum err tell(void *context, const struct pg_row *row)
{
    (void)row;
    ++*(int *)context;
    return ERR_OK;
}

static void a_stream_is_compared(void **state)
{
    struct pg_params params = {0};
    int told = 0;
    (void)state;
    sql("ALTER TABLE charge ALTER COLUMN resource TYPE varchar");
    struct pg *pg = open_as("crawltab_operator");
    pg_params_number(&params, 1);
    pg_params_text(&params, "00000000-0000-0000-0000-000000000000");
    pg_params_text(&params, "ffffffff-ffff-ffff-ffff-ffffffffffff");
    assert_int_equal(pg_begin(pg), ERR_OK);
    assert_int_equal(pg_stream(pg, "day_entries", &params, tell, &told), ERR_INTERNAL);
    assert_int_equal(told, 0);
    pg_close(pg);
}

/* --- What a file declares, when the program is built --- */

static int embed(const char *text)
{
    char folder[] = "/tmp/columns-XXXXXX", room[64], path[96];
    assert_non_null(mkdtemp(folder));
    snprintf(room, sizeof(room), "%s/statements", folder);
    assert_int_equal(run_program((const char *const[]){"mkdir", room, NULL}, output), 0);
    snprintf(path, sizeof(path), "%s/thing.sql", room);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    const char *const words[] = {"awk", "-v", "rows=room", "-f", "sql/embed.awk", path, NULL};
    int status = run_program(words, output);
    unlink(path);
    rmdir(room);
    rmdir(folder);
    return status;
}

static void what_is_declared_is_read_by_name(void **state)
{
    (void)state;
    assert_int_equal(
        embed("-- A thing.\n-- columns: at date null, count bigint,\n--   limit_micros bigint null\n"
              "SELECT 1\n"),
        0);
    assert_non_null(strstr(output, "struct thing_row {\n    const char *at;\n    int64_t count;\n"
                                   "    int64_t limit_micros;\n    bool limit_micros_null;\n};\n"));
    assert_non_null(strstr(output, ".limit_micros = pg_rows_number(rows, row, 2),\n"));
    assert_int_equal(embed("-- No columns.\nSELECT 1\n"), 0);
    assert_null(strstr(output, "struct"));
}

static void what_cannot_be_read_does_not_build(void **state)
{
    static const char *const wrong[][2] = {
        {"-- columns: a money\nSELECT 1\n", "\"money\""},
        {"-- columns: a\nSELECT 1\n", "not \"a\""},
        {"-- columns: a text empty\nSELECT 1\n", "not \"a text empty\""},
        {"-- columns: A text\nSELECT 1\n", "not \"A text\""},
        {"-- columns: a timestamptz\nSELECT 1\n", "column \"a\""},
        {"-- columns: a date\nDECLARE stream NO SCROLL CURSOR FOR\nSELECT 1\n", "column \"a\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(embed(wrong[i][0]), 1);
        assert_non_null(strstr(output, "statements/thing.sql: "));
        assert_non_null(strstr(output, wrong[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_statement_answers_what_it_declares, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(another_type_is_an_error_of_the_start, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(another_type_is_found_in_the_first_rows, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_understood_is_named, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_gate_is_not_ready_before_it_is_mended, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_stream_is_compared, ledger_setup, ledger_teardown),
        cmocka_unit_test(what_is_declared_is_read_by_name),
        cmocka_unit_test(what_cannot_be_read_does_not_build),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
