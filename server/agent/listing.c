/* Read once for each fetch, on the fetch thread, and never changed after: look-ups need no lock but the one
 * over the pointer. An entry that does not count is kept with its reason, since its crawler's operator will
 * ask why, and the answer is his own file's fault, word for word. */
#include "server/agent/listing.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "server/agent/head.h"
#include "server/agent/proof.h"
#include "server/agent/unpack.h"
#include "ledger/verify/component.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define OPENSSL_KEY_BYTES  2048         /* of a key made ready, about; an RSA key of 8,192 bits takes 5,000 */
#define REFUSED_LOGGED_MAX 4            /* entries of one answer: strangers choose how many there are */
#define MILLISECONDS_FROM  100000000000 /* in seconds this is the year 5138, in milliseconds 1973 */

void listing_free(struct listing *listing)
{
    for (size_t i = 0; listing && i < listing->count; i++)
        signature_key_free(listing->keys[i].key);
    if (listing)
        OBJECT_END(listing, LISTING_MAGIC);
    if (listing)
        snapshot_free(listing->snapshot);
    free(listing);
}

size_t listing_bytes(const struct listing *listing)
{
    if (!listing)
        return 0;
    OBJECT_CHECK(listing, LISTING_MAGIC);
    assert(listing->good <= listing->count);
    return sizeof(*listing) + listing->count * sizeof(*listing->keys) + listing->good * OPENSSL_KEY_BYTES +
           snapshot_bytes(listing->snapshot);
}

/* --- Looking up --- */

/* Compared as bytes, and not by the kid that the entry gives itself: a kid may say anything. */
static bool has_thumbprint(const struct listing_key *key, const uint8_t thumbprint[DIGEST_SIZE])
{
    return key->listed.verdict != JWK_NO_KEY &&
           memcmp(key->listed.jwk.thumbprint, thumbprint, DIGEST_SIZE) == 0;
}

const struct listing_key *listing_find(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE],
                                       int64_t now_ms)
{
    int64_t now = now_ms / 1000;
    for (size_t i = 0; listing && i < listing->count; i++) {
        const struct listing_key *key = &listing->keys[i];
        assert(!key->key || key->listed.verdict == JWK_MAY_SIGN);
        if (key->key && key->listed.jwk.not_before <= now && now < key->listed.jwk.expires &&
            has_thumbprint(key, thumbprint))
            return key;
    }
    return NULL;
}

/* Why this entry, which has the thumbprint, is not the one. */
static void explain_entry(const struct listing_key *key, size_t number, int64_t now,
                          char why[LISTING_WHY_MAX])
{
    assert(number > 0);
    const struct jwk *jwk = &key->listed.jwk;
    if (!key->key)
        snprintf(why, LISTING_WHY_MAX, "entry %zu does not count: %s", number, key->listed.why);
    else if (jwk->not_before > now)
        snprintf(why, LISTING_WHY_MAX,
                 "entry %zu is not in force yet: its nbf, %" PRId64 ", lies %" PRId64 " s ahead%s", number,
                 jwk->not_before, jwk->not_before - now,
                 jwk->not_before > MILLISECONDS_FROM ? "; it looks like milliseconds, seconds are meant"
                                                     : "");
    else
        snprintf(why, LISTING_WHY_MAX, "entry %zu has expired: it held until %" PRId64 ", %" PRId64 " s ago",
                 number, jwk->expires, now - jwk->expires);
}

/* A hint where no entry has the thumbprint: at an entry that was meant to, or at one that cannot be read. */
static bool explain_absence(const struct listing_key *key, size_t number,
                            const uint8_t thumbprint[DIGEST_SIZE], char why[LISTING_WHY_MAX])
{
    assert(number > 0);
    char own[JWK_KEYID_CHARS + 1];
    bool meant = key->listed.named && memcmp(key->listed.kid, thumbprint, DIGEST_SIZE) == 0;
    own[encoding_base64url(key->listed.jwk.thumbprint, DIGEST_SIZE, own)] = '\0';
    if (key->listed.verdict == JWK_NO_KEY)
        snprintf(why, LISTING_WHY_MAX, "no entry has this thumbprint; entry %zu does not count: %s", number,
                 key->listed.why);
    else if (meant)
        snprintf(
            why, LISTING_WHY_MAX,
            "no entry has this thumbprint; entry %zu has it as its kid, but the thumbprint of its key is %s",
            number, own);
    return meant || key->listed.verdict == JWK_NO_KEY;
}

void listing_explain(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms,
                     char why[LISTING_WHY_MAX])
{
    OBJECT_CHECK(listing, LISTING_MAGIC);
    for (size_t i = 0; i < listing->count; i++)
        if (has_thumbprint(&listing->keys[i], thumbprint)) {
            explain_entry(&listing->keys[i], i + 1, now_ms / 1000, why);
            return;
        }
    for (size_t i = 0; i < listing->count; i++)
        if (explain_absence(&listing->keys[i], i + 1, thumbprint, why))
            return;
    snprintf(why, LISTING_WHY_MAX, "no entry has this thumbprint; there %s %zu",
             listing->count == 1 ? "is" : "are", listing->count);
}

/* --- Reading --- */

/* All lines of a field as one value in the arena; empty when absent or when it does not fit. */
static struct slice field_value(struct arena *arena, const struct message *head, struct slice name)
{
    bool absent;
    struct slice value = component_field(arena, head, name, &absent);
    return absent || !value.data ? SLICE("") : value;
}

