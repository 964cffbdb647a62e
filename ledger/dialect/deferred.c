/* The Payment field of the deferred scheme: a dictionary of scheme, network and id (WIRE.md section 1). The
 * id says the rest: URL, price and terms. */
#include "ledger/dialect/dialect.h"

#include "ledger/verify/component.h"

static bool string_member(const struct sf_list *dictionary, struct slice key, struct slice *value)
{
    const struct sf_member *member = sf_find(dictionary, key);
    if (!member || member->value.kind != SF_STRING)
        return false;
    *value = member->value.text;
    return true;
}

static enum err read_payment(struct arena *arena, const struct message *message,
                             const struct dialect_place *place, struct commitment *commitment)
{
    bool absent;
    struct sf_list dictionary;
    struct slice network;
    struct slice field = component_field(arena, message, commitment->field, &absent);
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated ||
        !string_member(&dictionary, SLICE("scheme"), &commitment->scheme) ||
        !string_member(&dictionary, SLICE("network"), &network) ||
        !string_member(&dictionary, SLICE("id"), &commitment->id) || commitment->id.len == 0)
        return ERR_MALFORMED_PAYMENT;
    return slice_eq(commitment->scheme, SLICE("deferred")) && slice_eq(network, place->network)
               ? ERR_OK
               : ERR_OFFER_MISMATCH;
}

static bool write_receipt(struct exchange *exchange, const struct dialect_receipt *receipt)
{
    struct slice value =
        arena_format(&exchange->arena, "scheme=\"deferred\", network=\"%.*s\", id=\"%.*s\", timestamp=%lld",
                     (int)receipt->network.len, receipt->network.data, (int)receipt->id.len, receipt->id.data,
                     (long long)receipt->recorded_at);
    return exchange_header(exchange, "Payment-Response", value.data);
}

const struct dialect dialect_deferred = {read_payment, write_receipt, NULL};
