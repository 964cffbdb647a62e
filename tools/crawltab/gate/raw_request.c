#include "tools/crawltab/gate/raw_request.h"

#include "ledger/base/text.h"

static struct slice take_line(struct slice *text)
{
    size_t end = slice_find(*text, '\n');
    size_t used = end < text->len ? end + 1 : end;
    struct slice line = {text->data, end > 0 && text->data[end - 1] == '\r' ? end - 1 : end};
    *text = (struct slice){text->data + used, text->len - used};
    return line;
}

static bool is_token(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = slice_lower(name.data[i]);
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0;
}

static bool visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
            return false;
    return text.len > 0;
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
    return is_token(message->method) && visible(message->target) && slice_starts(version, SLICE(" HTTP/"));
}

/* RFC 9112 section 5.2: the fold and the white space around it are one space. */
static bool unfold(struct arena *arena, struct message_field *field, struct slice line)
{
    struct text text = text_begin(arena);
    text_add(&text, slice_trim(field->value));
    text_char(&text, ' ');
    text_add(&text, slice_trim(line));
    field->value = text_end(&text);
    return field->value.data != NULL;
}

/* `text` goes on behind the fields. */
static const char *parse_fields(struct arena *arena, struct slice *text, struct message *message)
{
    struct message_field *fields = arena_alloc(arena, RAW_REQUEST_FIELDS_MAX * sizeof(*fields));
    for (struct slice line; text->len > 0 && (line = take_line(text)).len > 0;) {
        if (!fields || message->field_count == RAW_REQUEST_FIELDS_MAX)
            return "the request has more fields than are looked at";
        size_t colon = slice_find(line, ':');
        if (line.data[0] == ' ' || line.data[0] == '\t') {
            if (message->field_count == 0 || !unfold(arena, &fields[message->field_count - 1], line))
                return "a folded line follows no field";
            continue;
        }
        if (colon == line.len || !is_token((struct slice){line.data, colon}))
            return "a line is not \"Name: value\"";
        if (memchr(line.data, '\0', line.len) || memchr(line.data, '\r', line.len))
            return "a field holds a NUL or a bare CR";
        struct slice name = arena_lower(arena, (struct slice){line.data, colon});
        if (!name.data)
            return "the request is too large";
        fields[message->field_count++] =
            (struct message_field){name, {line.data + colon + 1, line.len - colon - 1}};
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

static const char *set_authority(struct arena *arena, struct message *message)
{
    const struct message_field *host = message_field(message, SLICE("host"));
    struct slice authority = host ? slice_trim(host->value) : SLICE("");
    if (host && message_field_next(message, host))
        return "Host stands twice";
    if (!slice_starts(message->target, SLICE("/")) && !slice_eq(message->target, SLICE("*"))) {
        size_t colon = slice_find(message->target, ':');
        struct slice rest = {message->target.data + colon, message->target.len - colon};
        if (!slice_starts(rest, SLICE("://")))
            return "the target is neither a path nor a URL";
        message->absolute_target = message->target;
        rest = (struct slice){rest.data + 3, rest.len - 3};
        size_t slash = slice_find(rest, '/');
        authority = (struct slice){rest.data, slash};
        message->target = slash < rest.len ? (struct slice){rest.data + slash, rest.len - slash} : SLICE("/");
    }
    if (!visible(authority))
        return "Host is missing";
    message->authority = without_default_port(arena_lower(arena, authority), message->scheme.data);
    return message->authority.data ? NULL : "the request is too large";
}

/* The body that Content-Length announces (RFC 9112 section 6.3); without it there is none. */
static const char *take_body(struct slice text, struct message *message)
{
    const struct message_field *field = message_field(message, SLICE("content-length"));
    struct slice digits = field ? slice_trim(field->value) : SLICE("0");
    size_t length = 0;
    if (message_field(message, SLICE("transfer-encoding")))
        return "the body has a Transfer-Encoding: give it as it is, with Content-Length";
    if (field && message_field_next(message, field))
        return "Content-Length stands twice";
    if (digits.len == 0)
        return "Content-Length is no number";
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return "Content-Length is no number";
        if (length <= text.len) /* more digits only make it longer */
            length = length * 10 + (size_t)(digits.data[i] - '0');
    }
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
        *why = set_authority(arena, message);
    if (!*why)
        *why = take_body(text, message);
    return *why == NULL;
}
