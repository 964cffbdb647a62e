#include "ledger/collect/statement.h"

enum err statement_read(struct pg *pg, const struct statement_accounts_row *account, const char *from,
                        struct pg_rows *lines)
{
    struct pg_params params = {0};
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, from);
    pg_params_text(&params, account->last_date);
    return pg_run(pg, "statement_lines", &params, lines);
}

json_t *statement_json(const char *agent, const char *from, const struct statement_accounts_row *account,
                       const struct pg_rows *lines)
{
    int64_t balance = account->opening_minor;
    json_t *list = json_array();
    for (int i = 0; i < lines->count; i++) {
        const struct statement_lines_row line = statement_lines_row(lines, i);
        balance += line.amount_minor;
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "date", line.at, "what", line.what,
                                              "number", line.number, "reference", line.reference,
                                              "amount_minor", line.amount_minor, "balance_minor", balance));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:I,s:I}", "agent", agent, "site", account->site,
                     "from", from, "to", account->last_date, "currency", account->currency,
                     "currency_decimals", account->currency_decimals, "opening_minor", account->opening_minor,
                     "lines", list, "closing_minor", balance, "carried_micros", account->carried_micros);
}
