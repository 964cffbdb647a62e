/* The gate's own key directory, at the well-known path of every site: the keys of identity.key_file, and a
 * signature of each key in force over the answer. Notices a replaced key file by itself. Thread-safe. */
#ifndef SERVER_PUBLISHED_OWN_DIRECTORY_H
#define SERVER_PUBLISHED_OWN_DIRECTORY_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"
#include "server/agent/key_ring.h"

struct own_directory;

/* Reads the key file, or makes it on first start. NULL after logging why. `config` must outlive it. */
struct own_directory *own_directory_new(const struct config *config, int64_t now_ms);
void own_directory_free(struct own_directory *own);

/* True for the path (as rules_path made it) of the directory. */
bool own_directory_is_at(struct slice path);

/* Fills the reply; the message's authority is the one that is signed. ERR_REQUEST_TOO_LARGE when the arena is
 * full, ERR_INTERNAL without memory. */
enum err own_directory_reply(struct own_directory *own, struct exchange *exchange, int64_t now_ms) MUST_USE;

/* The newest key that is in force, to sign by; the caller wipes it. False: none is. */
bool own_directory_key(struct own_directory *own, int64_t now_ms, struct key_ring_key *key);

/* The public keys that are listed, as a JWK set that the caller drops; NULL without memory. */
json_t *own_directory_keys(struct own_directory *own, int64_t now_ms);

#endif
