/* A new key is listed for a day before it signs, because whoever has cached the directory would take its
 * signatures for a stranger's until then. A key that has expired is dropped with its secret. */
#include "server/agent/key_ring.h"

#include <assert.h>

#define X_CHARS ENCODING_BASE64URL_LEN(SIGNATURE_ED25519_KEY_SIZE)

enum key_ring_state key_ring_state(const struct key_ring_key *key, int64_t now)
{
    assert(key->not_before < key->expires);
    if (now >= key->expires)
        return KEY_RING_EXPIRED;
    return now < key->not_before ? KEY_RING_ANNOUNCED : KEY_RING_IN_FORCE;
}

const char *key_ring_state_name(enum key_ring_state state)
{
    assert(state <= KEY_RING_EXPIRED);
    static const char *const names[] = {"announced", "in force", "expired"};
    return names[state];
}

int64_t key_ring_next_change(const struct key_ring *ring, int64_t now)
{
    assert(ring->count <= KEY_RING_MAX);
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_ring_key *key = &ring->keys[i];
        if (key->not_before > now && key->not_before < next)
            next = key->not_before;
        if (key->expires > now && key->expires < next)
            next = key->expires;
    }
    assert(next > now);
    return next;
}

int64_t key_ring_end(const struct key_ring *ring)
{
    int64_t end = INT64_MIN;
    for (size_t i = 0; i < ring->count; i++)
        if (ring->keys[i].expires > end)
            end = ring->keys[i].expires;
    return end;
}

size_t key_ring_drop_expired(struct key_ring *ring, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < ring->count; i++)
        if (key_ring_state(&ring->keys[i], now) != KEY_RING_EXPIRED)
            ring->keys[kept++] = ring->keys[i];
    size_t dropped = ring->count - kept;
    assert(kept <= ring->count);
    /* The secrets too, also where a key has moved to the front of the place that it had. */
    explicit_bzero(&ring->keys[kept], dropped * sizeof(*ring->keys));
    ring->count = kept;
    return dropped;
}

/* Fills the public half and the thumbprint. */
static bool complete(struct key_ring_key *key)
{
    struct jwk jwk = {.expires = INT64_MAX};
    if (!signature_public_ed25519(key->seed, jwk.raw))
        return false;
    jwk_complete(&jwk);
    memcpy(key->raw, jwk.raw, sizeof(key->raw));
    key->keyid[encoding_base64url(jwk.thumbprint, DIGEST_SIZE, key->keyid)] = '\0';
    assert(strlen(key->keyid) == JWK_KEYID_CHARS);
    return true;
}

/* Until when a key that is in force goes on signing; `now` when there is none. */
static int64_t signed_until(const struct key_ring *ring, int64_t now)
{
    int64_t until = now;
    for (size_t i = 0; i < ring->count; i++)
        if (key_ring_state(&ring->keys[i], now) == KEY_RING_IN_FORCE && ring->keys[i].expires > until)
            until = ring->keys[i].expires;
    return until;
}

bool key_ring_add(struct key_ring *ring, const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                  const struct key_ring_timing *timing)
{
    struct key_ring_key key = {.not_before = timing->now + timing->publish_seconds};
    int64_t latest = signed_until(ring, timing->now);
    assert(timing->publish_seconds >= 0 && timing->life_seconds > 0);
    if (key.not_before > latest)
        key.not_before = latest;
    key.expires = key.not_before + timing->life_seconds;
    memcpy(key.seed, seed, sizeof(key.seed));
    bool ok = ring->count < KEY_RING_MAX && complete(&key);
    if (ok) {
        memmove(&ring->keys[1], &ring->keys[0], ring->count * sizeof(*ring->keys));
        ring->keys[0] = key;
        ring->count++;
        assert(ring->count <= KEY_RING_MAX && key.not_before >= timing->now);
    }
    explicit_bzero(&key, sizeof(key));
    return ok;
}

static bool take_bytes(const json_t *object, const char *name, uint8_t out[SIGNATURE_ED25519_KEY_SIZE])
{
    size_t len;
    const char *text = json_string_value(json_object_get(object, name));
    return text && encoding_unbase64url(slice_of(text), out, SIGNATURE_ED25519_KEY_SIZE, &len) &&
           len == SIGNATURE_ED25519_KEY_SIZE;
}

