#include "ledger/bundle/json.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>

bool bundle_has(const json_t *object, const char *const *names)
{
    size_t count = 0;
    for (; names[count]; count++)
        if (!json_object_get(object, names[count]))
            return false;
    assert(count > 0);
    return json_object_size(object) == count;
}

const char *bundle_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool bundle_number(const json_t *object, const char *name, int64_t *number)
{
    const json_t *value = json_object_get(object, name);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0;
}

bool bundle_hash(const json_t *text, uint8_t hash[DIGEST_SIZE])
{
    size_t len = 0;
    struct slice base64 = slice_bytes(json_string_value(text), json_string_length(text));
    return json_is_string(text) && encoding_unbase64(base64, false, hash, DIGEST_SIZE, &len) &&
           len == DIGEST_SIZE;
}

struct slice bundle_bytes(struct arena *arena, const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    struct slice base64 = slice_bytes(json_string_value(text), json_string_length(text));
    size_t len = 0;
    char *bytes = json_is_string(text) ? arena_bytes(arena, base64.len + 1) : NULL;
    if (!bytes || !encoding_unbase64(base64, false, (uint8_t *)bytes, base64.len + 1, &len))
        return (struct slice){NULL, 0};
    assert(len <= base64.len);
    return slice_bytes(bytes, len);
}

struct slice bundle_hex(struct arena *arena, const char *text)
{
    struct slice hex = slice_of(text);
    if (!slice_starts(hex, SLICE("\\x")) || hex.len % 2 != 0)
        return (struct slice){NULL, 0};
    hex = slice_bytes(hex.data + 2, hex.len - 2);
    char *bytes = arena_bytes(arena, hex.len / 2 + 1);
    if (!bytes || !encoding_unhex(hex, (uint8_t *)bytes, hex.len / 2))
        return (struct slice){NULL, 0};
    return slice_bytes(bytes, hex.len / 2);
}

bool bundle_uuid(const char *text, uint8_t uuid[UUID_SIZE])
{
    char again[UUID_TEXT_MAX];
    return text && uuid_parse(slice_of(text), uuid) && strcmp(uuid_format(uuid, again), text) == 0;
}
