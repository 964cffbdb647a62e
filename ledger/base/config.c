/* Reads the configuration (libyaml) along the table. Every mistake in the file is reported, not only the
 * first; the configuration is used only if there was none. */
#include "ledger/base/config_table.h"

#include "ledger/base/amount.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define GATE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config, member), initial, min, max, what},
#define SITE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config_site, member), initial, min, max, what},
#define RULE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config_rule, member), initial, min, max, what},

static const struct config_field gate_fields[] = {CONFIG_GATE(GATE_FIELD)};
static const struct config_field site_fields[] = {CONFIG_SITE(SITE_FIELD)};
static const struct config_field rule_fields[] = {CONFIG_RULE(RULE_FIELD)};
const struct config_table config_gate_table = {gate_fields, sizeof(gate_fields) / sizeof(*gate_fields)};
const struct config_table config_site_table = {site_fields, sizeof(site_fields) / sizeof(*site_fields)};
const struct config_table config_rule_table = {rule_fields, sizeof(rule_fields) / sizeof(*rule_fields)};

/* One file being read. Strings live in `config_memory` blocks of the loaded configuration. */
struct reader {
    yaml_document_t document;
    struct config_report report;
    const char *folder;
    struct memory *memory;
};

/* Everything a configuration owns, freed together. */
struct memory {
    struct memory *next;
    max_align_t bytes[];
};

struct loaded {
    struct config config; /* first: config_free gets its address */
    struct memory *memory;
};

static void *keep(struct reader *reader, size_t size)
{
    struct memory *block = calloc(1, sizeof(*block) + size);
    if (!block) {
        perror("crawltab: configuration");
        abort();
    }
    block->next = reader->memory;
    reader->memory = block;
    return block->bytes;
}

static char *keep_text(struct reader *reader, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(keep(reader, size), text, size);
}

static void say(const struct config_report *report, FILE *out, size_t line, const char *format,
                va_list values)
{
    if (!out)
        return;
    if (line > 0)
        fprintf(out, "%s:%zu: ", report->file, line);
    else
        fprintf(out, "%s: ", report->file);
    vfprintf(out, format, values);
    fputc('\n', out);
}

void config_error(struct config_report *report, size_t line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(report, report->errors, line, format, values);
    va_end(values);
    report->error_count++;
}

void config_warning(struct config_report *report, size_t line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(report, report->warnings, line, format, values);
    va_end(values);
}

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* The text with relative paths taken from the folder of the file. */
static const char *path_of(struct reader *reader, const char *text)
{
    if (text[0] == '/' || text[0] == '\0')
        return keep_text(reader, text);
    size_t size = strlen(reader->folder) + strlen(text) + 2;
    char *path = keep(reader, size);
    snprintf(path, size, "%s/%s", reader->folder, text);
    return path;
}

static void set_number(struct reader *reader, const struct config_field *field, const char *text, size_t line,
                       int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0)
        config_error(&reader->report, line, "%s: \"%s\" is not a whole number", field->key, text);
    else if (value < field->min || value > field->max)
        config_error(&reader->report, line, "%s: %lld is out of range, use %" PRId64 " to %" PRId64,
                     field->key, value, field->min, field->max);
    else
        *out = value;
}

static void set_scalar(struct reader *reader, const struct config_field *field, const char *text, size_t line,
                       void *target)
{
    switch (field->kind) {
    case CONFIG_IS_TEXT:
        *(const char **)target = keep_text(reader, text);
        return;
    case CONFIG_IS_PATH:
        *(const char **)target = path_of(reader, text);
        return;
    case CONFIG_IS_NUMBER:
        set_number(reader, field, text, line, target);
        return;
    case CONFIG_IS_FLAG:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            config_error(&reader->report, line, "%s: \"%s\" is neither true nor false", field->key, text);
        *(bool *)target = strcmp(text, "true") == 0;
        return;
    case CONFIG_IS_AMOUNT:
        if (!amount_parse(slice_of(text), target) || *(int64_t *)target > AMOUNT_PRICE_MAX)
            config_error(
                &reader->report, line,
                "%s: \"%s\" is not a price, write a decimal with at most six decimals such as \"0.0025\"",
                field->key, text);
        return;
    case CONFIG_IS_LIST:
        config_error(&reader->report, line, "%s: a list is expected here, write [\"%s\"]", field->key, text);
        return;
    }
}

static void set_list(struct reader *reader, const struct config_field *field, const yaml_node_t *node,
                     struct config_list *list)
{
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    list->items = keep(reader, (count + 1) * sizeof(*list->items));
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *item = yaml_document_get_node(&reader->document, node->data.sequence.items.start[i]);
        if (item->type != YAML_SCALAR_NODE)
            config_error(&reader->report, line_of(item), "%s: each item must be plain text", field->key);
        else
            list->items[list->count++] = keep_text(reader, text_of(item));
    }
}

