/* A base has a line per component and no line feed in any value, so that it can be read in one way only; it
 * is read strictly all the same, since whoever has put an entry into the ledger may have written it. What
 * follows from the URL is not parsed but made again, by the code that the gate makes it with. */
#include "ledger/evidence/signed.h"

#include "ledger/base/http/agent.h"
#include "ledger/verify/component.h"
#include "ledger/verify/jws.h"

#include <assert.h>

static const struct slice parameters_line = SLICE("\"@signature-params\": ");

/* One line of the base. */
struct line {
    struct slice whole, identifier, value;
    struct sf_member item; /* the identifier, read */
};

static bool wrong(struct signed_text *text, const char *problem)
{
    assert(problem);
    text->problem = problem;
    return true;
}

/* Where the identifier ends: at the first colon outside of quotation marks; the line's length without one. */
static size_t identifier_end(struct slice line)
{
    bool quoted = false;
    for (size_t at = 0; at < line.len; at++) {
        if (quoted && line.data[at] == '\\')
            at++;
        else if (line.data[at] == '"')
            quoted = !quoted;
        else if (!quoted && line.data[at] == ':')
            return at;
    }
    return line.len;
}

static bool read_line(struct arena *arena, struct slice whole, struct line *line)
{
    size_t end = identifier_end(whole);
    if (end + 2 > whole.len || whole.data[end + 1] != ' ')
        return false;
    *line = (struct line){.whole = whole,
                          .identifier = {whole.data, end},
                          .value = {whole.data + end + 2, whole.len - end - 2}};
    assert(slice_within(line->identifier, whole) && slice_within(line->value, whole));
    return sf_parse_item(arena, line->identifier, &line->item) && line->item.value.kind == SF_STRING;
}

/* All lines but the last, which is the parameters'. The number of them, SIZE_MAX when they cannot be read. */
static size_t read_lines(struct arena *arena, struct slice bytes, struct line lines[SIGNED_LINES_MAX],
                         struct slice *parameters)
{
    size_t count = 0;
    while (!slice_starts(bytes, parameters_line)) {
        size_t end = slice_find(bytes, '\n');
        if (end == bytes.len || count == SIGNED_LINES_MAX ||
            !read_line(arena, (struct slice){bytes.data, end}, &lines[count]))
            return SIZE_MAX;
        count++;
        bytes = (struct slice){bytes.data + end + 1, bytes.len - end - 1};
    }
    *parameters = (struct slice){bytes.data + parameters_line.len, bytes.len - parameters_line.len};
    assert(count <= SIGNED_LINES_MAX);
    return slice_find(*parameters, '\n') == parameters->len ? count : SIZE_MAX;
}

/* What the parameters say is covered is what stands there, in that order: whoever has signed the bytes has
 * signed them as this message, and as no other that has the same lines in it. */
static bool covers(struct arena *arena, const struct sf_member *input, const struct line *lines, size_t count)
{
    size_t at = 0;
    for (const struct sf_member *item = input->items; item; item = item->next, at++) {
        struct text text = text_begin(arena);
        sf_write_member(&text, item);
        struct slice identifier = text_end(&text);
        if (at == count || !identifier.data || !slice_eq(identifier, lines[at].identifier))
            return false;
    }
    return at == count;
}

static const struct sf_bare *parameter_of(const struct sf_member *member, struct slice name,
                                          enum sf_kind kind)
{
    const struct sf_parameter *parameter = sf_parameter(member, name);
    return parameter && parameter->value.kind == kind ? &parameter->value : NULL;
}

static struct slice text_parameter(const struct sf_member *input, struct slice name)
{
    const struct sf_bare *value = parameter_of(input, name, SF_STRING);
    return value ? value->text : SLICE("");
}

/* Those that Web Bot Auth demands: without them nothing is known of who signed for what, and until when. */
static bool read_parameters(const struct sf_member *input, struct signed_text *text)
{
    const struct sf_bare *created = parameter_of(input, SLICE("created"), SF_INTEGER);
    const struct sf_bare *expires = parameter_of(input, SLICE("expires"), SF_INTEGER);
    text->keyid = text_parameter(input, SLICE("keyid"));
    text->alg = text_parameter(input, SLICE("alg"));
    if (!created || !expires || input->parameter_repeated ||
        !slice_eq(text_parameter(input, SLICE("tag")), SLICE("web-bot-auth")))
        return false;
    text->created_seconds = created->number;
    text->expires_seconds = expires->number;
    /* Fifteen digits: their milliseconds fit. */
    assert(text->created_seconds <= INT64_MAX / 1000 && text->expires_seconds <= INT64_MAX / 1000);
    return true;
}

/* --- the request's fields --- */

