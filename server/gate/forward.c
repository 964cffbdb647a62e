#include "server/gate/forward.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/network.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/text.h"
#include "server/gate/tool.h"
#include "server/mcp/rpc.h"
#include "server/origin/origin_head.h"

#include <assert.h>

#define OWN_FIELDS_MAX 12
#define NAME_MAX_BYTES 64
#define AMOUNT_FIELD   "X-Crawltab-Amount"
#define TOLD_MS        1000 /* between two log lines about amounts that do not count */

/* CGI and its heirs make one name of "X-Crawltab-Agent" and "X_Crawltab_Agent", so both are the gate's.
 * `name` is lower case. */
static struct slice with_dashes(struct slice name, char room[NAME_MAX_BYTES])
{
    size_t len = name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES;
    for (size_t i = 0; i < len; i++)
        room[i] = name.data[i] == '_' ? '-' : name.data[i];
    return (struct slice){room, len};
}

/* What crawlers prove and pay with is for the gate; who they are, and where from, only the gate may say. */
static bool is_gates(struct slice name)
{
    static const char *const families[] = {"x-crawltab-", "payment-", "signature-", NULL};
    static const char *const names[] = {"payment",
                                        "signature",
                                        "x-payment",
                                        "crawler-exact-price",
                                        "crawler-max-price",
                                        "x-forwarded-for",
                                        "x-forwarded-proto",
                                        "x-forwarded-host",
                                        "forwarded",
                                        "host",
                                        "expect",
                                        "content-length",
                                        NULL};
    char room[NAME_MAX_BYTES];
    struct slice plain = with_dashes(name, room);
    for (size_t i = 0; families[i]; i++)
        if (slice_starts(plain, slice_of(families[i])))
            return true;
    for (size_t i = 0; names[i]; i++)
        if (slice_eq(plain, slice_of(names[i])))
            return true;
    return false;
}

struct fields {
    struct message_field *items;
    size_t count, room;
};

static void put(struct fields *fields, struct message_field field)
{
    assert(fields->count < fields->room);
    fields->items[fields->count++] = field;
}

static void add(struct fields *fields, const char *name, struct slice value)
{
    put(fields, (struct message_field){slice_of(name), value.data ? value : (struct slice){"", 0}});
}

/* Of all Connection lines: a field that any of them names is for this hop, and the next one would take it for
 * the client's. */
static struct slice connection_of(struct arena *arena, const struct message *message)
{
    struct text text = text_begin(arena);
    const struct message_field *field = message_field(message, SLICE("connection"));
    for (; field; field = message_field_next(message, field)) {
        text_add(&text, field->value);
        text_char(&text, ',');
    }
    return text_end(&text);
}

/* data is NULL when the arena is full. */
static struct slice client_text(struct arena *arena, const struct exchange_client *client)
{
    char text[NETWORK_TEXT_MAX];
    return slice_of(arena_copy(arena, slice_of(network_format(client->address, text))));
}

/* Who asks, as the gate knows it: each field always, so that nobody else's can be believed. */
static void add_identity(const struct crawl *crawl, struct fields *fields)
{
    char amount[AMOUNT_TEXT_MAX];
    struct arena *arena = &crawl->exchange->arena;
    bool proven = crawl->candidate && crawl->key.key && !crawl->decision.observed;
    struct slice none = {"", 0};
    add(fields, "X-Crawltab-Agent", proven ? crawl->candidate->agent->account : none);
    add(fields, "X-Crawltab-Payment", crawl->redeeming ? crawl->id_text : none);
    add(fields, AMOUNT_FIELD,
        crawl->redeeming
            ? slice_of(arena_copy(arena, slice_of(amount_format(crawl->id.price_micros, amount))))
            : none);
}

