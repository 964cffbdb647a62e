/* A table of sets: a network has WAYS places it can be in. When they are taken, the one that was used longest
 * ago gives way and starts again with a full bucket: an attacker with many networks gains no more than those
 * networks have anyway. */
#include "server/agent/budget.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>

#define SETS 1024
#define WAYS 4

struct bucket {
    uint8_t network[16]; /* all zero: free */
    int64_t seen_ms;
    int64_t level; /* a token is TOKEN of these: whole numbers whatever the time */
};

#define BUDGET_MAGIC 0xf52c9e30u

struct budget {
    uint32_t magic;
    int64_t per_minute;
    struct bucket buckets[SETS][WAYS];
};

#define TOKEN ((int64_t)60000)

struct budget *budget_new(int64_t per_minute)
{
    assert(per_minute >= 0);
    struct budget *budget = calloc(1, sizeof(*budget));
    if (budget) {
        OBJECT_MAKE(budget, BUDGET_MAGIC);
        budget->per_minute = per_minute;
    }
    return budget;
}

void budget_free(struct budget *budget)
{
    if (budget)
        OBJECT_END(budget, BUDGET_MAGIC);
    free(budget);
}

static bool is_zero(const uint8_t network[16])
{
    static const uint8_t zero[16] = {0};
    return memcmp(network, zero, sizeof(zero)) == 0;
}

/* IPv4 by /24, IPv6 by /64, as client_connections counts: who has one address there usually has all of them.
 * A larger network may be a whole provider's, whose customers would pay for one another. ::/64, in which ::1
 * is, belongs to this machine as 127.0.0.1 does, and zeros mean a free place here. */
static void network_of(const struct exchange_client *client, uint8_t network[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, local[16] = {[10] = 0xff, [11] = 0xff, 127};
    size_t kept = memcmp(client->address, mapped, sizeof(mapped)) == 0 ? 15 : 8;
    memset(network, 0, 16);
    memcpy(network, client->address, kept);
    if (is_zero(network))
        memcpy(network, local, sizeof(local));
}

/* Both halves: networks of one provider differ in their last bytes, which FNV carries into the upper half
 * last. */
static size_t set_of(const uint8_t network[16])
{
    uint64_t hash = slice_hash(slice_bytes(network, 16));
    return (size_t)((hash >> 32 ^ hash) % SETS);
}

static struct bucket *bucket_of(struct budget *budget, const uint8_t network[16], int64_t now_ms)
{
    assert(!is_zero(network));
    struct bucket *set = budget->buckets[set_of(network)];
    struct bucket *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(set[i].network, network, 16) == 0)
            return &set[i];
        if (is_zero(set[i].network) || (!is_zero(oldest->network) && set[i].seen_ms < oldest->seen_ms))
            oldest = &set[i];
    }
    *oldest = (struct bucket){.seen_ms = now_ms, .level = budget->per_minute * TOKEN};
    memcpy(oldest->network, network, 16);
    return oldest;
}

bool budget_take(struct budget *budget, const struct exchange_client *client, int64_t now_ms)
{
    uint8_t network[16];
    if (is_zero(client->address))
        return true;
    network_of(client, network);
    return budget_take_of(budget, network, now_ms);
}

bool budget_take_of(struct budget *budget, const uint8_t network[16], int64_t now_ms)
{
    OBJECT_CHECK(budget, BUDGET_MAGIC);
    if (budget->per_minute == 0)
        return true;
    struct bucket *bucket = bucket_of(budget, network, now_ms);
    int64_t most = budget->per_minute * TOKEN;
    int64_t passed = now_ms - bucket->seen_ms < TOKEN ? now_ms - bucket->seen_ms : TOKEN;
    assert(bucket->level >= 0 && bucket->level <= most);
    bucket->level += passed * budget->per_minute;
    if (bucket->level > most)
        bucket->level = most;
    bucket->seen_ms = now_ms;
    if (bucket->level < TOKEN)
        return false;
    bucket->level -= TOKEN;
    return true;
}
