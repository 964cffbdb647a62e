#include "tests/unit/support.h"

#define FIELDS 32

struct arena *fresh_arena(void)
{
    static char memory[65536];
    static struct arena arena;
    memset(memory, 0xa5, sizeof(memory));
    arena_init(&arena, memory, sizeof(memory));
    return &arena;
}

static struct slice take_line(struct slice *text)
{
    size_t end = slice_find(*text, '\n');
    struct slice line = {text->data, end};
    size_t used = end < text->len ? end + 1 : end;
    *text = (struct slice){text->data + used, text->len - used};
    return line;
}

struct message request_of(struct arena *arena, const char *text)
{
    struct slice rest = slice_of(arena_copy(arena, slice_of(text)));
    struct slice line = take_line(&rest);
    size_t space = slice_find(line, ' ');
    struct message_field *fields = arena_alloc(arena, FIELDS * sizeof(*fields));
    struct message message = {.method = {line.data, space},
                              .scheme = SLICE("https"),
                              .target = {line.data + space + 1, line.len - space - 1},
                              .fields = fields};
    while (rest.len > 0) {
        line = take_line(&rest);
        size_t colon = slice_find(line, ':');
        assert_true(colon < line.len && message.field_count < FIELDS);
        fields[message.field_count++] =
            (struct message_field){{line.data, colon}, {line.data + colon + 1, line.len - colon - 1}};
        if (slice_eq((struct slice){line.data, colon}, SLICE("host")))
            message.authority = slice_trim((struct slice){line.data + colon + 1, line.len - colon - 1});
    }
    return message;
}

void assert_slice(struct slice got, const char *expected)
{
    assert_non_null(got.data);
    if (!slice_eq(got, slice_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", (int)got.len, got.data, expected);
}
