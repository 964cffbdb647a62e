#include "ledger/base/message.h"

static const struct message_field *find(const struct message *message, const struct message_field *from,
                                        struct slice name)
{
    const struct message_field *end = message->fields + message->field_count;
    for (const struct message_field *field = from; field < end; field++)
        if (slice_eq(field->name, name))
            return field;
    return NULL;
}

const struct message_field *message_field(const struct message *message, struct slice name)
{
    return message->field_count > 0 ? find(message, message->fields, name) : NULL;
}

const struct message_field *message_field_next(const struct message *message,
                                               const struct message_field *after)
{
    return find(message, after + 1, after->name);
}

struct slice message_path(const struct message *message)
{
    return (struct slice){message->target.data, slice_find(message->target, '?')};
}

struct slice message_query(const struct message *message)
{
    size_t at = slice_find(message->target, '?');
    return (struct slice){message->target.data + at, message->target.len - at};
}
