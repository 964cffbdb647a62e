/* Reads YAML along tables of settings, and is the only user of libyaml. What stands in the file decides no
 * more than values: which structures there are, and how deep, is the tables' alone. A mistake is told and
 * leaves the default, so that reading goes on, and no text of the file makes a second mistake of the first.
 */
#include "ledger/base/config/config_table.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Blocks that are freed together: nobody has to know which texts of a structure are its own. */
struct config_memory {
    struct config_memory *next;
    max_align_t bytes[];
};

/* One text being read. */
struct reading {
    struct config_reader *reader;
    struct config_report *report;
    yaml_document_t document;
};

void *config_keep(struct config_reader *reader, size_t size)
{
    struct config_memory *block = calloc(1, sizeof(*block) + size);
    if (!block) {
        perror("crawltab: configuration");
        abort();
    }
    block->next = reader->memory;
    reader->memory = block;
    return block->bytes;
}

char *config_keep_text(struct config_reader *reader, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(config_keep(reader, size), text, size);
}

void config_reader_free(struct config_reader *reader)
{
    while (reader->memory) {
        struct config_memory *next = reader->memory->next;
        free(reader->memory);
        reader->memory = next;
    }
    config_report_end(&reader->report);
}

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* Without spaces (also those that do not break a line), in capitals. */
static const char *code_of(struct config_reader *reader, const char *text)
{
    char *code = config_keep_text(reader, text);
    size_t len = 0;
    for (const char *c = text; *c; c++) {
        if (strncmp(c, "\xc2\xa0", 2) == 0)
            c++;
        else if (!strchr(" \t", *c))
            code[len++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    }
    code[len] = '\0';
    return code;
}

/* The text with relative paths taken from the folder of the file, and systemd's credentials from where the
 * unit has them. Without a unit theirs is a path that nothing can be made at: what needs the file says so. */
static const char *path_of(struct config_reader *reader, const char *text)
{
    static const char variable[] = "$CREDENTIALS_DIRECTORY/";
    const char *folder = reader->folder;
    if (strncmp(text, variable, strlen(variable)) == 0) {
        text += strlen(variable);
        folder = getenv("CREDENTIALS_DIRECTORY");
        folder = folder ? folder : CONFIG_NO_CREDENTIALS;
    } else if (text[0] == '/' || text[0] == '\0') {
        return config_keep_text(reader, text);
    }
    assert(folder); /* known before the first text is read */
    size_t size = strlen(folder) + strlen(text) + 2;
    char *path = config_keep(reader, size);
    int len = snprintf(path, size, "%s/%s", folder, text);
    assert(len > 0 && (size_t)len == size - 1); /* a path that was cut would be another file */
    return path;
}

static void set_number(struct reading *reading, const struct config_field *field, const char *text,
                       size_t line, int64_t *out)
{
    assert(field->min <= field->max);
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    /* strtoll stops where the number ends: "30s" is no number, and errno tells of one that does not fit. */
    if (*text == '\0' || *end != '\0' || errno != 0)
        config_error(reading->report, line, "%s: \"%s\" is not a whole number", field->key, text);
    else if (value < field->min || value > field->max)
        config_error(reading->report, line, "%s: %lld is out of range, use %" PRId64 " to %" PRId64,
                     field->key, value, field->min, field->max);
    else
        *out = value;
}

static void set_amount(struct reading *reading, const struct config_field *field, const char *text,
                       size_t line, int64_t *out)
{
    assert(field->max > 0);
    char max[AMOUNT_TEXT_MAX];
    int64_t value;
    if (!amount_parse(slice_of(text), &value))
        config_error(reading->report, line,
                     "%s: \"%s\" is not an amount, write a decimal with at most six decimals such as "
                     "\"0.0025\"",
                     field->key, text);
    else if (value > field->max)
        config_error(reading->report, line, "%s: \"%s\" is too much, at most \"%s\" fits", field->key, text,
                     amount_format(field->max, max));
    else
        *out = value;
}

/* A percentage has at most four decimals: millionths of the whole. */
static void set_rate(struct reading *reading, const struct config_field *field, const char *text, size_t line,
                     int64_t *out)
{
    int64_t micros;
    /* Read as an amount, with six decimals; the last two must be zero, or the rate would be cut silently. */
    if (!amount_parse(slice_of(text), &micros) || micros > 100 * INT64_C(1000000) || micros % 100 != 0)
        config_error(
            reading->report, line,
            "%s: \"%s\" is not a percentage, write a decimal from 0 to 100 with at most four decimals "
            "such as \"8.875\"",
            field->key, text);
    else
        *out = micros / 100;
}

static void set_scalar(struct reading *reading, const struct config_field *field, const char *text,
                       size_t line, void *target)
{
    switch (field->kind) {
    case CONFIG_IS_TEXT:
        *(const char **)target = config_keep_text(reading->reader, text);
        return;
    case CONFIG_IS_CODE:
        *(const char **)target = code_of(reading->reader, text);
        return;
    case CONFIG_IS_PATH:
        *(const char **)target = path_of(reading->reader, text);
        return;
    case CONFIG_IS_NUMBER:
        set_number(reading, field, text, line, target);
        return;
    case CONFIG_IS_FLAG:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            config_error(reading->report, line, "%s: \"%s\" is neither true nor false", field->key, text);
        *(bool *)target = strcmp(text, "true") == 0;
        return;
    case CONFIG_IS_AMOUNT:
        set_amount(reading, field, text, line, target);
        return;
    case CONFIG_IS_RATE:
        set_rate(reading, field, text, line, target);
        return;
    case CONFIG_IS_LIST:
        config_error(reading->report, line, "%s: a list is expected here, write [\"%s\"]", field->key, text);
        return;
    }
}

/* C texts end at a NUL, so a text with one inside would be cut. */
static bool is_text(struct reading *reading, const yaml_node_t *node)
{
    bool whole = node->type == YAML_SCALAR_NODE && strlen(text_of(node)) == node->data.scalar.length;
    if (node->type == YAML_SCALAR_NODE && !whole)
        config_error(reading->report, line_of(node), "a text has a NUL character in it, remove it");
    return whole;
}

static void set_list(struct reading *reading, const struct config_field *field, const yaml_node_t *node,
                     struct config_list *list)
{
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    /* One more than there are: nothing is ever of size 0, and an empty list has an address, too. */
    list->items = config_keep(reading->reader, (count + 1) * sizeof(*list->items));
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *item = yaml_document_get_node(&reading->document, node->data.sequence.items.start[i]);
        if (item->type != YAML_SCALAR_NODE)
            config_error(reading->report, line_of(item), "%s: each item must be plain text", field->key);
        else if (is_text(reading, item))
            list->items[list->count++] = config_keep_text(reading->reader, text_of(item));
    }
}

