#include "tests/fuzz/support.h"

uint8_t fuzz_byte(struct slice *input)
{
    if (input->len == 0)
        return 0;
    uint8_t byte = (uint8_t)*input->data;
    *input = (struct slice){input->data + 1, input->len - 1};
    return byte;
}

struct slice fuzz_line(struct slice *input)
{
    size_t end = slice_find(*input, '\n');
    struct slice line = {input->data, end};
    size_t used = end < input->len ? end + 1 : end;
    *input = (struct slice){input->data + used, input->len - used};
    return line;
}

/* Large blocks are kept: a fresh megabyte per input would be most of the work. */
static char *spare[4];
#define SPARES (sizeof(spare) / sizeof(*spare))

static char *block(size_t size)
{
    for (size_t i = 0; size == FUZZ_ARENA_PLENTY && i < SPARES; i++) {
        char *memory = spare[i];
        spare[i] = NULL;
        if (memory)
            return memory;
    }
    return malloc(size > 0 ? size : 1);
}

struct arena fuzz_arena(size_t size)
{
    struct arena arena;
    char *memory = block(size);
    HOLDS(memory);
    memset(memory, 0xa5, size > 4096 ? 4096 : size);
    arena_init(&arena, memory, size);
    return arena;
}

void fuzz_arena_free(struct arena *arena)
{
    HOLDS(arena->used <= arena->size);
    for (size_t i = 0; arena->size == FUZZ_ARENA_PLENTY && i < SPARES; i++) {
        if (!spare[i]) {
            spare[i] = arena->memory;
            return;
        }
    }
    free(arena->memory);
}

size_t fuzz_arena_size(uint8_t byte)
{
    return byte < 128 ? (size_t)byte * byte : FUZZ_ARENA_PLENTY;
}

/* Lower case, as the HTTP layer hands names over. */
static struct slice lower(struct arena *arena, struct slice name)
{
    char *copy = arena_copy(arena, name);
    HOLDS(copy);
    for (size_t i = 0; i < name.len; i++)
        copy[i] = slice_lower(copy[i]);
    return (struct slice){copy, name.len};
}

struct message fuzz_request(struct arena *arena, struct slice input)
{
    struct message_field *fields = arena_alloc(arena, FUZZ_FIELDS * sizeof(*fields));
    HOLDS(fields);
    struct message message = {.method = SLICE("GET"),
                              .scheme = SLICE("https"),
                              .authority = SLICE("a.example"),
                              .target = fuzz_line(&input),
                              .fields = fields};
    if (message.target.len == 0 || message.target.data[0] != '/')
        message.target = SLICE("/page?a=1&b=2");
    while (input.len > 0 && message.field_count < FUZZ_FIELDS) {
        struct slice line = fuzz_line(&input);
        size_t colon = slice_find(line, ':');
        if (colon == 0 || colon == line.len)
            continue;
        fields[message.field_count++] =
            (struct message_field){lower(arena, (struct slice){line.data, colon}),
                                   slice_trim((struct slice){line.data + colon + 1, line.len - colon - 1})};
    }
    return message;
}
