/* Parameters are texts and nothing else: numbers and dates are judged where they are used. Text that is no
 * UTF-8, or has a NUL, is refused here, so that nobody behind has to think of it. */
#include "server/console/base/asked.h"

#include "server/console/base/multipart.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const struct slice prefix = {"/api/v1", 7};

static void fault(struct asked *ask, unsigned status, const char *what)
{
    if (!ask->fault) {
        ask->fault = what;
        ask->status = status;
    }
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* A part of a query or a form, decoded, in the arena. NULL when it is full or the part is wrong. */
static char *decode(struct asked *ask, struct slice part, size_t *len)
{
    char *text = arena_bytes(&ask->exchange->arena, part.len + 1);
    *len = 0;
    for (size_t i = 0; text && i < part.len; i++) {
        char c = part.data[i];
        if (c == '%') {
            if (i + 2 >= part.len || digit(part.data[i + 1]) < 0 || digit(part.data[i + 2]) < 0)
                return NULL;
            c = (char)(digit(part.data[i + 1]) * 16 + digit(part.data[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        text[(*len)++] = c;
    }
    if (text)
        text[*len] = '\0';
    return text;
}

static void take_pair(struct asked *ask, struct slice pair, json_t *into)
{
    size_t at = slice_find(pair, '='), name_len, value_len;
    struct slice value = {pair.data + at + (at < pair.len), pair.len - at - (at < pair.len)};
    const char *name = decode(ask, (struct slice){pair.data, at}, &name_len);
    const char *text = decode(ask, value, &value_len);
    json_t *json = name && text && value_len <= ASKED_VALUE_MAX ? json_stringn(text, value_len) : NULL;
    if (!json || json_object_set_new(into, name, json) != 0)
        fault(ask, 400, "a parameter is longer than 16 KiB, is no UTF-8, or is not encoded as a form is");
}

static void take_form(struct asked *ask, struct slice form, json_t *into)
{
    while (form.len > 0) {
        size_t end = slice_find(form, '&');
        if (end > 0)
            take_pair(ask, (struct slice){form.data, end}, into);
        form.data += end + (end < form.len);
        form.len -= end + (end < form.len);
    }
}

/* Members that are no text become one: true, 5. */
static void take_json(struct asked *ask, struct slice body)
{
    json_error_t error;
    json_t *json = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, &error), *value;
    const char *name;
    if (!json_is_object(json))
        fault(ask, 400, "the body is no JSON object");
    json_object_foreach(json, name, value)
    {
        char number[32];
        if (json_is_integer(value)) {
            snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
            json_object_set_new(ask->given, name, json_string(number));
        } else if (json_is_boolean(value)) {
            json_object_set_new(ask->given, name, json_string(json_is_true(value) ? "true" : ""));
        } else if (json_is_string(value) && json_string_length(value) <= ASKED_VALUE_MAX) {
            json_object_set(ask->given, name, value);
        } else if (!json_is_null(value)) {
            fault(ask, 400, "a member of the body is neither a text, a whole number, true nor false");
        }
    }
    json_decref(json);
}

/* What a file is called is its own name, without the folders that some browsers send. */
static void take_file(struct asked *ask, const char *field, const struct multipart_part *part)
{
    struct slice name = part->filename;
    for (size_t i = 0; i < part->filename.len; i++)
        if (part->filename.data[i] == '/' || part->filename.data[i] == '\\')
            name = (struct slice){part->filename.data + i + 1, part->filename.len - i - 1};
    if (name.len == 0 && part->content.len == 0)
        return; /* none was chosen */
    bool text = name.len > 0 && name.len <= 255 && memchr(name.data, '\0', name.len) == NULL;
    json_t *json = text ? json_stringn(name.data, name.len) : NULL;
    if (ask->file.data)
        fault(ask, 400, "the form has more than one file");
    else if (part->content.len > ASKED_FILE_MAX)
        fault(ask, 413, "the file is larger than 1 MiB");
    else if (!json || json_object_set_new(ask->given, field, json) != 0)
        fault(ask, 400, "the file has no name, or one that is longer than 255 bytes or no UTF-8");
    else
        ask->file = part->content;
}

static void take_multipart(struct asked *ask, const char *type)
{
    struct multipart form;
    struct multipart_part part;
    bool begun = multipart_begin(&form, slice_of(type), ask->exchange->message.body);
    while (begun && !ask->fault && multipart_next(&form, &part)) {
        const struct slice value = part.content;
        bool text = value.len <= ASKED_VALUE_MAX && memchr(value.data, '\0', value.len) == NULL;
        const char *field = arena_copy(&ask->exchange->arena, part.name);
        json_t *json = text && !part.filename.data ? json_stringn(value.data, value.len) : NULL;
        if (field && part.filename.data)
            take_file(ask, field, &part);
        else if (!field || !json || json_object_set_new(ask->given, field, json) != 0)
            fault(ask, 400, "a parameter is longer than 16 KiB, or is no UTF-8");
    }
    if (!begun || (!ask->fault && !form.ended))
        fault(ask, 400, "the form is broken: its boundaries are not where RFC 7578 has them");
}

static void take_body(struct asked *ask)
{
    const struct message *message = &ask->exchange->message;
    const char *type = asked_field(ask, SLICE("content-type"));
    if (message->body.len == 0)
        return;
    if (type && strncmp(type, "application/json", 16) == 0)
        take_json(ask, message->body);
    else if (type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0)
        take_form(ask, message->body, ask->given);
    else if (type && strncmp(type, "multipart/form-data", 19) == 0)
        take_multipart(ask, type);
    else
        fault(ask, 415, "a body is application/json, or a form");
}

static bool take_end(struct slice *path, struct slice end)
{
    if (path->len <= end.len || memcmp(path->data + path->len - end.len, end.data, end.len) != 0)
        return false;
    path->len -= end.len;
    return true;
}

/* The end of the address decides, then what the client accepts; programs get JSON. */
static void take_path(struct asked *ask)
{
    struct slice path = message_path(&ask->exchange->message);
    const char *accept = asked_field(ask, SLICE("accept"));
    ask->api = slice_starts(path, prefix) && (path.len == prefix.len || path.data[prefix.len] == '/');
    if (ask->api) {
        path.data += prefix.len;
        path.len -= prefix.len;
    }
    bool as_json = take_end(&path, SLICE(".json")), as_csv = !as_json && take_end(&path, SLICE(".csv"));
    ask->stated = as_json || as_csv;
    ask->format = as_csv ? ASKED_CSV : as_json || ask->api ? ASKED_JSON : ASKED_HTML;
    if (!ask->stated && accept && strstr(accept, "text/csv"))
        ask->format = ASKED_CSV;
    else if (!ask->stated && accept && strstr(accept, "application/json") && !strstr(accept, "text/html"))
        ask->format = ASKED_JSON;
    ask->path = path.len == 0 ? "/" : arena_copy(&ask->exchange->arena, path);
}

void asked_read(struct exchange *exchange, struct asked *ask)
{
    struct slice query = message_query(&exchange->message);
    *ask = (struct asked){.exchange = exchange, .given = json_object(), .query = json_object()};
    ask->write = slice_eq(exchange->message.method, SLICE("POST"));
    take_path(ask);
    if (query.len > 0)
        take_form(ask, (struct slice){query.data + 1, query.len - 1}, ask->query);
    json_object_update(ask->given, ask->query);
    if (ask->write)
        take_body(ask);
    if (!ask->path || !ask->given || !ask->query)
        fault(ask, 431, "the request is too large");
    ask->path = ask->path ? ask->path : "/";
}

void asked_free(struct asked *ask)
{
    json_decref(ask->given);
    json_decref(ask->query);
    ask->given = ask->query = NULL;
}

const char *asked_text(const struct asked *ask, const char *name)
{
    const char *text = json_string_value(json_object_get(ask->given, name));
    return text && *text ? text : NULL;
}

const char *asked_field(const struct asked *ask, struct slice name)
{
    const struct message_field *field = message_field(&ask->exchange->message, name);
    return field ? arena_copy(&ask->exchange->arena, slice_trim(field->value)) : NULL;
}

const char *asked_cookie(const struct asked *ask, struct slice name)
{
    const struct message_field *field = message_field(&ask->exchange->message, SLICE("cookie"));
    struct slice rest = field ? field->value : SLICE("");
    while (rest.len > 0) {
        size_t end = slice_find(rest, ';');
        struct slice pair = slice_trim((struct slice){rest.data, end});
        if (pair.len > name.len && slice_starts(pair, name) && pair.data[name.len] == '=')
            return arena_copy(&ask->exchange->arena,
                              (struct slice){pair.data + name.len + 1, pair.len - name.len - 1});
        rest.data += end + (end < rest.len);
        rest.len -= end + (end < rest.len);
    }
    return NULL;
}

void asked_escape(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (isalnum(*c) || strchr("-._~", *c))
            fputc(*c, out);
        else
            fprintf(out, "%%%02X", *c);
}
