#include "tools/crawltab/gate/raw_request.h"

#include "ledger/base/text/text.h"

static struct slice take_line(struct slice *text)
{
    size_t end = slice_find(*text, '\n');
    size_t used = end < text->len ? end + 1 : end;
    struct slice line = {text->data, end > 0 && text->data[end - 1] == '\r' ? end - 1 : end};
    *text = (struct slice){text->data + used, text->len - used};
    return line;
}

static bool parse_request_line(struct slice line, struct message *message)
{
    size_t first = slice_find(line, ' ');
    struct slice rest = {line.data + first, line.len - first};
    if (first == line.len)
        return false;
    rest = (struct slice){rest.data + 1, rest.len - 1};
    size_t second = slice_find(rest, ' ');
    struct slice version = {rest.data + second, rest.len - second};
    message->method = (struct slice){line.data, first};
    message->target = (struct slice){rest.data, second};
    return first > 0 && second > 0 && slice_starts(version, SLICE(" HTTP/"));
}

/* `text` goes on behind the fields. */
static const char *parse_fields(struct arena *arena, struct slice *text, struct message *message)
{
    struct message_field *fields = arena_alloc(arena, RAW_REQUEST_FIELDS_MAX * sizeof(*fields));
    for (struct slice line; text->len > 0 && (line = take_line(text)).len > 0;) {
        if (!fields || message->field_count == RAW_REQUEST_FIELDS_MAX)
            return "the request has more fields than are looked at";
        size_t colon = slice_find(line, ':');
        if (line.data[0] == ' ' || line.data[0] == '\t')
            return "a field goes over several lines, which the gate refuses (RFC 9112, section 5.2)";
        if (colon == line.len)
            return "a line is not \"Name: value\"";
        struct slice value = {line.data + colon + 1, line.len - colon - 1};
        const char *fault = message_field_fault((struct slice){line.data, colon}, value);
        if (fault)
            return fault;
        struct slice name = arena_lower(arena, (struct slice){line.data, colon});
        if (!name.data)
            return "the request is too large";
        fields[message->field_count++] = (struct message_field){name, value};
    }
    message->fields = fields;
    return NULL;
}

static struct slice without_default_port(struct slice authority, const char *scheme)
{
    struct slice port = strcmp(scheme, "https") == 0 ? SLICE(":443") : SLICE(":80");
    if (authority.len > port.len &&
        memcmp(authority.data + authority.len - port.len, port.data, port.len) == 0)
        authority.len -= port.len;
    return authority;
}

/* The body that Content-Length announces; without it there is none. */
static const char *take_body(struct slice text, struct message *message)
{
    size_t length;
    const char *fault = message_body_length(message, text.len + 1, &length);
    if (fault)
        return fault;
    if (message_field(message, SLICE("transfer-encoding")))
        return "the body has a Transfer-Encoding: give it as it is, with Content-Length";
    if (length > text.len)
        return "the body is shorter than Content-Length says";
    message->body = (struct slice){text.data, length};
    return NULL;
}

bool raw_request_parse(struct arena *arena, struct slice text, const char *scheme, struct message *message,
                       const char **why)
{
    *message = (struct message){.scheme = slice_of(scheme)};
    *why = "the first line is not \"METHOD target HTTP/1.1\"";
    while (text.len > 0 && (text.data[0] == '\r' || text.data[0] == '\n')) /* RFC 9112 section 2.2 */
        text = (struct slice){text.data + 1, text.len - 1};
    if (text.len == 0 || !parse_request_line(take_line(&text), message))
        return false;
    *why = parse_fields(arena, &text, message);
    if (!*why)
        *why = message_take_target(arena, message);
    if (!*why)
        *why = take_body(text, message);
    if (!*why && message->authority.len == 0)
        *why = "Host is missing";
    message->authority = without_default_port(message->authority, scheme);
    return *why == NULL;
}
