#include "ledger/base/http/message.h"

const struct message_field *message_find(const struct message_field *fields, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(fields[i].name, name))
            return &fields[i];
    return NULL;
}

const struct message_field *message_field(const struct message *message, struct slice name)
{
    return message_find(message->fields, message->field_count, name);
}

const struct message_field *message_field_next(const struct message *message,
                                               const struct message_field *after)
{
    size_t behind = (size_t)(after - message->fields) + 1;
    return message_find(after + 1, message->field_count - behind, after->name);
}

struct slice message_path(const struct message *message)
{
    size_t len = slice_find(message->target, '?');
    return len > 0 ? (struct slice){message->target.data, len} : SLICE("/");
}

struct slice message_query(const struct message *message)
{
    size_t at = slice_find(message->target, '?');
    return (struct slice){message->target.data + at, message->target.len - at};
}
