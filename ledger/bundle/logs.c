/* All leaves of a log are here, by their hashes, and no path: a log has one a day, so that years of them are
 * short, and any older checkpoint can be compared with them. */
#include "ledger/bundle/logs.h"

#include "ledger/base/text/encoding.h"
#include "ledger/bundle/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* --- the days --- */

/* Cuts the next line of a leaf, without its name, as a text. NULL if it is not that line. */
static const char *cut(struct arena *arena, struct slice *rest, struct slice name)
{
    size_t len = slice_find(*rest, '\n');
    struct slice line = {rest->data, len};
    if (len == rest->len || !slice_starts(line, name))
        return NULL;
    *rest = slice_bytes(rest->data + len + 1, rest->len - len - 1);
    return arena_copy(arena, slice_bytes(line.data + name.len, line.len - name.len));
}

/* Digits alone, no zero before others. */
static bool read_count(const char *text, uint64_t *count)
{
    *count = 0;
    size_t len = text ? strlen(text) : 0;
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len || (text[0] == '0' && len > 1))
        return false;
    for (; *text; text++)
        *count = *count * 10 + (uint64_t)(*text - '0');
    return true;
}

static bool read_root(const char *text, uint8_t root[DIGEST_SIZE])
{
    size_t len = 0;
    return text && encoding_unbase64(slice_of(text), false, root, DIGEST_SIZE, &len) && len == DIGEST_SIZE;
}

/* ledger/proof/leaf.h; one of version 1 has no facts. */
static bool read_leaf(struct arena *arena, struct slice leaf, struct bundle_day *day)
{
    struct slice rest = leaf;
    const char *version = cut(arena, &rest, SLICE("crawltab-day/"));
    bool facts = version && strcmp(version, "2") == 0;
    if (!version || (!facts && strcmp(version, "1") != 0))
        return false;
    day->log = cut(arena, &rest, SLICE("log "));
    day->date = cut(arena, &rest, SLICE("date "));
    day->starts = cut(arena, &rest, SLICE("starts "));
    day->ends = cut(arena, &rest, SLICE("ends "));
    day->zone = cut(arena, &rest, SLICE("zone "));
    day->currency = cut(arena, &rest, SLICE("currency "));
    bool whole = day->log && day->date && day->starts && day->ends && day->zone && day->currency &&
                 read_count(cut(arena, &rest, SLICE("entries ")), &day->entries) &&
                 cut(arena, &rest, SLICE("sum ")) && read_root(cut(arena, &rest, SLICE("root ")), day->root);
    if (whole && facts)
        whole = read_count(cut(arena, &rest, SLICE("facts ")), &day->facts) &&
                read_root(cut(arena, &rest, SLICE("facts-root ")), day->facts_root);
    return whole && rest.len == 0;
}

static bool read_day(struct arena *arena, const json_t *json, const struct bundle_log *log,
                     struct bundle_day *day)
{
    const char *leaf = bundle_text(json, "leaf");
    uint8_t hash[DIGEST_SIZE];
    int64_t index;
    if (!BUNDLE_HAS(json, "index", "leaf") || !leaf || !bundle_number(json, "index", &index) ||
        (uint64_t)index >= log->size || !read_leaf(arena, slice_of(leaf), day))
        return false;
    day->number = (uint64_t)index;
    merkle_leaf(slice_of(leaf), hash);
    return memcmp(hash, log->leaves[index], DIGEST_SIZE) == 0 && strcmp(day->log, log->origin) == 0;
}

/* Among the days before it. */
static bool is_there(const struct bundle_log *log, const char *date, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(log->days[i].date, date) == 0)
            return true;
    return false;
}

static bool read_days(struct arena *arena, const json_t *list, struct bundle_log *log,
                      struct bundle_report *report)
{
    log->day_count = json_array_size(list);
    log->days = arena_alloc(arena, (log->day_count + 1) * sizeof(*log->days));
    if (!json_is_array(list) || !log->days)
        return bundle_wrong(report, "the days of the log \"%s\" cannot be read", log->origin);
    for (size_t i = 0; i < log->day_count; i++)
        if (!read_day(arena, json_array_get(list, i), log, &log->days[i]) ||
            is_there(log, log->days[i].date, i))
            return bundle_wrong(report, "day number %zu in the file is none of the log \"%s\"", i + 1,
                                log->origin);
    return true;
}

