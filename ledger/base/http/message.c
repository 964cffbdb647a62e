#include "ledger/base/http/message.h"

#include "ledger/base/text/text.h"

#include <assert.h>

const struct message_field *message_find(const struct message_field *fields, size_t count, struct slice name)
{
    assert(fields || count == 0);
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
    assert(after >= message->fields && behind <= message->field_count);
    return message_find(after + 1, message->field_count - behind, after->name);
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = slice_lower(text.data[i]);
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.len > 0;
}

/* Visible ASCII alone, which is all that may stand in a target or an authority. */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
            return false;
    return text.len > 0;
}

bool message_list_next(struct slice *list, struct slice *member)
{
    if (list->len == 0)
        return false;
    size_t comma = slice_find(*list, ',');
    *member = slice_trim((struct slice){list->data, comma});
    comma += comma < list->len;
    *list = (struct slice){list->data + comma, list->len - comma};
    return true;
}

const char *message_field_fault(struct slice name, struct slice value)
{
    if (!is_token(name))
        return "a field's name is no token";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "a field holds a control byte";
    }
    return NULL;
}

/* scheme://authority[/path][?query]: an empty path is "/" (RFC 9110 section 4.2.3). */
static const char *take_absolute(struct arena *arena, struct message *message)
{
    struct slice rest = message->target;
    size_t colon = slice_find(rest, ':');
    rest = (struct slice){rest.data + colon, rest.len - colon};
    if (!slice_starts(rest, SLICE("://")))
        return "the target is neither a path nor a URL";
    rest = (struct slice){rest.data + 3, rest.len - 3};
    size_t slash = slice_find(rest, '/');
    size_t query = slice_find(rest, '?');
    size_t end = slash < query ? slash : query;
    message->absolute_target = message->target;
    message->authority = (struct slice){rest.data, end};
    message->target = (struct slice){rest.data + end, rest.len - end};
    if (slash <= query && end < rest.len)
        return NULL;
    struct text path = text_begin(arena);
    text_char(&path, '/');
    text_add(&path, message->target);
    message->target = text_end(&path);
    return message->target.data ? NULL : "the request is too large";
}

const char *message_take_target(struct arena *arena, struct message *message)
{
    const struct message_field *host = message_field(message, SLICE("host"));
    const char *fault = NULL;
    if (host && message_field_next(message, host))
        return "Host stands twice";
    if (!is_token(message->method))
        return "the method is no token";
    if (!is_visible(message->target))
        return "the target holds other bytes than visible ASCII";
    message->authority = host ? slice_trim(host->value) : SLICE("");
    if (!slice_starts(message->target, SLICE("/")))
        fault = take_absolute(arena, message);
    bool named = host || message->absolute_target.data;
    if (!fault && named && !is_visible(message->authority))
        fault = message->authority.len == 0 ? "Host is missing" : "Host holds other bytes than visible ASCII";
    if (fault)
        return fault;
    message->authority = arena_lower(arena, message->authority);
    return message->authority.data ? NULL : "the request is too large";
}

const char *message_body_length(const struct message *message, size_t most, size_t *length)
{
    const struct message_field *field = message_field(message, SLICE("content-length"));
    bool coded = message_field(message, SLICE("transfer-encoding")) != NULL;
    struct slice digits = field ? slice_trim(field->value) : SLICE("0");
    if (field && message_field_next(message, field))
        return "Content-Length stands twice";
    if (field && coded)
        return "Content-Length stands beside Transfer-Encoding";
    if (digits.len == 0)
        return "Content-Length is no number";
    *length = coded ? most : 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return "Content-Length is no number";
        if (*length < most) /* more digits only make it longer */
            *length = *length * 10 + (size_t)(digits.data[i] - '0');
    }
    if (*length > most)
        *length = most;
    return NULL;
}

struct slice message_path(const struct message *message)
{
    size_t len = slice_find(message->target, '?');
    return len > 0 ? (struct slice){message->target.data, len} : SLICE("/");
}

struct slice message_query(const struct message *message)
{
    size_t at = slice_find(message->target, '?');
    assert(at <= message->target.len);
    return (struct slice){message->target.data + at, message->target.len - at};
}
