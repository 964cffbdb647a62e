/* Whole requests through the gate, from the raw text to the reply, with nothing real around it. In the text
 * "{id}" stands for a payment id that was offered for this URL at this price, and "{sig}" for a signature
 * over the base of the first member of Signature-Input, so that mutations go past the first checks.
 *
 * Nothing is charged but for a 200 with a receipt, and nothing where neither id nor signature were given; no
 * account is read without a signature.
 * Input: WORLD TEXT; the bits of WORLD are in take_through(). */
#include "tests/fuzz/gate_world.h"
#include "tests/fuzz/support.h"

#include "ledger/base/text/encoding.h"
#include "server/gate/gate.h"
#include "ledger/verify/component.h"
#include "tools/crawltab/gate/raw_request.h"

#include <jansson.h>
#include <unistd.h>

#define ARENA_SIZE 32768 /* the HTTP layer's */

static struct gate *gate;
static struct exchange_handler handler;
static void *thread;
static bool resumed;

static const char yaml[] =
    "offer: {key_file: offer.key}\n"
    "identity: {key_file: identity.key}\n"
    "log_level: error\n"
    "account: {requests_per_minute: 100000}\n"
    "sites:\n"
    "  - name: example\n"
    "    hosts: [shop.example, www.shop.example]\n"
    "    root: site\n"
    "    network: \"example:402\"\n"
    "    terms_url: https://shop.example/terms\n"
    "    rules:\n"
    "      - {name: friends, paths: [/friends/**], agents: [\"https://crawler.example\"],"
    " action: allow}\n"
    "      - {name: drafts, paths: [/drafts/**], action: block}\n"
    "      - {name: articles, paths: [/articles/**], action: charge, price: 0.05}\n"
    "      - {name: rest, action: charge, price: 0.0025}\n";

static void start(void)
{
    world_start(yaml);
    gate = gate_new(&(struct gate_parts){
        .config = world.config, .nonces = nonces_new(64), .reader = (struct reader *)(void *)&world});
    HOLDS(gate);
    handler = gate_handler(gate);
    thread = handler.thread_start(handler.context);
    HOLDS(thread);
}

/* An id for the request's own URL, at the price of its path. */
static struct slice mint(struct arena *arena, const struct message *message)
{
    int64_t price = slice_starts(message->target, SLICE("/articles/")) ? 50000 : 2500;
    return world_id(arena, message->authority, message->target, price, WORLD_NOW * 1000LL);
}

/* A signature over the first member of Signature-Input, in base64. data is NULL when there is no base. */
static struct slice sign(struct arena *arena, const struct message *message)
{
    bool absent;
    struct sf_list inputs;
    struct slice base;
    uint8_t raw[SIGNATURE_ED25519_SIZE];
    struct slice field = component_field(arena, message, SLICE("signature-input"), &absent);
    char *text = arena_bytes(arena, ENCODING_BASE64_LEN(sizeof(raw)));
    if (!field.data || !text || !sf_parse_dictionary(arena, field, &inputs) || !inputs.first ||
        inputs.first->value.kind != SF_INNER ||
        component_base(arena, message, inputs.first, &base, NULL) != ERR_OK)
        return (struct slice){NULL, 0};
    HOLDS(signature_sign_ed25519(world_seed, base, raw));
    return slice_bytes(text, encoding_base64(raw, sizeof(raw), text));
}

/* What the text left open. */
struct given {
    bool opened, is_signed; /* an id and a signature; a signature */
};

/* Fills in what the text leaves open. False when it is no request. */
static bool prepare(struct arena *arena, struct slice text, struct message *message, struct given *given)
{
    const char *why;
    if (!raw_request_parse(arena, text, "https", message, &why))
        return false;
    struct slice with_id = world_replace(arena, text, "{id}", mint(arena, message));
    if (!raw_request_parse(arena, with_id, "https", message, &why))
        return false;
    struct slice signature = sign(arena, message);
    struct slice whole = signature.data ? world_replace(arena, with_id, "{sig}", signature) : with_id;
    given->is_signed = whole.data != with_id.data;
    given->opened = with_id.data != text.data && given->is_signed;
    return raw_request_parse(arena, whole, "https", message, &why);
}