/* True for numbers that may be left out; "" says that they are. */
static bool is_optional(const struct config_field *field)
{
    bool number = field->kind == CONFIG_IS_AMOUNT || field->kind == CONFIG_IS_NUMBER;
    return (number || field->kind == CONFIG_IS_RATE) && field->initial && !*field->initial;
}

static void set_field(struct reading *reading, const struct config_field *field, const yaml_node_t *node,
                      void *structure)
{
    void *target = (char *)structure + field->offset;
    if (field->kind == CONFIG_IS_LIST && node->type == YAML_SEQUENCE_NODE)
        set_list(reading, field, node, target);
    else if (node->type != YAML_SCALAR_NODE)
        config_error(reading->report, line_of(node), "%s: a single value is expected here", field->key);
    else if (is_text(reading, node) && !(*text_of(node) == '\0' && is_optional(field)))
        set_scalar(reading, field, text_of(node), line_of(node), target);
}

const char *config_initial(const struct config_field *field, char text[CONFIG_INITIAL_MAX])
{
    assert(field->initial);
    if (field->kind != CONFIG_IS_PATH || !*field->initial)
        return field->initial;
    int len = snprintf(text, CONFIG_INITIAL_MAX, "%s/%s", places_state, field->initial);
    assert(len > 0 && len < CONFIG_INITIAL_MAX); /* of whoever builds it with other places */
    return text;
}

