/* The base is built from the message as it came, from nothing that was normalised for other purposes: a
 * signature is over bytes. What is not known is an error and never left out, since a component that is not
 * looked at is one that is not protected. */
#include "ledger/verify/component.h"

#include "ledger/verify/query_param.h"

#include <assert.h>

#define COMPONENTS_MAX 24

/* The message that a base is built for. */
struct context {
    struct arena *arena;
    const struct message *request;           /* NULL when a response's is not known */
    const struct message_response *response; /* NULL for a request */
    struct fault *fault;                     /* where it is told what is wrong with a component, or NULL */
};

/* One covered component: what it names, and what stands in the base for it. */
struct covered {
    struct slice component; /* field name, or "@…" */
    bool sf, bs, req;
    struct slice key;        /* of a dictionary's member; data is NULL without */
    struct slice name;       /* of a query parameter; data is NULL without */
    struct slice identifier; /* with its parameters as they were sent */
    struct slice value;
};

static enum err wrong(const struct context *context, const char *why, struct slice text)
{
    assert(why);
    if (context->fault)
        *context->fault = (struct fault){why, text};
    return ERR_MALFORMED_SIGNATURE;
}

/* The lines of one field. */
struct lines {
    const struct message_field *first; /* NULL: the field is absent */
    const struct message_field *end;   /* behind all fields of the message */
};

static struct lines lines_of(const struct message_field *fields, size_t count, struct slice name)
{
    return (struct lines){message_find(fields, count, name), fields + count};
}

static const struct message_field *next_line(struct lines lines, const struct message_field *line)
{
    assert(lines.first && line < lines.end);
    return message_find(line + 1, (size_t)(lines.end - line) - 1, lines.first->name);
}

/* Position of the first obs-fold, CR LF with white space behind it; *behind is where the line goes on. The
 * line's length when there is none. */
static size_t find_fold(struct slice line, size_t *behind)
{
    for (size_t at = 0; at + 2 < line.len; at++) {
        if (line.data[at] != '\r' || line.data[at + 1] != '\n')
            continue;
        *behind = at + 2;
        while (*behind < line.len && (line.data[*behind] == ' ' || line.data[*behind] == '\t'))
            ++*behind;
        if (*behind > at + 2)
            return at;
    }
    *behind = line.len;
    return line.len;
}

/* A line without white space around it; each obs-fold in it, with the white space before it, becomes one
 * space (section 2.1). */
static void add_line(struct text *text, struct slice line)
{
    /* Folds are obsolete (RFC 9112 section 5.2) and come all the same; section 2.1 says what a signer had in
     * mind. */
    for (bool first = true; first || line.len > 0;) {
        size_t behind;
        size_t fold = find_fold(line, &behind);
        assert(fold <= behind && behind <= line.len);
        struct slice part = slice_trim((struct slice){line.data, fold});
        if (!first && part.len > 0)
            text_char(text, ' ');
        text_add(text, part);
        first = first && part.len == 0 && behind < line.len;
        line = (struct slice){line.data + behind, line.len - behind};
    }
}

static struct slice join_lines(struct arena *arena, struct lines lines)
{
    assert(lines.first);
    const struct message_field *more = next_line(lines, lines.first);
    struct slice only = slice_trim(lines.first->value);
    if (!more && only.data && slice_find(only, '\r') == only.len)
        return only;
    struct text text = text_begin(arena);
    add_line(&text, lines.first->value);
    for (; more; more = next_line(lines, more)) {
        text_add(&text, SLICE(", "));
        add_line(&text, more->value);
    }
    return text_end(&text);
}

struct slice component_field(struct arena *arena, const struct message *message, struct slice name,
                             bool *absent)
{
    struct lines lines = lines_of(message->fields, message->field_count, name);
    *absent = lines.first == NULL;
    return lines.first ? join_lines(arena, lines) : (struct slice){NULL, 0};
}

