/* What was billed and paid, day by day. A year at most, so that it does not grow with an account's age. */
#include "ledger/collect/statement.h"
#include "ledger/account/answer.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"

#include <assert.h>

#define DAYS_MAX 366

/* The first day: what is asked for, or the year before the last one. */
static enum err first_day(const struct inquiry *inquiry, char from[INSTANT_TEXT_MAX])
{
    int64_t to_ms = inquiry->to ? instant_of_date(inquiry->to) : clock_now_ms();
    int64_t most_ms = DAYS_MAX * INSTANT_DAY_MS;
    if (!inquiry->from) {
        instant_format(to_ms - most_ms + INSTANT_DAY_MS, from);
        from[10] = '\0';
        return ERR_OK;
    }
    snprintf(from, INSTANT_TEXT_MAX, "%s", inquiry->from);
    if (!inquiry->to)
        most_ms += INSTANT_DAY_MS; /* today may be tomorrow in the site's zone */
    return to_ms - instant_of_date(from) <= most_ms ? ERR_OK : ERR_RANGE_TOO_LONG;
}

enum err answer_statement(const struct answer_account *account, json_t **answer)
{
    const struct reading *reading = account->reading;
    struct pg_params params = {0};
    struct pg_rows accounts = {0}, lines = {0};
    char from[INSTANT_TEXT_MAX];
    json_t *agent = json_stringn(reading->agent.data, reading->agent.len);
    enum err err;
    TRY(agent ? first_day(reading->inquiry, from) : ERR_OVERLOADED);
    pg_params_text(&params, json_string_value(agent));
    pg_params_text(&params, reading->site->name);
    pg_params_text(&params, from);
    pg_params_text(&params, reading->inquiry->to);
    pg_params_number(&params, clock_now_ms());
    TRY(pg_run(account->pg, "statement_accounts", &params, &accounts));
    TRY(accounts.count == 1 ? ERR_OK : ERR_ACCOUNT_UNKNOWN);
    const struct statement_accounts_row row = statement_accounts_row(&accounts, 0);
    assert(row.crawler_id == account->crawler_id && row.site_id == account->site_id);
    TRY(statement_read(account->pg, &row, from, &lines));
    *answer = statement_json(json_string_value(agent), from, &row, &lines);
    err = *answer ? ERR_OK : ERR_OVERLOADED;
out:
    json_decref(agent);
    pg_rows_free(&accounts);
    pg_rows_free(&lines);
    return err;
}
