/* Commitments in every dialect. One that is taken says what is paid: an id, an amount, or both.
 * Input: ARENA TARGET LF fields, one a line; in a value "{json}" stands for the base64 of the rest of its
 * line, in which "{claims}" stands for a compact JWS with the rest of that as its payload. */
#include "tests/fuzz/support.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/dialect/claims.h"

#define HEADER                                                                                               \
    "{\"alg\":\"EdDSA\",\"kid\":\"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U\",\"typ\":\"" CLAIMS_TYPE "\"" \
    "}"

static struct slice base64url(struct arena *arena, struct slice bytes)
{
    char *text = arena_bytes(arena, ENCODING_BASE64URL_LEN(bytes.len) + 1);
    HOLDS(text);
    return slice_bytes(text, encoding_base64url(bytes.data, bytes.len, text));
}

/* Where the mark stands, or the text's length. */
static size_t find_mark(struct slice text, struct slice mark)
{
    size_t at = 0;
    while (at < text.len && !slice_starts((struct slice){text.data + at, text.len - at}, mark))
        at++;
    return at;
}

/* Claims end at the first brace that closes: they are flat. */
static struct slice sign(struct arena *arena, struct slice json)
{
    const struct slice mark = SLICE("{claims}");
    size_t at = find_mark(json, mark);
    if (at == json.len)
        return json;
    struct slice rest = {json.data + at + mark.len, json.len - at - mark.len};
    size_t end = slice_find(rest, '}');
    struct slice claims = {rest.data, end < rest.len ? end + 1 : rest.len};
    struct slice header = base64url(arena, SLICE(HEADER)), payload = base64url(arena, claims);
    struct text out = text_begin(arena);
    text_add(&out, (struct slice){json.data, at});
    text_add(&out, header);
    text_char(&out, '.');
    text_add(&out, payload);
    text_add(&out, SLICE(".AQID"));
    text_add(&out, (struct slice){rest.data + claims.len, rest.len - claims.len});
    return text_end(&out);
}

static struct slice encode(struct arena *arena, struct slice value)
{
    const struct slice mark = SLICE("{json}");
    size_t at = find_mark(value, mark);
    if (at == value.len)
        return value;
    struct slice json = sign(arena, (struct slice){value.data + at + mark.len, value.len - at - mark.len});
    const char *text = text_base64(arena, json);
    HOLDS(json.data && text);
    return slice_of(text);
}

static void check(enum err err, const struct commitment *commitment)
{
    HOLDS(err == ERR_OK || err_status(err) == 400 || err_status(err) == 402 || err == ERR_REQUEST_TOO_LARGE);
    HOLDS((err == ERR_PAYMENT_REQUIRED) == !commitment->dialect);
    if (err != ERR_OK)
        return;
    HOLDS(commitment->id.len > 0 || commitment->amount_micros >= 0);
    HOLDS(commitment->amount_micros >= -1 && commitment->amount_micros <= AMOUNT_PRICE_MAX);
    HOLDS(commitment->unit_micros == 1 || commitment->unit_micros == 10000);
    HOLDS(!commitment->claims ||
          (commitment->claims->agent.err == ERR_OK && commitment->claims->agent.account.len > 0 &&
           slice_starts(commitment->claims->input, SLICE("eyJ"))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_list insecure = {.count = 0};
    struct slice text = slice_bytes(data, size);
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct message message = fuzz_request(&arena, text);
    struct message_field fields[FUZZ_FIELDS];
    const struct dialect_place place = {.network = SLICE("a:402"),
                                        .currency = SLICE("USD"),
                                        .pay_to = SLICE("merchant"),
                                        .authority = SLICE("a.example"),
                                        .url = SLICE("https://a.example/"),
                                        .insecure_hosts = &insecure};
    struct commitment tight, commitment;
    for (size_t i = 0; i < message.field_count; i++)
        fields[i] = (struct message_field){message.fields[i].name, encode(&arena, message.fields[i].value)};
    message.fields = fields;
    enum err small_err = dialect_read(&small, &message, &place, &tight);
    enum err err = dialect_read(&arena, &message, &place, &commitment);
    check(err, &commitment);
    check(small_err, &tight);
    HOLDS(err != ERR_PAYMENT_REQUIRED || !dialect_pays(&message));
    if (small_err == ERR_OK)
        HOLDS(err == ERR_OK && slice_eq(tight.id, commitment.id) &&
              tight.amount_micros == commitment.amount_micros);
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
