#include "tools/crawltab/entries/search.h"
#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/show.h"

#include "sql/rows/entry.h"

#define LISTED 20

static void list(const struct pg_rows *rows, const char *currency)
{
    char at[SHOW_INSTANT_MAX], money[SHOW_MONEY_MAX];
    printf("%s%d payments fit; look one up by its id:\n", rows->count > LISTED ? "more than " : "",
           rows->count > LISTED ? LISTED : rows->count);
    for (int i = 0; i < rows->count && i < LISTED; i++) {
        const struct charge_of_url_row entry = charge_of_url_row(rows, i);
        printf("%s  %s  %s  ", entry.payment_id, show_instant(entry.offered_ms, at),
               show_micros(entry.amount_micros, currency, money));
        show_text(stdout, entry.agent);
        putchar('\n');
    }
}

static void list_json(const struct pg_rows *rows)
{
    json_t *payments = json_array();
    char at[SHOW_INSTANT_MAX];
    for (int i = 0; i < rows->count && i < LISTED; i++) {
        const struct charge_of_url_row entry = charge_of_url_row(rows, i);
        json_array_append_new(payments, json_pack("{s:s,s:s,s:s,s:I}", "payment_id", entry.payment_id,
                                                  "offered_at", show_instant(entry.offered_ms, at), "agent",
                                                  entry.agent, "amount_micros", entry.amount_micros));
    }
    (void)show_json(json_pack("{s:s,s:b,s:o}", "status", rows->count > 0 ? "several" : "none", "more",
                              rows->count > LISTED, "payments", payments),
                    JSON_INDENT(2));
}

bool search_payment(struct pg *pg, const struct config *config, const struct search *search,
                    char id[UUID_TEXT_MAX])
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct argument_site site;
    int64_t at_ms, crawler_id = 0;
    if (!argument_site(pg, config, search->site, &site) || !argument_instant(pg, &site, search->at, &at_ms) ||
        (search->crawler && !argument_crawler(pg, config, search->crawler, &crawler_id)))
        return false;
    pg_params_number(&params, site.site_id);
    pg_params_text(&params, search->url);
    pg_params_number(&params, at_ms);
    pg_params_number(&params, crawler_id);
    bool read = pg_run(pg, "charge_of_url", &params, &rows) == ERR_OK, found = read && rows.count == 1;
    if (found)
        snprintf(id, UUID_TEXT_MAX, "%s", charge_of_url_row(&rows, 0).payment_id);
    else if (read && search->json)
        list_json(&rows);
    else if (read && rows.count > 0)
        list(&rows, site.currency);
    else if (read)
        puts("no payment for this URL in the half hours before and after; the URL has to be whole, as in\n"
             "https://example.com/page?query, and entries of archived days are not searched");
    pg_rows_free(&rows);
    return found;
}
