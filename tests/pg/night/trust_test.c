/* By whom a log was signed, and whether it has grown from what was kept elsewhere: whatever somebody with all
 * rights in the database makes anew is found with the key, or with a checkpoint, that he does not have.
 * Tests ledger/proof/log.c, ledger/proof/log_check.c, tools/crawltab/frame/trust.c */
#include "tests/pg/support_days.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define A "https://a.example"

static char output[OUTPUT_MAX];
static char open[64], before[64], after[64]; /* ledgers of three days: none closed, two, and all */
static char kept[256];                       /* the checkpoint of the second day, in a file */

/* --- helpers --- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int three_days(void **state)
{
    ledger_setup(state);
    for (int days = 5; days >= 3; days--)
        days_charge(days, A, 2500, 3);
    snprintf(open, sizeof(open), "%s", ledger_database());
    sql_leave();
    ledger_copy(open);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    snprintf(before, sizeof(before), "%s", ledger_database());
    assert_int_equal(CRAWLTAB(output, "checkpoint", "show"), 0);
    snprintf(kept, sizeof(kept), "%s/kept.txt", server_path());
    write_file(kept, output);
    sql_leave();
    ledger_copy(before);
    snprintf(after, sizeof(after), "%s", ledger_database());
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    return 0;
}

static int server_and_days(void **state)
{
    return server_start(state) == 0 ? three_days(state) : 1;
}

static void use(const char *ledger)
{
    sql_leave();
    ledger_copy(ledger);
}

static const char *key_path(void)
{
    return ledger_config()->ledger_checkpoint_key_file;
}

static void move_key(const char *from, const char *to)
{
    char from_path[512], to_path[512];
    snprintf(from_path, sizeof(from_path), "%s%s", key_path(), from);
    snprintf(to_path, sizeof(to_path), "%s%s", key_path(), to);
    assert_int_equal(rename(from_path, to_path), 0);
}

static void assert_found(const char *command, const char *problem)
{
    int status =
        strcmp(command, "audit") == 0 ? CRAWLTAB(output, "audit") : CRAWLTAB(output, command, "check");
    if (status != 1 || !strstr(output, problem))
        fail_msg("%s: %d %s", command, status, output);
}

static void assert_kept(const char *file, int expected, const char *text)
{
    const char *const commands[][5] = {{"audit", "--checkpoint", file},
                                       {"checkpoint", "check", "--checkpoint", file}};
    for (size_t i = 0; i < 2; i++) {
        int status = crawltab(output, commands[i]);
        if (status != expected || !strstr(output, text))
            fail_msg("%s: %d %s", commands[i][0], status, output);
    }
}

static void open_triggers(void)
{
    sql("DO $$ DECLARE t record; BEGIN FOR t IN SELECT DISTINCT tgrelid::regclass AS name"
        " FROM pg_trigger WHERE NOT tgisinternal LOOP"
        " EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t.name); END LOOP; END $$");
}

/* --- whose key --- */

static void log_by_another_key_is_found(void **state)
{
    (void)state;
    static char mine[OUTPUT_MAX], key[OUTPUT_MAX];
    use(open); /* as if it had been made anew: it is as good in itself as any */
    move_key("", ".kept");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0); /* his key is the configured one here */
    assert_int_equal(CRAWLTAB(mine, "checkpoint", "key"), 0);
    move_key(".kept", "");
    const char *another = "the log is signed by another key than the configured one";
    assert_found("audit", another);
    assert_found("checkpoint", another);
    mine[strcspn(mine, "\n")] = '\0';
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--vkey", mine), 0);
    assert_int_equal(CRAWLTAB(key, "checkpoint", "key"), 0);
    key[strcspn(key, "\n")] = '\0';
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--vkey", key), 1);
    assert_non_null(strstr(output, "the log is signed by another key than the given one"));
    assert_int_equal(CRAWLTAB(output, "audit", "--vkey", "nonsense"), 1);
    assert_non_null(strstr(output, "--vkey is no verifier key"));
}

static void no_key_proves_nothing(void **state)
{
    (void)state;
    use(after);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    move_key("", ".away");
    assert_found("checkpoint", "there is no key to check the log by");
    move_key(".away", "");
}

