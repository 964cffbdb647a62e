/* One block of memory holds all of it, and owners are counted: a directory of 256 KiB is evidence for
 * thousands of entries, and is neither copied for each nor freed while one of them is still on its way to
 * the ledger. */
#include "ledger/entry/snapshot.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SNAPSHOT_MAGIC 0xb81f64aau

struct shared {
    struct snapshot snapshot; /* first: what the owners see */
    uint32_t magic;
    atomic_size_t owners;
    char bytes[];
};

/* Text goes into the ledger as it came, or not at all: fields that are not printable ASCII are no proof. */
static struct slice printable(struct slice text)
{
    /* Empty and not cut: half a signature proves nothing, and looks as if it did. */
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return SLICE("");
    return text;
}

static struct slice keep(char **at, struct slice text)
{
    struct slice kept = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return kept;
}

struct snapshot *snapshot_new(const struct snapshot *from)
{
    static atomic_uint_fast64_t last_serial;
    struct slice content_digest = printable(from->content_digest);
    struct slice signature_input = printable(from->signature_input);
    struct slice signature = printable(from->signature);
    struct slice content_type = printable(from->content_type);
    size_t size = from->url.len + from->body.len + content_type.len + content_digest.len +
                  signature_input.len + signature.len;
    struct shared *shared = malloc(sizeof(*shared) + size);
    if (!shared)
        return NULL;
    OBJECT_MAKE(shared, SNAPSHOT_MAGIC);
    char *at = shared->bytes;
    shared->snapshot = (struct snapshot){
        .serial = atomic_fetch_add(&last_serial, 1) + 1,
        .fetched_at_ms = from->fetched_at_ms,
        .url = keep(&at, from->url),
        .body = keep(&at, from->body),
        .content_type = keep(&at, content_type),
        .content_digest = keep(&at, content_digest),
        .signature_input = keep(&at, signature_input),
        .signature = keep(&at, signature),
    };
    assert(at == shared->bytes + size);
    /* Of the copy: what is stored is what was hashed. */
    digest_sha256(&shared->snapshot.body, 1, shared->snapshot.digest);
    atomic_init(&shared->owners, 1);
    return &shared->snapshot;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
    OBJECT_CHECK((const struct shared *)snapshot, SNAPSHOT_MAGIC);
    return sizeof(struct shared) + snapshot->url.len + snapshot->body.len + snapshot->content_type.len +
           snapshot->content_digest.len + snapshot->signature_input.len + snapshot->signature.len;
}

struct snapshot *snapshot_share(struct snapshot *snapshot)
{
    struct shared *shared = (struct shared *)snapshot;
    if (!shared)
        return NULL;
    OBJECT_CHECK(shared, SNAPSHOT_MAGIC);
    size_t before = atomic_fetch_add_explicit(&shared->owners, 1, memory_order_relaxed);
    assert(before > 0); /* whoever shares it owns it, too */
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    struct shared *shared = (struct shared *)snapshot;
    if (!shared)
        return;
    OBJECT_CHECK(shared, SNAPSHOT_MAGIC);
    size_t before = atomic_fetch_sub(&shared->owners, 1);
    assert(before > 0);
    if (before > 1)
        return;
}

enum err snapshot_insert(struct pg *pg, const struct snapshot *snapshot)
{
    OBJECT_CHECK((const struct shared *)snapshot, SNAPSHOT_MAGIC);
    assert(snapshot->url.len > 0);
    struct pg_params params = {0};
    pg_params_bytes(&params, snapshot->url);
    pg_params_bytes(&params, slice_bytes(snapshot->digest, DIGEST_SIZE));
    pg_params_number(&params, snapshot->fetched_at_ms);
    pg_params_bytes(&params, snapshot->body);
    pg_params_bytes(&params, snapshot->content_type);
    pg_params_bytes(&params, snapshot->content_digest);
    pg_params_bytes(&params, snapshot->signature_input);
    pg_params_bytes(&params, snapshot->signature);
    return pg_run(pg, "snapshot_insert", &params, NULL);
}
