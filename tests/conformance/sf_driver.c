/* Runs conformance cases of structured fields (RFC 9651). One case a line on stdin:
 *
 *   TYPE TAB HEX,HEX,…      TYPE is item, list or dictionary; HEX is one line of the field, perhaps empty
 *
 * and one line for each on stdout: FAIL, or the value as JSON in the notation of the HTTP working group's
 * suite (github.com/httpwg/structured-field-tests), TAB, the canonical serialisation. Exit status 64 with a
 * message when a line is not of that form. */
#include "ledger/base/text/encoding.h"
#include "ledger/verify/sf.h"

#include <stdio.h>
#include <stdlib.h>

/* Parsing and serialising take fewer bytes than this for each byte of the field. */
#define ARENA_FACTOR 256
#define ARENA_LEAST  4096

enum type { ITEM, LIST, DICTIONARY };

static bool parse_type(struct slice name, enum type *type)
{
    if (slice_eq(name, SLICE("item")))
        *type = ITEM;
    else if (slice_eq(name, SLICE("list")))
        *type = LIST;
    else if (slice_eq(name, SLICE("dictionary")))
        *type = DICTIONARY;
    else
        return false;
    return true;
}

/* Decodes the lines and joins them with ", ". False when one is not hexadecimal. */
static bool join(struct arena *arena, struct slice lines, struct slice *field)
{
    struct text text = text_begin(arena);
    for (bool more = true; more;) {
        size_t comma = slice_find(lines, ',');
        more = comma < lines.len;
        for (size_t i = 0; i < comma; i += 2) {
            uint8_t byte;
            if (comma - i < 2 || !encoding_unhex((struct slice){lines.data + i, 2}, &byte, 1))
                return false;
            text_char(&text, (char)byte);
        }
        if (more) {
            text_add(&text, SLICE(", "));
            lines = (struct slice){lines.data + comma + 1, lines.len - comma - 1};
        }
    }
    *field = text_end(&text);
    return field->data != NULL;
}

static void put(struct slice text)
{
    fwrite(text.data, 1, text.len, stdout);
}

static void put_string(struct slice text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* RFC 4648 section 6, padded. */
static void put_base32(struct slice bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    putchar('"');
    for (size_t i = 0; i < bytes.len; i += 5) {
        size_t part = bytes.len - i < 5 ? bytes.len - i : 5;
        uint64_t group = 0;
        for (size_t k = 0; k < 5; k++)
            group = group << 8 | (k < part ? (unsigned char)bytes.data[i + k] : 0);
        for (size_t k = 0; k < 8; k++)
            putchar(k * 5 < part * 8 ? alphabet[group >> (35 - 5 * k) & 31] : '=');
    }
    putchar('"');
}

static void put_typed(const char *type)
{
    printf("{\"__type\":\"%s\",\"value\":", type);
}

static void put_number(const struct sf_bare *value)
{
    char memory[32];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    struct text text = text_begin(&arena);
    sf_write_bare(&text, value);
    put(text_end(&text));
}

static void put_bare(const struct sf_bare *value)
{
    switch (value->kind) {
    case SF_INTEGER:
    case SF_DECIMAL:
        put_number(value);
        return;
    case SF_STRING:
        put_string(value->text);
        return;
    case SF_BOOLEAN:
        put(value->number ? SLICE("true") : SLICE("false"));
        return;
    case SF_TOKEN:
        put_typed("token");
        put_string(value->text);
        break;
    case SF_BYTES:
        put_typed("binary");
        put_base32(value->text);
        break;
    case SF_DATE:
        put_typed("date");
        printf("%lld", (long long)value->number);
        break;
    case SF_DISPLAY:
        put_typed("displaystring");
        put_string(value->text);
        break;
    case SF_INNER:
        break; /* not a bare item */
    }
    putchar('}');
}

static void put_member(const struct sf_member *member);

static void put_members(const struct sf_member *first, bool keys)
{
    putchar('[');
    for (const struct sf_member *member = first; member; member = member->next) {
        if (keys) {
            putchar('[');
            put_string(member->key);
            putchar(',');
        }
        put_member(member);
        put(keys ? SLICE("]") : SLICE(""));
        put(member->next ? SLICE(",") : SLICE(""));
    }
    putchar(']');
}

/* An item or an inner list, with its parameters. */
static void put_member(const struct sf_member *member)
{
    putchar('[');
    if (member->value.kind == SF_INNER)
        put_members(member->items, false);
    else
        put_bare(&member->value);
    put(SLICE(",["));
    for (const struct sf_parameter *p = member->parameters; p; p = p->next) {
        putchar('[');
        put_string(p->key);
        putchar(',');
        put_bare(&p->value);
        put(p->next ? SLICE("],") : SLICE("]"));
    }
    put(SLICE("]]"));
}

static void print_parsed(struct arena *arena, enum type type, struct slice field)
{
    struct sf_member item;
    struct sf_list list;
    bool parsed = type == ITEM   ? sf_parse_item(arena, field, &item)
                  : type == LIST ? sf_parse_list(arena, field, &list)
                                 : sf_parse_dictionary(arena, field, &list);
    if (!parsed) {
        puts("FAIL");
        return;
    }
    struct text text = text_begin(arena);
    if (type == ITEM) {
        put_member(&item);
        sf_write_member(&text, &item);
    } else if (type == LIST) {
        put_members(list.first, false);
        sf_write_list(&text, &list);
    } else {
        put_members(list.first, true);
        sf_write_dictionary(&text, &list);
    }
    putchar('\t');
    put(text_end(&text));
    putchar('\n');
}

/* NULL, or what is wrong with the line. */
static const char *run_line(struct slice line)
{
    enum type type;
    struct arena arena;
    struct slice field;
    const char *wrong = NULL;
    size_t tab = slice_find(line, '\t');
    if (tab == line.len)
        return "there is no tab behind the type";
    if (!parse_type((struct slice){line.data, tab}, &type))
        return "the type is none of item, list, dictionary";
    size_t size = line.len * ARENA_FACTOR + ARENA_LEAST;
    void *memory = malloc(size);
    if (!memory)
        return "the line is too long for this machine";
    arena_init(&arena, memory, size);
    if (join(&arena, (struct slice){line.data + tab + 1, line.len - tab - 1}, &field))
        print_parsed(&arena, type, field);
    else
        wrong = "a field line is not hexadecimal";
    free(memory);
    return wrong;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    size_t number = 0;
    const char *wrong = NULL;
    for (ssize_t len; !wrong && (len = getline(&line, &room, stdin)) >= 0;) {
        number++;
        wrong = run_line((struct slice){line, (size_t)len - (line[len - 1] == '\n')});
        fflush(stdout);
    }
    free(line);
    if (wrong) {
        fprintf(stderr, "sf-driver: line %zu: %s\n", number, wrong);
        return 64;
    }
    return ferror(stdin) || ferror(stdout) ? 1 : 0;
}
