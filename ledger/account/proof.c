/* Proofs of the account's own entries, and the checkpoints that they lead to. That an id is nobody's entry
 * could be proven, too, but by its two neighbours, which are others': the publisher does that. */
#include "ledger/account/answer.h"

#include "ledger/bundle/collect.h"
#include "sql/rows/account.h"
#include "sql/rows/entry.h"
#include "sql/rows/proof.h"

#include <assert.h>

/* Whose entry it is comes before all else that is known of it. */
static enum err find_own(const struct answer_account *account)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, account->reading->inquiry->name);
    TRY(pg_run(account->pg, "own_entry", &params, &rows));
    assert(rows.count == 1);
    const struct own_entry_row row = own_entry_row(&rows, 0);
    /* Whether an id of an archived day is an entry, and whose, is not known here. */
    if (!row.own)
        err = row.archived ? ERR_ENTRY_ARCHIVED : ERR_ENTRY_UNKNOWN;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err check_day(const struct answer_account *account)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_text(&params, account->reading->inquiry->name);
    TRY(pg_run(account->pg, "day_seal_state", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_PROOF_NOT_YET);
    const struct day_seal_state_row day = day_seal_state_row(&rows, 0);
    err = !day.closed           ? ERR_PROOF_NOT_YET
          : day.archived        ? ERR_ENTRY_ARCHIVED
          : !day.has_checkpoint ? ERR_PROOF_NONE
                                : ERR_OK;
out:
    pg_rows_free(&rows);
    return err;
}

enum err answer_proof(const struct answer_account *account, json_t **answer)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct bundle_made made = {.bundle = NULL};
    enum err err;
    TRY(pg_begin(account->pg));
    TRY(find_own(account));
    TRY(check_day(account));
    pg_params_text(&params, account->reading->inquiry->name);
    TRY(pg_run(account->pg, "charge_lookup", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_ENTRY_UNKNOWN);
    const struct charge_lookup_row entry = charge_lookup_row(&rows, 0);
    assert(entry.site_id == account->site_id && entry.crawler_id == account->crawler_id);
    TRY(bundle_of_entry(account->pg, &entry, &made));
    TRY(made.bundle ? ERR_OK : ERR_PROOF_NONE);
    *answer = made.bundle;
out:
    pg_rollback(account->pg); /* nothing was written */
    pg_rows_free(&rows);
    return err;
}

enum err answer_checkpoints(const struct answer_account *account, json_t **answer)
{
    const struct inquiry *inquiry = account->reading->inquiry;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *list = json_array(), *next = NULL;
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_text(&params, inquiry->after ? inquiry->after : "0");
    pg_params_number(&params, inquiry->limit + 1);
    TRY(pg_run(account->pg, "own_checkpoints", &params, &rows));
    for (int i = 0; i < rows.count && i < inquiry->limit; i++) {
        const struct own_checkpoints_row row = own_checkpoints_row(&rows, i);
        char size[LOG_NUMBER_MAX];
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:s}", "size", row.log_size, "day",
                                              row.local_date, "key", row.verifier_key, "note", row.note));
        if (i + 1 == inquiry->limit && i + 1 < rows.count)
            next = answer_next(account, log_number(row.log_size, size));
    }
    *answer = answer_page(account, "checkpoints", list, next);
    err = *answer ? ERR_OK : ERR_OVERLOADED;
out:
    pg_rows_free(&rows);
    json_decref(list);
    return err;
}
