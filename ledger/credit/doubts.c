/* A hash table by id, whose entries stand in a queue too: in the order in which they are asked for. During an
 * outage every payment ends here, thousands a minute: none of it may be a walk over all of them, and what is
 * asked for in a round is a part of them, whose turn comes round. */
#include "ledger/credit/doubts.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS_MIN 64

struct doubt {
    struct doubt *next;           /* in the same bucket */
    struct doubt *before, *after; /* in the queue */
    struct credit_claim claim;
    int64_t amount_micros;
    uint8_t id[UUID_SIZE];
};

struct doubts {
    struct doubt **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    struct doubt *first, *last;
};

struct doubts *doubts_new(void)
{
    struct doubts *doubts = calloc(1, sizeof(*doubts));
    if (!doubts)
        return NULL;
    doubts->bucket_count = BUCKETS_MIN;
    doubts->buckets = calloc(BUCKETS_MIN, sizeof(*doubts->buckets));
    if (doubts->buckets)
        return doubts;
    free(doubts);
    return NULL;
}

void doubts_free(struct doubts *doubts)
{
    if (!doubts)
        return;
    for (struct doubt *doubt = doubts->first, *after; doubt; doubt = after) {
        after = doubt->after;
        free(doubt);
    }
    free(doubts->buckets);
    free(doubts);
}

static struct doubt **bucket_of(const struct doubts *doubts, const uint8_t id[UUID_SIZE])
{
    assert((doubts->bucket_count & (doubts->bucket_count - 1)) == 0);
    return &doubts->buckets[slice_hash(slice_bytes(id, UUID_SIZE)) & (doubts->bucket_count - 1)];
}

/* Without memory the buckets stay as few as they are. */
static void spread(struct doubts *doubts)
{
    struct doubt **buckets = calloc(2 * doubts->bucket_count, sizeof(*buckets));
    if (!buckets)
        return;
    free(doubts->buckets);
    doubts->buckets = buckets;
    doubts->bucket_count *= 2;
    size_t moved = 0;
    for (struct doubt *doubt = doubts->first; doubt; doubt = doubt->after) {
        struct doubt **bucket = bucket_of(doubts, doubt->id);
        doubt->next = *bucket;
        *bucket = doubt;
        moved++;
    }
    assert(moved == doubts->count);
}

static void queue_up(struct doubts *doubts, struct doubt *doubt)
{
    doubt->before = doubts->last;
    doubt->after = NULL;
    if (doubts->last)
        doubts->last->after = doubt;
    else
        doubts->first = doubt;
    doubts->last = doubt;
    assert(doubts->first && !doubts->first->before);
}

static void leave_queue(struct doubts *doubts, struct doubt *doubt)
{
    assert(doubt->before ? doubt->before->after == doubt : doubts->first == doubt);
    assert(doubt->after ? doubt->after->before == doubt : doubts->last == doubt);
    if (doubt->before)
        doubt->before->after = doubt->after;
    else
        doubts->first = doubt->after;
    if (doubt->after)
        doubt->after->before = doubt->before;
    else
        doubts->last = doubt->before;
}

/* The one that *link points to. */
static void drop(struct doubts *doubts, struct doubt **link)
{
    struct doubt *doubt = *link;
    assert(doubts->count > 0);
    *link = doubt->next;
    leave_queue(doubts, doubt);
    doubts->count--;
    assert((doubts->count == 0) == (doubts->first == NULL));
    free(doubt);
}

bool doubts_add(struct doubts *doubts, const uint8_t id[UUID_SIZE], const struct credit_claim *claim,
                int64_t amount_micros)
{
    struct doubt *doubt = malloc(sizeof(*doubt));
    if (!doubt)
        return false;
    assert(claim->account && amount_micros >= 0);
    if (doubts->count >= doubts->bucket_count)
        spread(doubts);
    /* The same id may be here several times: a crawler may send one commitment to several threads. */
    struct doubt **bucket = bucket_of(doubts, id);
    *doubt = (struct doubt){.next = *bucket, .claim = *claim, .amount_micros = amount_micros};
    memcpy(doubt->id, id, UUID_SIZE);
    *bucket = doubt;
    queue_up(doubts, doubt);
    doubts->count++;
    return true;
}

bool doubts_take(struct doubts *doubts, const uint8_t id[UUID_SIZE], const struct credit_claim *claim,
                 int64_t amount_micros)
{
    for (struct doubt **link = bucket_of(doubts, id); *link; link = &(*link)->next) {
        /* All that a repeat has in common: with another amount it is another promise. */
        const struct doubt *doubt = *link;
        if (memcmp(doubt->id, id, UUID_SIZE) != 0 || doubt->claim.account != claim->account ||
            doubt->claim.day_ms != claim->day_ms || doubt->amount_micros != amount_micros)
            continue;
        drop(doubts, link);
        return true;
    }
    return false;
}

size_t doubts_ask(struct doubts *doubts, uint8_t (*ids)[UUID_SIZE], size_t room)
{
    size_t count = doubts->count < room ? doubts->count : room;
    /* Those that are asked for go to the end, whether or not they are found: the others have their turn. */
    for (size_t i = 0; i < count; i++) {
        struct doubt *doubt = doubts->first;
        memcpy(ids[i], doubt->id, UUID_SIZE);
        leave_queue(doubts, doubt);
        queue_up(doubts, doubt);
    }
    return count;
}

void doubts_found(struct doubts *doubts, const uint8_t id[UUID_SIZE], doubts_release *release)
{
    for (struct doubt **link = bucket_of(doubts, id); *link;) {
        if (memcmp((*link)->id, id, UUID_SIZE) != 0) {
            link = &(*link)->next;
            continue;
        }
        release(&(*link)->claim, (*link)->amount_micros);
        drop(doubts, link);
    }
}

void doubts_expire(struct doubts *doubts, int64_t made_before_ms, doubts_release *release)
{
    for (struct doubt *doubt = doubts->first, *after; doubt; doubt = after) {
        after = doubt->after;
        /* By the id's own time: after it no server takes the entry any more, so that it never was. */
        if (uuid_ms(doubt->id) >= made_before_ms)
            continue;
        struct doubt **link = bucket_of(doubts, doubt->id);
        while (*link != doubt) {
            assert(*link); /* it is in the bucket of its id */
            link = &(*link)->next;
        }
        release(&doubt->claim, doubt->amount_micros);
        drop(doubts, link);
    }
}
