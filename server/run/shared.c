#include "server/run/shared.h"

#include "ledger/base/object.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SHARED_MAGIC 0x91d04b6f

struct shared {
    uint32_t magic;
    atomic_uint users;
    void *thing;
    void (*end)(void *thing);
    struct shared *under;
};

struct shared *shared_new(void *thing, void (*end)(void *thing), struct shared *under)
{
    struct shared *shared = thing ? calloc(1, sizeof(*shared)) : NULL;
    if (!shared) {
        if (thing)
            end(thing);
        return NULL;
    }
    OBJECT_MAKE(shared, SHARED_MAGIC);
    atomic_init(&shared->users, 1);
    shared->thing = thing;
    shared->end = end;
    shared->under = under ? shared_take(under) : NULL;
    return shared;
}

void *shared_thing(const struct shared *shared)
{
    OBJECT_CHECK(shared, SHARED_MAGIC);
    return shared->thing;
}

struct shared *shared_under(const struct shared *shared)
{
    OBJECT_CHECK(shared, SHARED_MAGIC);
    return shared->under;
}

struct shared *shared_take(struct shared *shared)
{
    OBJECT_CHECK(shared, SHARED_MAGIC);
    atomic_fetch_add(&shared->users, 1);
    return shared;
}

void shared_release(struct shared *shared)
{
    if (!shared)
        return;
    OBJECT_CHECK(shared, SHARED_MAGIC);
    if (atomic_fetch_sub(&shared->users, 1) > 1)
        return;
    shared->end(shared->thing); /* before what it was made of */
    shared_release(shared->under);
    OBJECT_END(shared, SHARED_MAGIC);
    free(shared);
}