static struct snapshot *take_snapshot(struct slice url, const struct fetch_answer *answer,
                                      struct slice content, int64_t now_ms, struct arena *arena)
{
    struct snapshot from = {
        .fetched_at_ms = now_ms,
        .url = url,
        .body = content,
        .content_type = field_value(arena, &answer->head, SLICE("content-type")),
        .content_digest = field_value(arena, &answer->head, SLICE("content-digest")),
        .signature_input = field_value(arena, &answer->head, SLICE("signature-input")),
        .signature = field_value(arena, &answer->head, SLICE("signature")),
    };
    return snapshot_new(&from);
}

/* The keys that count, made ready. */
static struct listing *make(const struct jwk_set *set)
{
    struct listing *listing = calloc(1, sizeof(*listing) + set->count * sizeof(*listing->keys));
    if (!listing)
        return NULL;
    assert(set->count <= sizeof(set->entries) / sizeof(*set->entries));
    OBJECT_MAKE(listing, LISTING_MAGIC);
    listing->count = set->count;
    for (size_t i = 0; i < set->count; i++) {
        struct listing_key *key = &listing->keys[i];
        key->listed = set->entries[i];
        if (key->listed.verdict != JWK_MAY_SIGN)
            continue;
        key->key = signature_key_from_jwk(&key->listed.jwk);
        if (!key->key)
            snprintf(key->listed.why, JWK_WHY_MAX, "its numbers are no public key that can be relied on");
    }
    return listing;
}

/* The GET of the URL, which is normalised. */
static struct message request_for(struct slice url)
{
    size_t start = slice_find(url, ':') + 3;
    struct slice rest = {url.data + start, url.len - start};
    size_t slash = slice_find(rest, '/');
    assert(start <= url.len && slash < rest.len); /* normalised: it has a path */
    return (struct message){.method = SLICE("GET"),
                            .scheme = {url.data, start - 3},
                            .authority = {rest.data, slash},
                            .target = {rest.data + slash, rest.len - slash}};
}

/* Judges each key's proof. With `require` those without a good one do not count. */
static void check_proofs(struct listing *listing, const struct proof_answer *answer, struct arena *arena,
                         bool require, struct slice url)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct listing_key *key = &listing->keys[i];
        if (!key->key)
            continue;
        struct proof proof = proof_of(arena, answer, &key->listed.jwk, key->key);
        if (!proof.good && (proof.present || require))
            LOG(WARN, "directory_proof_fails", {"url", arena_copy(arena, url)}, {"detail", proof.failure},
                {"effect", require ? "the key does not count" : "none: directory.require_proof is off"});
        if (require && !proof.good) {
            snprintf(key->listed.why, JWK_WHY_MAX, "its proof over the directory's answer: %s",
                     proof.failure);
            /* Kept as an entry, so that its crawler's operator is told what is the matter with it. */
            signature_key_free(key->key);
            key->key = NULL;
        } else if (require && proof.expires < key->listed.jwk.expires) {
            key->listed.jwk.expires = proof.expires;
        }
    }
}

/* Tells the first entries that do not count; of compromised keys before others. */
static void log_refused(const struct listing *listing, struct slice url, struct arena *arena)
{
    size_t told = 0;
    for (int compromised = 1; compromised >= 0; compromised--)
        for (size_t i = 0; i < listing->count && told < REFUSED_LOGGED_MAX; i++) {
            const struct jwk_set_entry *entry = &listing->keys[i].listed;
            if (!*entry->why || (entry->verdict == JWK_COMPROMISED) != compromised)
                continue;
            char keyid[JWK_KEYID_CHARS + 1];
            keyid[encoding_base64url(entry->jwk.thumbprint, DIGEST_SIZE, keyid)] = '\0';
            LOG(WARN, "directory_key_refused", {"url", arena_copy(arena, url)},
                {"entry", LOG_NUMBER((int64_t)i + 1)}, {"keyid", entry->verdict == JWK_NO_KEY ? NULL : keyid},
                {"detail", entry->why});
            told++;
            assert(told <= REFUSED_LOGGED_MAX);
        }
}

static struct listing *read_content(struct slice content, struct slice url, const struct fetch_answer *answer,
                                    const struct listing_terms *terms, const char **refusal)
{
    struct arena arena;
    struct listing *listing = NULL;
    char *memory = malloc(2 * HEAD_BYTES_MAX);
    struct jwk_set *set = malloc(sizeof(*set));
    *refusal = "no memory";
    if (!memory || !set)
        goto out;
    arena_init(&arena, memory, 2 * HEAD_BYTES_MAX);
    const char *why = jwk_set_parse(content, set);
    if (why) {
        *refusal = why;
        goto out;
    }
    listing = make(set);
    if (!listing)
        goto out;
    struct message request = request_for(url);
    struct proof_answer proven = {&request, &answer->head, answer->body, content, terms->now_ms / 1000};
    check_proofs(listing, &proven, &arena, terms->require_proof, url);
    log_refused(listing, url, &arena);
    for (size_t i = 0; i < listing->count; i++)
        listing->good += listing->keys[i].key != NULL;
    assert(listing->good <= listing->count);
    listing->snapshot = take_snapshot(url, answer, content, terms->now_ms, &arena);
    if (!listing->snapshot) {
        listing_free(listing);
        listing = NULL;
    }
out:
    free(set);
    free(memory);
    if (listing)
        *refusal = NULL;
    return listing;
}

struct listing *listing_read(struct slice url, const struct fetch_answer *answer,
                             const struct listing_terms *terms, const char **refusal)
{
    size_t len;
    assert(url.len > 0);
    if (unpack_coding(&answer->head) == UNPACK_NONE)
        return read_content(answer->body, url, answer, terms, refusal);
    char *content = unpack_body(answer->body, answer->room, &len, refusal);
    assert(!content == (*refusal != NULL));
    if (!content)
        return NULL;
    struct listing *listing = read_content(slice_bytes(content, len), url, answer, terms, refusal);
    free(content);
    return listing;
}
