/* The terms as people read and edit them: YAML, a template, and the difference of two versions. What is
 * written must come back the same when it is read: people take an agreement out, change a line, and put it
 * back. */
#include "ledger/terms/terms_table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Lower-case words stand as they are, unless YAML takes them for something else. */
static bool plain(const char *text)
{
    static const char *const taken[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
        if (strcmp(text, taken[i]) == 0)
            return false;
    return *text >= 'a' && *text <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

/* terms_check takes no control character, so that quotes are enough. */
static void write_text(FILE *out, const char *text)
{
    /* Everything that is not plainly a word is quoted: an account of digits must not become a number. */
    const char *quote = plain(text) ? "" : "\"";
    fputs(quote, out);
    for (; *text; text++)
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputs(quote, out);
}

/* On the line of its key; a list that is not in one of its own goes on in the lines below, each after
 * `indent` and a dash. */
static void write_value(FILE *out, const struct config_field *field, const void *structure, int indent)
{
    const void *member = (const char *)structure + field->offset;
    const struct config_list *list = member;
    char amount[AMOUNT_TEXT_MAX];
    assert(terms_given(field, structure));
    switch (field->kind) {
    case CONFIG_IS_TEXT:
    case CONFIG_IS_CODE:
    case CONFIG_IS_PATH:
        write_text(out, *(const char *const *)member);
        return;
    case CONFIG_IS_NUMBER:
        fprintf(out, "%" PRId64, *(const int64_t *)member);
        return;
    case CONFIG_IS_FLAG:
        fputs(*(const bool *)member ? "true" : "false", out);
        return;
    case CONFIG_IS_AMOUNT:
        fprintf(out, "\"%s\"", amount_format(*(const int64_t *)member, amount));
        return;
    case CONFIG_IS_RATE:
        fprintf(out, "\"%s\"", amount_format_percent(*(const int64_t *)member, amount));
        return;
    case CONFIG_IS_LIST:
        for (size_t i = 0; i < list->count; i++) {
            fprintf(out, "\n%*s- ", indent, "");
            write_text(out, list->items[i]);
        }
        return;
    }
}

/* The members that are given; the first one after `first`, if not NULL, which stands in place of its indent.
 */
static void write_structure(FILE *out, const struct config_table *table, const void *structure, int indent,
                            const char *first)
{
    const char *section = "";
    size_t section_len = 0;
    assert(indent >= 0);
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        const char *dot = strchr(field->key, '.');
        size_t len = dot ? (size_t)(dot - field->key) : 0;
        int depth = indent + (dot ? 2 : 0);
        if (!terms_given(field, structure))
            continue;
        if (len > 0 && (len != section_len || strncmp(section, field->key, len) != 0))
            fprintf(out, "%*s%.*s:\n", indent, "", (int)len, field->key);
        section = field->key;
        section_len = len;
        fprintf(out, "%*s%s%s:", first ? 0 : depth, "", first ? first : "", dot ? dot + 1 : field->key);
        first = NULL;
        if (field->kind != CONFIG_IS_LIST)
            fputc(' ', out);
        write_value(out, field, structure, depth + 2);
        fputc('\n', out);
    }
}

static void write_children(FILE *out, const struct config_children *children, const void *structure)
{
    size_t count = config_child_count(children, structure);
    if (count > 0)
        fprintf(out, "%s:\n", children->key);
    for (size_t i = 0; i < count; i++)
        write_structure(out, children->table, config_child(children, structure, i), 4, "  - ");
}

void terms_write(const struct terms *terms, FILE *out)
{
    write_structure(out, &terms_table, terms, 0, NULL);
    for (size_t i = 0; i < terms_table.child_count; i++)
        write_children(out, &terms_table.children[i], terms);
}

/* An example of a list of children, as comments. */
static void write_list_example(FILE *out, const struct config_children *children,
                               const struct config_sample *samples)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    fprintf(memory, "%s:\n    # %s\n", children->key, children->table->fields[0].what);
    config_write_table(memory, children->table, 4, samples, "  - ");
    fclose(memory);
    assert(size > 0 && text[size - 1] == '\n');
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        fprintf(out, "# %.*s\n", (int)strcspn(line, "\n"), line);
    free(text);
}

void terms_write_template(FILE *out)
{
    static const struct config_sample price[] = {{"rule", "articles"}, {"price", "\"0.02\""}, {NULL, NULL}};
    static const struct config_sample tier[] = {
        {"from_crawl", "10001"}, {"discount", "\"10\""}, {NULL, NULL}};
    fputs("# Terms of an agreement, for: crawltab agreement set AGENT --file FILE\n"
          "# Every key is here with its default; \"\" and [] mean that there is none.\n\n",
          out);
    config_write_table(out, &terms_table, 0, NULL, NULL);
    fputs("\n# The price list's exceptions, in order: the first that fits decides. They\n"
          "# change what a rule charges, not whether it charges.\n",
          out);
    write_list_example(out, &terms_table.children[0], price);
    fputs("\n# Discounts from a crawl of the period on, counted after the included ones.\n", out);
    write_list_example(out, &terms_table.children[1], tier);
}

/* --- Differences --- */

/* A setting as one text; "" when it is not given. The caller frees. */
static char *setting_text(const struct config_field *field, const struct terms *terms)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    if (terms_given(field, terms)) {
        fprintf(memory, field->kind == CONFIG_IS_LIST ? "%s:" : "%s: ", field->key);
        write_value(memory, field, terms, 2);
        fputc('\n', memory);
    }
    fclose(memory);
    return text;
}

static char *children_text(const struct config_children *children, const struct terms *terms)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    write_children(memory, children, terms);
    fclose(memory);
    return text;
}

static void write_side(FILE *out, char sign, const char *text)
{
    assert(!*text || text[strlen(text) - 1] == '\n'); /* or the step over it would pass the end */
    for (; *text; text += strcspn(text, "\n") + 1)
        fprintf(out, "%c %.*s\n", sign, (int)strcspn(text, "\n"), text);
}

/* Frees both. */
static size_t compare(FILE *out, char *before, char *after)
{
    /* As texts: what people see is what is compared. */
    bool differ = strcmp(before, after) != 0;
    if (differ) {
        write_side(out, '-', before);
        write_side(out, '+', after);
    }
    free(before);
    free(after);
    return differ;
}

size_t terms_write_changes(const struct terms *before, const struct terms *after, FILE *out)
{
    assert(before && after);
    size_t count = 0;
    for (size_t i = 0; i < terms_table.count; i++)
        count += compare(out, setting_text(&terms_table.fields[i], before),
                         setting_text(&terms_table.fields[i], after));
    for (size_t i = 0; i < terms_table.child_count; i++)
        count += compare(out, children_text(&terms_table.children[i], before),
                         children_text(&terms_table.children[i], after));
    return count;
}
