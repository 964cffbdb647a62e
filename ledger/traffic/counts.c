/* A hash table with open addressing that never grows: rows in the order of their coming, their texts in one
 * piece of memory, and slots with the rows' numbers. */
#include "ledger/traffic/counts.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS_ROWS    256 /* sites, times outcomes, times periods that wait for the database */
#define OTHER_PATHS    128 /* of these: rows without the path that they had no room with */
#define TEXT_BYTES     128 /* of a row's texts, on average */
#define TEXT_MAX_BYTES 1024

/* The texts of a key stand one behind the other. */
enum part { SITE, CRAWLER, RULE, REASON, PATH, PART_COUNT };

struct row {
    uint64_t hash;
    int64_t period_ms;
    bool verified;
    enum traffic_outcome outcome;
    const char *text;
    size_t lengths[PART_COUNT];
    struct traffic_sums sums;
};

#define COUNTS_MAGIC 0xc39e05b1u

struct counts {
    uint32_t magic; /* an HTTP thread fills one, and the recorder's empties it */
    size_t limit;   /* rows that are of no others */
    size_t rows_max, count;
    struct row *rows;
    size_t slot_count; /* a power of two; at least a half is free */
    uint32_t *slots;   /* a row's number + 1; 0: free */
    char *text;
    size_t text_size, text_used;
    int64_t lost;
    bool by_path;
};

const char *traffic_outcome_name(enum traffic_outcome outcome)
{
#define NAME(name, text) text,
    static const char *const names[] = {TRAFFIC_OUTCOMES(NAME)};
#undef NAME
    assert(outcome >= 0 && outcome < TRAFFIC_OUTCOME_COUNT);
    return names[outcome];
}

struct counts *counts_new(size_t rows, bool by_path)
{
    struct counts *counts = calloc(1, sizeof(*counts));
    if (!counts)
        return NULL;
    OBJECT_MAKE(counts, COUNTS_MAGIC);
    counts->limit = rows;
    counts->by_path = by_path;
    counts->rows_max = rows + OTHERS_ROWS;
    counts->text_size = counts->rows_max * TEXT_BYTES;
    counts->slot_count = 1;
    while (counts->slot_count < 2 * counts->rows_max)
        counts->slot_count *= 2;
    assert(counts->rows_max < UINT32_MAX); /* slots have numbers of rows */
    counts->rows = calloc(counts->rows_max, sizeof(*counts->rows));
    counts->slots = calloc(counts->slot_count, sizeof(*counts->slots));
    counts->text = malloc(counts->text_size);
    if (counts->rows && counts->slots && counts->text)
        return counts;
    counts_free(counts);
    return NULL;
}

void counts_free(struct counts *counts)
{
    if (!counts)
        return;
    OBJECT_END(counts, COUNTS_MAGIC);
    free(counts->rows);
    free(counts->slots);
    free(counts->text);
    free(counts);
}

static void parts_of(const struct traffic_key *key, struct slice parts[PART_COUNT])
{
    parts[SITE] = key->site;
    parts[CRAWLER] = key->crawler;
    parts[RULE] = key->rule;
    parts[REASON] = key->reason;
    parts[PATH] = key->path;
}

static size_t text_len(const struct traffic_key *key)
{
    return key->site.len + key->crawler.len + key->rule.len + key->reason.len + key->path.len;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    return (hash ^ number) * 0x100000001b3;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = hash_number(hash, (uint8_t)bytes[i]);
    return hash;
}

static uint64_t hash_of(const struct traffic_key *key)
{
    struct slice parts[PART_COUNT];
    uint64_t hash = hash_number(0xcbf29ce484222325, (uint64_t)key->period_ms);
    hash = hash_number(hash, 2 * (uint64_t)key->outcome + key->verified);
    parts_of(key, parts);
    /* With their lengths: "ab" and "c" are another row than "a" and "bc", and would share a slot. */
    for (size_t i = 0; i < PART_COUNT; i++) {
        hash = hash_number(hash, parts[i].len);
        hash = hash_bytes(hash, parts[i].data, parts[i].len);
    }
    return hash ^ hash >> 32;
}

static bool row_is(const struct row *row, uint64_t hash, const struct traffic_key *key)
{
    struct slice parts[PART_COUNT];
    const char *text = row->text;
    /* The hash first: of rows in one slot's way hardly one gets as far as its texts. */
    if (row->hash != hash || row->period_ms != key->period_ms || row->verified != key->verified ||
        row->outcome != key->outcome)
        return false;
    parts_of(key, parts);
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (!slice_eq((struct slice){text, row->lengths[i]}, parts[i]))
            return false;
        text += row->lengths[i];
    }
    return true;
}

/* The slot of the row with this key, or the free one where it belongs. */
static uint32_t *slot_of(const struct counts *counts, uint64_t hash, const struct traffic_key *key)
{
    /* It ends: there are more slots than rows, so that one of them is free. */
    assert(counts->count < counts->slot_count);
    for (size_t at = hash;; at++) {
        uint32_t *slot = &counts->slots[at & (counts->slot_count - 1)];
        if (*slot == 0 || row_is(&counts->rows[*slot - 1], hash, key))
            return slot;
    }
}

