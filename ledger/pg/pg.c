/* All waiting is done here with poll(2) and a deadline, since libpq's own has none: a server that is silent
 * must not hold a writer, behind which hundreds wait. Whatever is not known to have been answered, a time
 * that ran out, a broken connection, an answer that did not fit, ends the connection: one that is out of
 * step would give the next statement the last one's rows. */
#include "ledger/pg/pg.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"
#include "ledger/pg/pg_connect.h"
#include "ledger/pg/pg_target.h"
#include "sql/rows/pg.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX 512
#define PROBLEM_MAX    PG_CONNECT_PROBLEM_MAX

#define PG_MAGIC 0xce71b405u

struct pg {
    uint32_t magic;
    PGconn *conn;
    int64_t timeout_ms;
    int64_t deadline_ms; /* 0: timeout_ms from the start of each call */
    enum pg_failure failure;
    bool pooled;       /* only a transaction stays on one server process */
    bool limit_server; /* the server, too, gives up after timeout_ms */
    bool prepared[STATEMENTS_MAX];
    bool compared[STATEMENTS_MAX]; /* its columns are those that it declares */
    bool not_replicated;           /* a commit was said to be done, but the standby may not have it */
    char problem[PROBLEM_MAX];
};

/* A connection that has broken has no status; the next call finds out. */
static bool is_or_broken(const struct pg *pg, PGTransactionStatusType wanted)
{
    PGTransactionStatusType status = PQtransactionStatus(pg->conn);
    return status == wanted || status == PQTRANS_UNKNOWN;
}
/* --- Waiting --- */

static int64_t call_deadline(const struct pg *pg)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    return pg->deadline_ms ? pg->deadline_ms : clock_monotonic_ms() + pg->timeout_ms;
}

/* The first line of libpq's message, without the line feed. */
static void keep_problem(struct pg *pg, const char *message)
{
    snprintf(pg->problem, sizeof(pg->problem), "%s", message && *message ? message : "no answer in time");
    for (size_t len = strlen(pg->problem); len > 0 && pg->problem[len - 1] == '\n'; len--)
        pg->problem[len - 1] = '\0';
}

static void give_up(struct pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* Gives the connection up: what the server made of the statement is unknown. */
static enum err lose(struct pg *pg, const char *statement)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    if (pg->conn) {
        keep_problem(pg, pg->not_replicated ? "the wait for the synchronous standby was cancelled"
                                            : PQerrorMessage(pg->conn));
        LOG(WARN, "ledger_connection_lost", {"statement", statement}, {"detail", pg->problem});
        give_up(pg);
    }
    pg->failure = PG_LOST;
    return ERR_LEDGER_UNAVAILABLE;
}

/* Sends what is queued and collects the result of the last command, or of the first that failed. NULL: lost.
 */
