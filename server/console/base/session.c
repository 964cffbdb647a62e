#include "server/console/base/session.h"

#include "ledger/base/crypto/random.h"
#include "ledger/base/object.h"
#include "ledger/base/text/encoding.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSIONS_MAGIC 0x3fa9c07eu
#define SESSIONS_MAX   256
#define CLIENTS_MAX    1024

struct place {
    struct session session;
    uint8_t digest[DIGEST_SIZE];
    int64_t until_ms; /* 0: free */
};

struct misses {
    uint8_t client[8];
    int64_t since_ms; /* 0: free */
    int count;
};

struct sessions {
    uint32_t magic;
    pthread_mutex_t lock;
    struct place places[SESSIONS_MAX];
    struct misses misses[CLIENTS_MAX];
};

struct sessions *sessions_new(void)
{
    struct sessions *sessions = calloc(1, sizeof(*sessions));
    if (!sessions)
        return NULL;
    OBJECT_MAKE(sessions, SESSIONS_MAGIC);
    pthread_mutex_init(&sessions->lock, NULL);
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    if (!sessions)
        return;
    OBJECT_END(sessions, SESSIONS_MAGIC);
    pthread_mutex_destroy(&sessions->lock);
    free(sessions);
}

void session_once(char text[SESSION_SECRET_MAX])
{
    uint8_t chance[32];
    random_bytes(chance, sizeof(chance));
    text[encoding_base64url(chance, sizeof(chance), text)] = '\0';
}

static void digest_of(const char *text, uint8_t digest[DIGEST_SIZE])
{
    const struct slice part = slice_of(text);
    digest_sha256(&part, 1, digest);
}

void session_start(struct sessions *sessions, const char *name, int64_t now_ms, struct session *session)
{
    OBJECT_CHECK(sessions, SESSIONS_MAGIC);
    *session = (struct session){.id = ""};
    session_once(session->id);
    session_once(session->csrf);
    snprintf(session->name, sizeof(session->name), "%s", name);
    pthread_mutex_lock(&sessions->lock);
    struct place *place = &sessions->places[0];
    for (size_t i = 1; i < SESSIONS_MAX; i++)
        if (sessions->places[i].until_ms < place->until_ms)
            place = &sessions->places[i];
    *place = (struct place){.session = *session, .until_ms = now_ms + SESSION_MS};
    digest_of(session->id, place->digest);
    pthread_mutex_unlock(&sessions->lock);
}

/* All of them, also behind the one that fits. */
static struct place *find(struct sessions *sessions, const char *id)
{
    uint8_t digest[DIGEST_SIZE];
    struct place *found = NULL;
    digest_of(id, digest);
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (digest_equal(sessions->places[i].digest, digest, sizeof(digest)))
            found = &sessions->places[i];
    return found;
}

bool session_find(struct sessions *sessions, const char *id, int64_t now_ms, struct session *session)
{
    OBJECT_CHECK(sessions, SESSIONS_MAGIC);
    pthread_mutex_lock(&sessions->lock);
    const struct place *place = find(sessions, id);
    bool found = place && now_ms < place->until_ms;
    if (found)
        *session = place->session;
    pthread_mutex_unlock(&sessions->lock);
    return found;
}

void session_end(struct sessions *sessions, const char *id)
{
    OBJECT_CHECK(sessions, SESSIONS_MAGIC);
    pthread_mutex_lock(&sessions->lock);
    struct place *place = find(sessions, id);
    if (place)
        *place = (struct place){.until_ms = 0};
    pthread_mutex_unlock(&sessions->lock);
}

bool session_same(const char *csrf, const char *text)
{
    uint8_t a[DIGEST_SIZE], b[DIGEST_SIZE];
    if (!text)
        return false;
    digest_of(csrf, a);
    digest_of(text, b);
    return digest_equal(a, b, sizeof(a));
}

/* IPv4 addresses stand behind ::ffff:, IPv6 networks are the first half. */
static void client_of(const struct exchange_client *client, uint8_t out[8])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool four = memcmp(client->address, mapped, sizeof(mapped)) == 0;
    memset(out, 0, 8);
    memcpy(out, client->address + (four ? 12 : 0), four ? 4 : 8);
}

/* The client's own, one that is free or over, or else the oldest: whoever comes from very many addresses
 * makes others forgotten, and has no more tries for that than addresses. */
static struct misses *misses_of(struct sessions *sessions, const struct exchange_client *client,
                                int64_t now_ms)
{
    uint8_t who[8];
    struct misses *oldest = &sessions->misses[0];
    client_of(client, who);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct misses *misses = &sessions->misses[i];
        if (now_ms - misses->since_ms >= SESSION_MISS_MS)
            *misses = (struct misses){.since_ms = 0};
        if (misses->since_ms != 0 && memcmp(misses->client, who, sizeof(who)) == 0)
            return misses;
        if (misses->since_ms < oldest->since_ms)
            oldest = misses;
    }
    *oldest = (struct misses){.since_ms = 0};
    memcpy(oldest->client, who, sizeof(who));
    return oldest;
}

int64_t session_wait_ms(struct sessions *sessions, const struct exchange_client *client, int64_t now_ms)
{
    OBJECT_CHECK(sessions, SESSIONS_MAGIC);
    pthread_mutex_lock(&sessions->lock);
    const struct misses *misses = misses_of(sessions, client, now_ms);
    int64_t wait_ms = misses->count < SESSION_MISSES ? 0 : misses->since_ms + SESSION_MISS_MS - now_ms;
    pthread_mutex_unlock(&sessions->lock);
    return wait_ms;
}

void session_missed(struct sessions *sessions, const struct exchange_client *client, int64_t now_ms)
{
    OBJECT_CHECK(sessions, SESSIONS_MAGIC);
    pthread_mutex_lock(&sessions->lock);
    struct misses *misses = misses_of(sessions, client, now_ms);
    if (misses->since_ms == 0)
        misses->since_ms = now_ms;
    misses->count++;
    pthread_mutex_unlock(&sessions->lock);
}
