/* A table of one size, in which buckets are found by the digest: no list of what expires when, and nothing
 * that whoever invents nonces could make grow. */
#include "server/gate/nonces.h"

#include "ledger/base/object.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKET    8  /* places that one nonce may be in: a look at it is a look at a few lines of memory */
#define NAME_SIZE 16 /* of SHA-256: who could find two alike could only bar his own requests */

struct place {
    uint8_t name[NAME_SIZE];
    int64_t until; /* seconds; a past time: free */
};

_Static_assert(NAME_SIZE + sizeof(uint64_t) <= DIGEST_SIZE,
               "name and bucket are of other bytes of the digest");

#define NONCES_MAGIC 0x97e20c4bu

/* All HTTP threads' of two generations. */
struct nonces {
    uint32_t magic;
    pthread_mutex_t mutex;
    size_t buckets;
    struct place places[];
};

struct nonces *nonces_new(size_t room)
{
    size_t buckets = room / BUCKET > 0 ? room / BUCKET : 1;
    /* Zeroes that nobody has touched take no memory. */
    struct nonces *nonces = calloc(1, sizeof(*nonces) + buckets * BUCKET * sizeof(struct place));
    if (!nonces)
        return NULL;
    OBJECT_MAKE(nonces, NONCES_MAGIC);
    nonces->buckets = buckets;
    pthread_mutex_init(&nonces->mutex, NULL);
    return nonces;
}

void nonces_free(struct nonces *nonces)
{
    if (!nonces)
        return;
    OBJECT_END(nonces, NONCES_MAGIC);
    pthread_mutex_destroy(&nonces->mutex);
    free(nonces);
}

/* The place that has the name or, if none does, the one to put it in. In a full bucket that takes the nonce
 * away that has the least time left, which could then be used again: better than to refuse an honest
 * request. */
static struct place *find(struct place *bucket, const uint8_t *name, int64_t now, bool *known)
{
    struct place *soonest = bucket;
    *known = false;
    for (size_t i = 0; i < BUCKET; i++) {
        if (bucket[i].until > now && memcmp(bucket[i].name, name, NAME_SIZE) == 0) {
            *known = true;
            return &bucket[i];
        }
        if (bucket[i].until < soonest->until)
            soonest = &bucket[i];
    }
    return soonest;
}

bool nonces_take(struct nonces *nonces, const uint8_t thumbprint[DIGEST_SIZE], struct slice nonce,
                 int64_t now, int64_t until)
{
    uint8_t name[DIGEST_SIZE];
    uint64_t at;
    bool known;
    OBJECT_CHECK(nonces, NONCES_MAGIC);
    struct slice parts[] = {slice_bytes(thumbprint, DIGEST_SIZE), nonce};
    digest_sha256(parts, 2, name);
    memcpy(&at, name + NAME_SIZE, sizeof(at));
    pthread_mutex_lock(&nonces->mutex);
    struct place *place = find(&nonces->places[at % nonces->buckets * BUCKET], name, now, &known);
    if (!known) {
        memcpy(place->name, name, NAME_SIZE);
        place->until = until;
    }
    pthread_mutex_unlock(&nonces->mutex);
    return !known;
}