static bool add_field(struct message_field *fields, size_t *count, size_t room, struct slice name,
                      struct slice value)
{
    assert(*count <= room);
    if (*count == room || !value.data)
        return false;
    fields[(*count)++] = (struct message_field){name, value};
    return true;
}

/* The lines of the field that a component stands for: as it is, with ;sf, as a member of it or in bytes. */
static bool put_together(struct arena *arena, const struct line *line, struct message_field *fields,
                         size_t *count, size_t room)
{
    struct slice name = line->item.value.text;
    const struct sf_bare *key = parameter_of(&line->item, SLICE("key"), SF_STRING);
    struct sf_list list;
    if (key) {
        struct text text = text_begin(arena);
        text_add(&text, key->text);
        text_char(&text, '=');
        text_add(&text, line->value);
        return add_field(fields, count, room, name, text_end(&text));
    }
    if (!sf_parameter(&line->item, SLICE("bs")))
        return add_field(fields, count, room, name, line->value);
    if (!sf_parse_list(arena, line->value, &list))
        return false;
    for (const struct sf_member *member = list.first; member; member = member->next)
        if (member->value.kind != SF_BYTES || !add_field(fields, count, room, name, member->value.text))
            return false;
    return true;
}

static bool is_derived(const struct line *line)
{
    return slice_starts(line->item.value.text, SLICE("@"));
}

/* A method follows from no URL. */
static bool follows_from_url(const struct line *line)
{
    return is_derived(line) && !slice_eq(line->item.value.text, SLICE("@method"));
}

static bool read_derived(struct arena *arena, const struct line *lines, size_t count,
                         struct signed_text *text)
{
    struct sf_member **tail = &text->derived.items;
    text->derived = (struct sf_member){.value = {.kind = SF_INNER}};
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &lines[i];
        /* In absolute-form it follows from no URL of ours: it is taken over, and its end compared. */
        if (slice_eq(line->item.value.text, SLICE("@request-target")) &&
            !slice_starts(line->value, SLICE("/")))
            text->message.absolute_target = line->value;
        struct sf_member *item = follows_from_url(line) ? arena_alloc(arena, sizeof(*item)) : NULL;
        if (!item && follows_from_url(line))
            return false;
        if (!item)
            continue;
        *item = line->item;
        *tail = item;
        tail = &item->next;
    }
    struct text kept = text_begin(arena);
    for (size_t i = 0; i < count; i++) {
        if (!follows_from_url(&lines[i]))
            continue;
        text_add(&kept, lines[i].whole);
        text_char(&kept, '\n');
    }
    text->derived_lines = text_end(&kept);
    return text->derived_lines.data != NULL;
}

/* The payment's field says which id, and for which network: the whole of it, or "payment";key="id" alone. */
static bool read_payment(struct arena *arena, struct signed_text *text)
{
    bool absent;
    struct sf_list dictionary;
    struct slice field = component_field(arena, &text->message, SLICE("payment"), &absent);
    if (absent || !field.data || !sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated)
        return false;
    const struct sf_member *id = sf_find(&dictionary, SLICE("id"));
    const struct sf_member *network = sf_find(&dictionary, SLICE("network"));
    text->id = id && id->value.kind == SF_STRING ? id->value.text : SLICE("");
    text->network = network && network->value.kind == SF_STRING ? network->value.text : SLICE("");
    return true;
}

static bool read_base(struct arena *arena, struct slice bytes, struct signed_text *text)
{
    struct line *lines = arena_alloc(arena, SIGNED_LINES_MAX * sizeof(*lines));
    struct message_field *fields = arena_alloc(arena, SIGNED_LINES_MAX * sizeof(*fields));
    struct sf_list list;
    struct slice parameters;
    if (!lines || !fields)
        return false;
    size_t count = read_lines(arena, bytes, lines, &parameters);
    if (count == SIZE_MAX)
        return wrong(text, "a line of it is none of a signature base");
    if (!sf_parse_list(arena, parameters, &list) || list.count != 1 || list.first->value.kind != SF_INNER ||
        !covers(arena, list.first, lines, count))
        return wrong(text, "its parameters do not cover its lines");
    if (!read_parameters(list.first, text))
        return wrong(text, "its parameters are none of Web Bot Auth");
    text->message.fields = fields;
    for (size_t i = 0; i < count; i++)
        if (!is_derived(&lines[i]) &&
            !put_together(arena, &lines[i], fields, &text->message.field_count, SIGNED_LINES_MAX))
            return wrong(text, "a field in it cannot be read");
    if (!read_derived(arena, lines, count, text))
        return false;
    if (read_payment(arena, text))
        return true;
    text->kind = SIGNED_FIELD;
    return (dialect_pays(&text->message) && !message_field(&text->message, SLICE("payment"))) ||
           wrong(text, "no payment is signed");
}

