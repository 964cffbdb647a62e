/* Keys are made ready once and not for each entry: a day has millions of entries and thousands of keys.
 * Bodies of directories are looked through as they come and not kept. */
#include "ledger/evidence/book.h"

#include "ledger/base/http/agent.h"
#include "ledger/verify/jwk_set.h"
#include "sql/rows/evidence.h"

#include <assert.h>
#include <stdlib.h>

#define COMMIT_MS 60000 /* the longest that a commit may take, as in ENTRY_LATEST_MS */

/* --- the sites --- */

static void add_terms(struct evidence_site *site, const char *url, int64_t ttl_seconds)
{
    /* The longest of all, for whichever terms: an offer of a minute ago may be of the terms before. */
    if (ttl_seconds > site->ttl_seconds)
        site->ttl_seconds = ttl_seconds;
    for (size_t i = 0; i < site->terms_count; i++)
        if (strcmp(site->terms[i], url) == 0)
            return;
    if (site->terms_count < EVIDENCE_TERMS_MAX)
        site->terms[site->terms_count++] = url;
}

/* The configuration's first, which most ids will be of. A site that only the ledger knows, and of which it
 * has no terms, may have had those of any. */
static void add_configured(struct evidence_book *book, const struct config *config)
{
    for (size_t i = 0; i < book->site_count; i++) {
        struct evidence_site *site = &book->sites[i];
        const struct config_site *own = config_site_called(config, site->name);
        if (own)
            add_terms(site, own->terms_url, config->offer_ttl_seconds);
        for (size_t k = 0; k < config->site_count && !own && site->terms_count == 0; k++)
            add_terms(site, config->sites[k].terms_url, config->offer_ttl_seconds);
    }
}

/* The rows of one site stand together. */
static void add_stored(struct evidence_book *book, const struct evidence_sites_row *row)
{
    struct evidence_site *last = book->site_count > 0 ? &book->sites[book->site_count - 1] : NULL;
    if (!last || last->site_id != row->site_id) {
        assert(book->site_count < (size_t)book->rows.count); /* there is room for one of each row */
        last = &book->sites[book->site_count++];
        *last = (struct evidence_site){
            .site_id = row->site_id, .name = row->name, .network = row->network, .currency = row->currency};
    }
    if (row->terms_url)
        add_terms(last, row->terms_url, row->ttl_seconds);
}

enum err evidence_book_open(struct pg *pg, const struct config *config, const struct offer_keys *offer_keys,
                            struct evidence_book *book)
{
    struct pg_params params = {0};
    enum err err;
    assert(!book->sites && !book->keys && offer_keys);
    /* The request waits for the key's directory and the site's own server before its entry is made. */
    book->late_ms = COMMIT_MS + 1000 * (config->directory_timeout_seconds + config->origin_connect_seconds +
                                        config->origin_head_seconds);
    book->allow_test_keys = config->signature_allow_test_keys;
    book->offer_keys = offer_keys;
    OBJECT_MAKE(book, EVIDENCE_BOOK_MAGIC);
    pg_params_number(&params, EVIDENCE_TERMS_MAX);
    TRY(pg_run(pg, "evidence_sites", &params, &book->rows));
    book->sites = calloc((size_t)book->rows.count + 1, sizeof(*book->sites));
    TRY(book->sites ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < book->rows.count; i++) {
        const struct evidence_sites_row row = evidence_sites_row(&book->rows, i);
        add_stored(book, &row);
    }
    add_configured(book, config);
out:
    return err;
}

static void forget_keys(struct evidence_book *book)
{
    for (size_t i = 0; i < book->key_count; i++) {
        signature_key_free(book->keys[i].key);
        free(book->keys[i].agent);
    }
    book->key_count = 0;
}

void evidence_book_close(struct evidence_book *book)
{
    forget_keys(book);
    free(book->keys);
    free(book->sites);
    pg_rows_free(&book->rows);
    *book = (struct evidence_book){.magic = 0};
}

/* --- the keys --- */

/* The pass over them. */
struct reading {
    struct evidence_book *book;
    struct jwk_set *set; /* a body, read */
};

static int compare(const struct evidence_key *a, const struct evidence_key *b)
{
    if (a->crawler_id != b->crawler_id)
        return a->crawler_id < b->crawler_id ? -1 : 1;
    return memcmp(a->thumbprint, b->thumbprint, DIGEST_SIZE);
}

static int compare_any(const void *a, const void *b)
{
    return compare(a, b);
}

