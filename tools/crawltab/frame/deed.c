/* Before the reading, so that nobody has read who was not recorded. */
#include "tools/crawltab/frame/deed.h"

#include "ledger/base/clock.h"
#include "sql/rows/pg.h"
#include "tools/crawltab/frame/command.h"

enum err deed_record(struct pg *pg, const char *action, const char *detail)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(pg, "operator_action_may", NULL, &rows));
    const struct operator_action_may_row may = operator_action_may_row(&rows, 0);
    if (!may.may) {
        LOG(WARN, "this is not recorded in the ledger", {"role", may.role},
            {"detail", "the role may read and not write"});
        goto out;
    }
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, command_actor());
    pg_params_text(&params, action);
    pg_params_text(&params, detail);
    TRY(pg_run(pg, "operator_action_insert", &params, NULL));
out:
    pg_rows_free(&rows);
    return err;
}
