#include "ledger/bundle/facts.h"

#include "ledger/bundle/json.h"

#include <assert.h>

/* Byte for byte what is hashed (ledger/proof/leaf.h). */
static void hash_of(const char *table, const char *key, const char *row, uint8_t hash[DIGEST_SIZE])
{
    const struct slice lf = SLICE("\n");
    const struct slice parts[] = {{"\x00", 1}, slice_of(table), lf, slice_of(key), lf, slice_of(row), lf};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), hash);
}

static bool read_fact(const json_t *json, bool sealed, const struct bundle_logs *logs,
                      struct bundle_fact *fact)
{
    const char *key = bundle_text(json, "key"), *row = bundle_text(json, "row");
    uint8_t hash[DIGEST_SIZE];
    struct bundle_place place;
    fact->table = bundle_text(json, "table");
    if (!fact->table || !key || !row ||
        !(sealed ? BUNDLE_HAS(json, "table", "key", "row", "log", "day", "index", "path")
                 : BUNDLE_HAS(json, "table", "key", "row")))
        return false;
    hash_of(fact->table, key, row, hash);
    if (sealed && !bundle_place_read(logs, json, true, hash, &place))
        return false;
    fact->day = sealed ? place.day : NULL;
    fact->row = json_loads(row, JSON_REJECT_DUPLICATES, NULL);
    return json_is_object(fact->row);
}

static bool read_list(const json_t *list, bool sealed, const struct bundle_logs *logs,
                      struct bundle_facts *facts, struct bundle_report *report)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > BUNDLE_FACTS_MAX - facts->count)
        return bundle_wrong(report, "the facts in the file cannot be read, or are more than %d",
                            BUNDLE_FACTS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct bundle_fact *fact = &facts->items[facts->count];
        bool good = read_fact(json_array_get(list, i), sealed, logs, fact);
        facts->count += fact->row != NULL;
        if (!good)
            return bundle_wrong(report, "fact number %zu, of \"%s\", is not what its day has sealed", i + 1,
                                fact->table ? fact->table : "");
    }
    return true;
}

bool bundle_facts_read(const json_t *bundle, const struct bundle_logs *logs, struct bundle_facts *facts,
                       struct bundle_report *report)
{
    assert(facts->count == 0);
    return read_list(json_object_get(bundle, "facts"), true, logs, facts, report) &&
           read_list(json_object_get(bundle, "unsealed"), false, logs, facts, report);
}

void bundle_facts_free(struct bundle_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        json_decref(facts->items[i].row);
    facts->count = 0;
}

const struct bundle_fact *bundle_fact_of(const struct bundle_facts *facts, const char *table)
{
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->items[i].table, table) == 0)
            return &facts->items[i];
    return NULL;
}

const char *bundle_fact_text(const struct bundle_fact *fact, const char *column)
{
    const char *text = bundle_text(fact->row, column);
    return text ? text : "";
}

int64_t bundle_fact_number(const struct bundle_fact *fact, const char *column)
{
    const json_t *value = json_object_get(fact->row, column);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}
