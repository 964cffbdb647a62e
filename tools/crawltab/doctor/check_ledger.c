#include "tools/crawltab/doctor/checks.h"

#include "ledger/audit/audit.h"
#include "ledger/base/clock.h"
#include "ledger/night/clocks.h"
#include "sql/rows/audit.h"
#include "sql/rows/night.h"
#include "sql/rows/pg.h"
#include "sql/rows/site.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX      10    /* findings of a kind that are named */
#define CLOCK_WARN_MS  5000  /* a clock that is set by NTP is never so far off */
#define LAG_WARN_MS    60000 /* of a standby */
#define LAG_WARN_BYTES ((int64_t)256 << 20)

/* False after telling that the database did not answer. */
static bool ask(struct diagnosis *diagnosis, struct pg *pg, const char *check, const char *statement,
                const struct pg_params *params, struct pg_rows *rows)
{
    diagnosis_listen(diagnosis);
    enum err err = pg_run(pg, statement, params, rows);
    if (diagnosis_hear(diagnosis, check, DIAGNOSIS_BAD) == 0 && err != ERR_OK)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD, NULL, "the database does not say");
    return err == ERR_OK;
}

static void check_server(struct diagnosis *diagnosis, const struct server_state_row *state)
{
    if (!state->durable)
        diagnosis_add(
            diagnosis, "database", DIAGNOSIS_BAD,
            "set fsync and full_page_writes to on in postgresql.conf, and restart it",
            "it does not wait for the disk: a crash takes entries away that crawlers have receipts for");
    else
        diagnosis_add(diagnosis, "database", DIAGNOSIS_OK, NULL,
                      "PostgreSQL %s keeps on disk what it commits", state->version);
}

static void check_replication(struct diagnosis *diagnosis, const struct server_state_row *state)
{
    static const char check[] = "replication";
    if (state->standby)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD,
                      "let ledger.connection lead to the primary, or promote it",
                      "this server is a standby, which takes no entries");
    else if (state->waits && state->standbys == 0)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD,
                      "start a standby, or take synchronous_standby_names out of postgresql.conf",
                      "each commit waits for a standby, and none is connected");
    else if (state->slot)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD,
                      "start the standby that it is for, or drop the slot (pg_drop_replication_slot)",
                      "nobody reads slot \"%s\": what is written is kept for it until the disk is full",
                      state->slot);
    else if (!state->lag_ms_null && state->lag_ms > LAG_WARN_MS)
        diagnosis_add(diagnosis, check, DIAGNOSIS_WARN, "see pg_stat_replication, and that machine",
                      "a standby is %" PRId64 " s behind", state->lag_ms / 1000);
    else if (!state->behind_bytes_null && state->behind_bytes > LAG_WARN_BYTES)
        diagnosis_add(diagnosis, check, DIAGNOSIS_WARN, "see pg_replication_slots, and that machine",
                      "a standby is %" PRId64 " MiB behind", state->behind_bytes >> 20);
    else if (state->standbys == 0)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL,
                      "no standby is connected: what a lost disk takes is what no backup has");
    else
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "%" PRId64 " standby%s, %s", state->standbys,
                      state->standbys == 1 ? "" : "s",
                      state->lag_ms_null && state->behind_bytes_null
                          ? "whose lag only members of pg_read_all_stats see"
                          : "not far behind");
}

/* What they may do beyond that is found among the guards. */
static void check_roles(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    static const char check[] = "roles";
    static const char advice[] =
        "GRANT it as the owner of the tables; roles that are not there: crawltab migrate --bootstrap";
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, config->ledger_gate_role);
    pg_params_text(&params, config->ledger_operator_role);
    pg_params_text(&params, config->ledger_owner_role);
    if (!ask(diagnosis, pg, check, "role_lacks", &params, &rows))
        return;
    for (int i = 0; i < rows.count && i < NAMED_MAX; i++) {
        const struct role_lacks_row row = role_lacks_row(&rows, i);
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD, i == 0 ? advice : NULL, "\"%s\" %s", row.role,
                      row.problem);
    }
    if (rows.count > NAMED_MAX)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD, NULL, "and %d more", rows.count - NAMED_MAX);
    if (rows.count == 0)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "\"%s\" and \"%s\" have their rights",
                      config->ledger_gate_role, config->ledger_operator_role);
    pg_rows_free(&rows);
}

