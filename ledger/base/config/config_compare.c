/* What differs between two readings of the configuration, by the names of its keys: what a reload tells, and
 * by which it decides what cannot change while the gate runs. Lines and comments are no difference. */
#include "ledger/base/config/config_table.h"

#include <assert.h>
#include <string.h>

static bool same_list(const struct config_list *a, const struct config_list *b)
{
    assert(a->items && b->items); /* also when they are empty: else nobody has read them */
    if (a->count != b->count)
        return false;
    /* In order: of rules' patterns and proxies none comes first, but whoever moved one wants to be told. */
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool same_field(const struct config_field *field, const void *a, const void *b)
{
    const void *left = (const char *)a + field->offset;
    const void *right = (const char *)b + field->offset;
    switch (field->kind) {
    case CONFIG_IS_TEXT:
    case CONFIG_IS_CODE:
    case CONFIG_IS_PATH:
        return strcmp(*(const char *const *)left, *(const char *const *)right) == 0;
    case CONFIG_IS_NUMBER:
    case CONFIG_IS_AMOUNT:
    case CONFIG_IS_RATE:
        return *(const int64_t *)left == *(const int64_t *)right;
    case CONFIG_IS_FLAG:
        return *(const bool *)left == *(const bool *)right;
    case CONFIG_IS_LIST:
        return same_list(left, right);
    }
    return false;
}

static bool same_level(const struct config_table *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->count; i++)
        if (!same_field(&table->fields[i], a, b))
            return false;
    return true;
}

static bool same_site(const struct config_site *a, const struct config_site *b)
{
    if (!same_level(&config_site_table, a, b) || a->rule_count != b->rule_count ||
        a->tool_count != b->tool_count)
        return false;
    /* By position: the first rule that fits decides, so that their order is what they mean. */
    for (size_t i = 0; i < a->rule_count; i++)
        if (!same_level(&config_rule_table, &a->rules[i], &b->rules[i]))
            return false;
    for (size_t i = 0; i < a->tool_count; i++)
        if (!same_level(&config_tool_table, &a->tools[i], &b->tools[i]))
            return false;
    return true;
}

static void tell_site(const struct config_site *site, config_difference *tell, void *context)
{
    char key[160];
    int len = snprintf(key, sizeof(key), "sites.%s", site->name);
    assert(len > 0 && (size_t)len < sizeof(key)); /* a name has 64 characters at the most */
    tell(context, key);
}

void config_compare(const struct config *before, const struct config *after, config_difference *tell,
                    void *context)
{
    assert(before != after && before->folder && after->folder);
    for (size_t i = 0; i < config_gate_table.count; i++)
        if (!same_field(&config_gate_table.fields[i], before, after))
            tell(context, config_gate_table.fields[i].key);
    /* By name: in which order sites stand means nothing. */
    for (size_t i = 0; i < after->site_count; i++) {
        const struct config_site *was = config_site_called(before, after->sites[i].name);
        if (!was || !same_site(was, &after->sites[i]))
            tell_site(&after->sites[i], tell, context);
    }
    for (size_t i = 0; i < before->site_count; i++)
        if (!config_site_called(after, before->sites[i].name))
            tell_site(&before->sites[i], tell, context);
}