static PGresult *collect(struct pg *pg, int64_t deadline_ms)
{
    assert(pg->conn);
    PGresult *kept = NULL;
    int rest;
    while ((rest = PQflush(pg->conn)) > 0)
        if (!pg_connect_wait(pg->conn, POLLIN | POLLOUT, deadline_ms) || !PQconsumeInput(pg->conn))
            return NULL;
    if (rest < 0)
        return NULL;
    /* To the end, also of what has failed: a result that is left would be taken for the next statement's. */
    for (;;) {
        while (PQisBusy(pg->conn))
            if (!pg_connect_wait(pg->conn, POLLIN, deadline_ms) || !PQconsumeInput(pg->conn)) {
                PQclear(kept);
                return NULL;
            }
        PGresult *result = PQgetResult(pg->conn);
        if (!result)
            return kept;
        ExecStatusType status = PQresultStatus(kept);
        if (kept && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
}

/* --- Failures --- */

static enum pg_failure classify(const char *state)
{
    /* The first that the state starts with. */
    static const struct {
        const char *prefix;
        enum pg_failure failure;
    } classes[] = {
        {"40001", PG_RETRY}, {"40P01", PG_RETRY}, {"40003", PG_LOST},   {"57014", PG_RETRY},
        {"57P", PG_LOST},    {"08", PG_LOST},     {"25006", PG_LOST},   {"55P03", PG_LOCKED},
        {"53", PG_RETRY},    {"58", PG_RETRY},    {"22", PG_DATA},      {"23505", PG_DUPLICATE},
        {"23", PG_DATA},     {"54", PG_DATA},     {"42501", PG_DENIED},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].failure;
    return PG_OTHER;
}

/* A row without a partition has the state of a CHECK, but is no fault of the row: the partitions were not
 * made. A failed CHECK names its constraint, what a trigger raises names no table. */
static bool lacks_partition(const char *state, const PGresult *result)
{
    return strcmp(state, "23514") == 0 && PQresultErrorField(result, PG_DIAG_TABLE_NAME) &&
           !PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
}

static enum err refused(struct pg *pg, const char *statement, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    keep_problem(pg, message ? message : PQresultErrorMessage(result));
    pg->failure = !state ? PG_LOST : lacks_partition(state, result) ? PG_OTHER : classify(state);
    /* What the server says on its way down is no answer: the statement may have been committed. */
    if (pg->failure == PG_LOST || PQstatus(pg->conn) == CONNECTION_BAD)
        return lose(pg, statement);
    /* The server's hint is the better one, when it has any. */
    if (pg->failure == PG_DENIED && !hint)
        hint = "run crawltab migrate, which grants the roles their rights";
    if (pg->failure == PG_DUPLICATE)
        LOG(WARN, "ledger_key_exists", {"statement", statement}, {"detail", pg->problem});
    else if (pg->failure == PG_RETRY)
        LOG(WARN, "ledger_statement_put_off", {"statement", statement}, {"sqlstate", state},
            {"detail", pg->problem});
    else if (pg->failure != PG_LOCKED)
        LOG(ERROR, "ledger_statement_failed", {"statement", statement}, {"sqlstate", state},
            {"detail", pg->problem}, {"hint", hint});
    return pg->failure == PG_RETRY ? ERR_LEDGER_UNAVAILABLE : ERR_INTERNAL;
}

/* Waits for what was just sent. `rows` may be NULL. */
static enum err finish(struct pg *pg, const char *statement, int64_t deadline_ms, struct pg_rows *rows)
{
    PGresult *result = collect(pg, deadline_ms);
    if (!result)
        return lose(pg, statement);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        enum err err = refused(pg, statement, result);
        PQclear(result);
        return err;
    }
    if (pg->not_replicated) {
        PQclear(result);
        return lose(pg, statement);
    }
    pg->failure = PG_NONE;
    if (rows)
        *rows = (struct pg_rows){.result = result, .count = PQntuples(result)};
    else
        PQclear(result);
    return ERR_OK;
}

/* --- Statements --- */

static size_t statement_number(const char *name)
{
    size_t at = 0;
    while (at < STATEMENTS_MAX && sql_statements[at].name && strcmp(sql_statements[at].name, name) != 0)
        at++;
    assert(at < STATEMENTS_MAX && sql_statements[at].name);
    return at;
}

/* The first rows of a statement show whether the schema is the one that it was written for. */
static enum err compare(struct pg *pg, size_t number, struct pg_rows *rows)
{
    assert(rows->result);
    rows->statement = &sql_statements[number];
    if (pg->compared[number])
        return ERR_OK;
    if (!pg_rows_match(rows)) {
        pg_rows_free(rows);
        pg->failure = PG_OTHER;
        return ERR_INTERNAL;
    }
    pg->compared[number] = true;
    return ERR_OK;
}

/* Prepared on first use, except behind a pooler: what is prepared stays with a server process. */
static enum err execute(struct pg *pg, const char *statement, const struct pg_params *params,
                        struct pg_rows *rows)
{
    static const struct pg_params none;
    enum err err = ERR_OK;
    size_t number = statement_number(statement);
    int64_t deadline = call_deadline(pg);
    int sent;
    if (!params)
        params = &none;
    assert(params->count >= 0 && params->count <= PG_PARAMS_MAX);
    if (!pg->conn)
        return lose(pg, statement);
    if (!pg->pooled && !pg->prepared[number]) {
        if (!PQsendPrepare(pg->conn, statement, sql_statements[number].text, 0, NULL))
            return lose(pg, statement);
        TRY(finish(pg, statement, deadline, NULL));
        pg->prepared[number] = true;
    }
    if (pg->pooled)
        sent = PQsendQueryParams(pg->conn, sql_statements[number].text, params->count, NULL, params->values,
                                 params->lengths, params->formats, 0);
    else
        sent = PQsendQueryPrepared(pg->conn, statement, params->count, params->values, params->lengths,
                                   params->formats, 0);
    if (!sent)
        return lose(pg, statement);
    TRY(finish(pg, statement, deadline, rows));
    if (rows)
        err = compare(pg, number, rows);
out:
    return err;
}

/* As a transaction of its own that makes the settings first. */
static enum err run_pooled(struct pg *pg, const char *statement, const struct pg_params *params,
                           struct pg_rows *rows)
{
    assert(pg->pooled);
    enum err err;
    struct pg_rows spare = {0};
    struct pg_rows *result = rows ? rows : &spare;
    TRY(pg_begin(pg));
    TRY(execute(pg, statement, params, result));
    TRY(pg_commit(pg));
out:
    if (err != ERR_OK) {
        /* Kept over the rollback, which has a result of its own. */
        enum pg_failure failure = pg->failure;
        pg_rollback(pg);
        pg_rows_free(result);
        if (pg->conn)
            pg->failure = failure;
    }
    pg_rows_free(&spare);
    return err;
}

enum err pg_run(struct pg *pg, const char *statement, const struct pg_params *params, struct pg_rows *rows)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    bool alone = pg->pooled && pg->conn && PQtransactionStatus(pg->conn) == PQTRANS_IDLE;
    return alone ? run_pooled(pg, statement, params, rows) : execute(pg, statement, params, rows);
}

