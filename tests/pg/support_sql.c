#include "tests/pg/support.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* The superuser's connection to the test's database. A psql each time would take longer than what it asks. */
static PGconn *superuser;

void sql_leave(void)
{
    PQfinish(superuser);
    superuser = NULL;
}

static void append(char output[OUTPUT_MAX], const char *text)
{
    size_t len = strlen(output);
    snprintf(output + len, OUTPUT_MAX - len, "%s", text);
}

static void notice(void *output, const char *text)
{
    append(output, text);
}

static PGconn *connect_as(const char *role)
{
    const char *const names[] = {"host", "user", "dbname", "application_name", NULL};
    const char *const values[] = {server_path(), role, ledger_database(), "psql", NULL};
    return PQconnectdbParams(names, values, 0);
}

/* The rows as psql -A -t prints them. */
static void append_rows(const PGresult *result, char output[OUTPUT_MAX])
{
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++) {
            append(output, PQgetvalue(result, row, column));
            append(output, column + 1 < PQnfields(result) ? "|" : "\n");
        }
}

static bool ask(PGconn *connection, const char *text, char output[OUTPUT_MAX])
{
    bool good = PQsendQuery(connection, text);
    PQsetNoticeProcessor(connection, notice, output);
    for (PGresult *result; (result = PQgetResult(connection)); PQclear(result)) {
        ExecStatusType status = PQresultStatus(result);
        append_rows(result, output);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
            continue;
        append(output, PQresultErrorMessage(result));
        good = false;
    }
    if (PQstatus(connection) == CONNECTION_BAD)
        append(output, PQerrorMessage(connection));
    return good;
}

/* What a session leaves behind when it ends would be there for the next. */
static bool forget_session(PGconn *connection)
{
    char unwanted[OUTPUT_MAX] = "";
    if (PQtransactionStatus(connection) != PQTRANS_IDLE && !ask(connection, "ROLLBACK", unwanted))
        return false;
    return ask(connection, "DISCARD ALL", unwanted);
}

bool sql_as(const char *role, const char *text, char output[OUTPUT_MAX])
{
    bool own = strcmp(role, "postgres") == 0;
    output[0] = '\0';
    /* The server may have been stopped since. */
    if (superuser && (!PQconsumeInput(superuser) || PQstatus(superuser) == CONNECTION_BAD))
        sql_leave();
    PGconn *connection = own && superuser ? superuser : connect_as(role);
    bool good = ask(connection, text, output);
    if (own && forget_session(connection)) {
        superuser = connection;
    } else {
        PQfinish(connection);
        superuser = own ? NULL : superuser;
    }
    return good;
}

void sql_own(const char *text)
{
    static char output[OUTPUT_MAX];
    if (!sql_as("crawltab_owner", text, output))
        fail_msg("%s", output);
}

const char *sql(const char *text)
{
    static char output[OUTPUT_MAX];
    if (!sql_as("postgres", text, output))
        fail_msg("%s", output);
    size_t len = strlen(output);
    if (len > 0 && output[len - 1] == '\n')
        output[len - 1] = '\0';
    return output;
}
