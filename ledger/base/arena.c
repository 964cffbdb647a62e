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
    size_t align = alignof(max_align_t);
    size_t start = (arena->used + align - 1) & ~(align - 1);
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
