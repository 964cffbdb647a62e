/* Proofs that leave the ledger: made of closed days with one entry, with several tiles and with none, and
 * checked by a program that has nothing but the file. That nothing in one can be changed is shown by
 * tests/e2e/money/proof.test.js. Tests ledger/bundle/collect.c, ledger/bundle/logs.c, ledger/bundle/json.c,
 * ledger/bundle/report.c, ledger/bundle/entry.c, ledger/bundle/absence.c, ledger/bundle/facts.c,
 * ledger/bundle/rows.c and ledger/proof/inclusion.c. */
#include "tests/pg/support_days.h"

#include "ledger/base/file/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A           "https://a.example"
#define B           "https://b.example"
#define MANY        600 /* three tiles, the last one short */
#define ONE         "payment_id = (SELECT payment_id FROM charge ORDER BY payment_id OFFSET 300 LIMIT 1)"
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static char output[OUTPUT_MAX];

/* A file beside the server's folder. */
static const char *file_named(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof(path), "%s/../%s", server_path(), name);
    return path;
}

static int proof(const char *id)
{
    CRAWLTAB(output, "lookup", id, "--proof", file_named("proof.json"));
    return CRAWLTAB(output, "verify", file_named("proof.json"));
}

static void says(const char *words)
{
    char line[OUTPUT_MAX], *to = line;
    /* As it was before it was broken into lines. */
    for (const char *from = output; *from; from++) {
        if (strncmp(from, "\n  ", 3) == 0) {
            *to++ = ' ';
            from += 2;
            continue;
        }
        *to++ = *from;
    }
    *to = '\0';
    if (!strstr(line, words))
        fail_msg("no \"%s\" in: %s", words, line);
}

static int closed_days(void **state)
{
    if (server_start(state) != 0)
        return 1;
    ledger_setup(state);
    days_charge(5, A, 2500, 1);
    days_charge(4, A, 2500, MANY);
    days_charge(4, B, 5000, 2);
    days_charge(2, B, 5000, 1);
    for (int day = 5; day >= 2; day--)
        assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(day)), 0);
    return 0;
}

/* The id at this place among all. */
static const char *id_number(int number)
{
    char text[128];
    snprintf(text, sizeof(text), "SELECT payment_id FROM charge ORDER BY payment_id OFFSET %d LIMIT 1",
             number);
    return sql(text);
}

static void entries_are_proven(void **state)
{
    static const int numbers[] = {0, 1, 256, 257, 512, 513, MANY, MANY + 2, MANY + 3};
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (proof(id_number(numbers[i])) != 0)
            fail_msg("%d: %s", numbers[i], output);
        says("This proof holds.");
        says("That anybody has read the page, or what it said");
        if (numbers[i] < MANY + 1) {
            says("It is billed by invoice TEST-INV-");
            says("On it, in line 1: ");
        }
    }
    /* Half a cent is carried, and on no invoice yet. */
    says("as number 1 of the 1 entries of ");
    says("On which invoice it is: the file names none.");
}

/* An id of no entry, `by` above that of the entry at this place, or below it; static. */
static const char *id_beside(int number, int by)
{
    static char text[UUID_TEXT_MAX];
    uint8_t id[UUID_SIZE];
    assert_true(uuid_parse(slice_of(id_number(number)), id));
    for (size_t i = UUID_SIZE; i-- > 0 && (id[i] = (uint8_t)(id[i] + by)) == (by > 0 ? 0 : 0xff);)
        continue;
    return uuid_format(id, text);
}

static void absence_is_proven(void **state)
{
    static const struct {
        int number, by;
    } ids[] = {{0, -1}, {0, 1}, {1, -1}, {256, 1}, {257, -1}, {300, 1}, {512, 1}, {MANY + 2, 1}};
    char empty[UUID_TEXT_MAX];
    uint8_t id[UUID_SIZE], random[10] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        if (proof(id_beside(ids[i].number, ids[i].by)) != 0)
            fail_msg("%d %d: %s", ids[i].number, ids[i].by, output);
        says("where it would stand, nothing does.");
    }
    says("None of the 602 entries of ");
    /* A day without entries; and one that is not closed. */
    uuid_make(days_base_ms() - 3 * DAY_MS + DAY_MS / 2, random, id);
    assert_int_equal(proof(uuid_format(id, empty)), 0);
    says("None of the 0 entries of ");
    uuid_make(days_base_ms(), random, id);
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(id, empty), "--proof", file_named("none")), 1);
    assert_non_null(strstr(output, "there is no proof"));
}

/* The proof of a ledger that was changed says so, and so does the command that makes it. */
static void changed_rows_prove_nothing(void **state)
{
    static const char *const changes[][2] = {
        {"UPDATE charge SET amount_micros = 2000 WHERE " ONE,
         "UPDATE charge SET amount_micros = 2500 WHERE " ONE},
        {"UPDATE invoice SET due_date = due_date + 1", "UPDATE invoice SET due_date = due_date - 1"},
        {"UPDATE crawler SET first_seen_at = first_seen_at + interval '1 ms'",
         "UPDATE crawler SET first_seen_at = first_seen_at - interval '1 ms'"},
    };
    char id[UUID_TEXT_MAX];
    (void)state;
    snprintf(id, sizeof(id), "%s", id_number(300));
    sql("DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT tgrelid FROM pg_trigger WHERE tgname = 'append_only'"
        " LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER append_only', t); END LOOP; END $$");
    for (size_t i = 0; i < COUNT(changes); i++) {
        sql(changes[i][0]);
        assert_int_equal(CRAWLTAB(output, "lookup", id, "--proof", file_named("proof.json")), 1);
        assert_non_null(strstr(output, "the proof does not hold"));
        assert_int_equal(CRAWLTAB(output, "verify", file_named("proof.json")), 1);
        assert_non_null(strstr(output, "This proof does not hold.\nWrong:\n- "));
        sql(changes[i][1]);
        if (proof(id) != 0)
            fail_msg("%s", output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_proven),
                                       cmocka_unit_test(absence_is_proven),
                                       cmocka_unit_test(changed_rows_prove_nothing)};
    return cmocka_run_group_tests(tests, closed_days, server_stop);
}
