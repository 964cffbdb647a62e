/* The signature over the directory is kept for each host name and made anew only when half its life is
 * over: anybody may ask for it without paying, and a signature costs more than all the rest of such a
 * request. */
#include "server/published/own_directory.h"

#include "ledger/base/http/agent.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/text/text.h"
#include "server/agent/key_file.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_SECONDS 86400

/* How long others may keep an answer, and how long its signature holds: whoever gets it from here, signed up
 * to half its life ago, may keep it as long as they are told. */
#define MAX_AGE_SECONDS   3600
#define PROOF_SECONDS     (2 * MAX_AGE_SECONDS)
#define WARN_DAYS         14
#define CHECK_INTERVAL_MS 1000

/* Answers that are kept, one per authority; the oldest gives way. Sites have few host names. */
#define ANSWERS_MAX   32
#define AUTHORITY_MAX 262
#define FIELDS_SIZE   4096 /* two fields with up to eight signatures: 8 * (190 + 100) bytes and the labels */

struct answer {
    char authority[AUTHORITY_MAX];
    char memory[FIELDS_SIZE];
    const char *signature_input; /* in memory; NULL: no key is in force */
    const char *signature;
    int64_t signed_at; /* seconds */
    int64_t renew_at;
};

#define OWN_MAGIC 0x38a9d4f6u

struct own_directory {
    uint32_t magic;
    const struct config *config;
    pthread_mutex_t lock; /* over all of the following; held for a signature per key at the longest */
    struct key_ring ring;
    struct file_stamp stamp;
    int64_t checked_ms;
    char *body;
    char digest[ENCODING_BASE64_LEN(DIGEST_SIZE) + sizeof("sha-256=::")];
    int64_t listed_at; /* seconds: the body holds from here */
    int64_t listed_until;
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    size_t next_answer;
};

static void warn_of_the_end(const struct own_directory *own, int64_t now)
{
    int64_t end = key_ring_end(&own->ring);
    if (end <= now)
        LOG(ERROR, "identity_keys_expired", {"file", own->config->identity_key_file},
            {"hint", "crawltab key rotate makes a new one"});
    else if (end - now < WARN_DAYS * DAY_SECONDS)
        LOG(WARN, "identity_keys_expire_soon", {"file", own->config->identity_key_file},
            {"days", LOG_NUMBER((end - now) / DAY_SECONDS)}, {"hint", "crawltab key rotate adds a new one"});
}

struct own_directory *own_directory_new(const struct config *config, int64_t now_ms)
{
    struct key_ring_timing timing = key_file_timing(config, now_ms / 1000);
    struct own_directory *own = calloc(1, sizeof(*own));
    if (!own)
        return NULL;
    OBJECT_MAKE(own, OWN_MAGIC);
    own->config = config;
    own->checked_ms = now_ms;
    if (pthread_mutex_init(&own->lock, NULL) != 0) {
        free(own);
        return NULL;
    }
    if (!key_file_make(config->identity_key_file, &timing, &own->ring, &own->stamp)) {
        own_directory_free(own);
        return NULL;
    }
    warn_of_the_end(own, now_ms / 1000);
    return own;
}

void own_directory_free(struct own_directory *own)
{
    if (!own)
        return;
    OBJECT_END(own, OWN_MAGIC);
    pthread_mutex_destroy(&own->lock);
    key_ring_forget(&own->ring);
    free(own->body);
    free(own);
}

bool own_directory_is_at(struct slice path)
{
    return slice_eq(path, SLICE(AGENT_WELL_KNOWN));
}

/* Looks at the file at most once a second. One that cannot be read is told about once, and the keys stay as
 * they were. */
static void reload_if_replaced(struct own_directory *own, int64_t now_ms)
{
    struct key_ring ring;
    /* A clock that was set back looks at once: it would wait for the old time otherwise. */
    if (now_ms >= own->checked_ms && now_ms - own->checked_ms < CHECK_INTERVAL_MS)
        return;
    own->checked_ms = now_ms;
    struct file_stamp stamp = file_stamp(own->config->identity_key_file);
    if (file_same(&stamp, &own->stamp))
        return;
    /* Before it is read: a file that cannot be is told about once, and not at every request. */
    own->stamp = stamp;
    if (!key_file_read(own->config->identity_key_file, &ring, &own->stamp))
        return;
    own->ring = ring;
    own->listed_until = 0;
    key_ring_forget(&ring);
    LOG(INFO, "identity_keys_read", {"file", own->config->identity_key_file},
        {"keys", LOG_NUMBER((int64_t)own->ring.count)});
    warn_of_the_end(own, now_ms / 1000);
}