/* --- the logs --- */

static bool read_leaves(struct arena *arena, const json_t *list, struct bundle_log *log)
{
    log->size = json_array_size(list);
    log->leaves = arena_alloc(arena, (log->size + 1) * sizeof(*log->leaves));
    for (size_t i = 0; log->leaves && i < log->size; i++)
        if (!bundle_hash(json_array_get(list, i), log->leaves[i]))
            return false;
    return log->leaves && log->size > 0;
}

void bundle_log_root(const struct bundle_log *log, uint64_t size, uint8_t root[DIGEST_SIZE])
{
    struct merkle_tree tree = {.size = 0};
    assert(size <= log->size);
    for (uint64_t i = 0; i < size; i++)
        merkle_add(&tree, log->leaves[i]);
    merkle_root(&tree, root);
}

static bool names_log(const char *verifier, const char *origin)
{
    size_t len = strlen(origin);
    return note_is_verifier(verifier) && strncmp(verifier, origin, len) == 0 && verifier[len] == '+';
}

static bool read_change(struct arena *arena, const struct bundle_log *log, const char *note,
                        note_verifies *verifies, struct bundle_change *change)
{
    uint8_t root[DIGEST_SIZE], signed_root[DIGEST_SIZE];
    struct slice rest = slice_of(note), text;
    uint64_t size;
    const char *version = note ? cut(arena, &rest, SLICE("crawltab-key-change/")) : NULL;
    const char *origin = version ? cut(arena, &rest, SLICE("log ")) : NULL;
    if (!origin || strcmp(version, "1") != 0 || strcmp(origin, log->origin) != 0 ||
        !read_count(cut(arena, &rest, SLICE("size ")), &size) || size == 0 || size > log->size ||
        !read_root(cut(arena, &rest, SLICE("root ")), signed_root))
        return false;
    bundle_log_root(log, size, root);
    change->old_key = cut(arena, &rest, SLICE("old "));
    change->new_key = cut(arena, &rest, SLICE("new "));
    if (!change->old_key || !change->new_key || memcmp(root, signed_root, DIGEST_SIZE) != 0 ||
        !names_log(change->old_key, log->origin) || !names_log(change->new_key, log->origin) ||
        !note_open(slice_of(note), change->new_key, verifies, &text) ||
        text.len != (size_t)(rest.data - note))
        return false;
    change->agreed = note_open(slice_of(note), change->old_key, verifies, &text);
    return true;
}

/* Each goes on from the one before, and the last one leads to the key that has signed the checkpoint. */
static bool read_changes(struct arena *arena, const json_t *list, note_verifies *verifies,
                         struct bundle_log *log)
{
    const char *key = NULL;
    log->change_count = json_array_size(list);
    log->changes = arena_alloc(arena, (log->change_count + 1) * sizeof(*log->changes));
    if (!json_is_array(list) || !log->changes)
        return false;
    for (size_t i = 0; i < log->change_count; i++) {
        struct bundle_change *change = &log->changes[i];
        if (!read_change(arena, log, json_string_value(json_array_get(list, i)), verifies, change) ||
            (key && strcmp(key, change->old_key) != 0))
            return false;
        key = change->new_key;
    }
    return !key || strcmp(key, log->signed_by) == 0;
}