static bool says(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && strcmp(text, wanted) == 0;
}

static const char *take_key(const json_t *object, struct key_ring_key *key)
{
    uint8_t stated[SIGNATURE_ED25519_KEY_SIZE];
    const json_t *not_before = json_object_get(object, "nbf");
    const json_t *expires = json_object_get(object, "exp");
    if (!says(object, "kty", "OKP") || !says(object, "crv", "Ed25519"))
        return "a key is not an Ed25519 one (kty OKP, crv Ed25519)";
    if (!take_bytes(object, "d", key->seed) || !complete(key))
        return "a key's d is not 32 bytes in base64url";
    if (!take_bytes(object, "x", stated) || !digest_equal(stated, key->raw, sizeof(stated)))
        return "a key's x is not the public half of its d";
    if (!json_is_integer(not_before) || !json_is_integer(expires))
        return "a key lacks nbf or exp, in whole seconds since 1970";
    key->not_before = json_integer_value(not_before);
    key->expires = json_integer_value(expires);
    if (key->not_before < 0 || key->not_before >= key->expires)
        return "a key's exp is not after its nbf";
    assert(key->keyid[0]);
    return NULL;
}

static bool listed_already(const struct key_ring *ring, const struct key_ring_key *key)
{
    for (size_t i = 0; i < ring->count; i++)
        if (strcmp(ring->keys[i].keyid, key->keyid) == 0)
            return true;
    return false;
}

const char *key_ring_parse(struct slice json, struct key_ring *ring)
{
    const char *problem = NULL;
    json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *set = json_object_get(root, "keys");
    *ring = (struct key_ring){.count = 0};
    if (!json_is_array(set))
        problem = "it is not a JSON Web Key Set";
    else if (json_array_size(set) > KEY_RING_MAX)
        problem = "it has more than 8 keys";
    for (size_t i = 0; !problem && i < json_array_size(set); i++) {
        problem = take_key(json_array_get(set, i), &ring->keys[i]);
        if (!problem && listed_already(ring, &ring->keys[i]))
            problem = "a key stands in it twice";
        if (!problem)
            ring->count++;
    }
    assert(problem || ring->count == json_array_size(set));
    if (problem)
        key_ring_forget(ring);
    json_decref(root);
    return problem;
}

static json_t *key_json(const struct key_ring_key *key)
{
    char x[X_CHARS + 1];
    x[encoding_base64url(key->raw, sizeof(key->raw), x)] = '\0';
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "kty", "OKP", "crv", "Ed25519", "kid", key->keyid, "x",
                     x, "use", "sig", "nbf", (json_int_t)key->not_before, "exp", (json_int_t)key->expires);
}

json_t *key_ring_private(const struct key_ring *ring)
{
    json_t *keys = json_array();
    bool ok = keys != NULL;
    for (size_t i = 0; ok && i < ring->count; i++) {
        char d[X_CHARS + 1];
        json_t *key = key_json(&ring->keys[i]);
        d[encoding_base64url(ring->keys[i].seed, sizeof(ring->keys[i].seed), d)] = '\0';
        ok = json_object_set_new(key, "d", json_string(d)) == 0 && json_array_append(keys, key) == 0;
        json_decref(key);
        explicit_bzero(d, sizeof(d));
    }
    json_t *set = ok ? json_pack("{s:O}", "keys", keys) : NULL;
    json_decref(keys);
    return set;
}

json_t *key_ring_public(const struct key_ring *ring, int64_t now)
{
    json_t *keys = json_array();
    bool ok = keys != NULL;
    for (size_t i = 0; ok && i < ring->count; i++)
        if (key_ring_state(&ring->keys[i], now) != KEY_RING_EXPIRED)
            ok = json_array_append_new(keys, key_json(&ring->keys[i])) == 0;
    json_t *set = ok ? json_pack("{s:O}", "keys", keys) : NULL;
    json_decref(keys);
    return set;
}

void key_ring_forget(struct key_ring *ring)
{
    explicit_bzero(ring, sizeof(*ring));
}