static void set_field(struct reader *reader, const struct config_field *field, const yaml_node_t *node,
                      void *structure)
{
    void *target = (char *)structure + field->offset;
    if (field->kind == CONFIG_IS_LIST && node->type == YAML_SEQUENCE_NODE)
        set_list(reader, field, node, target);
    else if (node->type == YAML_SCALAR_NODE)
        set_scalar(reader, field, text_of(node), line_of(node), target);
    else
        config_error(&reader->report, line_of(node), "%s: a single value is expected here", field->key);
}

static void set_initial(struct reader *reader, const struct config_table *table, void *structure)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        void *target = (char *)structure + field->offset;
        if (field->kind == CONFIG_IS_AMOUNT)
            *(int64_t *)target = -1; /* not given */
        else if (field->kind == CONFIG_IS_LIST) {
            struct config_list *list = target;
            list->items = keep(reader, sizeof(*list->items));
            if (field->initial && *field->initial)
                list->items[list->count++] = field->initial;
        } else if (field->initial)
            set_scalar(reader, field, field->initial, 0, target);
    }
}

/* Levenshtein distance, both words short. */
static size_t distance(const char *a, const char *b)
{
    enum { WORD = 64 };
    size_t previous[WORD + 1];
    size_t columns = strlen(b);
    if (strlen(a) > WORD || columns > WORD)
        return WORD;
    for (size_t j = 0; j <= columns; j++)
        previous[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = previous[0];
        previous[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = previous[j];
            best = previous[j - 1] + 1 < best ? previous[j - 1] + 1 : best;
            previous[j] = previous[j] + 1 < best ? previous[j] + 1 : best;
        }
    }
    return previous[columns];
}

static const char *nearest(const struct config_table *table, const char *key, const char *list_key)
{
    const char *best = NULL;
    size_t best_distance = 4;
    for (size_t i = 0; i <= table->count; i++) {
        const char *candidate = i < table->count ? table->fields[i].key : list_key;
        size_t d = candidate ? distance(key, candidate) : best_distance;
        if (d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

static const struct config_field *find_field(const struct config_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].key, key) == 0)
            return &table->fields[i];
    return NULL;
}

static bool is_section(const struct config_table *table, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < table->count; i++)
        if (strncmp(table->fields[i].key, key, len) == 0 && table->fields[i].key[len] == '.')
            return true;
    return false;
}

/* One level of the file: its table, where values go, and the one key that holds a list of the next level. */
struct level {
    const struct config_table *table;
    void *structure;
    const char *list_key;
    const yaml_node_t *list; /* out: the node of list_key */
    bool *seen;              /* per field */
};

static void read_mapping(struct reader *reader, struct level *level, const yaml_node_t *node,
                         const char *section);

static void read_pair(struct reader *reader, struct level *level, const yaml_node_pair_t *pair,
                      const char *section)
{
    const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
    char key[160];
    if (name->type != YAML_SCALAR_NODE) {
        config_error(&reader->report, line_of(name), "a key must be plain text");
        return;
    }
    snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", text_of(name));
    const struct config_field *field = find_field(level->table, key);
    if (field) {
        bool *seen = &level->seen[field - level->table->fields];
        if (*seen)
            config_error(&reader->report, line_of(name), "%s stands twice, remove one", key);
        *seen = true;
        set_field(reader, field, value, level->structure);
    } else if (level->list_key && strcmp(key, level->list_key) == 0 && value->type == YAML_SEQUENCE_NODE) {
        level->list = value;
    } else if (is_section(level->table, key) && value->type == YAML_MAPPING_NODE) {
        read_mapping(reader, level, value, key);
    } else if (is_section(level->table, key)) {
        config_error(&reader->report, line_of(name),
                     "%s: settings are expected below it, one a line, indented", key);
    } else {
        const char *near = nearest(level->table, key, level->list_key);
        config_error(&reader->report, line_of(name), "unknown key \"%s\"%s%s%s", key,
                     near ? ", did you mean \"" : "; config.yaml.example lists all keys", near ? near : "",
                     near ? "\"?" : "");
    }
}

static void read_mapping(struct reader *reader, struct level *level, const yaml_node_t *node,
                         const char *section)
{
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++)
        read_pair(reader, level, pair, section);
}

static void read_level(struct reader *reader, struct level *level, const yaml_node_t *node)
{
    level->seen = keep(reader, level->table->count * sizeof(*level->seen));
    set_initial(reader, level->table, level->structure);
    if (node->type != YAML_MAPPING_NODE) {
        config_error(&reader->report, line_of(node), "\"key: value\" lines are expected here");
        return;
    }
    read_mapping(reader, level, node, "");
    for (size_t i = 0; i < level->table->count; i++)
        if (!level->table->fields[i].initial && !level->seen[i])
            config_error(&reader->report, line_of(node), "%s is missing: %s", level->table->fields[i].key,
                         level->table->fields[i].what);
}