struct guards {
    struct diagnosis *diagnosis;
    int count;
};

static void tell_guard(void *context, const char *site, const char *row, const char *problem)
{
    struct guards *guards = context;
    (void)site; /* they are of no site */
    if (guards->count++ < NAMED_MAX)
        diagnosis_add(guards->diagnosis, "guards", DIAGNOSIS_BAD,
                      guards->count == 1 ? "then crawltab audit tells whether rows were changed meanwhile"
                                         : NULL,
                      "%s: %s", row, problem);
}

static void check_guards(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    static const char check[] = "guards";
    struct guards guards = {diagnosis, 0};
    struct audit_result result;
    diagnosis_listen(diagnosis);
    enum err err = audit_guards(
        pg, &(struct audit_order){.config = config, .tell = tell_guard, .context = &guards}, &result);
    diagnosis_hear(diagnosis, check, DIAGNOSIS_BAD);
    if (guards.count > NAMED_MAX)
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD, "crawltab audit names them", "and %d more",
                      guards.count - NAMED_MAX);
    if (guards.count == 0 && err == ERR_OK)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL,
                      "nobody may do more than he needs, and no row can be changed unnoticed");
}

static void check_clock(struct diagnosis *diagnosis, struct pg *pg)
{
    static const char check[] = "clock";
    struct pg_params none = {0};
    struct pg_rows rows = {0};
    int64_t close_by_ms = 0;
    diagnosis_listen(diagnosis);
    enum err err = clocks_agree(pg, &close_by_ms);
    if (diagnosis_hear(diagnosis, check, err == ERR_OK ? DIAGNOSIS_WARN : DIAGNOSIS_BAD) > 0 ||
        !ask(diagnosis, pg, check, "night_clocks", &none, &rows))
        return;
    int64_t apart_ms = llabs(clock_system_ms() - night_clocks_row(&rows, 0).database_ms);
    bool far = apart_ms > CLOCK_WARN_MS;
    diagnosis_add(diagnosis, check, far ? DIAGNOSIS_WARN : DIAGNOSIS_OK,
                  far ? "let both machines set their clocks (NTP)" : NULL,
                  "this machine and the database are %" PRId64 ".%" PRId64 " s apart", apart_ms / 1000,
                  apart_ms % 1000 / 100);
    pg_rows_free(&rows);
}

static void check_partitions(struct diagnosis *diagnosis, struct pg *pg)
{
    static const char check[] = "partitions";
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_number(&params, clock_now_ms());
    if (!ask(diagnosis, pg, check, "partition_missing", &params, &rows))
        return;
    const struct partition_missing_row row = partition_missing_row(&rows, 0);
    if (!row.missing)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "there for three days from %s on", row.today);
    else
        diagnosis_add(
            diagnosis, check, strcmp(row.missing, row.today) == 0 ? DIAGNOSIS_BAD : DIAGNOSIS_WARN,
            "a gate makes them when it starts and every hour: does one run, and what does its log say?",
            "there is none for entries of %s (UTC)", row.missing);
    pg_rows_free(&rows);
}

void check_ledger(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    struct pg_params none = {0};
    struct pg_rows rows = {0};
    if (ask(diagnosis, pg, "database", "server_state", &none, &rows)) {
        const struct server_state_row state = server_state_row(&rows, 0);
        check_server(diagnosis, &state);
        check_replication(diagnosis, &state);
    }
    pg_rows_free(&rows);
    check_roles(diagnosis, pg, config);
    check_guards(diagnosis, pg, config);
    check_clock(diagnosis, pg);
    check_partitions(diagnosis, pg);
}