static enum err text_value(struct text *text, struct slice *value)
{
    *value = text_end(text);
    return value->data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

/* Section 2.1.3: every line as a Byte Sequence of its own. */
static enum err bytes_value(struct arena *arena, struct lines lines, struct slice *value)
{
    assert(lines.first);
    struct sf_list list = {.first = NULL};
    struct sf_member **tail = &list.first;
    for (const struct message_field *line = lines.first; line; line = next_line(lines, line)) {
        struct sf_member *member = arena_alloc(arena, sizeof(*member));
        if (!member)
            return ERR_REQUEST_TOO_LARGE;
        struct text text = text_begin(arena);
        add_line(&text, line->value);
        member->value = (struct sf_bare){.kind = SF_BYTES, .text = text_end(&text)};
        if (!member->value.text.data)
            return ERR_REQUEST_TOO_LARGE;
        *tail = member;
        tail = &member->next;
    }
    struct text text = text_begin(arena);
    sf_write_list(&text, &list);
    return text_value(&text, value);
}

/* Section 2.1.2: the member of a dictionary field, without its key. */
static enum err member_value(const struct context *context, struct slice field, struct covered *covered)
{
    assert(covered->key.data);
    struct sf_list dictionary;
    if (!sf_parse_dictionary(context->arena, field, &dictionary))
        return wrong(context, "a member is covered of a field that is no dictionary", covered->component);
    if (dictionary.key_repeated)
        return wrong(context, "a member is covered of a field in which one stands twice", covered->component);
    const struct sf_member *member = sf_find(&dictionary, covered->key);
    if (!member)
        return wrong(context, "the field does not have the covered member", covered->key);
    struct text text = text_begin(context->arena);
    sf_write_member(&text, member);
    return text_value(&text, &covered->value);
}

enum field_type { FIELD_UNKNOWN, FIELD_ITEM, FIELD_LIST, FIELD_DICTIONARY };

/* The fields that are structured by their own specification: RFC 9421, 9530, 9440, 9218, 9211, 9209, 9213,
 * Web Bot Auth, and the Payment fields of pay-per-crawl. */
static enum field_type type_of(struct slice name)
{
    static const struct {
        const char *name;
        enum field_type type;
    } known[] = {
        {"payment", FIELD_DICTIONARY},         {"signature-agent", FIELD_DICTIONARY},
        {"signature-input", FIELD_DICTIONARY}, {"signature", FIELD_DICTIONARY},
        {"content-digest", FIELD_DICTIONARY},  {"accept-signature", FIELD_DICTIONARY},
        {"repr-digest", FIELD_DICTIONARY},     {"want-content-digest", FIELD_DICTIONARY},
        {"priority", FIELD_DICTIONARY},        {"want-repr-digest", FIELD_DICTIONARY},
        {"client-cert", FIELD_ITEM},           {"payment-response", FIELD_DICTIONARY},
        {"client-cert-chain", FIELD_LIST},     {"cdn-cache-control", FIELD_DICTIONARY},
        {"cache-status", FIELD_LIST},          {"proxy-status", FIELD_LIST},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_eq(name, slice_of(known[i].name)))
            return known[i].type;
    return FIELD_UNKNOWN;
}

/* Section 2.1.1: the whole field, serialised strictly. */
static enum err strict_value(const struct context *context, struct slice field, struct covered *covered)
{
    assert(covered->sf && !covered->key.data);
    struct sf_member item;
    struct sf_list list;
    struct arena *arena = context->arena;
    enum field_type type = type_of(covered->component);
    /* Signature-Agent was an item before it was a dictionary, and is one from most signers. */
    if (slice_eq(covered->component, SLICE("signature-agent")) && slice_starts(field, SLICE("\"")))
        type = FIELD_ITEM;
    if (type == FIELD_UNKNOWN)
        return wrong(context, "with ;sf the type of the field must be known, and it is not",
                     covered->component);
    bool ok = type == FIELD_ITEM   ? sf_parse_item(arena, field, &item)
              : type == FIELD_LIST ? sf_parse_list(arena, field, &list)
                                   : sf_parse_dictionary(arena, field, &list) && !list.key_repeated;
    if (!ok)
        return wrong(context, "with ;sf the field must parse as its type, and does not", covered->component);
    struct text text = text_begin(arena);
    if (type == FIELD_ITEM)
        sf_write_member(&text, &item);
    else if (type == FIELD_LIST)
        sf_write_list(&text, &list);
    else
        sf_write_dictionary(&text, &list);
    return text_value(&text, &covered->value);
}

static enum err field_value(const struct context *context, struct covered *covered)
{
    assert(context->request || (context->response && !covered->req));
    bool own = context->response && !covered->req;
    struct lines lines =
        own ? lines_of(context->response->fields, context->response->field_count, covered->component)
            : lines_of(context->request->fields, context->request->field_count, covered->component);
    if (!lines.first)
        return wrong(context, "the field is not there", covered->component);
    if (covered->name.data)
        return wrong(context, "a field has no parameter ;name", covered->component);
    if (covered->sf && covered->key.data && type_of(covered->component) != FIELD_DICTIONARY)
        return wrong(context, "with ;sf and ;key the field must be known as a dictionary, and is not",
                     covered->component);
    if (covered->bs)
        return bytes_value(context->arena, lines, &covered->value);
    struct slice field = join_lines(context->arena, lines);
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    if (covered->key.data)
        return member_value(context, field, covered);
    if (covered->sf)
        return strict_value(context, field, covered);
    covered->value = field;
    return ERR_OK;
}

static enum err query_param(const struct context *context, struct covered *covered)
{
    const char *why = NULL;
    struct slice query = message_query(context->request);
    if (!covered->name.data)
        return wrong(context, "@query-param has no ;name", covered->component);
    query = query.len > 0 ? (struct slice){query.data + 1, query.len - 1} : query;
    enum err err = query_param_value(context->arena, query, covered->name, &covered->value, &why);
    return why ? wrong(context, why, covered->name) : err;
}

static enum err target_uri(struct arena *arena, const struct message *message, struct slice *value)
{
    struct text text = text_begin(arena);
    text_add(&text, message->scheme);
    text_add(&text, SLICE("://"));
    text_add(&text, message->authority);
    text_add(&text, message_path(message));
    text_add(&text, message_query(message));
    return text_value(&text, value);
}

/* Section 2.2, of a request. */
static enum err request_value(const struct context *context, struct covered *covered)
{
    assert(context->request);
    const struct message *message = context->request;
    struct slice component = covered->component;
    struct slice query = message_query(message);
    if (slice_eq(component, SLICE("@query-param")))
        return query_param(context, covered);
    if (covered->name.data)
        return wrong(context, "only @query-param has a parameter ;name", component);
    if (slice_eq(component, SLICE("@target-uri")))
        return target_uri(context->arena, message, &covered->value);
    if (slice_eq(component, SLICE("@method")))
        covered->value = message->method;
    else if (slice_eq(component, SLICE("@authority")))
        covered->value = message->authority;
    else if (slice_eq(component, SLICE("@scheme")))
        covered->value = message->scheme;
    else if (slice_eq(component, SLICE("@request-target")))
        covered->value = message->absolute_target.data ? message->absolute_target : message->target;
    else if (slice_eq(component, SLICE("@path")))
        covered->value = message_path(message);
    else if (slice_eq(component, SLICE("@query")))
        covered->value = query.len > 0 ? query : SLICE("?");
    else if (slice_eq(component, SLICE("@status")))
        return wrong(context, "a request has no status", component);
    else
        return wrong(context, "there is no such component", component);
    return ERR_OK;
}

static enum err derived_value(const struct context *context, struct covered *covered)
{
    assert(covered->component.len > 0 && covered->component.data[0] == '@');
    if (covered->sf || covered->bs || covered->key.data)
        return wrong(context, "the parameters ;sf, ;bs and ;key are for fields", covered->component);
    if (!context->response || covered->req)
        return request_value(context, covered);
    unsigned status = context->response->status;
    if (!slice_eq(covered->component, SLICE("@status")) || covered->name.data || status < 100 || status > 999)
        return wrong(context, "a response has no such component without ;req", covered->component);
    covered->value = arena_format(context->arena, "%u", status);
    return covered->value.data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

/* A field name as section 2.1 wants it: lower case tchar. */
static bool is_field_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool common = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!common && !memchr("!#$%&'*+.^_`|~", c, 14))
            return false;
    }
    return name.len > 0;
}

