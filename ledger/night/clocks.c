/* Three clocks can be wrong: this machine's, the database's and a gate's. A day that is closed too early
 * shuts out entries that were paid for, and nobody can open it again; one that is closed late costs a wait.
 * So doubt of its own clock stops the night; a gate's never does, for a gate's role can write what it likes.
 * The night takes the time of one that is behind. What one that is ahead writes is of a day to come, and
 * waits. */
#include "ledger/night/clocks.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "sql/rows/night.h"

#include <assert.h>
#include <stdlib.h>

static void refuse(int64_t own_ms, int64_t database_ms)
{
    char own[INSTANT_TEXT_MAX], database[INSTANT_TEXT_MAX];
    instant_format(own_ms, own);
    instant_format(database_ms, database);
    LOG(ERROR, "this machine's clock and the database's differ", {"this machine", own},
        {"database", database}, {"hint", "set the clock that is wrong, then run again; no day was closed"});
}

enum err clocks_agree(struct pg *pg, int64_t *close_by_ms)
{
    struct pg_params none = {0};
    struct pg_rows rows = {0};
    int64_t now_ms = clock_now_ms();
    enum err err;
    TRY(pg_run(pg, "night_clocks", &none, &rows));
    assert(rows.count == 1);
    const struct night_clocks_row others = night_clocks_row(&rows, 0);
    int64_t system_ms = clock_system_ms();
    err = ERR_INTERNAL;
    if (llabs(system_ms - others.database_ms) > CLOCKS_MAX_MS) {
        refuse(system_ms, others.database_ms);
        goto out;
    }
    if (!others.newest_ms_null && others.newest_ms > now_ms + CLOCKS_MAX_MS) {
        char newest[INSTANT_TEXT_MAX];
        instant_format(others.newest_ms, newest);
        LOG(WARN, "the ledger has entries of a time to come: they wait for their day", {"newest", newest},
            {"hint", "is a gate's clock ahead? crawltab export has them"});
    }
    /* A gate that is behind goes on making offers for a day that is over for everybody else.
     * It is waited for and not refused: one bad clock must not keep all days open. */
    if (others.behind_ms > CLOCKS_MAX_MS) {
        char seconds[LOG_NUMBER_MAX];
        LOG(WARN, "a gate's clock is behind: days are closed by its clock",
            {"seconds", log_number(others.behind_ms / 1000, seconds)},
            {"hint", "set the clock of that machine"});
    }
    *close_by_ms = now_ms - others.behind_ms;
    err = ERR_OK;
out:
    pg_rows_free(&rows);
    return err;
}
