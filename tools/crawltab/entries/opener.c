#include "tools/crawltab/entries/opener.h"

#include "ledger/entry/offer_key.h"
#include "sql/rows/site.h"

#include <stdlib.h>

static void take_keys(struct opener *opener)
{
    struct offer_key key;
    opener->problem = offer_key_read(opener->key_file, &key);
    if (opener->problem)
        return;
    opener->keys.current = hmac_new(key.current, sizeof(key.current));
    if (key.has_previous)
        opener->keys.previous = hmac_new(key.previous, sizeof(key.previous));
    explicit_bzero(&key, sizeof(key));
}

static struct opener_site *named(const struct opener *opener, const char *name)
{
    for (size_t i = 0; i < opener->site_count; i++)
        if (strcmp(opener->sites[i].name, name) == 0)
            return &opener->sites[i];
    return NULL;
}

/* A site that only the ledger knows may have had the terms of any that the configuration knows. */
static void add_stored(struct opener *opener, const struct config *config, const struct site_list_row *row)
{
    struct opener_site *known = named(opener, row->name);
    if (known) {
        known->site_id = row->site_id;
        return;
    }
    for (size_t i = 0; i < config->site_count; i++)
        opener->sites[opener->site_count++] = (struct opener_site){.site_id = row->site_id,
                                                                   .name = row->name,
                                                                   .network = row->network,
                                                                   .currency = row->currency,
                                                                   .terms_url = config->sites[i].terms_url};
}

enum err opener_make(struct pg *pg, const struct config *config, struct opener *opener)
{
    struct pg_params params = {0};
    enum err err;
    opener->key_file = config->offer_key_file;
    opener->ttl_seconds = config->offer_ttl_seconds;
    take_keys(opener);
    pg_params_text(&params, NULL);
    TRY(pg_run(pg, "site_list", &params, &opener->rows));
    opener->sites = calloc(config->site_count * ((size_t)opener->rows.count + 1) + 1, sizeof(*opener->sites));
    TRY(opener->sites ? ERR_OK : ERR_OVERLOADED);
    for (size_t i = 0; i < config->site_count; i++)
        opener->sites[opener->site_count++] = (struct opener_site){.name = config->sites[i].name,
                                                                   .network = config->sites[i].network,
                                                                   .currency = config->sites[i].currency,
                                                                   .terms_url = config->sites[i].terms_url,
                                                                   .config = &config->sites[i]};
    for (int i = 0; i < opener->rows.count; i++) {
        const struct site_list_row row = site_list_row(&opener->rows, i);
        add_stored(opener, config, &row);
    }
out:
    return err;
}

void opener_close(struct opener *opener)
{
    hmac_free(opener->keys.current);
    hmac_free(opener->keys.previous);
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
        if (payment_id_is_ours(&opener->keys, &offer, raw))
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