/* What is asked about: of a stream, the query of its cursor. */
static const char *query_of(const char *text)
{
    static const char declare[] = "DECLARE stream NO SCROLL CURSOR FOR\n";
    return strncmp(text, declare, strlen(declare)) == 0 ? text + strlen(declare) : text;
}

/* Each statement is parsed under the empty name, where the next one takes its place. */
static bool ask_for_columns(PGconn *conn)
{
    bool sent = PQenterPipelineMode(conn) == 1;
    for (const struct sql_statement *asked = sql_statements; sent && asked->name; asked++)
        sent = PQsendPrepare(conn, "", query_of(asked->text), 0, NULL) && PQsendDescribePrepared(conn, "");
    return sent && PQpipelineSync(conn);
}

static enum err compare_all(struct pg *pg)
{
    int64_t deadline = call_deadline(pg);
    struct pg_rows columns = {0};
    bool same = true;
    enum err err;
    TRY(pg->conn && ask_for_columns(pg->conn) ? ERR_OK : lose(pg, "columns"));
    for (size_t i = 0; sql_statements[i].name; i++) {
        TRY(finish(pg, sql_statements[i].name, deadline, NULL));
        TRY(finish(pg, sql_statements[i].name, deadline, &columns));
        same = compare(pg, i, &columns) == ERR_OK && same; /* whoever mends it wants to see them all */
        pg_rows_free(&columns);
    }
    PGresult *end = collect(pg, deadline);
    bool ended = end && PQresultStatus(end) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(pg->conn) == 1;
    PQclear(end);
    TRY(ended ? ERR_OK : lose(pg, "columns"));
    if (!same) {
        pg->failure = PG_OTHER;
        err = ERR_INTERNAL;
    }
out:
    pg_rows_free(&columns);
    return err;
}

enum err pg_compare(struct pg *pg)
{
    enum err err;
    TRY(pg_begin(pg));
    TRY(compare_all(pg));
    TRY(pg_commit(pg));
out:
    /* A connection that is out of step with its answers is of no use to anybody. */
    if (err != ERR_OK)
        give_up(pg);
    return err;
}

enum err pg_script(struct pg *pg, const char *name, const char *text)
{
    int64_t deadline = call_deadline(pg);
    if (!pg->conn || !PQsendQuery(pg->conn, text))
        return lose(pg, name);
    return finish(pg, name, deadline, NULL);
}

/* For the session, or for the transaction if `local`. `pid` may be NULL. */
static enum err make_settings(struct pg *pg, bool local, int64_t *pid)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, pg->limit_server ? pg->timeout_ms : 0);
    pg_params_text(&params, local ? "true" : "false");
    TRY(execute(pg, "session_settings", &params, &rows));
    assert(rows.count == 1);
    if (pid)
        *pid = session_settings_row(&rows, 0).pid;
out:
    pg_rows_free(&rows);
    return err;
}

enum err pg_begin(struct pg *pg)
{
    /* PostgreSQL only warns of a BEGIN within a transaction, and the inner COMMIT would be the outer's. */
    assert(is_or_broken(pg, PQTRANS_IDLE));
    enum err err;
    TRY(pg_script(pg, "begin", "BEGIN ISOLATION LEVEL READ COMMITTED"));
    if (pg->pooled)
        TRY(make_settings(pg, true, NULL));
out:
    return err;
}