static void set_default(struct reading *reading, const struct config_field *field, void *structure)
{
    const size_t mistakes = reading->report->error_count;
    void *target = (char *)structure + field->offset;
    if (is_optional(field) || (!field->initial && field->kind == CONFIG_IS_AMOUNT)) {
        /* Not 0, which is a price that somebody may set. */
        *(int64_t *)target = -1;
    } else if (field->kind == CONFIG_IS_LIST) {
        struct config_list *list = target;
        list->items = config_keep(reading->reader, sizeof(*list->items));
        list->count = 0;
        if (field->initial && *field->initial)
            list->items[list->count++] = field->initial;
    } else if (field->initial) {
        char text[CONFIG_INITIAL_MAX];
        /* Line 0: no line of the file says it. */
        set_scalar(reading, field, config_initial(field, text), 0, target);
        assert(reading->report->error_count == mistakes); /* the table's own text is right */
    }
}

size_t config_child_count(const struct config_children *children, const void *structure)
{
    size_t count;
    /* Copied, and not read through a cast: the pointer's type is the structure's, which is not known here. */
    memcpy(&count, (const char *)structure + children->count, sizeof(count));
    return count;
}

void *config_child(const struct config_children *children, const void *structure, size_t index)
{
    assert(index < config_child_count(children, structure));
    char *items;
    memcpy(&items, (const char *)structure + children->items, sizeof(items));
    return items + index * children->size;
}

void config_child_make(struct config_reader *reader, const struct config_children *children, void *structure,
                       size_t count)
{
    void *items = config_keep(reader, (count + 1) * children->size);
    memcpy((char *)structure + children->items, &items, sizeof(items));
    memcpy((char *)structure + children->count, &count, sizeof(count));
}

static struct config_where *where_of(const struct config_table *table, void *structure)
{
    return (struct config_where *)((char *)structure + table->where);
}

void config_read_initial(struct config_reader *reader, const struct config_table *table, void *structure)
{
    struct reading reading = {.reader = reader, .report = &reader->report};
    /* Lines of zeros: nothing was given yet. */
    *where_of(table, structure) =
        (struct config_where){0, config_keep(reader, (table->count + 1) * sizeof(size_t))};
    for (size_t i = 0; i < table->count; i++)
        set_default(&reading, &table->fields[i], structure);
    for (size_t i = 0; i < table->child_count; i++)
        config_child_make(reader, &table->children[i], structure, 0);
}

static const char *nearest(const struct config_table *table, const char *key)
{
    const char *best = NULL;
    /* Three slips at the most: beyond that any short key is near to any other. */
    size_t best_distance = 4;
    for (size_t i = 0; i < table->count + table->child_count; i++) {
        const char *candidate =
            i < table->count ? table->fields[i].key : table->children[i - table->count].key;
        size_t d = config_distance(key, candidate);
        if (d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

static void unknown_key(struct reading *reading, const struct config_table *table, const char *key,
                        size_t line)
{
    const char *near = nearest(table, key);
    if (near)
        config_error(reading->report, line, "unknown key \"%s\", did you mean \"%s\"?", key, near);
    else
        config_error(reading->report, line, "unknown key \"%s\"; %s lists all keys", key,
                     reading->reader->lists_keys);
}

static const struct config_field *find_field(const struct config_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].key, key) == 0)
            return &table->fields[i];
    return NULL;
}

static const struct config_children *find_children(const struct config_table *table, const char *key)
{
    for (size_t i = 0; i < table->child_count; i++)
        if (strcmp(table->children[i].key, key) == 0)
            return &table->children[i];
    return NULL;
}

static bool is_empty(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0;
}

static bool is_section(const struct config_table *table, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < table->count; i++)
        if (strncmp(table->fields[i].key, key, len) == 0 && table->fields[i].key[len] == '.')
            return true;
    return false;
}

/* One level of the text: its table, and where values go. */
struct level {
    const struct config_table *table;
    void *structure;
    size_t *lines;    /* per field; 0: not seen yet */
    bool *lists_seen; /* per list of children */
};

static void read_mapping(struct reading *reading, struct level *level, const yaml_node_t *node,
                         const char *section);

static void read_children(struct reading *reading, const struct config_children *children, void *structure,
                          const yaml_node_t *node);

static void stands_twice(struct reading *reading, const char *key, size_t line)
{
    config_error(reading->report, line, "%s stands twice, remove one", key);
}