static struct row *add_row(struct counts *counts, uint64_t hash, const struct traffic_key *key)
{
    assert(counts->count < counts->rows_max);
    struct row *row = &counts->rows[counts->count++];
    struct slice parts[PART_COUNT];
    *row = (struct row){hash, key->period_ms, key->verified, key->outcome, counts->text + counts->text_used,
                        {0},  {.requests = 0}};
    parts_of(key, parts);
    for (size_t i = 0; i < PART_COUNT; i++) {
        row->lengths[i] = parts[i].len;
        if (parts[i].len > 0)
            memcpy(counts->text + counts->text_used, parts[i].data, parts[i].len);
        counts->text_used += parts[i].len;
    }
    assert(counts->text_used <= counts->text_size && counts->count <= counts->rows_max);
    return row;
}

/* NULL: there is no room, but for what is kept back: so many of the last rows. */
static struct row *find_row(struct counts *counts, const struct traffic_key *key, size_t reserve)
{
    size_t len = text_len(key);
    uint64_t hash = hash_of(key);
    assert(reserve <= counts->rows_max);
    uint32_t *slot = slot_of(counts, hash, key);
    if (*slot != 0)
        return &counts->rows[*slot - 1];
    /* Crawlers choose their names: whoever makes them up fills the rows for named ones, never those into
     * which the rest is counted. */
    if (len > TEXT_MAX_BYTES || counts->count + reserve >= counts->rows_max ||
        counts->text_used + len + reserve * TEXT_BYTES > counts->text_size)
        return NULL;
    *slot = (uint32_t)counts->count + 1; /* from 1: slots are emptied by zeros */
    return add_row(counts, hash, key);
}

static void add_sums(struct traffic_sums *sums, const struct traffic_sums *more)
{
    /* Without requests too: bytes that were sent after their request was counted. */
    assert(more->requests >= 0 && more->bytes >= 0);
    sums->requests += more->requests;
    sums->bytes += more->bytes;
    sums->amount_micros += more->amount_micros;
    pages_join(&sums->pages, &more->pages);
}

void counts_add(struct counts *counts, const struct traffic_key *key, const struct traffic_sums *sums)
{
    OBJECT_CHECK(counts, COUNTS_MAGIC);
    assert(key->period_ms % TRAFFIC_PERIOD_MS == 0); /* or a period had several rows, and no room was left */
    struct row *row = find_row(counts, key, OTHERS_ROWS);
    if (!row && counts->by_path) {
        struct traffic_key any_path = *key;
        any_path.path = SLICE("");
        row = find_row(counts, &any_path, OTHERS_ROWS - OTHER_PATHS);
    }
    if (!row) {
        /* Site, period and outcome stay: sums of money and requests are right, only who it was is lost. */
        struct traffic_key others = {.period_ms = key->period_ms,
                                     .site = key->site,
                                     .crawler = SLICE(TRAFFIC_OTHERS),
                                     .outcome = key->outcome};
        row = find_row(counts, &others, 0);
    }
    if (row)
        add_sums(&row->sums, sums);
    else
        counts->lost += sums->requests;
}

void counts_join(struct counts *counts, const struct counts *other)
{
    struct traffic_key key;
    const struct traffic_sums *sums;
    OBJECT_CHECK(other, COUNTS_MAGIC);
    assert(counts != other);
    for (size_t i = 0; i < other->count; i++) {
        counts_row(other, i, &key, &sums);
        counts_add(counts, &key, sums);
    }
    counts->lost += other->lost; /* what was lost there is told by whoever has the sum */
}

void counts_clear(struct counts *counts)
{
    OBJECT_CHECK(counts, COUNTS_MAGIC);
    memset(counts->slots, 0, counts->slot_count * sizeof(*counts->slots));
    counts->count = 0;
    counts->text_used = 0;
    counts->lost = 0;
}

size_t counts_rows(const struct counts *counts)
{
    return counts->count;
}

int64_t counts_lost(const struct counts *counts)
{
    return counts->lost;
}

void counts_row(const struct counts *counts, size_t row, struct traffic_key *key,
                const struct traffic_sums **sums)
{
    assert(row < counts->count);
    const struct row *found = &counts->rows[row];
    const char *text = found->text;
    struct slice parts[PART_COUNT];
    for (size_t i = 0; i < PART_COUNT; i++) {
        parts[i] = (struct slice){text, found->lengths[i]};
        text += found->lengths[i];
    }
    *key = (struct traffic_key){.period_ms = found->period_ms,
                                .site = parts[SITE],
                                .crawler = parts[CRAWLER],
                                .verified = found->verified,
                                .rule = parts[RULE],
                                .outcome = found->outcome,
                                .reason = parts[REASON],
                                .path = parts[PATH]};
    *sums = &found->sums;
}