enum err pg_commit(struct pg *pg)
{
    /* After a failure COMMIT rolls back, and says that it is done. */
    assert(is_or_broken(pg, PQTRANS_INTRANS));
    return pg_script(pg, "commit", "COMMIT");
}

void pg_rollback(struct pg *pg)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    /* Nothing to roll back costs no round trip, so that callers may roll back in any case. */
    if (pg->conn && PQtransactionStatus(pg->conn) != PQTRANS_IDLE &&
        pg_script(pg, "rollback", "ROLLBACK") != ERR_OK)
        lose(pg, "rollback"); /* ending the session rolls back as well */
}

enum pg_failure pg_failure(const struct pg *pg)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    return pg->failure;
}

bool pg_alive(struct pg *pg)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    if (!pg->conn)
        return false;
    struct pollfd socket = {.fd = PQsocket(pg->conn), .events = POLLIN};
    if (poll(&socket, 1, 0) > 0 && !PQconsumeInput(pg->conn))
        lose(pg, "idle");
    return pg->conn != NULL;
}

/* --- Streams --- */

/* A page is small enough to be told while the server's next one waits in the socket. */
static bool ask_for_page(struct pg *pg)
{
    return PQsendQueryParams(pg->conn, "FETCH FORWARD 500 FROM stream", 0, NULL, NULL, NULL, NULL, 1) &&
           PQflush(pg->conn) >= 0;
}

static enum err tell_page(const struct pg_rows *page, pg_row_tell *tell, void *context)
{
    assert(page->count > 0);
    struct pg_row row = {page, 0};
    enum err err = ERR_OK;
    for (; row.number < page->count; row.number++)
        TRY(tell(context, &row));
out:
    return err;
}

enum err pg_stream(struct pg *pg, const char *statement, const struct pg_params *params, pg_row_tell *tell,
                   void *context)
{
    assert(tell);
    assert(!pg->conn ||
           PQtransactionStatus(pg->conn) != PQTRANS_IDLE); /* a cursor ends with its transaction */
    struct pg_rows page = {0};
    size_t number = statement_number(statement);
    enum err err, told = ERR_OK;
    bool more = true;
    TRY(pg_run(pg, statement, params, NULL));
    TRY(ask_for_page(pg) ? ERR_OK : lose(pg, statement));
    while (more) {
        TRY(finish(pg, statement, call_deadline(pg), &page));
        TRY(compare(pg, number, &page));
        /* The page that was asked for is read also after an error: the connection must stay in step. */
        more = page.count > 0 && told == ERR_OK;
        if (more) {
            TRY(ask_for_page(pg) ? ERR_OK : lose(pg, statement));
            told = tell_page(&page, tell, context);
        }
        pg_rows_free(&page);
    }
    TRY(pg_script(pg, "stream_close", "CLOSE stream"));
    err = told;
out:
    pg_rows_free(&page);
    return err;
}

/* --- Opening --- */

char *pg_database_name(const struct config *config)
{
    struct pg_target target;
    char *name = NULL;
    if (pg_target_parse(&target, config)) {
        const char *found = pg_target_get(&target, "dbname");
        name = found && *found ? strdup(found) : NULL;
        if (!name)
            pg_target_bad("ledger.connection names no database", "add dbname=crawltab");
    }
    pg_target_free(&target);
    return name;
}

/* `making`: the connection makes roles and databases, as a superuser. */
static const char *connect_hint(const char *problem, bool making)
{
    if (strstr(problem, "password authentication failed") || strstr(problem, "no password supplied"))
        return "PostgreSQL answers and refuses the role's password: set it in ~/.pgpass or PGPASSWORD, or as "
               "password= in ledger.connection";
    if (strstr(problem, "Peer authentication failed") || strstr(problem, "Ident authentication failed"))
        return "pg_hba.conf lets only the system user of the same name in: run this as that user, or let the "
               "role in there";
    if (strstr(problem, "pg_hba.conf"))
        return "PostgreSQL answers and lets this role in from nowhere: add a line for it to pg_hba.conf";
    if (strstr(problem, "role \"") && strstr(problem, "does not exist"))
        return making ? "name a superuser of PostgreSQL with --superuser, usually postgres"
                      : "run crawltab migrate --bootstrap once, which makes the roles and the database";
    if (strstr(problem, "database \"") && strstr(problem, "does not exist"))
        return "is dbname in ledger.connection spelt as the ledger's database is? Only where there is no "
               "ledger yet, crawltab migrate --bootstrap makes one";
    if (strstr(problem, "session is read-only"))
        return "is the standby promoted? None of the servers of ledger.connection takes entries";
    return "is PostgreSQL running, and does ledger.connection say where?";
}

