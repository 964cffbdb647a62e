/* x402, version 2: PAYMENT-SIGNATURE is the base64 of a JSON object, in which the crawler repeats the
 * requirement of the offer that it accepts (WIRE.md section 2). The requirement's own `extra.id` says URL and
 * price; without it the amount that is accepted is the price, to the unit. */
#include "ledger/dialect/claims.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/verify/component.h"

#include <assert.h>
#include <jansson.h>

/* Of a payment-identifier. */
#define IDENTIFIER_MIN 16
#define IDENTIFIER_MAX 128

/* The parts of a payment payload that mean something here. */
struct payload {
    json_int_t version;
    const char *scheme, *network, *amount, *asset, *pay_to, *id;
    json_t *extra, *resource, *own;
    const json_t *extensions;
};

/* The object in the field. NULL with *err when there is none: `malformed`, or the arena is full. */
static json_t *read_object(struct arena *arena, const struct message *message, struct slice name,
                           enum err malformed, enum err *err)
{
    bool absent;
    size_t len;
    struct slice field = component_field(arena, message, name, &absent);
    char *json = field.data ? arena_bytes(arena, field.len + 1) : NULL;
    *err = json ? malformed : ERR_REQUEST_TOO_LARGE;
    if (!json || !encoding_unbase64(field, false, (uint8_t *)json, field.len, &len))
        return NULL;
    /* A member that stands twice is read in two ways by two readers: one might see another price. */
    json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static bool read_version(json_t *object, json_int_t *version)
{
    return json_unpack(object, "{s:I}", "x402Version", version) == 0 && (*version == 1 || *version == 2);
}

static bool object_or_none(const json_t *value)
{
    return !value || json_is_null(value) || json_is_object(value);
}

static bool read_payload(json_t *object, struct payload *payload)
{
    payload->extensions = json_object_get(object, "extensions");
    if (json_unpack(object, "{s:{s:s,s:s,s:s,s:s,s:s,s?o},s?o,s:o}", "accepted", "scheme", &payload->scheme,
                    "network", &payload->network, "amount", &payload->amount, "asset", &payload->asset,
                    "payTo", &payload->pay_to, "extra", &payload->extra, "resource", &payload->resource,
                    "payload", &payload->own) != 0)
        return false;
    const json_t *id = json_object_get(payload->extra, "id");
    payload->id = json_string_value(id);
    return json_is_object(payload->own) && (!id || (payload->id && *payload->id)) &&
           object_or_none(payload->extra) && object_or_none(payload->resource);
}

/* It must be for this page, whatever else is repeated of the offer. */
static bool fits(const struct payload *payload, const struct dialect_place *place)
{
    const json_t *url = json_object_get(payload->resource, "url");
    const json_t *amount = json_object_get(payload->own, "amount");
    const json_t *asset = json_object_get(payload->own, "asset");
    return slice_eq(slice_of(payload->network), place->network) &&
           slice_eq(slice_of(payload->asset), place->currency) &&
           (!place->pay_to.data || slice_eq(slice_of(payload->pay_to), place->pay_to)) &&
           (!url || (json_is_string(url) && slice_eq(slice_of(json_string_value(url)), place->url))) &&
           (!amount || (json_is_string(amount) && strcmp(json_string_value(amount), payload->amount) == 0)) &&
           (!asset || (json_is_string(asset) && strcmp(json_string_value(asset), payload->asset) == 0));
}

static bool is_identifier(struct slice text)
{
    bool good = text.len >= IDENTIFIER_MIN && text.len <= IDENTIFIER_MAX;
    for (size_t i = 0; good && i < text.len; i++) {
        char c = text.data[i];
        good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               c == '-';
    }
    return good;
}

/* What counts of a payment, so that it is the same by whichever way it comes; the URL is the entry's. A
 * signature of the request may be made anew. */
static void digest_payload(const struct payload *payload, const char *jws, uint8_t out[DIGEST_SIZE])
{
    const char *id = payload->id ? payload->id : "", *own = jws ? jws : "";
    const uint64_t lengths[] = {strlen(payload->scheme), strlen(payload->amount), strlen(id)};
    const struct slice parts[] = {slice_bytes((const uint8_t *)lengths, sizeof(lengths)),
                                  slice_of(payload->scheme), slice_of(payload->amount), slice_of(id),
                                  slice_of(own)};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), out);
}

