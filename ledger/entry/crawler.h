/* Crawlers' accounts and keys: numbers for agents, made on first sight and remembered. */
#ifndef LEDGER_ENTRY_CRAWLER_H
#define LEDGER_ENTRY_CRAWLER_H

#include "ledger/base/crypto/digest.h"
#include "ledger/entry/snapshot.h"

/* What one writer has seen. */
struct crawler_cache;

struct crawler_cache *crawler_cache_new(void) MUST_USE;
void crawler_cache_free(struct crawler_cache *cache);

/* Forgets everything: another server may have taken over, which has given the numbers to others. */
void crawler_cache_forget(struct crawler_cache *cache);

/* A key as it was relied on. */
struct crawler_key {
    struct slice agent;
    const uint8_t *thumbprint; /* DIGEST_SIZE */
    struct slice public_key;
    struct slice directory_url;
    const struct snapshot *snapshot; /* the body that it was found in; NULL: not from a directory */
};

/* The account's number, 0 if there is none. Records nothing: whoever may not be charged leaves no trace. */
enum err crawler_seek(struct crawler_cache *cache, struct pg *pg, const struct crawler_key *key,
                      int64_t *crawler_id) MUST_USE;

/* The account's number. Account, key and snapshot are recorded when they are seen for the first time; what is
 * known costs no statement. */
enum err crawler_find(struct crawler_cache *cache, struct pg *pg, const struct crawler_key *key,
                      int64_t now_ms, int64_t *crawler_id) MUST_USE;

#endif