static void make_ready(struct evidence_key *key, struct slice public_key)
{
    char why[JWK_WHY_MAX];
    struct jwk jwk;
    json_t *json = json_loadb(public_key.data, public_key.len, JSON_REJECT_DUPLICATES, NULL);
    /* Two questions: whether there is a key that can verify, and whether it is the one of that thumbprint. An
     * entry whose key is another one's is told so, and not that there is none. */
    if (json && jwk_read(json, &jwk, why) == JWK_MAY_SIGN) {
        key->key = signature_key_from_jwk(&jwk);
        key->fits = memcmp(jwk.thumbprint, key->thumbprint, DIGEST_SIZE) == 0;
    }
    json_decref(json);
}

static struct evidence_key *add_key(struct evidence_book *book, const struct evidence_keys_row *row)
{
    if (book->key_count == book->room) {
        size_t room = book->room * 2 + 16;
        struct evidence_key *keys = realloc(book->keys, room * sizeof(*keys));
        if (!keys)
            return NULL;
        book->keys = keys;
        book->room = room;
    }
    struct evidence_key *key = &book->keys[book->key_count];
    *key = (struct evidence_key){.crawler_id = row->crawler_id, .relied_ms = INT64_MAX};
    memcpy(key->thumbprint, row->thumbprint.data, DIGEST_SIZE);
    if (row->agent.len > 0 && !(key->agent = strndup(row->agent.data, row->agent.len)))
        return NULL;
    if (row->public_key.len > 0)
        make_ready(key, row->public_key);
    book->key_count++;
    assert(book->key_count < 2 || compare(key - 1, key) < 0); /* as the statement orders them */
    return key;
}

/* The body must be of the crawler's own directory, and have the key as one that may sign. */
static bool lists(struct reading *reading, const struct evidence_key *key,
                  const struct evidence_keys_row *row)
{
    if (!key->agent || row->url.len == 0 ||
        !slice_eq(agent_account(row->url), agent_account(slice_of(key->agent))) ||
        jwk_set_parse(row->body, reading->set) != NULL)
        return false;
    for (size_t i = 0; i < reading->set->count; i++) {
        const struct jwk_set_entry *entry = &reading->set->entries[i];
        if (entry->verdict == JWK_MAY_SIGN &&
            memcmp(entry->jwk.thumbprint, key->thumbprint, DIGEST_SIZE) == 0)
            return true;
    }
    return false;
}

static enum err read_key(void *context, const struct pg_row *row)
{
    struct reading *reading = context;
    struct evidence_book *book = reading->book;
    const struct evidence_keys_row stored = evidence_keys_row(row);
    struct evidence_key *key = book->key_count > 0 ? &book->keys[book->key_count - 1] : NULL;
    /* A CHECK demands this length; of a ledger without it such entries are judged to have no key. */
    if (stored.thumbprint.len != DIGEST_SIZE)
        return ERR_OK;
    /* The rows of one key stand together: one for each body of a directory that may list it. */
    if (!key || key->crawler_id != stored.crawler_id ||
        memcmp(key->thumbprint, stored.thumbprint.data, DIGEST_SIZE) != 0)
        key = add_key(book, &stored);
    if (!key)
        return ERR_OVERLOADED;
    if (lists(reading, key, &stored) && stored.relied_ms < key->relied_ms)
        key->relied_ms = stored.relied_ms;
    return ERR_OK;
}

enum err evidence_book_read(struct pg *pg, struct evidence_book *book, int64_t site_id, const char *first_id,
                            const char *end_id)
{
    struct pg_params params = {0};
    struct reading reading = {book, malloc(sizeof(*reading.set))};
    enum err err = ERR_OVERLOADED;
    OBJECT_CHECK(book, EVIDENCE_BOOK_MAGIC);
    assert(first_id && end_id);
    forget_keys(book);
    book->site = NULL;
    for (size_t i = 0; i < book->site_count; i++)
        if (book->sites[i].site_id == site_id)
            book->site = &book->sites[i];
    if (!reading.set)
        goto out;
    TRY(book->site ? ERR_OK : ERR_NOT_FOUND);
    pg_params_number(&params, site_id);
    pg_params_text(&params, first_id);
    pg_params_text(&params, end_id);
    TRY(pg_stream(pg, "evidence_keys", &params, read_key, &reading));
out:
    free(reading.set);
    return err;
}

const struct evidence_key *evidence_book_key(const struct evidence_book *book, int64_t crawler_id,
                                             const uint8_t thumbprint[DIGEST_SIZE])
{
    struct evidence_key wanted = {.crawler_id = crawler_id};
    OBJECT_CHECK(book, EVIDENCE_BOOK_MAGIC);
    memcpy(wanted.thumbprint, thumbprint, DIGEST_SIZE);
    return book->key_count > 0 ? bsearch(&wanted, book->keys, book->key_count, sizeof(wanted), compare_any)
                               : NULL;
}
