/* Key directories of crawlers: a cache of their keys by (directory URL, thumbprint), kept as RFC 9111 and the
 * configured bounds say. One fetch serves all who wait for a directory; directories in use are fetched again
 * before they expire, while their keys go on being used; a failed fetch never takes away keys that are known
 * until they are too old (directory.stale_seconds). What is too old is dropped; and before
 * directory.cache_bytes are passed, what was used longest ago. */
#ifndef SERVER_AGENT_DIRECTORY_H
#define SERVER_AGENT_DIRECTORY_H

#include "ledger/base/http/exchange.h"
#include "server/agent/fetch.h"
#include "server/agent/listing.h"

struct directory;
struct snapshot;

/* NULL without memory. `config` and `fetch` must outlive it. */
struct directory *directory_start(const struct config *config, struct fetch *fetch);

/* Call after fetch_stop. NULL is fine. */
void directory_stop(struct directory *directory);

struct directory_key {
    struct signature_key *key; /* shared, like the snapshot: give them back with directory_key_clear */
    struct snapshot *snapshot; /* the answer that lists the key */
    struct jwk jwk;
    char why[LISTING_WHY_MAX]; /* there is no key: why, for the crawler's operator */
};

/* Gives back what the key shares. Fine on zeros, and again. */
void directory_key_clear(struct directory_key *key);

enum directory_answer {
    DIRECTORY_KEY,         /* *key is filled in */
    DIRECTORY_NO_KEY,      /* the directory does not list the key, or not for now: key->why */
    DIRECTORY_UNAVAILABLE, /* no answer lately and no key from before: key->why */
    DIRECTORY_ASK,         /* not known yet: wait with directory_await, then look again */
};

/* Looks into the cache; never waits, but may start a fetch in the background. `now_ms` is the wall clock, for
 * the keys' own times. After a wait, `waited` keeps the answer from being DIRECTORY_ASK again. */
enum directory_answer directory_find(struct directory *directory, struct slice url,
                                     const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms, bool waited,
                                     struct directory_key *key);

/* Someone who waits; in memory of the waiter's until `ready` is called. */
#define DIRECTORY_WAIT_MAGIC 0x8fc1d053u

struct directory_wait {
    uint32_t magic;                             /* from directory_await until `ready` */
    void (*ready)(struct directory_wait *wait); /* on the fetch thread, once */
    struct directory_wait *next;
    struct exchange_client client; /* whose budget a fetch is taken from; zeros: nobody's */
};

/* Joins the fetch under way for the directory, or starts one. ERR_OK: `ready` will be called. Otherwise it
 * will not: ERR_OVERLOADED, too much is being fetched; ERR_RATE_LIMITED, the client's network has caused too
 * many fetches. */
enum err directory_await(struct directory *directory, struct slice url, struct directory_wait *wait) MUST_USE;

#endif
