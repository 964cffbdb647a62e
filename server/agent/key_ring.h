/* Our own keys: what the gate publishes in its directory and signs with, newest first. A key's own times say
 * what it is for: it is listed from the moment it is made until `exp`, and signs from `nbf` on, by when those
 * who cache the directory know it. Pure: time and randomness are arguments. */
#ifndef SERVER_AGENT_KEY_RING_H
#define SERVER_AGENT_KEY_RING_H

#include "ledger/verify/jwk.h"

#include <jansson.h>

/* Keys listed at once; a rotation beyond it is refused. */
#define KEY_RING_MAX 8

struct key_ring_key {
    uint8_t seed[SIGNATURE_ED25519_KEY_SIZE]; /* secret */
    uint8_t raw[SIGNATURE_ED25519_KEY_SIZE];
    char keyid[JWK_KEYID_CHARS + 1]; /* thumbprint */
    int64_t not_before;              /* seconds */
    int64_t expires;                 /* seconds */
};

struct key_ring {
    struct key_ring_key keys[KEY_RING_MAX];
    size_t count;
};

enum key_ring_state { KEY_RING_ANNOUNCED, KEY_RING_IN_FORCE, KEY_RING_EXPIRED };

/* What the key is for at `now` (seconds). */
enum key_ring_state key_ring_state(const struct key_ring_key *key, int64_t now);

/* "announced", "in force" or "expired". Static. */
const char *key_ring_state_name(enum key_ring_state state);

/* The next instant after `now` at which a key comes in force or expires; INT64_MAX when there is none. */
int64_t key_ring_next_change(const struct key_ring *ring, int64_t now);

/* When the last key expires; INT64_MIN for an empty ring. */
int64_t key_ring_end(const struct key_ring *ring);

/* Drops the keys that have expired at `now` and returns how many. */
size_t key_ring_drop_expired(struct key_ring *ring, int64_t now);

/* How a rotation is timed. */
struct key_ring_timing {
    int64_t now;             /* seconds */
    int64_t publish_seconds; /* listed that long before it signs, if another key signs meanwhile */
    int64_t life_seconds;    /* from when it signs to when it expires */
};

/* Adds a key from its 32 secret bytes. It signs after publish_seconds, but at once in a ring that has no key
 * in force, and never later than the other keys last. False when the ring is full or OpenSSL refuses. */
bool key_ring_add(struct key_ring *ring, const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                  const struct key_ring_timing *timing) MUST_USE;

/* Reads the private key set of the file. NULL, or what is wrong with it in words; then the ring is empty. */
const char *key_ring_parse(struct slice json, struct key_ring *ring);

/* The private key set for the file, or the public one for the directory without the keys that have expired
 * at `now`; NULL without memory. The caller drops it. */
json_t *key_ring_private(const struct key_ring *ring);
json_t *key_ring_public(const struct key_ring *ring, int64_t now);

/* Wipes the secrets. */
void key_ring_forget(struct key_ring *ring);

#endif
