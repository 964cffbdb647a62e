#include "server/verify/component.h"

#define COMPONENTS_MAX 24

struct slice component_field(struct arena *arena, const struct message *message, struct slice name,
                             bool *absent)
{
    const struct message_field *field = message_field(message, name);
    *absent = field == NULL;
    if (!field)
        return (struct slice){NULL, 0};
    struct text text = text_begin(arena);
    for (const struct message_field *line = field; line; line = message_field_next(message, line)) {
        if (line != field)
            text_add(&text, SLICE(", "));
        text_add(&text, slice_trim(line->value));
    }
    return text_end(&text);
}

static enum err text_value(struct text *text, struct slice *value)
{
    *value = text_end(text);
    return value->data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

/* Section 2.1.2: the member of a dictionary field, without its key. */
static enum err member_value(struct arena *arena, struct slice field, struct slice key, struct slice *value)
{
    struct sf_list dictionary;
    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated)
        return ERR_MALFORMED_SIGNATURE;
    const struct sf_member *member = sf_find(&dictionary, key);
    if (!member)
        return ERR_MALFORMED_SIGNATURE;
    struct text text = text_begin(arena);
    sf_write_member(&text, member);
    return text_value(&text, value);
}

static enum err field_value(struct arena *arena, const struct message *message, const struct sf_member *item,
                            struct slice *value)
{
    bool absent;
    const struct sf_parameter *parameter = item->parameters;
    *value = component_field(arena, message, item->value.text, &absent);
    if (absent)
        return ERR_MALFORMED_SIGNATURE;
    if (!value->data)
        return ERR_REQUEST_TOO_LARGE;
    if (!parameter)
        return ERR_OK;
    if (parameter->next || !slice_eq(parameter->key, SLICE("key")) || parameter->value.kind != SF_STRING)
        return ERR_MALFORMED_SIGNATURE;
    return member_value(arena, *value, parameter->value.text, value);
}

/* Section 2.2, for requests. */
static enum err derived_value(struct arena *arena, const struct message *message,
                              const struct sf_member *item, struct slice *value)
{
    struct slice name = item->value.text;
    if (item->parameters)
        return ERR_MALFORMED_SIGNATURE;
    if (slice_eq(name, SLICE("@method")))
        *value = message->method;
    else if (slice_eq(name, SLICE("@authority")))
        *value = message->authority;
    else if (slice_eq(name, SLICE("@scheme")))
        *value = message->scheme;
    else if (slice_eq(name, SLICE("@request-target")))
        *value = message->target;
    else if (slice_eq(name, SLICE("@path")))
        *value = message_path(message);
    else if (slice_eq(name, SLICE("@query")))
        *value = message_query(message).len > 0 ? message_query(message) : SLICE("?");
    else if (slice_eq(name, SLICE("@target-uri"))) {
        struct text text = text_begin(arena);
        text_add(&text, message->scheme);
        text_add(&text, SLICE("://"));
        text_add(&text, message->authority);
        text_add(&text, message->target);
        return text_value(&text, value);
    } else {
        return ERR_MALFORMED_SIGNATURE;
    }
    return ERR_OK;
}

/* A field name as section 2.1 wants it: lower case tchar. */
static bool is_field_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0;
}

static bool is_ascii(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e)
            return false;
    return true;
}

/* One covered component as it stands in the base. */
struct covered {
    struct slice identifier; /* with parameters, serialised */
    struct slice value;
};

static enum err cover(struct arena *arena, const struct message *message, const struct sf_member *item,
                      struct covered *covered)
{
    enum err err;
    if (item->value.kind != SF_STRING || item->parameter_repeated)
        return ERR_MALFORMED_SIGNATURE;
    struct text text = text_begin(arena);
    sf_write_member(&text, item);
    TRY(text_value(&text, &covered->identifier));
    if (slice_starts(item->value.text, SLICE("@")))
        TRY(derived_value(arena, message, item, &covered->value));
    else if (is_field_name(item->value.text))
        TRY(field_value(arena, message, item, &covered->value));
    else
        TRY(ERR_MALFORMED_SIGNATURE);
    if (!is_ascii(covered->value))
        err = ERR_MALFORMED_SIGNATURE;
out:
    return err;
}

enum err component_base(struct arena *arena, const struct message *message, const struct sf_member *input,
                        struct slice *base)
{
    struct covered covered[COMPONENTS_MAX];
    size_t count = 0;
    enum err err = ERR_OK;
    for (const struct sf_member *item = input->items; item; item = item->next) {
        if (count == COMPONENTS_MAX)
            return ERR_MALFORMED_SIGNATURE;
        TRY(cover(arena, message, item, &covered[count]));
        for (size_t i = 0; i < count; i++)
            if (slice_eq(covered[i].identifier, covered[count].identifier))
                return ERR_MALFORMED_SIGNATURE;
        count++;
    }
    struct text text = text_begin(arena);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, covered[i].identifier);
        text_add(&text, SLICE(": "));
        text_add(&text, covered[i].value);
        text_char(&text, '\n');
    }
    text_add(&text, SLICE("\"@signature-params\": "));
    sf_write_member(&text, input);
    err = text_value(&text, base);
out:
    return err;
}