static void old_keys_lead_to_new_ones(void **state)
{
    (void)state;
    static char old[OUTPUT_MAX], file[4096];
    use(before);
    assert_int_equal(CRAWLTAB(old, "checkpoint", "key"), 0);
    old[strcspn(old, "\n")] = '\0';
    assert_int_equal(CRAWLTAB(output, "checkpoint", "key", "rotate", "--reason", "a"), 0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--vkey", old), 0);
    assert_kept(kept, 0, "are the beginning of the log, which has ");
    /* A note of the change that was made over another log. */
    sql("ALTER TABLE checkpoint_key_change DISABLE TRIGGER USER;"
        "UPDATE checkpoint_key_change SET log_size = log_size - 1");
    assert_found("checkpoint", "a change of the key says something else than was signed");
    sql("UPDATE checkpoint_key_change SET log_size = log_size + 1");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    /* The old key did not sign that it gives way: who trusts it cannot follow, who has the new one can. */
    move_key("", ".lost");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "key", "rotate", "--lost", "--reason", "b"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--vkey", old), 1);
    assert_non_null(strstr(output, "it was said to be lost"));
    /* A newer key in the file that signs nothing: is the change lost, or was it dropped? */
    FILE *present = fopen(key_path(), "r");
    assert_non_null(present);
    size_t len = fread(file + 65, 1, sizeof(file) - 66, present);
    fclose(present);
    file[65 + len] = '\0';
    memset(file, 'a', 64);
    file[64] = '\n';
    write_file(key_path(), file);
    assert_found("checkpoint", "the change to the newest is not recorded");
}

/* --- what was kept --- */

static void kept_checkpoints_are_the_beginning(void **state)
{
    (void)state;
    use(after);
    assert_kept(kept, 0, "are the beginning of the log, which has ");
    assert_non_null(strstr(output, "consistency proof (RFC 6962):\n  "));
}

static void restored_old_state_is_found(void **state)
{
    (void)state;
    char newer[512];
    use(after);
    snprintf(newer, sizeof(newer), "%s/newer.txt", server_path());
    assert_int_equal(CRAWLTAB(output, "checkpoint", "show"), 0);
    write_file(newer, output);
    use(before);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_kept(newer, 1, "an old state was restored, or days were dropped");
    /* All of it. */
    open_triggers();
    sql("DELETE FROM checkpoint");
    assert_kept(newer, 1, "days, the ledger's log has 0: an old state was restored");
}

/* The night run again by whoever has the key, over rows that he has changed. */
static void second_night_is_found(void **state)
{
    (void)state;
    char newer[512];
    use(after);
    snprintf(newer, sizeof(newer), "%s/again.txt", server_path());
    assert_int_equal(CRAWLTAB(output, "checkpoint", "show"), 0);
    write_file(newer, output);
    use(before);
    open_triggers();
    sql("UPDATE charge SET resource = resource || 'x'"
        " WHERE payment_id >= (SELECT max(end_id::text)::uuid FROM day_seal)");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 3); /* nobody signed what he wrote */
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--checkpoint", newer), 1);
    assert_non_null(strstr(output, "with another root: a night was run again"));
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check", "--checkpoint", newer), 1);
    assert_non_null(strstr(output, "is no beginning of the ledger's log"));
}

static void what_is_no_checkpoint_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } files[] = {
        {"", "it is no checkpoint"},
        {"example:402/example\n", "it is no checkpoint"},
        {"\n2\nAAAA\n", "its first line"},
        {"example:402/example\n02\nAAAA\n", "its second line"},
        {"example:402/example\n99999999999999999999\nAAAA\n", "its second line"},
        {"example:402/example\n2\nAAAA\n", "its third line"},
        {"example:402/other\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "is of no log that was "},
        {"example:402/example\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
         "is not signed by a key of this log"},
    };
    char path[512];
    use(after);
    snprintf(path, sizeof(path), "%s/no.txt", server_path());
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        write_file(path, files[i].text);
        assert_kept(path, 1, files[i].problem);
    }
    unlink(path);
    assert_kept(path, 1, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_checkpoints_are_the_beginning),
        cmocka_unit_test(restored_old_state_is_found),
        cmocka_unit_test(second_night_is_found),
        cmocka_unit_test(what_is_no_checkpoint_is_told),
        cmocka_unit_test(no_key_proves_nothing),
        cmocka_unit_test(log_by_another_key_is_found),
        cmocka_unit_test(old_keys_lead_to_new_ones),
    };
    return cmocka_run_group_tests(tests, server_and_days, server_stop);
}