/* Section 2.5: no control characters and nothing but ASCII; inside a field's value a tab may stand. */
static bool may_stand_in_base(struct slice value, bool field)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.data[i] < 0x20 && !(field && value.data[i] == '\t')) || value.data[i] > 0x7e)
            return false;
    return true;
}

/* The parameters of one component. Unknown ones and those of a wrong type are errors, and so is `;tr`: a
 * request that is paid for has no trailers. */
static enum err read_parameters(const struct context *context, const struct sf_member *item,
                                struct covered *covered)
{
    for (const struct sf_parameter *p = item->parameters; p; p = p->next) {
        bool flag = p->value.kind == SF_BOOLEAN && p->value.number;
        bool string = p->value.kind == SF_STRING;
        if (flag && slice_eq(p->key, SLICE("sf")))
            covered->sf = true;
        else if (flag && slice_eq(p->key, SLICE("bs")))
            covered->bs = true;
        else if (flag && slice_eq(p->key, SLICE("req")))
            covered->req = true;
        else if (string && slice_eq(p->key, SLICE("key")))
            covered->key = p->value.text;
        else if (string && slice_eq(p->key, SLICE("name")))
            covered->name = p->value.text;
        else
            return wrong(context, "a component's parameter is not known, or not of its type", p->key);
    }
    if (item->parameter_repeated)
        return wrong(context, "a component has a parameter twice", covered->component);
    if (covered->bs && (covered->sf || covered->key.data))
        return wrong(context, "the parameter ;bs excludes ;sf and ;key", covered->component);
    if (covered->req && !(context->response && context->request))
        return wrong(context, "the parameter ;req is for responses", covered->component);
    return ERR_OK;
}