static const yaml_node_t *item_of(struct reader *reader, const yaml_node_t *list, size_t index)
{
    return yaml_document_get_node(&reader->document, list->data.sequence.items.start[index]);
}

static size_t count_of(const yaml_node_t *list)
{
    return list ? (size_t)(list->data.sequence.items.top - list->data.sequence.items.start) : 0;
}

static void read_rules(struct reader *reader, struct config_site *site, const yaml_node_t *list,
                       size_t **lines)
{
    site->rule_count = count_of(list);
    site->rules = keep(reader, (site->rule_count + 1) * sizeof(*site->rules));
    *lines = keep(reader, (site->rule_count + 1) * sizeof(**lines));
    for (size_t i = 0; i < site->rule_count; i++) {
        const yaml_node_t *node = item_of(reader, list, i);
        struct level level = {.table = &config_rule_table, .structure = &site->rules[i]};
        (*lines)[i] = line_of(node);
        read_level(reader, &level, node);
        if (site->rules[i].name && !*site->rules[i].name) {
            char *name = keep(reader, 32);
            snprintf(name, 32, "rule %zu", i + 1);
            site->rules[i].name = name;
        }
    }
}

static void read_document(struct reader *reader, struct config *config, struct config_lines *lines)
{
    const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    if (!root) {
        config_error(&reader->report, 0, "the file is empty, start from config.yaml.example");
        return;
    }
    struct level level = {.table = &config_gate_table, .structure = config, .list_key = "sites"};
    read_level(reader, &level, root);
    config->site_count = count_of(level.list);
    config->sites = keep(reader, (config->site_count + 1) * sizeof(*config->sites));
    lines->site_lines = keep(reader, (config->site_count + 1) * sizeof(*lines->site_lines));
    lines->rule_lines = keep(reader, (config->site_count + 1) * sizeof(*lines->rule_lines));
    if (config->site_count == 0)
        config_error(&reader->report, line_of(root), "sites is missing: at least one site is needed");
    for (size_t i = 0; i < config->site_count; i++) {
        const yaml_node_t *node = item_of(reader, level.list, i);
        struct level site = {
            .table = &config_site_table, .structure = &config->sites[i], .list_key = "rules"};
        lines->site_lines[i] = line_of(node);
        read_level(reader, &site, node);
        read_rules(reader, &config->sites[i], site.list, &lines->rule_lines[i]);
    }
}

static const char *folder_of(struct reader *reader, const char *path)
{
    char *full = realpath(path, NULL);
    char *folder = keep_text(reader, full ? full : ".");
    free(full);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    return folder;
}

/* False when the text is not YAML; the error is told. */
static bool parse(struct reader *reader, FILE *file)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_file(&parser, file);
    bool ok = yaml_parser_load(&parser, &reader->document) != 0;
    if (!ok)
        config_error(&reader->report, parser.problem_mark.line + 1, "not YAML: %s%s%s",
                     parser.problem ? parser.problem : "unreadable", parser.context ? ", " : "",
                     parser.context ? parser.context : "");
    yaml_parser_delete(&parser);
    return ok;
}

static void free_memory(struct memory *memory)
{
    while (memory) {
        struct memory *next = memory->next;
        free(memory);
        memory = next;
    }
}

struct config *config_load(const char *path, FILE *errors, FILE *warnings)
{
    struct reader reader = {.report = {.file = path, .errors = errors, .warnings = warnings}};
    struct config_lines lines = {NULL, NULL};
    struct loaded *loaded = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        config_error(&reader.report, 0,
                     "cannot be read: %s; copy config.yaml.example or name the file with --config",
                     strerror(errno));
        return NULL;
    }
    loaded = calloc(1, sizeof(*loaded));
    if (!loaded)
        abort();
    reader.folder = folder_of(&reader, path);
    if (parse(&reader, file)) {
        loaded->config.folder = reader.folder;
        read_document(&reader, &loaded->config, &lines);
        if (reader.report.error_count == 0)
            config_check(&loaded->config, &lines, &reader.report);
        yaml_document_delete(&reader.document);
    }
    fclose(file);
    loaded->memory = reader.memory;
    if (reader.report.error_count == 0)
        return &loaded->config;
    config_free(&loaded->config);
    return NULL;
}

struct config *config_defaults(void)
{
    struct reader reader = {.folder = "."};
    struct loaded *loaded = calloc(1, sizeof(*loaded));
    if (!loaded)
        abort();
    set_initial(&reader, &config_gate_table, &loaded->config);
    loaded->config.folder = keep_text(&reader, ".");
    loaded->memory = reader.memory;
    return &loaded->config;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    struct loaded *loaded = (struct loaded *)config;
    free_memory(loaded->memory);
    free(loaded);
}