/* RFC 7239; an IPv6 address stands in brackets and quotes. */
static void add_client(const struct crawl *crawl, struct fields *fields)
{
    const struct message *message = &crawl->exchange->message;
    struct arena *arena = &crawl->exchange->arena;
    struct slice client = client_text(arena, &crawl->exchange->client);
    bool six = client.data && slice_find(client, ':') < client.len;
    add(fields, "X-Forwarded-For", client);
    add(fields, "X-Forwarded-Proto", message->scheme);
    add(fields, "X-Forwarded-Host", message->authority);
    add(fields, "Forwarded",
        arena_format(arena, "for=%s%.*s%s;host=\"%.*s\";proto=%.*s", six ? "\"[" : "", (int)client.len,
                     client.data ? client.data : "unknown", six ? "]\"" : "", (int)message->authority.len,
                     message->authority.data, (int)message->scheme.len, message->scheme.data));
}

/* What the client adds of its own where a request has none. */
static const struct {
    struct slice name, spelt;
} libcurls[] = {{SLICE("accept"), SLICE("Accept")},
                {SLICE("content-type"), SLICE("Content-Type")},
                {SLICE("expect"), SLICE("Expect")}};

/* What must be read on its way back is not to come in a coding. */
static bool is_unread(const struct crawl *crawl, struct slice name)
{
    return tool_reads_answer(crawl) && slice_eq(name, SLICE("accept-encoding"));
}

bool forward_request(struct crawl *crawl, struct origin_request *request)
{
    const struct message *message = &crawl->exchange->message;
    const struct config *config = crawl->gate->parts.config;
    struct arena *arena = &crawl->exchange->arena;
    struct slice connection = connection_of(arena, message);
    size_t room = message->field_count + OWN_FIELDS_MAX;
    struct fields fields = {arena_alloc(arena, room * sizeof(*fields.items)), 0, room};
    const struct message_field *host = message_field(message, SLICE("host"));
    if (!fields.items || !connection.data)
        return false;
    /* As the client wrote it: the authority is in lower case, and has lost its default port. */
    add(&fields, "Host", host ? slice_trim(host->value) : message->authority);
    add_identity(crawl, &fields);
    add_client(crawl, &fields);
    for (size_t i = 0; i < sizeof(libcurls) / sizeof(*libcurls); i++)
        if (!message_field(message, libcurls[i].name))
            put(&fields, (struct message_field){libcurls[i].spelt, {NULL, 0}});
    for (size_t i = 0; i < message->field_count; i++) {
        if (is_unread(crawl, message->fields[i].name))
            continue;
        if (!is_gates(message->fields[i].name) && !origin_head_is_hop(message->fields[i].name, connection))
            put(&fields, message->fields[i]);
    }
    *request = (struct origin_request){
        .origin = crawl->site->origin,
        .method = message->method,
        .target = message->target,
        .fields = fields.items,
        .field_count = fields.count,
        .body = message->body,
        .connect_ms = config->origin_connect_seconds * 1000,
        .head_ms = config->origin_head_seconds * 1000,
        .gap_ms = config->origin_gap_seconds * 1000,
        .attended = crawl->site->tool_count > 0 && rpc_ends_with_client(message),
    };
    return true;
}

bool forward_is_given(const struct origin_answer *answer)
{
    bool content = answer->status == 200 || answer->status == 203 || answer->status == 206;
    return content && answer->length != 0;
}

/* Usage has a price that only the site knows, and only afterwards. It can ask for less than what was signed,
 * never for more. */
int64_t forward_let_off(const struct origin_answer *answer, int64_t price_micros, const char **fault)
{
    int64_t micros = price_micros;
    size_t count = 0;
    *fault = NULL;
    for (const struct exchange_header *field = answer->fields; field; field = field->next) {
        if (!slice_eq_nocase(slice_of(field->name), SLICE(AMOUNT_FIELD)))
            continue;
        count++;
        if (!amount_parse(slice_of(field->value), &micros))
            *fault = "it is no decimal such as 0.0025";
    }
    if (!*fault && count > 1)
        *fault = "it stands more than once";
    if (!*fault && micros > price_micros)
        *fault = "it is more than the price that was offered";
    assert(*fault || (micros >= 0 && micros <= price_micros));
    return *fault ? 0 : price_micros - micros;
}