static enum err cover(const struct context *context, const struct sf_member *item, struct covered *covered)
{
    enum err err;
    *covered = (struct covered){.component = item->value.text};
    bool field = !slice_starts(covered->component, SLICE("@"));
    if (item->value.kind != SF_STRING)
        return wrong(context, "a component is no string in double quotes", SLICE(""));
    TRY(read_parameters(context, item, covered));
    if (field && !is_field_name(covered->component))
        return wrong(context, "this is no name of a field, in lower case", covered->component);
    TRY(field ? field_value(context, covered) : derived_value(context, covered));
    struct text text = text_begin(context->arena);
    sf_write_member(&text, item);
    TRY(text_value(&text, &covered->identifier));
    if (!may_stand_in_base(covered->value, field))
        return wrong(context, "its value has control characters, or others than ASCII", covered->component);
out:
    return err;
}

static bool same_text(struct slice a, struct slice b)
{
    return a.data && b.data ? slice_eq(a, b) : !a.data && !b.data;
}

/* Section 2: the order of the parameters makes no difference. */
static bool same(const struct covered *a, const struct covered *b)
{
    return slice_eq(a->component, b->component) && a->sf == b->sf && a->bs == b->bs && a->req == b->req &&
           same_text(a->key, b->key) && same_text(a->name, b->name);
}

static enum err build(const struct context *context, const struct sf_member *input, struct slice *base)
{
    struct covered covered[COMPONENTS_MAX];
    size_t count = 0;
    enum err err = ERR_OK;
    for (const struct sf_member *item = input->items; item; item = item->next) {
        if (count == COMPONENTS_MAX)
            return wrong(context, "more components are covered than are looked at", item->value.text);
        TRY(cover(context, item, &covered[count]));
        assert(covered[count].identifier.data);
        for (size_t i = 0; i < count; i++)
            if (same(&covered[i], &covered[count]))
                return wrong(context, "a component is covered twice", covered[count].component);
        count++;
    }
    /* In the order in which the signer has named them, and each as he has written it: the base is compared
     * byte by byte, and what is written in another way is another signature (section 2.5). */
    struct text text = text_begin(context->arena);
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

enum err component_base(struct arena *arena, const struct message *message, const struct sf_member *input,
                        struct slice *base, struct fault *fault)
{
    return build(&(struct context){arena, message, NULL, fault}, input, base);
}

enum err component_response_base(struct arena *arena, const struct message_response *response,
                                 const struct sf_member *input, struct slice *base)
{
    return build(&(struct context){arena, response->request, response, NULL}, input, base);
}
