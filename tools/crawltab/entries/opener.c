#include "tools/crawltab/entries/opener.h"

#include "sql/rows/site.h"

#include <errno.h>
#include <stdlib.h>

static enum err take_keys(struct opener *opener, const struct config *config)
{
    if (!offer_keys_read(config, &opener->offer_keys))
        return ERR_OVERLOADED;
    opener->key_file = opener->offer_keys.file;
    opener->problem = opener->offer_keys.problem;
    if (opener->offer_keys.count == 0 && !opener->problem)
        opener->problem = strerror(ENOENT);
    opener->macs = calloc(opener->offer_keys.count + 1, sizeof(*opener->macs));
    for (size_t i = 0; opener->macs && i < opener->offer_keys.count; i++)
        opener->macs[i] = hmac_new(opener->offer_keys.items[i], OFFER_KEY_SIZE);
    return opener->macs ? ERR_OK : ERR_OVERLOADED;
}

static struct opener_site *named(const struct opener *opener, const char *name)
{
    for (size_t i = 0; i < opener->site_count; i++)
        if (strcmp(opener->sites[i].name, name) == 0)
            return &opener->sites[i];
    return NULL;
}

/* Each site once for all terms that it has made offers under, as far as the ledger knows. */
static void add_stored(struct opener *opener, const struct site_list_row *row)
{
    struct opener_site *known = named(opener, row->name);
    const struct config_site *config = known ? known->config : NULL;
    if (known)
        known->site_id = row->site_id;
    for (size_t i = 0; i < opener->book.site_count; i++) {
        const struct evidence_site *site = &opener->book.sites[i];
        for (size_t k = 0; k < site->terms_count && site->site_id == row->site_id; k++)
            if (!config || strcmp(site->terms[k], config->terms_url) != 0)
                opener->sites[opener->site_count++] = (struct opener_site){.site_id = row->site_id,
                                                                           .name = row->name,
                                                                           .network = row->network,
                                                                           .currency = row->currency,
                                                                           .terms_url = site->terms[k],
                                                                           .config = config};
    }
}

enum err opener_make(struct pg *pg, const struct config *config, struct opener *opener)
{
    struct pg_params params = {0};
    enum err err;
    opener->ttl_seconds = config->offer_ttl_seconds;
    TRY(take_keys(opener, config));
    TRY(evidence_book_open(pg, config, &opener->offer_keys, &opener->book));
    pg_params_text(&params, NULL);
    TRY(pg_run(pg, "site_list", &params, &opener->rows));
    opener->sites = calloc(config->site_count + EVIDENCE_TERMS_MAX * (size_t)opener->rows.count + 1,
                           sizeof(*opener->sites));
    TRY(opener->sites ? ERR_OK : ERR_OVERLOADED);
    for (size_t i = 0; i < config->site_count; i++)
        opener->sites[opener->site_count++] = (struct opener_site){.name = config->sites[i].name,
                                                                   .network = config->sites[i].network,
                                                                   .currency = config->sites[i].currency,
                                                                   .terms_url = config->sites[i].terms_url,
                                                                   .config = &config->sites[i]};
    for (int i = 0; i < opener->rows.count; i++) {
        const struct site_list_row row = site_list_row(&opener->rows, i);
        add_stored(opener, &row);
    }
out:
    return err;
}

void opener_close(struct opener *opener)
{
    for (size_t i = 0; opener->macs && i < opener->offer_keys.count; i++)
        hmac_free(opener->macs[i]);
    free(opener->macs);
    offer_keys_free(&opener->offer_keys);
    evidence_book_close(&opener->book);
    free(opener->sites);
    pg_rows_free(&opener->rows);
}

const struct opener_site *opener_open(const struct opener *opener, const uint8_t raw[PAYMENT_ID_SIZE])
{
    for (size_t i = 0; i < opener->site_count; i++) {
        const struct opener_site *site = &opener->sites[i];
        const struct payment_offer offer = {.site = slice_of(site->name),
                                            .network = slice_of(site->network),
                                            .terms_url = slice_of(site->terms_url)};
        for (size_t k = 0; k < opener->offer_keys.count; k++)
            if (payment_id_is_ours(&(struct payment_keys){.current = opener->macs[k]}, &offer, raw))
                return site;
    }
    return NULL;
}

bool opener_bind(const char *site, const char *url, struct payment_offer *offer)
{
    const char *authority = strstr(url, "://");
    if (!authority)
        return false;
    authority += strlen("://");
    size_t len = strcspn(authority, "/?");
    *offer = (struct payment_offer){
        .site = slice_of(site), .authority = {authority, len}, .target = slice_of(authority + len)};
    return true;
}
