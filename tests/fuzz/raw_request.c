/* Raw requests, as `crawltab check-request` reads them: a request that is taken has its parts, and each field
 * a name in lower case. Input: SCHEME ARENA TEXT. */
#include "tests/fuzz/support.h"

#include "tools/crawltab/gate/raw_request.h"

static void check_message(const struct message *message)
{
    HOLDS(message->method.len > 0 && message->target.len > 0 && message->authority.data);
    HOLDS(message->field_count <= RAW_REQUEST_FIELDS_MAX);
    for (size_t i = 0; i < message->field_count; i++) {
        const struct message_field *field = &message->fields[i];
        HOLDS(field->name.len > 0);
        for (size_t j = 0; j < field->name.len; j++)
            HOLDS(field->name.data[j] == slice_lower(field->name.data[j]) && field->name.data[j] != ':' &&
                  field->name.data[j] > ' ');
        HOLDS(slice_find(field->value, '\n') == field->value.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    const char *scheme = fuzz_byte(&text) & 1 ? "http" : "https";
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct message message;
    const char *why = NULL;
    if (raw_request_parse(&small, text, scheme, &message, &why))
        check_message(&message);
    else
        HOLDS(why);
    if (raw_request_parse(&arena, text, scheme, &message, &why))
        check_message(&message);
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