static void read_pair(struct reading *reading, struct level *level, const yaml_node_pair_t *pair,
                      const char *section)
{
    const yaml_node_t *name = yaml_document_get_node(&reading->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&reading->document, pair->value);
    size_t line = line_of(name);
    char key[160];
    if (name->type != YAML_SCALAR_NODE) {
        config_error(reading->report, line, "a key must be plain text");
        return;
    }
    /* The longest key of a table has less than half of this; what is cut is in none, and is told so. */
    snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", text_of(name));
    const struct config_field *field = find_field(level->table, key);
    const struct config_children *children = find_children(level->table, key);
    assert(!field || !children); /* a key is in one of a table's two lists */
    if (field) {
        size_t *seen = &level->lines[field - level->table->fields];
        assert((size_t)(field - level->table->fields) < level->table->count);
        if (*seen > 0)
            stands_twice(reading, key, line);
        *seen = line;
        set_field(reading, field, value, level->structure);
    } else if (children) {
        bool *seen = &level->lists_seen[children - level->table->children];
        if (*seen)
            stands_twice(reading, key, line);
        assert((size_t)(children - level->table->children) < level->table->child_count);
        *seen = true;
        read_children(reading, children, level->structure, value);
    } else if (is_section(level->table, key) && value->type == YAML_MAPPING_NODE) {
        read_mapping(reading, level, value, key);
    } else if (is_section(level->table, key) && is_empty(value)) {
        return; /* every setting below it is commented out */
    } else if (is_section(level->table, key)) {
        config_error(reading->report, line, "%s: settings are expected below it, one a line, indented", key);
    } else {
        unknown_key(reading, level->table, key, line);
    }
}

static void read_mapping(struct reading *reading, struct level *level, const yaml_node_t *node,
                         const char *section)
{
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++)
        read_pair(reading, level, pair, section);
}

static void read_level(struct reading *reading, const struct config_table *table, void *structure,
                       const yaml_node_t *node)
{
    struct level level = {.table = table, .structure = structure};
    /* Defaults first, so that what is not in the text needs no second pass. */
    config_read_initial(reading->reader, table, structure);
    level.lines = config_keep(reading->reader, (table->count + 1) * sizeof(*level.lines));
    level.lists_seen = config_keep(reading->reader, (table->child_count + 1) * sizeof(*level.lists_seen));
    *where_of(table, structure) = (struct config_where){line_of(node), level.lines};
    if (node->type != YAML_MAPPING_NODE) {
        config_error(reading->report, line_of(node), "\"key: value\" lines are expected here");
        /* Without lines of fields: whoever checks sees that there is nothing here to be judged. */
        *where_of(table, structure) = (struct config_where){line_of(node), NULL};
        return;
    }
    read_mapping(reading, &level, node, "");
    for (size_t i = 0; i < table->count; i++)
        if (!table->fields[i].initial && level.lines[i] == 0)
            config_error(reading->report, line_of(node), "%s is missing: %s", table->fields[i].key,
                         table->fields[i].what);
}

static void read_children(struct reading *reading, const struct config_children *children, void *structure,
                          const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        config_error(reading->report, line_of(node), "%s: a list is expected here, each item after a dash",
                     children->key);
        return;
    }
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    /* All at once: structures are never moved, so that pointers to them hold. */
    config_child_make(reading->reader, children, structure, count);
    for (size_t i = 0; i < count; i++)
        read_level(reading, children->table, config_child(children, structure, i),
                   yaml_document_get_node(&reading->document, node->data.sequence.items.start[i]));
}

/* True if the line of the file starts with white space that has a tab in it. */
static bool indented_by_tab(FILE *file, size_t line)
{
    bool start = true, tab = false;
    size_t at = 1;
    /* From the file once more, as libyaml keeps no text. It is read only after a mistake. */
    if (!file || fseek(file, 0, SEEK_SET) != 0)
        return false;
    for (int c; at <= line && (c = fgetc(file)) != EOF;) {
        if (at == line && start && c == '\t')
            tab = true;
        start = start && (c == ' ' || c == '\t');
        if (c == '\n') {
            at++;
            start = true;
        }
    }
    return tab;
}