/* Extension payment-identifier. Who has declared it and names none has none. */
static enum err take_identifier(struct arena *arena, const struct payload *payload, const char *jws,
                                struct commitment *commitment)
{
    const json_t *extension = json_object_get(payload->extensions, "payment-identifier");
    const json_t *id = json_object_get(json_object_get(extension, "info"), "id");
    if (!id)
        return ERR_OK;
    if (!json_is_string(id) || !is_identifier(slice_of(json_string_value(id))))
        return ERR_MALFORMED_PAYMENT_SIGNATURE;
    commitment->identifier = slice_of(arena_copy(arena, slice_of(json_string_value(id))));
    digest_payload(payload, jws, commitment->payload);
    return commitment->identifier.data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

static enum err take_payload(struct arena *arena, const struct payload *payload,
                             const struct dialect_place *place, struct commitment *commitment)
{
    const json_t *jws = json_object_get(payload->own, "commitment");
    assert(payload->version == 2 && payload->scheme && payload->amount);
    int64_t unit = dialect_unit(payload->scheme, place->currency);
    if (jws && !json_is_string(jws))
        return ERR_MALFORMED_COMMITMENT;
    if (unit == 0 || !fits(payload, place))
        return ERR_OFFER_MISMATCH;
    commitment->unit_micros = unit;
    if (!dialect_amount(slice_of(payload->amount), unit, &commitment->amount_micros))
        return ERR_MALFORMED_PAYMENT_SIGNATURE;
    commitment->scheme = unit == 1 ? SLICE("deferred") : SLICE("batch-settlement");
    /* Copied, as the object is freed with the reading. */
    commitment->id = slice_of(payload->id ? arena_copy(arena, slice_of(payload->id)) : NULL);
    if (payload->id && !commitment->id.data)
        return ERR_REQUEST_TOO_LARGE;
    enum err err = take_identifier(arena, payload, json_string_value(jws), commitment);
    if (err != ERR_OK || !jws)
        return err;
    char *text = arena_copy(arena, slice_of(json_string_value(jws)));
    return text ? claims_read(arena, slice_of(text), place, commitment) : ERR_REQUEST_TOO_LARGE;
}

static enum err read_payment(struct arena *arena, const struct message *message,
                             const struct dialect_place *place, struct commitment *commitment)
{
    enum err err;
    struct payload payload = {.id = NULL};
    json_t *object = read_object(arena, message, commitment->field, ERR_MALFORMED_PAYMENT_SIGNATURE, &err);
    if (!object)
        return err;
    if (!read_version(object, &payload.version))
        err = ERR_MALFORMED_PAYMENT_SIGNATURE;
    else if (payload.version == 1)
        err = ERR_X402_VERSION; /* its own code: such a client can be told how to go on */
    else if (!read_payload(object, &payload))
        err = ERR_MALFORMED_PAYMENT_SIGNATURE;
    else
        err = take_payload(arena, &payload, place, commitment);
    json_decref(object);
    return err;
}

static void add_quoted(struct text *text, const char *name, struct slice value)
{
    text_add(text, slice_of(name));
    text_char(text, '"');
    text_json(text, value);
    text_char(text, '"');
}

struct slice dialect_x402_receipt(struct arena *arena, const struct dialect_receipt *receipt)
{
    int64_t unit = receipt->commitment->unit_micros;
    assert(unit > 0 && receipt->payer.len > 0);
    struct text text = text_begin(arena);
    add_quoted(&text, "{\"success\":true,\"transaction\":", receipt->id);
    add_quoted(&text, ",\"network\":", receipt->network);
    add_quoted(&text, ",\"payer\":", receipt->payer);
    text_add(&text, SLICE(",\"amount\":\""));
    /* What was lowered to a fraction of a unit is told as the whole one: never less than is billed. */
    text_number(&text, (receipt->amount_micros + unit - 1) / unit);
    add_quoted(&text, "\",\"asset\":", receipt->currency);
    text_add(&text, SLICE(",\"extra\":{\"timestamp\":"));
    text_number(&text, receipt->recorded_at);
    text_char(&text, '}');
    if (receipt->attested.len > 0) {
        text_add(&text,
                 SLICE(",\"extensions\":{\"offer-receipt\":{\"info\":{\"receipt\":{\"format\":\"jws\""));
        add_quoted(&text, ",\"signature\":", receipt->attested);
        text_add(&text, SLICE("}}}}"));
    }
    text_char(&text, '}');
    return text_end(&text);
}

static bool add_response(struct exchange *exchange, struct slice json)
{
    return json.data && exchange_header(exchange, "PAYMENT-RESPONSE", text_base64(&exchange->arena, json));
}

static bool write_receipt(struct exchange *exchange, const struct dialect_receipt *receipt)
{
    return add_response(exchange, dialect_x402_receipt(&exchange->arena, receipt));
}

static bool write_refusal(struct exchange *exchange, struct slice network, enum err err)
{
    assert(err != ERR_OK); /* it says "success":false */
    struct text text = text_begin(&exchange->arena);
    add_quoted(&text, "{\"success\":false,\"errorReason\":", slice_of(err_code(err)));
    add_quoted(&text, ",\"errorMessage\":", slice_of(err_sentence(err)));
    add_quoted(&text, ",\"transaction\":\"\",\"network\":", network);
    text_char(&text, '}');
    return add_response(exchange, text_end(&text));
}

const struct dialect dialect_x402 = {read_payment, write_receipt, write_refusal};

/* --- version 1 --- */

static enum err read_v1(struct arena *arena, const struct message *message, const struct dialect_place *place,
                        struct commitment *commitment)
{
    enum err err;
    json_int_t version;
    json_t *object = read_object(arena, message, commitment->field, ERR_MALFORMED_X_PAYMENT, &err);
    (void)place;
    if (!object)
        return err;
    err = read_version(object, &version) ? ERR_X402_VERSION : ERR_MALFORMED_X_PAYMENT;
    json_decref(object);
    return err;
}

const struct dialect dialect_x402_v1 = {read_v1, NULL, NULL};
