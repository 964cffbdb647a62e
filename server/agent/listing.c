#include "server/agent/listing.h"

#include "ledger/base/log.h"
#include "server/agent/head.h"
#include "server/agent/proof.h"
#include "server/verify/component.h"

#include <stdlib.h>

void listing_free(struct listing *listing)
{
    for (size_t i = 0; listing && i < listing->count; i++)
        signature_key_free(listing->keys[i].key);
    if (listing)
        snapshot_free(listing->snapshot);
    free(listing);
}

const struct listing_key *listing_find(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE],
                                       int64_t now_ms)
{
    for (size_t i = 0; listing && i < listing->count; i++) {
        const struct jwk *jwk = &listing->keys[i].jwk;
        if (memcmp(jwk->thumbprint, thumbprint, DIGEST_SIZE) == 0)
            return jwk->not_before <= now_ms / 1000 && now_ms / 1000 < jwk->expires ? &listing->keys[i]
                                                                                    : NULL;
    }
    return NULL;
}

/* All lines of a field as one value in the arena; empty when absent or when it does not fit. */
static struct slice field_value(struct arena *arena, const struct message *head, struct slice name)
{
    bool absent;
    struct slice value = component_field(arena, head, name, &absent);
    return absent || !value.data ? SLICE("") : value;
}

static struct snapshot *take_snapshot(struct slice url, const struct fetch_answer *answer, int64_t now_ms,
                                      struct arena *arena)
{
    struct snapshot from = {
        .fetched_at_ms = now_ms,
        .url = url,
        .body = answer->body,
        .content_type = field_value(arena, &answer->head, SLICE("content-type")),
        .content_digest = field_value(arena, &answer->head, SLICE("content-digest")),
        .signature_input = field_value(arena, &answer->head, SLICE("signature-input")),
        .signature = field_value(arena, &answer->head, SLICE("signature")),
    };
    return snapshot_new(&from);
}

/* The keys that count, made ready. */
static struct listing *make(const struct jwk *found, size_t count)
{
    struct listing *listing = calloc(1, sizeof(*listing) + count * sizeof(*listing->keys));
    for (size_t i = 0; listing && i < count; i++) {
        struct listing_key *key = &listing->keys[listing->count];
        *key = (struct listing_key){signature_key_from_jwk(&found[i]), found[i]};
        if (key->key)
            listing->count++;
    }
    return listing;
}

/* The GET of the URL, which is normalised. */
static struct message request_for(struct slice url)
{
    size_t start = slice_find(url, ':') + 3;
    struct slice rest = {url.data + start, url.len - start};
    size_t slash = slice_find(rest, '/');
    return (struct message){.method = SLICE("GET"),
                            .scheme = {url.data, start - 3},
                            .authority = {rest.data, slash},
                            .target = {rest.data + slash, rest.len - slash}};
}

/* Judges each key's proof. With `require` those without a good one are dropped. */
static void check_proofs(struct listing *listing, const struct proof_answer *answer, struct arena *arena,
                         bool require, struct slice url)
{
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++) {
        struct listing_key key = listing->keys[i];
        struct proof proof = proof_of(arena, answer, &key.jwk, key.key);
        if (!proof.good && (proof.present || require))
            LOG(WARN, "directory_proof_fails", {"url", arena_copy(arena, url)}, {"detail", proof.failure},
                {"effect", require ? "the key does not count" : "none: directory.require_proof is off"});
        if (require && !proof.good) {
            signature_key_free(key.key);
            continue;
        }
        if (require && proof.expires < key.jwk.expires)
            key.jwk.expires = proof.expires;
        listing->keys[kept++] = key;
    }
    listing->count = kept;
}

struct listing *listing_read(struct slice url, const struct fetch_answer *answer, int64_t now_ms,
                             bool require_proof, const char **refusal)
{
    struct arena arena;
    struct listing *listing = NULL;
    size_t count = 0;
    char *memory = malloc(2 * HEAD_BYTES_MAX);
    struct jwk *found = calloc(JWK_SET_MAX, sizeof(*found));
    *refusal = "no memory";
    if (!memory || !found)
        goto out;
    arena_init(&arena, memory, 2 * HEAD_BYTES_MAX);
    if (jwk_set_parse(answer->body, found, &count) != ERR_OK) {
        *refusal = "it is not a JSON key set, or has too many keys";
        goto out;
    }
    listing = make(found, count);
    if (!listing)
        goto out;
    struct message request = request_for(url);
    struct proof_answer proven = {&request, &answer->head, answer->body, now_ms / 1000};
    check_proofs(listing, &proven, &arena, require_proof, url);
    listing->snapshot = take_snapshot(url, answer, now_ms, &arena);
    if (!listing->snapshot) {
        listing_free(listing);
        listing = NULL;
    }
out:
    free(found);
    free(memory);
    return listing;
}
