/* A request is answered from one block that is reset as a whole: no free to forget, no leak to find, and a
 * bound on what one request can make the gate hold. Full is an error that every caller passes on, as 431. */
#include "ledger/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>

void arena_init(struct arena *arena, void *memory, size_t size)
{
    assert(memory || size == 0);
    *arena = (struct arena){.memory = memory, .size = size};
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(arena->used <= arena->size);
    /* By address: the block itself may begin anywhere, such as in the middle of a struct. */
    uintptr_t at = (uintptr_t)arena->memory + arena->used;
    size_t start = arena->used + (-at & (alignof(max_align_t) - 1));
    if (start > arena->size || size > arena->size - start)
        return NULL;
    arena->used = start + size;
    return memset(arena->memory + start, 0, size);
}

char *arena_bytes(struct arena *arena, size_t len)
{
    assert(arena->used <= arena->size);
    if (len > arena->size - arena->used)
        return NULL;
    char *bytes = arena->memory + arena->used;
    arena->used += len;
    return bytes;
}

char *arena_copy(struct arena *arena, struct slice text)
{
    assert(text.data || text.len == 0);
    /* At SIZE_MAX the room for the NUL would wrap round to 0, and fit. */
    char *copy = text.len < (size_t)-1 ? arena_bytes(arena, text.len + 1) : NULL;
    if (!copy)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

struct slice arena_lower(struct arena *arena, struct slice text)
{
    char *copy = arena_copy(arena, text);
    for (size_t i = 0; copy && i < text.len; i++)
        copy[i] = slice_lower(copy[i]);
    return (struct slice){copy, copy ? text.len : 0};
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    assert(arena->used <= arena->size);
    size_t room = arena->size - arena->used;
    char *start = arena->memory + arena->used;
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(start, room, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= room)
        return (struct slice){NULL, 0};
    arena->used += (size_t)len + 1;
    return (struct slice){start, (size_t)len};
}
