/* The ledger's JSON is written and read along the same tables as a person's file, so that a term which is
 * added is in both; and what comes back is looked at member by member, as it may have been written by
 * another program. */
#include "ledger/terms/terms_table.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TERMS_FIELD(member, key, kind, initial, min, max, what)                                              \
    {key, CONFIG_IS_##kind, offsetof(struct terms, member), initial, min, max, what},
#define PRICE_FIELD(member, key, kind, initial, min, max, what)                                              \
    {key, CONFIG_IS_##kind, offsetof(struct terms_price, member), initial, min, max, what},
#define TIER_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct terms_tier, member), initial, min, max, what},

static const struct config_field terms_fields[] = {TERMS(TERMS_FIELD)};
static const struct config_field price_fields[] = {TERMS_PRICE(PRICE_FIELD)};
static const struct config_field tier_fields[] = {TERMS_TIER(TIER_FIELD)};

#define TABLE(fields, structure) fields, sizeof(fields) / sizeof(*(fields)), offsetof(structure, where)

const struct config_table terms_price_table = {TABLE(price_fields, struct terms_price), NULL, 0};
const struct config_table terms_tier_table = {TABLE(tier_fields, struct terms_tier), NULL, 0};

static const struct config_children children[] = {
    {"prices", &terms_price_table, sizeof(struct terms_price), offsetof(struct terms, prices),
     offsetof(struct terms, price_count)},
    {"tiers", &terms_tier_table, sizeof(struct terms_tier), offsetof(struct terms, tiers),
     offsetof(struct terms, tier_count)},
};
const struct config_table terms_table = {TABLE(terms_fields, struct terms), children,
                                         sizeof(children) / sizeof(*children)};

#define TERMS_MAGIC 0x51f8d2e6u

struct owned {
    struct terms terms; /* first: terms_free gets its address */
    struct config_reader reader;
    uint32_t magic;
};

_Static_assert(offsetof(struct owned, terms) == 0, "terms_free gets the address of both");
static struct owned *owned_new(const char *name, FILE *errors)
{
    assert(name);
    struct owned *owned = calloc(1, sizeof(*owned));
    if (!owned)
        abort();
    OBJECT_MAKE(owned, TERMS_MAGIC);
    owned->reader = (struct config_reader){.report = {.file = name, .errors = errors},
                                           .folder = ".",
                                           .lists_keys = "crawltab agreement template"};
    config_read_initial(&owned->reader, &terms_table, &owned->terms);
    return owned;
}

struct terms *terms_new(void)
{
    return &owned_new("terms", NULL)->terms;
}

void terms_free(struct terms *terms)
{
    if (!terms)
        return;
    struct owned *owned = (struct owned *)terms;
    OBJECT_END(owned, TERMS_MAGIC);
    config_reader_free(&owned->reader);
    free(owned);
}

/* The terms if they have no mistake, or NULL. */
static struct terms *finish(struct owned *owned, const char *currency)
{
    OBJECT_CHECK(owned, TERMS_MAGIC);
    if (owned->reader.report.error_count == 0)
        terms_check(&owned->terms, currency, &owned->reader.report);
    if (owned->reader.report.error_count == 0)
        return &owned->terms;
    terms_free(&owned->terms);
    return NULL;
}

struct terms *terms_read(FILE *file, const char *name, const char *currency, FILE *errors)
{
    assert(file && name);
    struct owned *owned = owned_new(name, errors);
    config_read(&owned->reader, &terms_table, &owned->terms, file);
    return finish(owned, currency);
}

/* One change. A value that is not UTF-8 is refused here; in files libyaml does it. */
static void change(struct owned *owned, const char *text)
{
    struct config_report *report = &owned->reader.report;
    size_t len = strcspn(text, "=");
    json_t *value = json_string(text);
    char key[64];
    json_decref(value);
    if (!value || text[len] != '=' || len >= sizeof(key)) {
        /* Longer than any key there is. */
        config_error(report, 0, "\"%.60s\" is not key=value in UTF-8", value ? text : "?");
        return;
    }
    snprintf(key, sizeof(key), "%.*s", (int)len, text);
    config_read_key(&owned->reader, &terms_table, &owned->terms, key, text + len + 1);
}

struct terms *terms_change(const struct terms *terms, const char *const *changes, size_t count,
                           const char *currency, FILE *errors)
{
    assert(changes || count == 0);
    /* Through JSON, as the ledger has them: a change is made to what will be read back, and to a copy. */
    json_t *json = terms_json(terms);
    struct owned *owned = (struct owned *)terms_from_json(json);
    json_decref(json);
    if (!owned)
        return NULL;
    OBJECT_CHECK(owned, TERMS_MAGIC);
    owned->reader.report = (struct config_report){.file = "terms", .errors = errors};
    for (size_t i = 0; i < count; i++)
        change(owned, changes[i]);
    return finish(owned, currency);
}

/* --- JSON --- */

bool terms_given(const struct config_field *field, const void *structure)
{
    const void *member = (const char *)structure + field->offset;
    switch (field->kind) {
    case CONFIG_IS_FLAG:
        return true;
    case CONFIG_IS_LIST:
        return ((const struct config_list *)member)->count > 0;
    case CONFIG_IS_TEXT:
    case CONFIG_IS_CODE:
    case CONFIG_IS_PATH:
        return **(const char *const *)member != '\0';
    case CONFIG_IS_NUMBER:
    case CONFIG_IS_AMOUNT:
    case CONFIG_IS_RATE:
        /* -1 is what was left out. */
        return *(const int64_t *)member >= 0;
    }
    return false;
}

/* Splits "tax.rate" into the section "tax", "" for none, and the name "rate_ppm". */
static void split_key(const struct config_field *field, char section[64], char name[64])
{
    const char *dot = strchr(field->key, '.');
    /* Units in the names: whoever reads the ledger with another program must not take 2500 for euros. */
    const char *suffix = field->kind == CONFIG_IS_AMOUNT ? "_micros"
                         : field->kind == CONFIG_IS_RATE ? "_ppm"
                                                         : "";
    int section_len = snprintf(section, 64, "%.*s", dot ? (int)(dot - field->key) : 0, field->key);
    int name_len = snprintf(name, 64, "%s%s", dot ? dot + 1 : field->key, suffix);
    assert(section_len >= 0 && section_len < 64 && name_len > 0 && name_len < 64);
}

static bool is_text(const struct config_field *field)
{
    return field->kind == CONFIG_IS_TEXT || field->kind == CONFIG_IS_CODE;
}

/* NULL after a failure. */
static json_t *value_json(const struct config_field *field, const void *structure)
{
    const void *member = (const char *)structure + field->offset;
    assert(field->kind != CONFIG_IS_PATH); /* terms have none, and would store one as a number */
    if (field->kind == CONFIG_IS_FLAG)
        return json_boolean(*(const bool *)member);
    if (is_text(field))
        return json_string(*(const char *const *)member);
    if (field->kind != CONFIG_IS_LIST)
        return json_integer(*(const int64_t *)member);
    const struct config_list *list = member;
    json_t *json = json_array();
    for (size_t i = 0; i < list->count; i++)
        if (json_array_append_new(json, json_string(list->items[i])) != 0) {
            json_decref(json);
            return NULL;
        }
    return json;
}

/* The object of a section, made when it is not there. */
static json_t *section_of(json_t *json, const char *section)
{
    if (*section && !json_object_get(json, section))
        json_object_set_new(json, section, json_object());
    return *section ? json_object_get(json, section) : json;
}

static json_t *structure_json(const struct config_table *table, const void *structure)
{
    assert(table->count > 0);
    json_t *json = json_object();
    char section[64], name[64];
    bool ok = json != NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        split_key(field, section, name);
        /* What was left out is left out here, too: a default that changes must not change old agreements. */
        if (terms_given(field, structure))
            ok =
                json_object_set_new(section_of(json, section), name, value_json(field, structure)) == 0 && ok;
    }
    for (size_t i = 0; i < table->child_count; i++) {
        const struct config_children *list = &table->children[i];
        json_t *array = json_array();
        for (size_t k = 0; k < config_child_count(list, structure); k++)
            ok = json_array_append_new(array,
                                       structure_json(list->table, config_child(list, structure, k))) == 0 &&
                 ok;
        ok = json_object_set_new(json, list->key, array) == 0 && ok;
    }
    if (ok)
        return json;
    json_decref(json);
    return NULL;
}

json_t *terms_json(const struct terms *terms)
{
    return structure_json(&terms_table, terms);
}

static bool list_from_json(struct config_reader *reader, const json_t *json, struct config_list *list)
{
    const json_t *item;
    size_t i;
    list->items = config_keep(reader, (json_array_size(json) + 1) * sizeof(*list->items));
    list->count = 0;
    json_array_foreach(json, i, item)
    {
        if (!json_is_string(item))
            return false;
        list->items[list->count++] = config_keep_text(reader, json_string_value(item));
    }
    assert(list->count <= json_array_size(json));
    return json_is_array(json);
}

static bool value_from_json(struct config_reader *reader, const struct config_field *field,
                            const json_t *json, void *structure)
{
    void *member = (char *)structure + field->offset;
    assert(field->kind != CONFIG_IS_PATH);
    if (field->kind == CONFIG_IS_LIST)
        return list_from_json(reader, json, member);
    if (field->kind == CONFIG_IS_FLAG) {
        *(bool *)member = json_is_true(json);
        return json_is_boolean(json);
    }
    if (is_text(field)) {
        *(const char **)member =
            config_keep_text(reader, json_is_string(json) ? json_string_value(json) : "");
        return json_is_string(json);
    }
    *(int64_t *)member = json_integer_value(json);
    /* Below zero is nothing that was ever written: -1 is only in memory. */
    return json_is_integer(json) && json_integer_value(json) >= 0;
}

static bool structure_from_json(struct config_reader *reader, const struct config_table *table,
                                const json_t *json, void *structure)
{
    char section[64], name[64];
    bool ok = json_is_object(json);
    /* Members that are not known are passed over: a newer program may have written them. */
    config_read_initial(reader, table, structure);
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        split_key(field, section, name);
        const json_t *value = json_object_get(*section ? json_object_get(json, section) : json, name);
        if (value && !json_is_null(value))
            ok = value_from_json(reader, field, value, structure) && ok;
    }
    for (size_t i = 0; i < table->child_count; i++) {
        const struct config_children *list = &table->children[i];
        const json_t *array = json_object_get(json, list->key);
        config_child_make(reader, list, structure, json_array_size(array));
        assert(config_child_count(list, structure) == json_array_size(array));
        for (size_t k = 0; k < json_array_size(array); k++)
            ok = structure_from_json(reader, list->table, json_array_get(array, k),
                                     config_child(list, structure, k)) &&
                 ok;
    }
    return ok;
}

struct terms *terms_from_json(const json_t *json)
{
    struct owned *owned = owned_new("terms", NULL);
    if (structure_from_json(&owned->reader, &terms_table, json, &owned->terms))
        return &owned->terms;
    terms_free(&owned->terms);
    return NULL;
}
