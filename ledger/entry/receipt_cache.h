/* Receipts of entries that were recorded lately, so that the same request again and again costs the database
 * nothing. Only what is known to be durable goes in; what is not in here is asked of the ledger. Of fixed
 * size: where it is full, the id that was offered first gives way. From any thread. */
#ifndef LEDGER_ENTRY_RECEIPT_CACHE_H
#define LEDGER_ENTRY_RECEIPT_CACHE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/identifier/uuid.h"

struct receipt_cache;

/* What the entry of an id said. */
struct receipt {
    int64_t recorded_at_ms;
    int64_t amount_micros; /* that is billed */
    bool undelivered;      /* the id opens nothing any more */
};

/* Room for at least so many receipts, 80 bytes each; 0: remembers nothing. NULL without memory. */
struct receipt_cache *receipt_cache_new(size_t receipts) MUST_USE;
void receipt_cache_free(struct receipt_cache *cache);

/* `content` is the digest of what must be the same for a request to be the same. What is undelivered stays
 * so, and a final amount stays: another thread may have read the entry before it had one. */
void receipt_cache_put(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                       const uint8_t content[DIGEST_SIZE], const struct receipt *receipt);

/* False if nothing is remembered under this id, or for other content. */
bool receipt_cache_find(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                        const uint8_t content[DIGEST_SIZE], struct receipt *receipt);

/* What is remembered of this id, if anything, is undelivered from now on. */
void receipt_cache_kill(struct receipt_cache *cache, const uint8_t id[UUID_SIZE]);

/* Likewise billed at no more than `final_micros`. */
void receipt_cache_lower(struct receipt_cache *cache, const uint8_t id[UUID_SIZE], int64_t final_micros);

/* Forgets everything: another server may have taken over, without what this one had written last. */
void receipt_cache_forget(struct receipt_cache *cache);

#endif