/* The body and its digest, anew whenever a key comes in force or expires. The answers so far are void then.
 */
static bool list_keys(struct own_directory *own, int64_t now)
{
    uint8_t digest[DIGEST_SIZE];
    if (own->body && now >= own->listed_at && now < own->listed_until)
        return true;
    json_t *set = key_ring_public(&own->ring, now);
    char *body = set ? json_dumps(set, JSON_COMPACT) : NULL;
    json_decref(set);
    if (!body)
        return false;
    free(own->body);
    own->body = body;
    own->listed_at = now;
    own->listed_until = key_ring_next_change(&own->ring, now);
    assert(own->listed_until > now);
    own->answer_count = own->next_answer = 0;
    struct slice text = slice_of(body);
    digest_sha256(&text, 1, digest);
    memcpy(own->digest, "sha-256=:", 9);
    size_t len = 9 + encoding_base64(digest, sizeof(digest), own->digest + 9);
    assert(len + 2 <= sizeof(own->digest));
    memcpy(own->digest + len, ":", 2);
    return true;
}

/* One key's signature over authority and digest (the response proof of the drafts' appendix B). False when
 * there is no room or OpenSSL refuses. */
static bool sign(const struct own_directory *own, const struct answer *answer, const struct key_ring_key *key,
                 struct slice params, char signature[ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + 1])
{
    char memory[1024];
    uint8_t raw[SIGNATURE_ED25519_SIZE];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    struct slice base =
        arena_format(&arena, "\"@authority\";req: %s\n\"content-digest\": %s\n\"@signature-params\": %.*s",
                     answer->authority, own->digest, (int)params.len, params.data);
    if (!base.data || !signature_sign_ed25519(key->seed, base, raw))
        return false;
    signature[encoding_base64(raw, sizeof(raw), signature)] = '\0';
    return true;
}

/* Signs by every key in force: sig1, sig2, … */
static bool sign_all(const struct own_directory *own, struct answer *answer, int64_t now)
{
    char signatures_memory[KEY_RING_MAX * 112];
    _Static_assert(sizeof(signatures_memory) < FIELDS_SIZE, "the rest is for Signature-Input");
    _Static_assert(ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + sizeof(", sig8=::") <= 112,
                   "one of each key");
    struct arena arena;
    struct arena other;
    arena_init(&arena, answer->memory, sizeof(answer->memory) - sizeof(signatures_memory));
    arena_init(&other, answer->memory + arena.size, sizeof(signatures_memory));
    struct text input = text_begin(&arena);
    struct text value = text_begin(&other);
    size_t count = 0;
    for (size_t i = 0; i < own->ring.count; i++) {
        const struct key_ring_key *key = &own->ring.keys[i];
        char params[256];
        char label[16];
        char signature[ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + 1];
        if (key_ring_state(key, now) != KEY_RING_IN_FORCE)
            continue;
        int len = snprintf(params, sizeof(params),
                           "(\"@authority\";req \"content-digest\");created=%" PRId64 ";expires=%" PRId64
                           ";keyid=\"%s\";alg=\"ed25519\";tag=\"http-message-signatures-directory\"",
                           now, now + PROOF_SECONDS, key->keyid);
        assert(len > 0 && (size_t)len < sizeof(params));
        if (!sign(own, answer, key, slice_bytes(params, (size_t)len), signature))
            return false;
        assert(count < KEY_RING_MAX);
        snprintf(label, sizeof(label), "%ssig%zu=", count > 0 ? ", " : "", count + 1);
        text_add(&input, slice_of(label));
        text_add(&input, slice_of(params));
        text_add(&value, slice_of(label));
        text_char(&value, ':');
        text_add(&value, slice_of(signature));
        text_char(&value, ':');
        count++;
    }
    answer->signature_input = count > 0 ? text_end(&input).data : NULL;
    answer->signature = count > 0 ? text_end(&value).data : NULL;
    answer->signed_at = now;
    answer->renew_at = now + PROOF_SECONDS / 2;
    return count == 0 || (answer->signature_input && answer->signature);
}

