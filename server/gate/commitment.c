/* One request makes one commitment: a second one, in the fields of another protocol, could mean another
 * price, and neither is chosen for the crawler. */
#include "server/gate/commitment.h"

#include "ledger/verify/component.h"

static bool string_member(const struct sf_list *dictionary, struct slice key, struct slice *value)
{
    const struct sf_member *member = sf_find(dictionary, key);
    if (!member || member->value.kind != SF_STRING)
        return false;
    *value = member->value.text;
    return true;
}

enum err commitment_parse(struct arena *arena, const struct message *message, struct commitment *commitment)
{
    static const struct slice others[] = {SLICE("payment-signature"), SLICE("crawler-exact-price"),
                                          SLICE("crawler-max-price")};
    bool absent;
    struct sf_list dictionary;
    struct slice field = component_field(arena, message, SLICE("payment"), &absent);
    if (absent)
        return ERR_PAYMENT_REQUIRED;
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (message_field(message, others[i]))
            return ERR_CONFLICTING_PAYMENT;
    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated ||
        !string_member(&dictionary, SLICE("scheme"), &commitment->scheme) ||
        !string_member(&dictionary, SLICE("network"), &commitment->network) ||
        !string_member(&dictionary, SLICE("id"), &commitment->id))
        return ERR_MALFORMED_PAYMENT;
    return ERR_OK;
}
