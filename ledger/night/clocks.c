#include "ledger/night/clocks.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"

#include <stdlib.h>

static void refuse(const char *what, const char *other, int64_t own_ms, int64_t other_ms)
{
    char own_text[INSTANT_TEXT_MAX], other_text[INSTANT_TEXT_MAX];
    instant_format(own_ms, own_text);
    instant_format(other_ms, other_text);
    LOG(ERROR, what, {"this machine", own_text}, {other, other_text},
        {"hint", "set the clock that is wrong, then run again; no day was closed"});
}

enum err clocks_agree(struct pg *pg, int64_t *close_by_ms)
{
    struct pg_params none = {0};
    struct pg_rows rows = {0};
    int64_t now_ms = clock_now_ms();
    enum err err;
    TRY(pg_run(pg, "night_clocks", &none, &rows));
    int64_t database_ms = pg_number(&rows, 0, 0);
    int64_t system_ms = clock_system_ms();
    int64_t behind_ms = pg_number(&rows, 0, 2);
    err = ERR_INTERNAL;
    if (llabs(system_ms - database_ms) > CLOCKS_MAX_MS) {
        refuse("this machine's clock and the database's differ", "database", system_ms, database_ms);
        goto out;
    }
    if (!pg_null(&rows, 0, 1) && pg_number(&rows, 0, 1) > now_ms + CLOCKS_MAX_MS) {
        refuse("the ledger has entries that are younger than now", "newest entry", now_ms,
               pg_number(&rows, 0, 1));
        goto out;
    }
    /* A gate that is behind goes on making offers for a day that is over for everybody else. */
    if (behind_ms > CLOCKS_MAX_MS) {
        char seconds[LOG_NUMBER_MAX];
        LOG(WARN, "a gate's clock is behind: days are closed by its clock",
            {"seconds", log_number(behind_ms / 1000, seconds)}, {"hint", "set the clock of that machine"});
    }
    *close_by_ms = now_ms - behind_ms;
    err = ERR_OK;
out:
    pg_rows_free(&rows);
    return err;
}