static struct answer *find(struct own_directory *own, struct slice authority)
{
    for (size_t i = 0; i < own->answer_count; i++)
        if (slice_eq(slice_of(own->answers[i].authority), authority))
            return &own->answers[i];
    return NULL;
}

/* The answer for this authority, signed less than half a life ago. NULL when it cannot be made. */
static const struct answer *answer_for(struct own_directory *own, struct slice authority, int64_t now)
{
    struct answer *answer = find(own, authority);
    if (answer && now >= answer->signed_at && now < answer->renew_at)
        return answer;
    if (!answer) {
        if (authority.len >= AUTHORITY_MAX)
            return NULL;
        answer = &own->answers[own->next_answer];
        own->next_answer = (own->next_answer + 1) % ANSWERS_MAX;
        if (own->answer_count < ANSWERS_MAX)
            own->answer_count++;
        assert(own->next_answer < ANSWERS_MAX);
        memcpy(answer->authority, authority.data, authority.len);
        answer->authority[authority.len] = '\0';
    }
    if (sign_all(own, answer, now))
        return answer;
    /* It keeps its place, and is signed again for whoever asks next. */
    answer->renew_at = INT64_MIN;
    return NULL;
}

static bool add_copy(struct exchange *exchange, const char *name, const char *value)
{
    return exchange_header(exchange, name, arena_copy(&exchange->arena, slice_of(value)));
}

/* Copies, because another thread may sign anew as soon as the lock is open. */
static bool write_reply(const struct own_directory *own, const struct answer *answer,
                        struct exchange *exchange)
{
    struct exchange_reply *reply = &exchange->reply;
    reply->status = 200;
    reply->fd = -1;
    reply->body = arena_format(&exchange->arena, "%s", own->body);
    bool ok = reply->body.data && add_copy(exchange, "Content-Digest", own->digest);
    if (answer->signature_input)
        ok = ok && add_copy(exchange, "Signature", answer->signature) &&
             add_copy(exchange, "Signature-Input", answer->signature_input);
    static_assert(MAX_AGE_SECONDS == 3600, "as the field says");
    return ok && exchange_header(exchange, "Cache-Control", "max-age=3600") &&
           exchange_header(exchange, "Content-Type", "application/http-message-signatures-directory+json");
}

enum err own_directory_reply(struct own_directory *own, struct exchange *exchange, int64_t now_ms)
{
    OBJECT_CHECK(own, OWN_MAGIC);
    assert(exchange->message.authority.len > 0);
    int64_t now = now_ms / 1000;
    enum err err = ERR_INTERNAL;
    pthread_mutex_lock(&own->lock);
    reload_if_replaced(own, now_ms);
    const struct answer *answer =
        list_keys(own, now) ? answer_for(own, exchange->message.authority, now) : NULL;
    if (answer)
        err = write_reply(own, answer, exchange) ? ERR_OK : ERR_REQUEST_TOO_LARGE;
    pthread_mutex_unlock(&own->lock);
    return err;
}

bool own_directory_key(struct own_directory *own, int64_t now_ms, struct key_ring_key *key)
{
    OBJECT_CHECK(own, OWN_MAGIC);
    bool found = false;
    pthread_mutex_lock(&own->lock);
    reload_if_replaced(own, now_ms);
    for (size_t i = 0; i < own->ring.count && !found; i++) {
        found = key_ring_state(&own->ring.keys[i], now_ms / 1000) == KEY_RING_IN_FORCE;
        if (found)
            *key = own->ring.keys[i];
    }
    pthread_mutex_unlock(&own->lock);
    return found;
}

json_t *own_directory_keys(struct own_directory *own, int64_t now_ms)
{
    OBJECT_CHECK(own, OWN_MAGIC);
    pthread_mutex_lock(&own->lock);
    reload_if_replaced(own, now_ms);
    json_t *set = key_ring_public(&own->ring, now_ms / 1000);
    pthread_mutex_unlock(&own->lock);
    return set;
}