static const char *header_of(const struct exchange *exchange, const char *name)
{
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next)
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

static void check_headers(const struct exchange *exchange)
{
    size_t count = 0;
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next) {
        HOLDS(header->value && ++count < 64);
        for (const char *c = header->value; *c; c++)
            HOLDS((*c >= ' ' && *c != 0x7f) || *c == '\t');
    }
}

/* A refusal has a code of the table, with that code's status, and a body that parses. */
static void check_refusal(const struct exchange *exchange, const char *code)
{
    int err = 0;
    while (err < ERR_COUNT && strcmp(err_code((enum err)err), code) != 0)
        err++;
    HOLDS(err < ERR_COUNT && err_status((enum err)err) == exchange->reply.status);
    json_t *body = json_loadb(exchange->reply.body.data, exchange->reply.body.len, 0, NULL);
    HOLDS(body);
    HOLDS((exchange->reply.status == 402) == (json_object_get(body, "accepts") != NULL));
    json_decref(body);
}

static void check_reply(const struct exchange *exchange, const struct given *given)
{
    unsigned status = exchange->reply.status;
    const char *code = header_of(exchange, "crawler-error");
    bool paid = header_of(exchange, "Payment-Response") != NULL;
    check_headers(exchange);
    HOLDS(world.submitted <= 1 && world.recorded <= world.submitted);
    HOLDS(paid == (world.recorded == 1));
    HOLDS(!paid || status == 200 || status == 206);
    HOLDS(!paid || (!world.limited && !world.unread));
    HOLDS(!world.submitted || given->opened);
    HOLDS(!world.read || (given->is_signed && world.read == 1 && !world.submitted));
    HOLDS(!exchange->reply.stream || (world.read && status == 200));
    HOLDS(!world.submitted || world.amount_micros == 2500 || world.amount_micros == 50000);
    if (code)
        check_refusal(exchange, code);
    else
        HOLDS(status == 200 || status == 206 || status == 301 || status == 304 || status == 431);
}

static void resume(struct exchange *exchange)
{
    (void)exchange;
    HOLDS(!resumed);
    resumed = true;
}

/* To the reply, through as many parkings as it takes: one a key and one for the ledger, for each of the
 * signatures. */
static void take_through(struct exchange *exchange)
{
    for (int turns = 0; handler.handle(thread, exchange) == EXCHANGE_PARK; turns++) {
        HOLDS(turns < 100);
        resumed = false;
        handler.parked(thread, exchange);
        handler.turned(thread);
        world_turn();
        HOLDS(resumed);
    }
}

static void answer(const struct message *message, const struct given *given)
{
    struct arena arena = fuzz_arena(ARENA_SIZE);
    struct exchange exchange = {.arena = arena, .message = *message, .reply.fd = -1, .resume = resume};
    exchange.message.scheme = SLICE("");
    world.submitted = world.recorded = world.read = 0;
    take_through(&exchange);
    check_reply(&exchange, given);
    handler.finished(thread, &exchange);
    if (exchange.reply.stream)
        exchange.reply.stream->close(exchange.reply.stream);
    if (exchange.reply.fd >= 0)
        close(exchange.reply.fd);
    fuzz_arena_free(&exchange.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct message message;
    struct given given = {false, false};
    if (!gate)
        start();
    uint8_t bits = fuzz_byte(&text);
    world.ask = bits & 1;
    world.ledger_down = bits & 2;
    world.conflict = bits & 4;
    world.overloaded = bits & 8;
    world.limited = bits & 16;
    world.unread = bits & 32;
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    if (prepare(&arena, text, &message, &given))
        answer(&message, &given);
    fuzz_arena_free(&arena);
    return 0;
}
