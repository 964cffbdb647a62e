/* The listing that the site would publish is taken apart anew for each question: rules are few, and nobody
 * asks often. */
#include "server/facilitator/discovery.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"
#include "ledger/licence/licence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_USUAL 20
#define LIMIT_MAX   100
#define OFFSET_MAX  1000000

/* Which of the items are asked for. NULL: any. */
struct question {
    const char *type, *pay_to, *scheme, *network, *query;
    int64_t limit, offset;
};

static struct slice decode(struct arena *arena, struct slice text)
{
    char *out = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        uint8_t byte = text.data[i] == '+' ? ' ' : (uint8_t)text.data[i];
        if (byte == '%' && i + 2 < text.len && encoding_unhex((struct slice){text.data + i + 1, 2}, &byte, 1))
            i += 2;
        out[len++] = (char)byte;
    }
    if (out)
        out[len] = '\0';
    return (struct slice){out, len};
}

/* The value of a parameter, decoded; NULL: it is not there. */
static const char *parameter(struct arena *arena, const struct message *message, struct slice name)
{
    struct slice rest = message_query(message);
    while (rest.len > 0) {
        rest = (struct slice){rest.data + 1, rest.len - 1}; /* behind '?' or '&' */
        struct slice pair = {rest.data, slice_find(rest, '&')};
        size_t equals = slice_find(pair, '=');
        if (equals < pair.len && slice_eq((struct slice){pair.data, equals}, name))
            return decode(arena, (struct slice){pair.data + equals + 1, pair.len - equals - 1}).data;
        rest = (struct slice){rest.data + pair.len, rest.len - pair.len};
    }
    return NULL;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    if (!text)
        return true;
    if (*text < '0' || *text > '9' || strlen(text) > 9)
        return false;
    *number = strtoll(text, &end, 10);
    return !*end && *number >= least && *number <= most;
}

static bool read_question(struct exchange *exchange, struct slice offset, struct question *question)
{
    struct arena *arena = &exchange->arena;
    const struct message *message = &exchange->message;
    *question = (struct question){.type = parameter(arena, message, SLICE("type")),
                                  .pay_to = parameter(arena, message, SLICE("payTo")),
                                  .scheme = parameter(arena, message, SLICE("scheme")),
                                  .network = parameter(arena, message, SLICE("network")),
                                  .query = parameter(arena, message, SLICE("query")),
                                  .limit = LIMIT_USUAL};
    if (read_number(parameter(arena, message, SLICE("limit")), 1, LIMIT_MAX, &question->limit) &&
        read_number(parameter(arena, message, offset), 0, OFFSET_MAX, &question->offset))
        return true;
    answer_problem(exchange,
                   &(struct refusal){400, "malformed_request",
                                     "limit is no number from 1 to 100, or where to begin is none"});
    return false;
}

static bool is(const char *wanted, const json_t *value)
{
    return !wanted || (json_is_string(value) && strcmp(wanted, json_string_value(value)) == 0);
}

static bool has(const char *wanted, const char *text)
{
    return text && slice_contains_nocase(slice_of(text), slice_of(wanted));
}

static bool fits(const json_t *item, const char *url, const char *name, const struct question *question)
{
    const json_t *accepted = json_array_get(json_object_get(item, "accepts"), 0);
    return is(question->type, json_object_get(item, "type")) &&
           is(question->pay_to, json_object_get(accepted, "payTo")) &&
           is(question->scheme, json_object_get(accepted, "scheme")) &&
           is(question->network, json_object_get(accepted, "network")) &&
           (!question->query || has(question->query, url) || has(question->query, name));
}

/* The items that fit, from `offset` on, and how many there are in all. NULL without memory. */
static json_t *items_of(const struct config *config, const struct config_site *site,
                        const struct question *question, int64_t *total)
{
    char *text = licence_write(LICENCE_X402, site, config->offer_ttl_seconds, clock_now_ms());
    json_t *listing = text ? json_loads(text, 0, NULL) : NULL, *items = listing ? json_array() : NULL;
    size_t index;
    json_t *item;
    *total = 0;
    json_array_foreach(json_object_get(listing, "items"), index, item)
    {
        json_t *resource = json_object_get(item, "resource");
        const char *url = json_string_value(json_object_get(resource, "url"));
        const char *name = json_string_value(json_object_get(resource, "description"));
        if (!fits(item, url, name, question))
            continue;
        if (++*total > question->offset && *total <= question->offset + question->limit)
            json_array_append_new(items, json_pack("{s:s,s:O,s:i,s:O,s:O,s:{s:s}}", "resource", url, "type",
                                                   json_object_get(item, "type"), "x402Version", 2, "accepts",
                                                   json_object_get(item, "accepts"), "lastUpdated",
                                                   json_object_get(listing, "lastUpdated"), "metadata",
                                                   "description", name));
    }
    json_decref(listing);
    free(text);
    return items;
}

void discovery_list(struct exchange *exchange, const struct config *config, const struct config_site *site)
{
    struct question question;
    int64_t total;
    if (!read_question(exchange, SLICE("offset"), &question))
        return;
    json_t *items = items_of(config, site, &question, &total);
    answer_json(exchange, 200,
                json_pack("{s:i,s:o,s:{s:I,s:I,s:I}}", "x402Version", 2, "items", items, "pagination",
                          "limit", (json_int_t)question.limit, "offset", (json_int_t)question.offset, "total",
                          (json_int_t)total));
}

/* The cursor is where the next page begins; without one there is none. */
void discovery_search(struct exchange *exchange, const struct config *config, const struct config_site *site)
{
    struct question question;
    int64_t total;
    char next[24];
    if (!read_question(exchange, SLICE("cursor"), &question))
        return;
    json_t *items = items_of(config, site, &question, &total);
    bool more = total > question.offset + question.limit;
    snprintf(next, sizeof(next), "%lld", (long long)(question.offset + question.limit));
    json_t *page =
        more ? json_pack("{s:I,s:s}", "limit", (json_int_t)question.limit, "cursor", next) : json_null();
    answer_json(exchange, 200,
                json_pack("{s:i,s:o,s:o}", "x402Version", 2, "resources", items, "pagination", page));
}