/* Tries the hosts in order. libpq would do so, but without a limit for each: one that is silent would use up
 * the time of those after it. So each gets an equal share of what is left. */
static bool connect_any(struct pg *pg, struct pg_target *target, const struct pg_options *options)
{
    assert(target->hosts.count > 0 && options->connect_ms > 0);
    int64_t deadline_ms = clock_monotonic_ms() + options->connect_ms;
    if (pg->deadline_ms && pg->deadline_ms < deadline_ms)
        deadline_ms = pg->deadline_ms;
    const struct pg_hosts *hosts = &target->hosts;
    char problems[4 * PROBLEM_MAX] = "";
    for (size_t i = 0; i < hosts->count; i++) {
        /* An equal share of what is left for each: the last one has all the rest. */
        int64_t now = clock_monotonic_ms();
        pg_target_set_host(target, &hosts->items[i]);
        pg->conn = pg_connect(target, now + (deadline_ms - now) / (int64_t)(hosts->count - i), pg->problem);
        if (pg->conn)
            return true;
        size_t used = strlen(problems);
        assert(used < sizeof(problems));
        snprintf(problems + used, sizeof(problems) - used, "%s%s%s%s", i > 0 ? "; " : "",
                 hosts->count > 1 ? hosts->items[i].host : "", hosts->count > 1 ? ": " : "", pg->problem);
    }
    LOG(ERROR, "ledger_unreachable", {"role", pg_target_get(target, "user")}, {"detail", problems},
        {"hint", connect_hint(problems, options->database != NULL)});
    return false;
}

/* Other notices have no reader. This one comes when a commit that waits for a synchronous standby is
 * cancelled: the server says the statement is done, but what it wrote would not survive a failover. */
static void watch_notices(void *context, const PGresult *notice)
{
    struct pg *pg = context;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    if (function && strcmp(function, "SyncRepWaitForLSN") == 0)
        pg->not_replicated = true;
}

/* A pooler hands transactions to any of its server processes, where our settings do not hold and nothing is
 * prepared. It gives itself away by a process number of its own making. */
static enum err prepare_session(struct pg *pg)
{
    int64_t pid;
    enum err err = ERR_OK;
    if (pg->pooled)
        goto out;
    TRY(make_settings(pg, false, &pid));
    if (pid != PQbackendPID(pg->conn)) {
        LOG(ERROR, "ledger_behind_a_pooler",
            {"detail", "ledger.connection leads to a connection pooler such as PgBouncer"},
            {"hint", "set ledger.pooler: transaction, or connect to PostgreSQL itself"});
        err = ERR_LEDGER_UNAVAILABLE;
    }
out:
    return err;
}

struct pg *pg_open(const struct pg_options *options)
{
    struct pg_target target;
    struct pg *pg = calloc(1, sizeof(*pg));
    if (pg)
        OBJECT_MAKE(pg, PG_MAGIC);
    bool ok = pg_target_parse(&target, options->config) && pg;
    if (!ok)
        goto out;
    assert(options->timeout_ms > 0);
    pg->timeout_ms = options->timeout_ms;
    pg->deadline_ms = options->deadline_ms;
    pg->limit_server = options->limit_server;
    pg->pooled = strcmp(options->config->ledger_pooler, "transaction") == 0;
    pg_target_set(&target, "user", options->role);
    pg_target_set(&target, "dbname", options->database);
    pg_target_set(&target, "application_name", options->application);
    /* The configuration's encoding would decide otherwise, and texts are compared byte by byte. */
    pg_target_set(&target, "client_encoding", "UTF8");
    ok = connect_any(pg, &target, options);
    if (!ok)
        goto out;
    PQsetNoticeReceiver(pg->conn, watch_notices, pg);
    ok = prepare_session(pg) == ERR_OK;
out:
    pg_target_free(&target);
    if (!ok) {
        pg_close(pg);
        pg = NULL;
    }
    return pg;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    OBJECT_END(pg, PG_MAGIC);
    PQfinish(pg->conn);
    free(pg);
}

void pg_deadline(struct pg *pg, int64_t monotonic_ms)
{
    OBJECT_CHECK(pg, PG_MAGIC);
    pg->deadline_ms = monotonic_ms;
}
