/* The cache is a table of fixed size by hash: a pair that lands on another's place takes it, which costs the
 * other one statement at its next sight. So it is bounded, whoever sends what. */
#include "ledger/entry/crawler.h"

#include "sql/rows/entry.h"

#include <assert.h>
#include <stdlib.h>

#define CACHE_KEYS 8192

struct known_key {
    uint8_t digest[DIGEST_SIZE]; /* SHA-256 of thumbprint and agent */
    int64_t crawler_id;          /* 0: free */
    uint64_t snapshot;           /* serial of the one that is stored; 0: none */
};

struct crawler_cache {
    struct known_key keys[CACHE_KEYS];
};

struct crawler_cache *crawler_cache_new(void)
{
    return calloc(1, sizeof(struct crawler_cache));
}

void crawler_cache_free(struct crawler_cache *cache)
{
    free(cache);
}

void crawler_cache_forget(struct crawler_cache *cache)
{
    assert(cache);
    memset(cache, 0, sizeof(*cache));
}

static enum err read_id(struct pg *pg, struct slice agent, int64_t *crawler_id)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    /* Read before it is inserted: an insert that finds its key taken uses up a number all the same, and a
     * lock. */
    *crawler_id = 0;
    pg_params_bytes(&params, agent);
    TRY(pg_run(pg, "crawler_read", &params, &rows));
    if (rows.count > 0)
        *crawler_id = crawler_read_row(&rows, 0).crawler_id;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert(struct pg *pg, struct slice agent, int64_t now_ms)
{
    struct pg_params params = {0};
    pg_params_bytes(&params, agent);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "crawler_insert", &params, NULL);
}

static enum err insert_key(struct pg *pg, const struct crawler_key *key, int64_t now_ms, int64_t crawler_id)
{
    assert(crawler_id > 0);
    struct pg_params params = {0};
    pg_params_number(&params, crawler_id);
    pg_params_bytes(&params, slice_bytes(key->thumbprint, DIGEST_SIZE));
    pg_params_bytes(&params, key->public_key);
    pg_params_bytes(&params, key->directory_url);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "crawler_key_insert", &params, NULL);
}

/* The body first, then that the key was found in it. */
static enum err insert_source(struct pg *pg, const struct crawler_key *key, int64_t now_ms,
                              int64_t crawler_id)
{
    assert(crawler_id > 0 && key->snapshot->serial > 0);
    enum err err;
    struct pg_params params = {0};
    pg_params_number(&params, crawler_id);
    pg_params_bytes(&params, slice_bytes(key->thumbprint, DIGEST_SIZE));
    pg_params_bytes(&params, key->snapshot->url);
    pg_params_bytes(&params, slice_bytes(key->snapshot->digest, DIGEST_SIZE));
    pg_params_number(&params, now_ms);
    TRY(snapshot_insert(pg, key->snapshot));
    TRY(pg_run(pg, "crawler_key_source_insert", &params, NULL));
out:
    return err;
}

/* The slot of the key, and whether the key is in it. */
static struct known_key *slot_of(struct crawler_cache *cache, const struct crawler_key *key, bool *known,
                                 uint8_t digest[DIGEST_SIZE])
{
    assert(key->thumbprint && key->agent.len > 0);
    const struct slice parts[] = {slice_bytes(key->thumbprint, DIGEST_SIZE), key->agent};
    digest_sha256(parts, 2, digest);
    /* Two bytes of a SHA-256: whoever chooses keys to share a place only costs himself statements. */
    _Static_assert(CACHE_KEYS <= 65536, "two bytes find every place");
    struct known_key *slot = &cache->keys[(size_t)(digest[0] << 8 | digest[1]) % CACHE_KEYS];
    *known = slot->crawler_id && memcmp(slot->digest, digest, DIGEST_SIZE) == 0;
    return slot;
}

enum err crawler_seek(struct crawler_cache *cache, struct pg *pg, const struct crawler_key *key,
                      int64_t *crawler_id)
{
    bool known;
    uint8_t digest[DIGEST_SIZE];
    const struct known_key *slot = slot_of(cache, key, &known, digest);
    *crawler_id = slot->crawler_id;
    return known ? ERR_OK : read_id(pg, key->agent, crawler_id);
}

enum err crawler_find(struct crawler_cache *cache, struct pg *pg, const struct crawler_key *key,
                      int64_t now_ms, int64_t *crawler_id)
{
    enum err err = ERR_OK;
    bool known;
    uint8_t digest[DIGEST_SIZE];
    struct known_key *slot = slot_of(cache, key, &known, digest);
    if (known && (!key->snapshot || slot->snapshot == key->snapshot->serial)) {
        *crawler_id = slot->crawler_id;
        goto out;
    }
    if (known)
        *crawler_id = slot->crawler_id;
    else
        TRY(read_id(pg, key->agent, crawler_id));
    /* Another writer may insert it in this moment; the second read finds whosever came first. */
    if (*crawler_id == 0) {
        TRY(insert(pg, key->agent, now_ms));
        TRY(read_id(pg, key->agent, crawler_id));
        assert(*crawler_id != 0); /* rows are never removed */
    }
    if (!known)
        TRY(insert_key(pg, key, now_ms, *crawler_id));
    if (key->snapshot)
        TRY(insert_source(pg, key, now_ms, *crawler_id));
    /* Last of all: what failed half-way is made again at the next sight, and each statement passes over what
     * is there. */
    *slot = (struct known_key){.crawler_id = *crawler_id};
    slot->snapshot = key->snapshot ? key->snapshot->serial : 0;
    memcpy(slot->digest, digest, DIGEST_SIZE);
out:
    return err;
}
