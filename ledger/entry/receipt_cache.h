/* Receipts of entries that were recorded lately, so that the same request again and again costs the database
 * nothing. Only what is known to be durable goes in; what is not in here is asked of the ledger. Of fixed
 * size: where it is full, the id that was offered first gives way. From any thread. */
#ifndef LEDGER_ENTRY_RECEIPT_CACHE_H
#define LEDGER_ENTRY_RECEIPT_CACHE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/identifier/uuid.h"

struct receipt_cache;

/* Room for at least so many receipts, 64 bytes each; 0: remembers nothing. NULL without memory. */
struct receipt_cache *receipt_cache_new(size_t receipts) MUST_USE;
void receipt_cache_free(struct receipt_cache *cache);

/* `content` is the digest of what must be the same for a request to be the same. */
void receipt_cache_put(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                       const uint8_t content[DIGEST_SIZE], int64_t recorded_at_ms);

/* False if nothing is remembered under this id, or for other content. */
bool receipt_cache_find(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                        const uint8_t content[DIGEST_SIZE], int64_t *recorded_at_ms);

/* Forgets the receipt of this id: it opens nothing any more. */
void receipt_cache_drop(struct receipt_cache *cache, const uint8_t id[UUID_SIZE]);

/* Forgets everything: another server may have taken over, without what this one had written last. */
void receipt_cache_forget(struct receipt_cache *cache);

#endif
