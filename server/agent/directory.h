/* Key directories of crawlers: a cache of their keys by (directory URL, thumbprint). One fetch serves all who
 * wait for a directory; a failed fetch never takes away keys that are known. */
#ifndef SERVER_AGENT_DIRECTORY_H
#define SERVER_AGENT_DIRECTORY_H

#include "ledger/base/config.h"
#include "ledger/base/err.h"
#include "server/agent/fetch.h"
#include "server/verify/jwk.h"

struct directory;

/* NULL without memory. `config` and `fetch` must outlive it. */
struct directory *directory_start(const struct config *config, struct fetch *fetch);

/* Call after fetch_stop. NULL is fine. */
void directory_stop(struct directory *directory);

struct directory_key {
    struct signature_key *key; /* shared: free with signature_key_free */
    struct jwk jwk;
};

enum directory_answer {
    DIRECTORY_KEY,         /* *key is filled in */
    DIRECTORY_NO_KEY,      /* the directory does not list the key, or not for now */
    DIRECTORY_UNAVAILABLE, /* no answer lately and no key from before */
    DIRECTORY_ASK,         /* not known yet: wait with directory_await, then look again */
};

/* Looks into the cache; never waits. `now_ms` is the wall clock. After a wait, `waited` keeps the answer from
 * being DIRECTORY_ASK again. */
enum directory_answer directory_find(struct directory *directory, struct slice url,
                                     const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms, bool waited,
                                     struct directory_key *key);

/* Someone who waits; in memory of the waiter's until `ready` is called. */
struct directory_wait {
    void (*ready)(struct directory_wait *wait); /* on the fetch thread, once */
    struct directory_wait *next;
};

/* Joins the fetch under way for the directory, or starts one. ERR_OK: `ready` will be called. ERR_OVERLOADED:
 * too much is being fetched; it will not. */
enum err directory_await(struct directory *directory, struct slice url, struct directory_wait *wait) MUST_USE;

#endif
