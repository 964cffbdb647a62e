/* The Payment field of the deferred scheme: a dictionary of scheme, network and id (WIRE.md section 1). The
 * id says the rest: URL, price and terms. */
#include "ledger/dialect/dialect.h"

#include "ledger/verify/component.h"

#include <assert.h>

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
    /* RFC 9651 takes the last of two members of one name; who signs one field and has it read by another rule
     * would pay for another offer, so that two are refused. */
    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated ||
        !string_member(&dictionary, SLICE("scheme"), &commitment->scheme) ||
        !string_member(&dictionary, SLICE("network"), &network) ||
        !string_member(&dictionary, SLICE("id"), &commitment->id) || commitment->id.len == 0)
        return ERR_MALFORMED_PAYMENT;
    return slice_eq(commitment->scheme, SLICE("deferred")) && slice_eq(network, place->network)
               ? ERR_OK
               : ERR_OFFER_MISMATCH;
}

/* The network's and the id's characters need no escapes: the one is checked in the configuration, the other
 * was opened by its key, or made here. */
static bool is_plain(struct slice text)
{
    return text.len > 0 && slice_find(text, '"') == text.len && slice_find(text, '\\') == text.len;
}

static bool write_receipt(struct exchange *exchange, const struct dialect_receipt *receipt)
{
    assert(is_plain(receipt->id) && is_plain(receipt->network));
    struct slice value =
        arena_format(&exchange->arena, "scheme=\"deferred\", network=\"%.*s\", id=\"%.*s\", timestamp=%lld",
                     (int)receipt->network.len, receipt->network.data, (int)receipt->id.len, receipt->id.data,
                     (long long)receipt->recorded_at);
    return exchange_header(exchange, "Payment-Response", value.data);
}

const struct dialect dialect_deferred = {read_payment, write_receipt, NULL};
