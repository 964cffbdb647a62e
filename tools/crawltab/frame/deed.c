/* Before the reading, so that nobody has read who was not recorded. An audit is recorded after it, with what
 * came of it: whoever may audit may know it all. */
#include "tools/crawltab/frame/deed.h"

#include "ledger/base/clock.h"
#include "sql/rows/pg.h"
#include "tools/crawltab/frame/command.h"

static enum err ask_may(struct pg *pg, bool *is_allowed)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(pg, "operator_action_may", NULL, &rows));
    const struct operator_action_may_row may = operator_action_may_row(&rows, 0);
    *is_allowed = may.may;
    if (!may.may)
        LOG(WARN, "this is not recorded in the ledger", {"role", may.role},
            {"detail", "the role may read and not write"});
out:
    pg_rows_free(&rows);
    return err;
}

enum err deed_record(struct pg *pg, const char *action, const char *detail)
{
    struct pg_params params = {0};
    bool may = false;
    enum err err;
    TRY(ask_may(pg, &may));
    if (!may)
        goto out;
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, command_actor());
    pg_params_text(&params, action);
    pg_params_text(&params, detail);
    TRY(pg_run(pg, "operator_action_insert", &params, NULL));
out:
    return err;
}

static enum err insert_noted(struct pg *pg, const char *detail, bool *noted)
{
    struct pg_params params = {0}, made = {0};
    struct pg_rows rows = {0}, notes = {0};
    enum err err;
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, command_actor());
    pg_params_text(&params, detail);
    TRY(pg_run(pg, "operator_audit_insert", &params, &rows));
    if (rows.count == 0)
        goto out;
    pg_params_number(&made, operator_audit_insert_row(&rows, 0).action_id);
    TRY(pg_run(pg, "operator_audit_noted", &made, &notes));
    *noted = operator_audit_noted_row(&notes, 0).noted;
out:
    pg_rows_free(&rows);
    pg_rows_free(&notes);
    return err;
}

bool deed_record_audit(struct pg *pg, const char *detail)
{
    bool may = false, noted = false;
    enum err err;
    TRY(ask_may(pg, &may));
    if (!may)
        return true;
    TRY(pg_begin(pg));
    TRY(insert_noted(pg, detail, &noted));
    if (noted)
        TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    noted = noted && err == ERR_OK;
    if (!noted)
        LOG(ERROR, "this audit is not recorded in the ledger",
            {"detail", "what notes operators' deeds is not as it was made"});
    return noted;
}