static bool read_log(struct arena *arena, const json_t *json, note_verifies *verifies, struct bundle_log *log,
                     struct bundle_report *report)
{
    /* The first is there where there are witnesses. */
    static const char *const members[] = {"witnesses", "origin", "signed_by",   "checkpoint",
                                          "leaves",    "days",   "key_changes", NULL};
    log->origin = bundle_text(json, "origin");
    log->signed_by = bundle_text(json, "signed_by");
    log->checkpoint = slice_of(bundle_text(json, "checkpoint"));
    bool witnessed = json_object_get(json, "witnesses") != NULL;
    if (!bundle_has(json, members + !witnessed) || !log->origin || !log->signed_by || !log->checkpoint.data ||
        !read_leaves(arena, json_object_get(json, "leaves"), log))
        return bundle_wrong(report, "a log in the file cannot be read");
    if (!read_changes(arena, json_object_get(json, "key_changes"), verifies, log))
        return bundle_wrong(report, "a change of the key of the log \"%s\" is not signed as it must be",
                            log->origin);
    if (witnessed && !bundle_witnesses_read(json_object_get(json, "witnesses"), verifies, log))
        return bundle_wrong(report, "a cosignature of the log \"%s\" is not what its witness has signed",
                            log->origin);
    return read_days(arena, json_object_get(json, "days"), log, report);
}

bool bundle_logs_read(struct arena *arena, const json_t *list, const struct bundle_order *order,
                      struct bundle_logs *logs, struct bundle_report *report)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > BUNDLE_LOGS_MAX)
        return bundle_wrong(report, "the file has no logs, or more than %d", BUNDLE_LOGS_MAX);
    for (; logs->count < count; logs->count++) {
        struct bundle_log *log = &logs->items[logs->count];
        if (!read_log(arena, json_array_get(list, logs->count), order->verifies, log, report))
            return false;
        for (size_t i = 0; i < logs->count; i++)
            if (strcmp(logs->items[i].origin, log->origin) == 0)
                return bundle_wrong(report, "the log \"%s\" is in the file twice", log->origin);
    }
    return true;
}

/* --- who has signed them --- */

/* Behind the name and the ID, in which there is no plus, of a verifier key. */
static const char *key_part(const char *verifier)
{
    const char *id = strchr(verifier, '+');
    assert(id && strchr(id + 1, '+')); /* note_is_verifier has seen it */
    return strchr(id + 1, '+');
}

/* The same key, whatever log it is named for. */
static bool same_key(const char *verifier, const char *other)
{
    return strcmp(key_part(verifier), key_part(other)) == 0;
}

/* Whether who trusts this key can trust the one that has signed the checkpoint: each change since was signed
 * by the key that it replaced. */
static bool leads_on(const struct bundle_log *log, const char *trusted)
{
    size_t at = log->change_count;
    if (same_key(trusted, log->signed_by))
        return true;
    while (at > 0 && log->changes[at - 1].agreed)
        if (same_key(trusted, log->changes[--at].old_key))
            return true;
    return false;
}

static bool is_signed(const struct bundle_log *log, const struct bundle_order *order,
                      struct bundle_report *report)
{
    struct log_kept said;
    struct slice text;
    uint8_t root[DIGEST_SIZE];
    if (!names_log(log->signed_by, log->origin) || log_kept_read(log->checkpoint, &said) ||
        !note_open(log->checkpoint, log->signed_by, order->verifies, &text) ||
        strcmp(said.origin, log->origin) != 0)
        return bundle_wrong(report, "the checkpoint of the log \"%s\" is not signed by the key that is named",
                            log->origin);
    bundle_log_root(log, log->size, root);
    if (said.size != log->size || memcmp(said.root, root, DIGEST_SIZE) != 0)
        return bundle_wrong(report, "the days of the log \"%s\" are not those that were signed", log->origin);
    if (order->verifier && !leads_on(log, order->verifier))
        return bundle_wrong(report,
                            "the key that you gave has signed neither the log \"%s\" nor a change that "
                            "leads to the key that has",
                            log->origin);
    bundle_proven(report, "The log \"%s\" of %zu closed day%s is signed by the key %s%s.", log->origin,
                  log->size, log->size == 1 ? "" : "s", log->signed_by,
                  !order->verifier                            ? ""
                  : same_key(order->verifier, log->signed_by) ? ", which you gave"
                                                              : ", to which the one that you gave leads");
    return true;
}

