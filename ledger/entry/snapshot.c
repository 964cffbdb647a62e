#include "ledger/entry/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>

struct shared {
    struct snapshot snapshot; /* first: what the owners see */
    atomic_size_t owners;
    char bytes[];
};

/* Text goes into the ledger as it came, or not at all: fields that are not printable ASCII are no proof. */
static struct slice printable(struct slice text)
{
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
    digest_sha256(&shared->snapshot.body, 1, shared->snapshot.digest);
    atomic_init(&shared->owners, 1);
    return &shared->snapshot;
}

size_t snapshot_bytes(const struct snapshot *snapshot)
{
    return sizeof(struct shared) + snapshot->url.len + snapshot->body.len + snapshot->content_type.len +
           snapshot->content_digest.len + snapshot->signature_input.len + snapshot->signature.len;
}

struct snapshot *snapshot_share(struct snapshot *snapshot)
{
    if (snapshot)
        atomic_fetch_add_explicit(&((struct shared *)snapshot)->owners, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub(&((struct shared *)snapshot)->owners, 1) == 1)
        free(snapshot);
}

enum err snapshot_insert(struct pg *pg, const struct snapshot *snapshot)
{
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
