/* Invoices are made by SQL, a statement for each step, because all that they are made of is there: days,
 * terms as they were, what was carried. Here is only the order of the steps, and what SQL cannot know: the
 * seller's particulars and the pattern of numbers. Numbers are taken inside the night's transaction, so
 * that one that is rolled back leaves no gap (in many countries a gap must be explained to the tax office).
 */
#include "ledger/bill/invoice.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/identifier/series.h"
#include "ledger/pg/sandbox.h"
#include "sql/rows/bill.h"
#include "sql/rows/site.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define LOGO_MAX              262144
#define DEFAULT_NUMBER        "INV-{year}-{number:6}"
#define DEFAULT_CREDIT_NUMBER "CN-{year}-{number:6}"

/* PNG, JPEG and SVG show in pages and PDFs. NULL: something else. */
static const char *media_type_of(const char *path)
{
    static const char *const types[][2] = {
        {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".svg", "image/svg+xml"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
        if (slice_eq_nocase(slice_of(dot), slice_of(types[i][0])))
            return types[i][1];
    return NULL;
}

static bool read_logo(struct invoice_seller *seller, const char *path)
{
    seller->logo_type = media_type_of(path);
    seller->logo = seller->logo_type ? file_read(path, LOGO_MAX, &seller->logo_len, NULL) : NULL;
    if (!seller->logo)
        LOG(ERROR, "logo_unreadable", {"file", path},
            {"detail", "billing.logo is no PNG, JPEG or SVG file of at most 256 KiB"});
    assert(!seller->logo || seller->logo_len <= LOGO_MAX);
    return seller->logo != NULL;
}

/* The settings of the section "billing" that are given, under their own names. */
static char *party_of(const struct config_site *site, const struct invoice_seller *seller)
{
#define PARTY_MEMBER(member, key, kind, initial, min, max, what) {key, site->member},
    const struct {
        const char *key, *text;
    } members[] = {CONFIG_BILLING(PARTY_MEMBER)};
#undef PARTY_MEMBER
    json_t *party = json_object();
    json_object_set_new(party, "name", json_string(site->seller[0] ? site->seller : site->name));
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (members[i].text[0])
            json_object_set_new(party, strchr(members[i].key, '.') + 1, json_string(members[i].text));
    if (seller->logo) {
        uint8_t digest[DIGEST_SIZE];
        char hex[2 * DIGEST_SIZE + 1];
        struct slice logo = slice_bytes(seller->logo, seller->logo_len);
        digest_sha256(&logo, 1, digest);
        encoding_hex(digest, DIGEST_SIZE, hex);
        json_object_set_new(party, "logo", json_string(hex));
    }
    char *text = json_dumps(party, JSON_COMPACT);
    json_decref(party);
    return text;
}

bool invoice_seller_init(struct invoice_seller *seller, const struct config *config, const char *site)
{
    assert(site);
    const struct config_site *found = config_site_called(config, site);
    *seller = (struct invoice_seller){.number = DEFAULT_NUMBER, .credit_number = DEFAULT_CREDIT_NUMBER};
    seller->site = found;
    if (!found)
        return true;
    seller->number = found->invoice_number;
    seller->credit_number = found->invoice_credit_number;
    if (found->billing_logo[0] && !read_logo(seller, found->billing_logo))
        return false;
    seller->party = party_of(found, seller);
    return seller->party != NULL;
}

void invoice_seller_free(struct invoice_seller *seller)
{
    free(seller->party);
    free(seller->logo);
    *seller = (struct invoice_seller){.party = NULL};
}

/* Takes `count` numbers of the series; rolled back with everything else, so that no number is lost. */
static enum err take_numbers(struct pg *pg, int64_t site_id, const char *series, int64_t count,
                             int64_t *first)
{
    assert(count > 0);
    struct pg_params insert = {0}, take = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&insert, site_id);
    pg_params_text(&insert, series);
    TRY(pg_run(pg, "series_insert", &insert, NULL));
    pg_params_number(&take, site_id);
    pg_params_text(&take, series);
    pg_params_number(&take, count);
    TRY(pg_run(pg, "series_take", &take, &rows));
    assert(rows.count == 1);
    *first = series_take_row(&rows, 0).last_number - count + 1;
out:
    pg_rows_free(&rows);
    return err;
}

/* Inserts the `count` documents of one kind. */
static enum err insert_kind(struct pg *pg, const struct invoice_order *order, const char *statement,
                            const char *pattern, int64_t count)
{
    assert(count >= 0);
    struct pg_params params = {0};
    struct series series;
    char name[sizeof(SANDBOX_NUMBER) + sizeof(series.name)];
    char before[sizeof(SANDBOX_NUMBER) + sizeof(series.before)];
    enum err err = ERR_OK;
    int64_t first;
    bool sandbox;
    if (count == 0)
        goto out;
    if (!series_read(pattern, order->date, &series)) { /* the configuration was checked */
        err = ERR_INTERNAL;
        goto out;
    }
    TRY(sandbox_read(pg, &sandbox));
    snprintf(name, sizeof(name), "%s%s", sandbox ? SANDBOX_NUMBER : "", series.name);
    snprintf(before, sizeof(before), "%s%s", sandbox ? SANDBOX_NUMBER : "", series.before);
    TRY(take_numbers(pg, order->site_id, name, count, &first));
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    pg_params_text(&params, name);
    pg_params_number(&params, first);
    pg_params_text(&params, before);
    pg_params_number(&params, series.digits);
    pg_params_text(&params, series.after);
    pg_params_number(&params, order->made_ms);
    if (strcmp(statement, "credit_notes_insert") != 0) /* theirs is the corrected invoice's */
        pg_params_text(&params, order->seller->party);
    TRY(pg_run(pg, statement, &params, NULL));
out:
    return err;
}

static enum err insert_logo(struct pg *pg, const struct invoice_seller *seller)
{
    struct pg_params params = {0};
    if (!seller->logo)
        return ERR_OK;
    pg_params_text(&params, seller->logo_type);
    pg_params_bytes(&params, slice_bytes(seller->logo, seller->logo_len));
    return pg_run(pg, "seller_logo_insert", &params, NULL);
}

static enum err insert_chain(struct pg *pg, const struct invoice_order *order, const struct pg_params *day)
{
    struct pg_params chain = {0};
    enum err err;
    TRY(pg_run(pg, "billing_lines_insert", day, NULL));
    pg_params_number(&chain, order->site_id);
    pg_params_text(&chain, order->date);
    pg_params_number(&chain, order->close_number);
    TRY(pg_run(pg, "crawler_days_insert", &chain, NULL));
out:
    return err;
}

enum err invoice_make(struct pg *pg, const struct invoice_order *order)
{
    assert(order->seller && order->actor && order->close_number > 0);
    struct pg_params day = {0}, events = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&day, order->site_id);
    pg_params_text(&day, order->date);
    TRY(insert_logo(pg, order->seller));
    TRY(insert_chain(pg, order, &day));
    TRY(pg_run(pg, "invoices_count", &day, &rows));
    assert(rows.count == 1);
    const struct invoices_count_row count = invoices_count_row(&rows, 0);
    /* Notes before invoices: what a note gives back lowers what the invoice of the same day carries. */
    TRY(insert_kind(pg, order, "credit_notes_insert", order->seller->credit_number, count.credit_notes));
    TRY(insert_kind(pg, order, "invoices_insert", order->seller->number, count.invoices));
    TRY(insert_kind(pg, order, "reissues_insert", order->seller->number, count.reissues));
    TRY(pg_run(pg, "invoice_lines_insert", &day, NULL));
    TRY(pg_run(pg, "reissue_lines_insert", &day, NULL));
    pg_params_number(&events, order->site_id);
    pg_params_text(&events, order->date);
    pg_params_number(&events, order->made_ms);
    pg_params_text(&events, order->actor);
    TRY(pg_run(pg, "invoice_events_insert", &events, NULL));
out:
    pg_rows_free(&rows);
    return err;
}
