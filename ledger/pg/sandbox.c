/* Whoever moves the clock makes entries and days that never were. That is for learning and for tests; such a
 * ledger must never be taken for one by which somebody owes, and a real one never be mixed with such days. */
#include "ledger/pg/sandbox.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "sql/rows/pg.h"

#include <assert.h>

enum err sandbox_enter(struct pg *pg, const char *actor)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err = ERR_OK;
    assert(actor && *actor);
    if (clock_offset_ms() == 0)
        return ERR_OK;
    pg_params_number(&params, clock_offset_ms() / 1000);
    pg_params_number(&params, clock_now_ms() - clock_offset_ms());
    pg_params_text(&params, actor);
    TRY(pg_run(pg, "sandbox_mark", &params, &rows));
    if (sandbox_mark_row(&rows, 0).marked)
        goto out;
    LOG(ERROR, "ledger_is_no_sandbox",
        {"detail", "days of this ledger were closed by the true clock, and --clock-offset is not for it"},
        {"hint",
         "name another database in ledger.connection, and make it with crawltab migrate --bootstrap"});
    err = ERR_LEDGER_UNAVAILABLE;
out:
    pg_rows_free(&rows);
    return err;
}

enum err sandbox_read(struct pg *pg, bool *marked)
{
    struct pg_rows rows = {0};
    enum err err;
    *marked = false;
    TRY(pg_run(pg, "sandbox_read", NULL, &rows));
    assert(rows.count == 1);
    *marked = sandbox_read_row(&rows, 0).marked;
out:
    pg_rows_free(&rows);
    return err;
}
