/* sql/functions/ and sql/views/ have what the migrations leave in a database: each function and view once, by
 * its name. */
#include "tests/pg/support.h"

#include "ledger/pg/pg.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FUNCTIONS "sql/functions/"
#define VIEWS     "sql/views/"

/* All that CREATE FUNCTION and COMMENT say: what PostgreSQL made of the text, which may be laid out in
 * another way. The comments are then forgotten, so that a file without one is noticed. */
static const char remember[] =
    "CREATE VIEW defined AS SELECT proname, pg_get_functiondef(oid) AS definition,"
    "  obj_description(oid, 'pg_proc') AS comment FROM pg_proc WHERE pronamespace = 'public'::regnamespace;"
    "CREATE TABLE migrated AS SELECT * FROM defined;"
    "CREATE TABLE loaded (file text, proname text);"
    "DO $$ DECLARE name text; BEGIN FOR name IN SELECT proname FROM migrated LOOP"
    "  EXECUTE format('COMMENT ON FUNCTION %I IS NULL', name); END LOOP; END $$";

static const char differences[] =
    "SELECT concat_ws(E'\\n', m.proname || '.sql is not what the migrations leave: it says',"
    "                 d.definition, d.comment, 'and they say', m.definition, m.comment)"
    "  FROM migrated m JOIN defined d USING (proname)"
    " WHERE (m.definition, m.comment) IS DISTINCT FROM (d.definition, d.comment)";

static glob_t function_files(void)
{
    glob_t files;
    assert_int_equal(glob(FUNCTIONS "*/*", 0, NULL, &files), 0);
    return files;
}

static const char *file_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static int by_file_name(const void *a, const void *b)
{
    return strcmp(file_name(*(char *const *)a), file_name(*(char *const *)b));
}

/* One that lies beside the rooms would not be found here. */
static void each_function_has_a_file(void **state)
{
    char expected[OUTPUT_MAX] = "";
    glob_t files = function_files();
    (void)state;
    qsort(files.gl_pathv, files.gl_pathc, sizeof(*files.gl_pathv), by_file_name);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *name = file_name(files.gl_pathv[i]);
        assert_true(strlen(expected) + strlen(name) + 2 < sizeof(expected));
        strncat(expected, name, sizeof(expected) - strlen(expected) - 1);
        strncat(expected, "\n", sizeof(expected) - strlen(expected) - 1);
    }
    globfree(&files);
    assert_string_equal(
        sql("SELECT string_agg(proname || E'.sql\\n', '' ORDER BY proname || '.sql' COLLATE \"C\")"
            " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"),
        expected);
}

/* As those of the statements, so that who knows one tree finds his way in the other. */
static void rooms_are_those_of_the_ledger(void **state)
{
    glob_t rooms;
    (void)state;
    assert_int_equal(glob(FUNCTIONS "*", 0, NULL, &rooms), 0);
    for (size_t i = 0; i < rooms.gl_pathc; i++) {
        char of_ledger[256];
        struct stat found;
        snprintf(of_ledger, sizeof(of_ledger), "ledger/%s", file_name(rooms.gl_pathv[i]));
        assert_int_equal(stat(of_ledger, &found), 0);
        assert_true(S_ISDIR(found.st_mode));
    }
    globfree(&rooms);
}

/* Static, OUTPUT_MAX bytes. */
static char *file_text(const char *path)
{
    static char text[OUTPUT_MAX];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_true(feof(file));
    fclose(file);
    text[len] = '\0';
    return text;
}

/* Runs a file as a transaction, which then tells what functions it has made. */
static void load(struct pg *owner, const char *path)
{
    char *text = file_text(path);
    size_t len = strlen(text), room = OUTPUT_MAX - len;
    int told = snprintf(text + len, room,
                        "INSERT INTO loaded SELECT '%s', proname || '.sql'"
                        " FROM pg_proc WHERE xmin = pg_current_xact_id()::xid",
                        file_name(path));
    assert_true((size_t)told < room);
    assert_int_equal(pg_script(owner, path, text), ERR_OK);
}

static void files_say_what_the_database_has(void **state)
{
    (void)state;
    struct pg *owner = pg_open(&(struct pg_options){.config = ledger_config(),
                                                    .role = "crawltab_owner",
                                                    .application = "test",
                                                    .connect_ms = 10000,
                                                    .timeout_ms = 60000});
    assert_non_null(owner);
    assert_int_equal(pg_script(owner, "remember", remember), ERR_OK);
    glob_t files = function_files();
    for (size_t i = 0; i < files.gl_pathc; i++)
        load(owner, files.gl_pathv[i]);
    pg_close(owner);
    assert_string_equal(sql("SELECT file, proname FROM loaded WHERE file <> proname"), "");
    assert_int_equal(strtol(sql("SELECT count(DISTINCT file) FROM loaded"), NULL, 10), files.gl_pathc);
    globfree(&files);
    const char *found = sql(differences);
    if (*found)
        fputs(found, stderr); /* longer than cmocka's messages can be */
    assert_int_equal(strlen(found), 0);
}

/* As the comments of functions, those of views are forgotten first. */
static void views_are_what_their_files_say(void **state)
{
    static const char seen[] =
        "SELECT string_agg(concat_ws(E'\\n', relname, pg_get_viewdef(oid),"
        "  obj_description(oid, 'pg_class')), E'\\n' ORDER BY relname)"
        "  FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace";
    static char migrated[OUTPUT_MAX];
    (void)state;
    snprintf(migrated, sizeof(migrated), "%s", sql(seen));
    sql("DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class WHERE relkind = 'v'"
        " AND relnamespace = 'public'::regnamespace LOOP"
        "  EXECUTE format('COMMENT ON VIEW %I IS NULL', name); END LOOP; END $$");
    glob_t files;
    assert_int_equal(glob(VIEWS "*.sql", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        sql(file_text(files.gl_pathv[i]));
    globfree(&files);
    assert_string_equal(sql(seen), migrated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_function_has_a_file, ledger_setup, ledger_teardown),
        cmocka_unit_test(rooms_are_those_of_the_ledger),
        cmocka_unit_test_setup_teardown(files_say_what_the_database_has, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(views_are_what_their_files_say, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
