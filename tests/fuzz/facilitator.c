/* Whole calls of the facilitator, from a resource server's words to the answer, with the gate behind it and
 * nothing real around both. In the text "{id}" stands for a payment id that was offered for
 * https://shop.example/articles/one at 0.05, "{old}" for one whose offer is over, and "<<CLAIMS>>" for the
 * JWS that a crawler signs over these claims, so that mutations go past the first checks.
 *
 * Nothing is recorded but by /settle, with a key that may, of what the crawler has signed; and it is said so.
 * Input: WORLD TARGET "\n" KEY "\n" BODY; the bits of WORLD are as in gate.c. */
#include "tests/fuzz/gate_world.h"
#include "tests/fuzz/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "server/facilitator/facilitator.h"

#include <jansson.h>

#define ARENA_SIZE 32768 /* the HTTP layer's */
#define OLD_MS     1800000

static struct facilitator *facilitator;
static struct exchange_handler handler;
static void *thread;
static bool resumed;

static const char yaml[] = "offer: {key_file: offer.key}\n"
                           "log_level: error\n"
                           "sites:\n"
                           "  - name: example\n"
                           "    hosts: [shop.example]\n"
                           "    root: site\n"
                           "    network: \"example:402\"\n"
                           "    terms_url: https://shop.example/terms\n"
                           "    rules:\n"
                           "      - {name: free, paths: [/free/**], action: allow}\n"
                           "      - {name: drafts, paths: [/drafts/**], action: block}\n"
                           "      - {name: watched, paths: [/watched/**], action: charge, mode: observe,"
                           " price: 1}\n"
                           "      - {name: rest, action: charge, price: 0.05}\n";

static void start(void)
{
    world_start(yaml);
    const struct gate_parts parts = {
        .config = world.config, .nonces = nonces_new(64), .accounts = (struct refresh *)(void *)&world};
    struct gate *gate = gate_new(&parts);
    HOLDS(gate);
    facilitator = facilitator_new(gate, &parts);
    HOLDS(facilitator);
    handler = facilitator_handler(facilitator);
    thread = handler.thread_start(handler.context);
    HOLDS(thread);
}

/* The text's place, or its length. */
static size_t find(struct slice text, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.data + i, what, len) == 0)
            return i;
    return text.len;
}

static void add_base64url(struct arena *arena, struct text *text, struct slice bytes)
{
    char *room = arena_bytes(arena, ENCODING_BASE64_LEN(bytes.len) + 1);
    HOLDS(room);
    size_t len = encoding_base64url((const uint8_t *)bytes.data, bytes.len, room);
    text_add(text, slice_bytes(room, len));
}

static struct slice jws_of(struct arena *arena, struct slice claims)
{
    char thumbprint[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    uint8_t raw[SIGNATURE_ED25519_SIZE];
    size_t len = encoding_base64url(world.thumbprint, DIGEST_SIZE, thumbprint);
    struct slice header = arena_format(
        arena, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"x402-deferred+jws\"}", (int)len, thumbprint);
    struct arena parts = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct text text = text_begin(arena);
    struct arena *spare = &parts;
    add_base64url(spare, &text, header);
    text_char(&text, '.');
    add_base64url(spare, &text, claims);
    struct slice input = text_end(&text);
    HOLDS(input.data && signature_sign_ed25519(world_seed, input, raw));
    struct text whole = text_begin(arena);
    text_add(&whole, input);
    text_char(&whole, '.');
    add_base64url(spare, &whole, slice_bytes(raw, sizeof(raw)));
    fuzz_arena_free(&parts);
    return text_end(&whole);
}

/* Fills in what the text leaves open; *is_signed: a commitment was among it. */
static struct slice prepare(struct arena *arena, struct slice text, bool *is_signed)
{
    const struct slice authority = SLICE("shop.example"), target = SLICE("/articles/one");
    struct slice id = world_id(arena, authority, target, 50000, WORLD_NOW * 1000LL);
    struct slice old = world_id(arena, authority, target, 50000, WORLD_NOW * 1000LL - OLD_MS);
    for (int i = 0; i < 2; i++) { /* in what was accepted, and in the claims */
        text = world_replace(arena, text, "{id}", id);
        text = world_replace(arena, text, "{old}", old);
    }
    size_t from = find(text, "<<");
    struct slice rest = {text.data + from, text.len - from};
    size_t len = find(rest, ">>");
    *is_signed = from < text.len && len < rest.len;
    if (!*is_signed)
        return text;
    struct slice jws = jws_of(arena, (struct slice){rest.data + 2, len - 2});
    struct text whole = text_begin(arena);
    text_add(&whole, (struct slice){text.data, from});
    text_add(&whole, jws);
    text_add(&whole, (struct slice){rest.data + len + 2, rest.len - len - 2});
    return text_end(&whole);
}

static void check_headers(const struct exchange *exchange)
{
    size_t count = 0;
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next) {
        HOLDS(header->value && ++count < 16);
        for (const char *c = header->value; *c; c++)
            HOLDS(*c >= ' ' && *c != 0x7f);
    }
}