/* What is meant by some of libyaml's sentences. NULL: it says enough. */
static const char *meaning_of(const yaml_parser_t *parser)
{
    static const char *const meanings[][2] = {
        {"did not find expected '-' indicator",
         "this line is not indented like the lines above it; items of a list start in one column"},
        {"did not find expected key",
         "this line is not indented like the lines above it; keys of one level start in one column"},
        {"could not find expected ':'", "a colon is missing after a key, or a line is not indented"},
        {"mapping values are not allowed in this context",
         "it is indented deeper than the line above, or has a second colon; quote a text with a colon"},
        {"found unexpected end of stream", "a quote that was opened is not closed"},
    };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (parser->problem && strcmp(parser->problem, meanings[i][0]) == 0)
            return meanings[i][1];
    return NULL;
}

/* False when the text is not YAML; the error is told. Ends the parser. `file` is what it reads, or NULL. */
static bool load(struct reading *reading, yaml_parser_t *parser, FILE *file)
{
    bool ok = yaml_parser_load(parser, &reading->document) != 0;
    /* libyaml counts from 0, and people from 1. */
    size_t line = parser->problem_mark.line + 1;
    const char *meaning = meaning_of(parser);
    if (!ok && indented_by_tab(file, line))
        config_error(reading->report, line,
                     "not YAML: the line is indented by a tab, put spaces in its place");
    else if (!ok && meaning)
        config_error(reading->report, line, "not YAML: %s (%s)", meaning, parser->problem);
    else if (!ok)
        config_error(reading->report, line, "not YAML: %s%s%s",
                     parser->problem ? parser->problem : "unreadable", parser->context ? ", " : "",
                     parser->context ? parser->context : "");
    yaml_parser_delete(parser);
    assert(ok || reading->report->error_count > 0);
    return ok;
}

void config_read_fill(const struct config_table *table, void *structure)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        const char **text = (const char **)((char *)structure + field->offset);
        bool is_text =
            field->kind == CONFIG_IS_TEXT || field->kind == CONFIG_IS_CODE || field->kind == CONFIG_IS_PATH;
        if (is_text && !*text)
            *text = "";
    }
}

bool config_read(struct config_reader *reader, const struct config_table *table, void *structure, FILE *file)
{
    assert(!reader->report.checking);
    struct reading reading = {.reader = reader, .report = &reader->report};
    yaml_parser_t parser;
    config_read_initial(reader, table, structure);
    /* For want of memory alone. */
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_file(&parser, file);
    if (!load(&reading, &parser, file))
        return false;
    const yaml_node_t *root = yaml_document_get_root_node(&reading.document);
    if (root)
        read_level(&reading, table, structure, root);
    else
        config_error(&reader->report, 0, "the file is empty, start from %s", reader->lists_keys);
    bool ok = root && root->type == YAML_MAPPING_NODE;
    assert(ok || reader->report.error_count > 0); /* or nobody would hear of it */
    yaml_document_delete(&reading.document);
    return ok;
}

/* The text of a list is YAML on its own. */
static void read_list_text(struct reading *reading, const struct config_table *table, void *structure,
                           const char *key, const char *text)
{
    assert(find_field(table, key) || find_children(table, key));
    const struct config_children *children = find_children(table, key);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    if (!load(reading, &parser, NULL))
        return;
    const yaml_node_t *root = yaml_document_get_root_node(&reading->document);
    if (!root)
        config_error(reading->report, 0, "%s: a list is expected here", key);
    else if (children)
        read_children(reading, children, structure, root);
    else
        set_field(reading, find_field(table, key), root, structure);
    yaml_document_delete(&reading->document);
}

void config_read_key(struct config_reader *reader, const struct config_table *table, void *structure,
                     const char *key, const char *text)
{
    struct reading reading = {.reader = reader, .report = &reader->report};
    const struct config_field *field = find_field(table, key);
    const struct config_children *children = find_children(table, key);
    if (!field && !children)
        unknown_key(&reading, table, key, 0);
    else if (!*text && children)
        config_child_make(reader, children, structure, 0);
    else if (!*text)
        set_default(&reading, field, structure);
    else if (children || field->kind == CONFIG_IS_LIST)
        read_list_text(&reading, table, structure, key, text);
    else
        /* Not as YAML: a shell has taken the quotes away already, and "no" or "1:30" would be something else.
         */
        set_scalar(&reading, field, text, 0, (char *)structure + field->offset);
}