/* The amount of the entry, if the site's own server asks for less than the price. */
void forward_lower(struct crawl *crawl, const struct origin_answer *answer)
{
    const char *fault;
    struct charge *charge = &crawl->charge;
    int64_t let_off = forward_let_off(answer, crawl->id.price_micros, &fault);
    int64_t now_ms = clock_monotonic_ms();
    assert(charge->amount_micros == crawl->id.price_micros && charge->let_off_micros == 0);
    assert(let_off >= 0 && let_off <= charge->amount_micros); /* never more than was signed, nor below zero */
    charge->amount_micros -= let_off;
    charge->let_off_micros = let_off;
    if (!fault || now_ms - crawl->thread->told_ms < TOLD_MS)
        return;
    crawl->thread->told_ms = now_ms;
    LOG(WARN, "amount_refused", {"site", crawl->site->name}, {"url", crawl->url.data}, {"detail", fault},
        {"hint", "the price that was offered is charged: X-Crawltab-Amount of an answer can only lower it"});
}

/* What is paid for must not be handed to others by a cache: whatever allows that is taken out. */
static const char *private_of(struct arena *arena, struct slice value)
{
    struct text text = text_begin(arena);
    struct slice word;
    text_add(&text, SLICE("private"));
    while (message_list_next(&value, &word)) {
        if (word.len > 0 && !slice_eq_nocase(word, SLICE("public")) &&
            !slice_eq_nocase(word, SLICE("private")) &&
            !(word.len >= 9 && slice_eq_nocase((struct slice){word.data, 9}, SLICE("s-maxage=")))) {
            text_add(&text, SLICE(", "));
            text_add(&text, word);
        }
    }
    return text_end(&text).data;
}

/* Receipts and refusals are the gate's to give. */
static bool is_gates_answer(struct slice name)
{
    static const char *const names[] = {"payment-response",
                                        "payment-required",
                                        "crawler-charged",
                                        "crawler-error",
                                        "crawler-price",
                                        AMOUNT_FIELD,
                                        NULL};
    for (size_t i = 0; names[i]; i++)
        if (slice_eq_nocase(name, slice_of(names[i])))
            return true;
    return false;
}

bool forward_answer(struct crawl *crawl, struct origin_answer *answer)
{
    struct exchange *exchange = crawl->exchange;
    struct exchange_header **tail = &exchange->reply.headers;
    assert(answer->err == ERR_OK && !exchange->reply.stream && exchange->reply.fd < 0);
    bool paid = crawl->redeeming && forward_is_given(answer);
    bool cached = false;
    for (struct exchange_header *field = answer->fields; field; field = field->next) {
        if (is_gates_answer(slice_of(field->name)))
            continue;
        /* Each line by itself: one that lets caches keep it would count beside the others. */
        if (paid && slice_eq_nocase(slice_of(field->name), SLICE("cache-control"))) {
            field->value = private_of(&exchange->arena, slice_of(field->value));
            cached = true;
            if (!field->value)
                return false;
        }
        *tail = field;
        tail = &field->next;
    }
    *tail = NULL;
    if (paid && !cached && !exchange_header(exchange, "Cache-Control", "private"))
        return false;
    exchange->reply.status = answer->status;
    exchange->reply.length = answer->length;
    exchange->reply.stream = &answer->stream;
    return !crawl->tool || tool_wrap(crawl, answer);
}

void forward_whole(struct exchange *exchange)
{
    struct exchange_reply *reply = &exchange->reply;
    if (!reply->stream || !slice_eq(exchange->message.method, SLICE("GET")) || reply->status == 204 ||
        reply->status == 304)
        return;
    reply->body = origin_whole((const struct origin_answer *)(const void *)reply->stream);
}