/* The caller has seen who signed the log: what is kept elsewhere must only be of it. */
static bool has_grown(const struct bundle_log *log, const struct bundle_order *order,
                      struct bundle_report *report)
{
    const struct log_kept *kept = order->kept;
    uint8_t root[DIGEST_SIZE];
    struct slice text;
    bool ours = note_open(kept->note, log->signed_by, order->verifies, &text);
    for (size_t i = 0; i < log->change_count; i++)
        ours = ours || note_open(kept->note, log->changes[i].old_key, order->verifies, &text);
    if (!ours)
        return bundle_wrong(report, "the checkpoint that you gave is not signed by a key of the log \"%s\"",
                            log->origin);
    if (kept->size > log->size)
        return bundle_wrong(report,
                            "the checkpoint that you gave is of %" PRIu64
                            " days, the file's log of %zu: ask for "
                            "a newer proof",
                            kept->size, log->size);
    bundle_log_root(log, kept->size, root);
    if (memcmp(root, kept->root, DIGEST_SIZE) != 0)
        return bundle_wrong(report,
                            "the log \"%s\" is not the one whose checkpoint you gave: a day was changed, "
                            "dropped or closed again since",
                            log->origin);
    bundle_proven(report, "Its first %" PRIu64 " day%s are those of the checkpoint that you gave.",
                  kept->size, kept->size == 1 ? "" : "s");
    return true;
}

bool bundle_logs_signed(const struct bundle_logs *logs, const struct bundle_order *order,
                        struct bundle_report *report)
{
    bool compared = !order->kept, named = false;
    for (size_t i = 0; i < logs->count; i++) {
        const struct bundle_log *log = &logs->items[i];
        if (!is_signed(log, order, report) || !bundle_witnesses_tell(log, order, report))
            return false;
        named = named || log->witness_count > 0;
        if (!order->kept || strcmp(order->kept->origin, log->origin) != 0)
            continue;
        compared = true;
        if (!has_grown(log, order, report))
            return false;
    }
    if (!compared)
        return bundle_wrong(report,
                            "the checkpoint that you gave is of the log \"%s\", which is not in the file",
                            order->kept->origin);
    if (!order->verifier)
        bundle_unproven(report,
                        "Whose key has signed the log: the file names it itself. Compare it with the one "
                        "that the publisher publishes, or give that with --vkey.");
    if (named && !order->witness)
        bundle_unproven(report,
                        "Whose keys the witnesses' are: the file names them itself. Compare them with "
                        "those that the witnesses publish, or give one with --witness.");
    return true;
}

/* --- places --- */

const struct bundle_day *bundle_day_of(const struct bundle_logs *logs, const char *origin, const char *date)
{
    for (size_t i = 0; origin && date && i < logs->count; i++)
        for (size_t k = 0; strcmp(logs->items[i].origin, origin) == 0 && k < logs->items[i].day_count; k++)
            if (strcmp(logs->items[i].days[k].date, date) == 0)
                return &logs->items[i].days[k];
    return NULL;
}

bool bundle_place_read(const struct bundle_logs *logs, const json_t *place, bool fact,
                       const uint8_t hash[DIGEST_SIZE], struct bundle_place *found)
{
    uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE];
    const json_t *list = json_object_get(place, "path");
    size_t steps = json_array_size(list);
    int64_t index;
    found->day = bundle_day_of(logs, bundle_text(place, "log"), bundle_text(place, "day"));
    if (!found->day || !json_is_array(list) || steps > MERKLE_HEIGHT_MAX ||
        !bundle_number(place, "index", &index))
        return false;
    for (size_t i = 0; i < steps; i++)
        if (!bundle_hash(json_array_get(list, i), path[i]))
            return false;
    found->index = (uint64_t)index;
    const struct merkle_claim claim = {.index = found->index,
                                       .count = fact ? found->day->facts : found->day->entries,
                                       .path = (const uint8_t(*)[DIGEST_SIZE])path,
                                       .steps = steps};
    return merkle_includes(&claim, hash, fact ? found->day->facts_root : found->day->root);
}