static void check_reply(const struct exchange *exchange, bool settles, bool is_signed)
{
    unsigned status = exchange->reply.status;
    json_t *json = json_loadb(exchange->reply.body.data, exchange->reply.body.len, 0, NULL);
    bool success = json_is_true(json_object_get(json, "success"));
    bool valid = json_is_true(json_object_get(json, "isValid"));
    check_headers(exchange);
    HOLDS(json_is_object(json));
    HOLDS(world.submitted <= 1 && world.recorded <= world.submitted && world.reports <= world.recorded);
    HOLDS(!world.submitted || (settles && is_signed));
    HOLDS(!success || (settles && world.recorded == 1 && status == 200));
    HOLDS(!valid || (!settles && is_signed && status == 200 && !world.submitted));
    HOLDS(success || json_object_get(json, "transaction") == NULL ||
          json_is_string(json_object_get(json, "errorReason")));
    HOLDS(!world.submitted || world.amount_micros <= 50000);
    /* What is recorded is said so, but where what is taken back of it is not on record. */
    HOLDS(world.recorded == 0 || success || world.overloaded || world.ledger_down);
    HOLDS(status == 200 || (status >= 400 && status <= 503));
    json_decref(json);
}

static void resume(struct exchange *exchange)
{
    (void)exchange;
    HOLDS(!resumed);
    resumed = true;
}

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

static void call(struct slice target, struct slice key, struct slice body, bool is_signed)
{
    struct arena arena = fuzz_arena(ARENA_SIZE);
    struct slice bearer = arena_format(&arena, "Bearer %.*s", (int)key.len, key.data);
    const struct message_field field = {SLICE("authorization"), bearer};
    struct exchange exchange = {.arena = arena, .reply.fd = -1, .resume = resume};
    exchange.message = (struct message){.method = body.len > 0 ? SLICE("POST") : SLICE("GET"),
                                        .authority = SLICE("bills.example"),
                                        .target = target,
                                        .fields = &field,
                                        .field_count = 1};
    world.submitted = world.recorded = world.reports = 0;
    world.late = false;
    size_t room = handler.body_room(thread, &exchange);
    exchange.message.body = body.len <= room ? body : SLICE("");
    bool settles = slice_eq(target, SLICE("/settle")) && slice_eq(slice_trim(key), SLICE("settles"));
    take_through(&exchange);
    check_reply(&exchange, settles, is_signed);
    handler.finished(thread, &exchange);
    fuzz_arena_free(&exchange.arena);
}

/* As the HTTP layer takes it: no control characters, and no blanks in a target. */
static bool is_field(struct slice text, char least)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < least || text.data[i] == 0x7f)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    if (!facilitator)
        start();
    uint8_t bits = fuzz_byte(&text);
    world.ask = bits & 1;
    world.ledger_down = bits & 2;
    world.conflict = bits & 4;
    world.overloaded = bits & 8;
    world.limited = bits & 16;
    world.unread = bits & 32;
    struct slice target = fuzz_line(&text), key = fuzz_line(&text);
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    bool is_signed;
    struct slice body = prepare(&arena, text, &is_signed);
    if (slice_starts(target, SLICE("/")) && is_field(target, '!') && is_field(key, ' ') && key.len < 1024)
        call(target, key, body, is_signed);
    fuzz_arena_free(&arena);
    return 0;
}
