/* A site's currency, zone and network are facts of its entries: an amount is a number of whichever currency
 * it was then. So the configuration is compared with the ledger, and a gate that has another does not start
 * writing. */
#include "ledger/site/site.h"

#include "ledger/base/text/amount.h"
#include "sql/rows/site.h"

#include <assert.h>

static const char *seller_of(const struct config_site *site)
{
    return site->seller[0] ? site->seller : site->name;
}

static enum err insert(struct pg *pg, const struct config_site *site, int64_t now_ms)
{
    int exponent = amount_exponent(slice_of(site->currency));
    assert(exponent >= 0); /* the configuration takes no other currency */
    struct pg_params params = {0};
    pg_params_text(&params, site->name);
    pg_params_text(&params, site->currency);
    pg_params_number(&params, exponent);
    pg_params_text(&params, site->time_zone);
    pg_params_text(&params, site->network);
    pg_params_text(&params, seller_of(site));
    pg_params_number(&params, now_ms);
    return pg_run(pg, "site_insert", &params, NULL);
}

static enum err find(struct pg *pg, const struct config_site *site, int64_t now_ms, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, site->name);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "site_read", &params, rows);
}

/* A change of zone is recorded first and configured later: until it comes into force, both are right. */
static enum err compare(const struct config_site *site, const struct site_read_row *stored)
{
    static const char fixed[] = "put the ledger's value back, or give the site a new name";
    const struct {
        const char *key, *configured, *stored, *also, *hint;
    } facts[] = {
        {"currency", site->currency, stored->currency, "", fixed},
        {"time_zone", site->time_zone, stored->time_zone, stored->day_zone,
         "put the ledger's value back, or record the change first: crawltab site zone"},
        {"network", site->network, stored->network, "", fixed},
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
        struct slice configured = slice_of(facts[i].configured);
        if (slice_eq(configured, slice_of(facts[i].stored)) || slice_eq(configured, slice_of(facts[i].also)))
            continue;
        LOG(ERROR, "ledger_site_differs", {"site", site->name}, {"key", facts[i].key},
            {"configured", facts[i].configured}, {"ledger", facts[i].stored},
            {"detail", "the ledger holds entries that were made under another value"},
            {"hint", facts[i].hint});
        return ERR_LEDGER_UNAVAILABLE;
    }
    return ERR_OK;
}

/* Gates may start at once on an empty ledger: site_insert passes over a row that has come meanwhile, and all
 * of them read the one that was first. */
enum err site_register(struct pg *pg, const struct config_site *site, int64_t now_ms, int64_t *site_id)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(find(pg, site, now_ms, &rows));
    if (rows.count == 0) {
        pg_rows_free(&rows);
        TRY(insert(pg, site, now_ms));
        TRY(find(pg, site, now_ms, &rows));
    }
    assert(rows.count == 1); /* rows are never removed */
    const struct site_read_row stored = site_read_row(&rows, 0);
    TRY(compare(site, &stored));
    *site_id = stored.site_id;
out:
    pg_rows_free(&rows);
    return err;
}

enum err site_make_days(struct pg *pg, int64_t site_id, int64_t now_ms)
{
    assert(site_id > 0);
    struct pg_params params = {0};
    pg_params_number(&params, site_id);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "days_insert", &params, NULL);
}

enum err site_make_partitions(struct pg *pg, int64_t now_ms)
{
    assert(now_ms > 0);
    struct pg_params params = {0};
    pg_params_number(&params, now_ms);
    return pg_run(pg, "partitions_make", &params, NULL);
}

enum err site_record_terms(struct pg *pg, int64_t site_id, const struct config_site *site, const char *actor,
                           int64_t now_ms)
{
    struct pg_params params = {0};
    pg_params_number(&params, site_id);
    pg_params_number(&params, now_ms);
    pg_params_text(&params, actor);
    pg_params_text(&params, strcmp(site->invoice_without_agreement, "hold") == 0 ? "true" : "false");
    pg_params_text(&params, site->invoice_cadence);
    pg_params_number(&params, site->invoice_minimum);
    pg_params_number(&params, site->invoice_due_days);
    pg_params_text(&params, site->invoice_tax_treatment);
    pg_params_number(&params, site->invoice_tax_rate);
    return pg_run(pg, "site_terms_insert", &params, NULL);
}