bool signed_read(struct arena *arena, struct slice bytes, struct signed_text *text)
{
    *text = (struct signed_text){.kind = SIGNED_PAYMENT, .bytes = bytes, .amount_micros = -1};
    if (slice_starts(bytes, SLICE("\"")))
        return read_base(arena, bytes, text);
    text->kind = SIGNED_CLAIMS;
    if (jws_is_input(bytes))
        return true;
    return wrong(text, "it is of no form that is known here");
}

/* --- what it says --- */

bool signed_read_commitment(struct arena *arena, const struct dialect_place *place, struct signed_text *text)
{
    struct commitment commitment;
    assert(!text->problem);
    if (text->kind == SIGNED_PAYMENT)
        return true;
    enum err err = text->kind == SIGNED_CLAIMS ? claims_recall(arena, text->bytes, place, &commitment)
                                               : dialect_read(arena, &text->message, place, &commitment);
    /* A field is signed with a request, whoever else has signed claims inside it. */
    if (err != ERR_OK || (text->kind == SIGNED_FIELD && commitment.claims))
        return false;
    text->id = commitment.id;
    text->amount_micros = commitment.amount_micros;
    /* Claims name their network, and were compared with the place's; a price in a field names none. */
    text->network = text->kind == SIGNED_CLAIMS ? place->network : text->network;
    text->claims = commitment.claims;
    if (text->claims) {
        text->keyid = text->claims->keyid;
        text->alg = text->claims->algorithm;
        text->created_seconds = text->claims->issued;
        text->expires_seconds = text->claims->expires;
    }
    assert(text->id.len > 0 || text->amount_micros >= 0);
    return true;
}

bool signed_names_host(const struct signed_text *text)
{
    assert(!text->problem);
    for (const struct sf_member *item = text->derived.items; item; item = item->next)
        if (slice_eq(item->value.text, SLICE("@authority")) ||
            slice_eq(item->value.text, SLICE("@target-uri")))
            return true;
    return text->claims != NULL; /* its audience */
}

bool signed_split_url(struct slice url, struct message *message)
{
    size_t colon = slice_find(url, ':');
    if (colon + 3 > url.len || memcmp(url.data + colon, "://", 3) != 0)
        return false;
    struct slice rest = {url.data + colon + 3, url.len - colon - 3};
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    message->scheme = (struct slice){url.data, colon};
    message->authority = (struct slice){rest.data, end};
    message->target = (struct slice){rest.data + end, rest.len - end};
    assert(slice_within(message->authority, url) && slice_within(message->target, url));
    return end > 0;
}

bool signed_is_for(struct arena *arena, const struct signed_text *text, struct slice url)
{
    struct message message = text->message;
    struct slice made;
    assert(!text->problem && (text->kind != SIGNED_CLAIMS || text->claims));
    if (text->kind == SIGNED_CLAIMS)
        return true; /* they were recalled for a URL */
    if (!signed_split_url(url, &message) ||
        component_base(arena, &message, &text->derived, &made, NULL) != ERR_OK)
        return false;
    /* In absolute-form the whole target is the client's to write, and ends with the one that we know. */
    struct slice absolute = message.absolute_target;
    bool ends =
        absolute.len >= message.target.len &&
        slice_eq((struct slice){absolute.data + absolute.len - message.target.len, message.target.len},
                 message.target);
    return (!absolute.data || ends) && slice_starts(made, text->derived_lines);
}

/* "scheme://host": what stands behind the slashes is the host, with its port. */
bool signed_hosts_of(struct arena *arena, struct slice agent, const char *list[1], struct config_list *hosts)
{
    struct slice origin = agent_origin(agent);
    size_t host = slice_find(origin, ':') + 3;
    list[0] = NULL;
    if (host < origin.len)
        list[0] = arena_copy(arena, (struct slice){origin.data + host, origin.len - host});
    *hosts = (struct config_list){.items = list, .count = list[0] ? 1 : 0};
    return host >= origin.len || list[0];
}

bool signed_names_agent(struct arena *arena, const struct signed_text *text, struct slice agent)
{
    struct signature_agents agents;
    const char *list[1];
    struct config_list insecure;
    assert(!text->problem);
    if (text->kind == SIGNED_CLAIMS)
        return text->claims && text->claims->agent.err == ERR_OK &&
               slice_eq(text->claims->agent.account, agent_account(agent));
    if (!signed_hosts_of(arena, agent, list, &insecure) ||
        signature_agent_parse(arena, &text->message, &insecure, &agents) != ERR_OK)
        return false;
    for (const struct signature_agent *one = agents.first; one; one = one->next)
        if (one->err == ERR_OK && slice_eq(one->account, agent_account(agent)))
            return true;
    return false;
}
