#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/base/text/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_MAX_BYTES 256
#define WAIT_MAX_MS    60000
#define COPIES_MAX     24

static char folder[PATH_MAX_BYTES]; /* of this program */
static char server_folder[PATH_MAX_BYTES + 32];
static bool server_whole;
static char config_path[PATH_MAX_BYTES + 16];
static char database[32];
static const char *ledger_host = "./pg";
static const char *ledger_pooler = "none";
static const char *ledger_verify = "all";
static struct config *config;

/* --- programs --- */

static int spawn(const char *const *arguments, int output)
{
    char *copy[24];
    size_t count = 0;
    for (; arguments[count]; count++) {
        assert_true(count + 1 < sizeof(copy) / sizeof(*copy));
        copy[count] = strdup(arguments[count]);
    }
    copy[count] = NULL;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (output >= 0) {
            dup2(output, STDOUT_FILENO);
            dup2(output, STDERR_FILENO);
        }
        execvp(copy[0], copy);
        _exit(127);
    }
    for (size_t i = 0; i < count; i++)
        free(copy[i]);
    return pid;
}

int run_wait(int pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_program(const char *const *arguments, char output[OUTPUT_MAX])
{
    int ends[2];
    size_t len = 0;
    ssize_t got;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int pid = spawn(arguments, ends[1]);
    close(ends[1]);
    while ((got = read(ends[0], output + len, OUTPUT_MAX - 1 - len)) > 0)
        len += (size_t)got;
    output[len] = '\0';
    close(ends[0]);
    return run_wait(pid);
}

const char *crawltab_path(void)
{
    static char path[PATH_MAX_BYTES];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    assert_true(len > 0);
    path[len] = '\0';
    for (int i = 0; i < 3; i++) /* build/tests/pg/x_test */
        *strrchr(path, '/') = '\0';
    strncat(path, "/crawltab", sizeof(path) - strlen(path) - 1);
    return path;
}

static void crawltab_words(const char *const *arguments, const char *words[16])
{
    size_t count = 0;
    words[count++] = crawltab_path();
    words[count++] = "--config";
    words[count++] = config_path;
    for (; *arguments; arguments++)
        words[count++] = *arguments;
    assert_true(count < 16);
    words[count] = NULL;
}

int crawltab(char output[OUTPUT_MAX], const char *const *arguments)
{
    const char *words[16];
    crawltab_words(arguments, words);
    return run_program(words, output);
}

int crawltab_spawn(const char *const *arguments)
{
    const char *words[16];
    crawltab_words(arguments, words);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int pid = spawn(words, null);
    close(null);
    return pid;
}

/* --- the server --- */

static int postgres(const char *verb, char output[OUTPUT_MAX])
{
    const char *const fast[] = {"tools/dev/postgres.sh", "start", "--fast", server_folder, NULL};
    const char *const plain[] = {"tools/dev/postgres.sh", verb, server_folder, NULL};
    return run_program(strcmp(verb, "start") == 0 && !server_whole ? fast : plain, output);
}

int server_start(void **state)
{
    static char output[OUTPUT_MAX];
    char top[PATH_MAX_BYTES - 32];
    (void)state;
    if (!getcwd(top, sizeof(top)) || (mkdir("var", 0755) != 0 && errno != EEXIST))
        return -1;
    snprintf(folder, sizeof(folder), "%s/var/t%d", top, (int)getpid());
    snprintf(server_folder, sizeof(server_folder), "%s/pg", folder);
    snprintf(config_path, sizeof(config_path), "%s/config.yaml", folder);
    if (mkdir(folder, 0755) != 0)
        return -1;
    if (postgres("start", output) != 0) {
        print_error("%s", output);
        return -1;
    }
    if (citus_wanted())
        citus_start();
    return 0;
}

int server_start_whole(void **state)
{
    server_whole = true;
    return server_start(state);
}

int server_stop(void **state)
{
    static char output[OUTPUT_MAX];
    (void)state;
    const char *const remove[] = {"rm", "-rf", folder, NULL};
    sql_leave();
    postgres("stop", output);
    if (citus_wanted())
        citus_stop();
    return run_program(remove, output);
}

const char *server_path(void)
{
    return server_folder;
}

void server_crash(void)
{
    static char output[OUTPUT_MAX];
    int pid;
    assert_int_equal(postgres("status", output), 0);
    assert_int_equal(sscanf(output, "running %d", &pid), 1);
    assert_int_equal(kill(pid, SIGQUIT), 0);
    for (int i = 0; i < WAIT_MAX_MS / 10 && postgres("status", output) == 0; i++)
        poll(NULL, 0, 10);
}

void server_restart(void)
{
    static char output[OUTPUT_MAX];
    sql_leave(); /* its connection was to the one before, and may not have noticed */
    if (postgres("start", output) != 0)
        fail_msg("%s", output);
}

void server_kill(void)
{
    static char output[OUTPUT_MAX];
    int postmaster;
    assert_int_equal(postgres("status", output), 0);
    assert_int_equal(sscanf(output, "running %d", &postmaster), 1);
    const char *children = sql("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity");
    assert_int_equal(kill(postmaster, SIGKILL), 0);
    for (char *end; *children; children = end) {
        long pid = strtol(children, &end, 10);
        assert_ptr_not_equal(end, children);
        kill((pid_t)pid, SIGKILL); /* the one that sql() asks among them */
    }
    for (int i = 0; i < WAIT_MAX_MS / 10 && postgres("status", output) == 0; i++)
        poll(NULL, 0, 10);
}

/* A folder beside the server's. */
static const char *beside(const char *name)
{
    static char path[PATH_MAX_BYTES + 32];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

void standby_start(const char *name)
{
    static char output[OUTPUT_MAX];
    const char *const copy[] = {"tools/dev/postgres.sh",
                                "run",
                                beside(name),
                                "pg_basebackup",
                                "-h",
                                server_folder,
                                "-U",
                                "postgres",
                                "-D",
                                "data",
                                "-R",
                                "-X",
                                "stream",
                                "-c",
                                "fast",
                                NULL};
    const char *const start[] = {"tools/dev/postgres.sh", "start", beside(name), NULL};
    if (run_program(copy, output) != 0 || run_program(start, output) != 0)
        fail_msg("%s", output);
    sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    sql("SELECT pg_reload_conf()");
    wait_for_sql("SELECT bool_or(sync_state = 'sync') IS TRUE FROM pg_stat_replication");
}

void standby_pause(const char *name, bool pause)
{
    static char output[OUTPUT_MAX];
    const char *const receiver[] = {"psql",     "-X",         "-At",
                                    "-h",       beside(name), "-U",
                                    "postgres", "-c",         "SELECT pid FROM pg_stat_wal_receiver",
                                    NULL};
    static long paused;
    if (pause) {
        assert_int_equal(run_program(receiver, output), 0);
        paused = strtol(output, NULL, 10);
    }
    assert_true(paused > 1);
    assert_int_equal(kill((pid_t)paused, pause ? SIGSTOP : SIGCONT), 0);
}

void standby_stop(const char *name)
{
    static char output[OUTPUT_MAX];
    const char *const stop[] = {"tools/dev/postgres.sh", "stop", beside(name), NULL};
    run_program(stop, output);
}

void standby_promote(const char *name)
{
    snprintf(server_folder, sizeof(server_folder), "%s", beside(name));
    sql_leave();
    assert_string_equal(sql("SELECT pg_promote()"), "t");
}

static int pooler_pid(void)
{
    int pid = 0;
    FILE *file = fopen(beside("pool/pid"), "r");
    if (file && fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid > 1 && kill(pid, 0) == 0 ? pid : 0;
}

void pooler_start(void)
{
    static char output[OUTPUT_MAX];
    char pool[PATH_MAX_BYTES + 32];
    snprintf(pool, sizeof(pool), "%s", beside("pool"));
    const char *const make[] = {"tools/dev/postgres.sh", "run", pool, "true", NULL};
    const char *const start[] = {"tools/dev/postgres.sh", "run", pool, "/usr/sbin/pgbouncer", "-d",
                                 "pgbouncer.ini",         NULL};
    if (run_program(make, output) != 0)
        fail_msg("%s", output);
    FILE *users = fopen(beside("pool/users"), "w");
    assert_non_null(users);
    fputs("\"postgres\" \"\"\n\"crawltab_owner\" \"\"\n\"crawltab_gate\" \"\"\n\"crawltab_operator\" \"\"\n",
          users);
    fclose(users);
    FILE *file = fopen(beside("pool/pgbouncer.ini"), "w");
    assert_non_null(file);
    fprintf(file,
            "[databases]\n* = host=%s\n[pgbouncer]\npool_mode = transaction\nlisten_port = 5432\n"
            "unix_socket_dir = %s\nauth_type = trust\nauth_file = users\nlogfile = log\npidfile = pid\n"
            "default_pool_size = 3\nserver_round_robin = 1\n",
            server_folder, pool);
    fclose(file);
    if (run_program(start, output) != 0)
        fail_msg("%s", output);
    for (int i = 0; i < WAIT_MAX_MS / 10 && pooler_pid() == 0; i++)
        poll(NULL, 0, 10);
    assert_true(pooler_pid() > 0);
}

void pooler_stop(int signal)
{
    int pid = pooler_pid();
    if (pid > 0)
        kill(pid, signal);
    for (int i = 0; i < WAIT_MAX_MS / 10 && pooler_pid() > 0; i++)
        poll(NULL, 0, 10);
    unlink(beside("pool/pid"));
    unlink(beside("pool/.s.PGSQL.5432"));
}

/* --- the ledger --- */

void ledger_through(const char *host, const char *pooler)
{
    ledger_host = host;
    ledger_pooler = pooler;
}

void ledger_judged(bool judged)
{
    ledger_verify = judged ? "all" : "none";
}

/* The night opens ids with it, and nothing else does: these tests have no gate. */
static void write_offer_key(void)
{
    char path[PATH_MAX_BYTES + 32], text[2 * OFFER_KEY_SIZE + 1];
    snprintf(path, sizeof(path), "%s/var", folder);
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "%s/var/offer.key", folder);
    encoding_hex(payment_offer_key, OFFER_KEY_SIZE, text);
    assert_null(file_replace(path, text, strlen(text), FILE_PRIVATE));
}

void ledger_empty(const char *zone)
{
    static int number;
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    write_offer_key();
    sql_leave();
    snprintf(database, sizeof(database), "test_%d", ++number);
    fprintf(file,
            "ledger:\n  connection: \"host=%s dbname=%s\"\n  pooler: %s\n  timeout_seconds: 2\n"
            "nightly:\n  verify: %s\n"
            "sites:\n  - name: example\n    hosts: [\"127.0.0.1:8402\"]\n    scheme: http\n    root: .\n"
            "    seller: The Example Gazette\n    time_zone: %s\n    network: \"example:402\"\n"
            "    terms_url: https://example.com/terms\n"
            "    rules:\n      - name: all\n        action: charge\n        price: \"0.0025\"\n",
            ledger_host, database, ledger_pooler, ledger_verify, zone);
    fclose(file);
    config_free(config);
    config = config_load(config_path, stderr, NULL);
    assert_non_null(config);
}

void ledger_migrate(void)
{
    static char output[OUTPUT_MAX];
    if (CRAWLTAB(output, "migrate", "--bootstrap", "--superuser", "postgres") != 0)
        fail_msg("%s", output);
    if (citus_wanted())
        citus_spread(database);
}

const char *ledger_database(void)
{
    return database;
}

/* Runs a command about databases: the one that is copied must have no connections. */
static void administer(const char *command)
{
    static char output[OUTPUT_MAX];
    const char *const words[] = {"psql",     "-X", "-q",       "-h", server_folder, "-U",
                                 "postgres", "-d", "postgres", "-c", command,       NULL};
    sql_leave();
    if (citus_wanted())
        citus_administer(command);
    else if (run_program(words, output) != 0)
        fail_msg("%s", output);
}

/* A new database, the test's, as the other is. */
static void copy(const char *original, const char *zone)
{
    char command[160];
    ledger_empty(zone);
    /* Faster than through the log of a server that does not wait for its disk. */
    snprintf(command, sizeof(command),
             "CREATE DATABASE %s OWNER crawltab_owner TEMPLATE %s STRATEGY file_copy", database, original);
    administer(command);
}

/* Removing one costs as much as making one: those of most tests go with the server. */
void ledger_copy(const char *original)
{
    static char copies[COPIES_MAX][sizeof(database)];
    static size_t made;
    char *oldest = copies[made++ % COPIES_MAX];
    char command[160];
    if (*oldest) {
        snprintf(command, sizeof(command), "DROP DATABASE %s WITH (FORCE)", oldest);
        administer(command);
    }
    copy(original, config->sites[0].time_zone);
    snprintf(oldest, sizeof(database), "%s", database);
}

/* Migrated once for all tests of a program, and not through a pooler, which would stay connected to it. */
static void make_original(char *name)
{
    const char *host = ledger_host, *pooler = ledger_pooler;
    ledger_through("./pg", "none");
    ledger_empty("UTC");
    ledger_migrate();
    sql("SELECT charge_partitions(current_date - 1, current_date + 3)"); /* it costs each gate's start much */
    snprintf(name, sizeof(database), "%s", database);
    ledger_through(host, pooler);
}

int ledger_setup(void **state)
{
    static char original[sizeof(database)];
    (void)state;
    if (!*original)
        make_original(original);
    copy(original, "UTC");
    return 0;
}

int ledger_teardown(void **state)
{
    (void)state;
    config_free(config);
    config = NULL;
    clock_set_offset_ms(0);
    return 0;
}

struct config *ledger_config(void)
{
    return config;
}

const char *ledger_config_path(void)
{
    return config_path;
}

int gate_backend(void)
{
    const char *pids = sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'crawltabd'"
                           " AND datname = current_database()");
    char *end;
    long pid = strtol(pids, &end, 10);
    assert_true(pid > 1 && *end == '\0');
    return (int)pid;
}

void wait_for_sql(const char *text)
{
    int64_t give_up = clock_monotonic_ms() + WAIT_MAX_MS;
    while (strcmp(sql(text), "t") != 0) {
        if (clock_monotonic_ms() >= give_up)
            fail_msg("waited in vain for: %s", text);
        poll(NULL, 0, 10);
    }
}

int sql_spawn(const char *text)
{
    const char *const words[] = {"psql",     "-X", "-q",     "-h", server_folder, "-U",
                                 "postgres", "-d", database, "-c", text,          NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int pid = spawn(words, null);
    close(null);
    return pid;
}
