/* Which dialect a request speaks. A field is enough to say so, whatever is in it: who sends one is a crawler,
 * and hears in that dialect what is wrong with it. */
#include "ledger/dialect/dialect.h"

#include "ledger/base/text/amount.h"

#include <assert.h>

#define DIGITS_MAX 15 /* of the largest price that an id can carry */
_Static_assert(AMOUNT_PRICE_MAX >= INT64_C(100000000000000) && AMOUNT_PRICE_MAX < INT64_C(1000000000000000),
               "a price that an id carries is read, and so many digits never overflow");

static const struct {
    struct slice field;
    const struct dialect *dialect;
} fields[] = {
    {SLICE("payment"), &dialect_deferred},
    {SLICE("payment-signature"), &dialect_x402},
    {SLICE("crawler-exact-price"), &dialect_crawler_price},
    {SLICE("crawler-max-price"), &dialect_crawler_price},
    {SLICE("x-payment"), &dialect_x402_v1},
};

/* Without a look at what is in the field: who sends it is no person, whatever comes of it. */
bool dialect_pays(const struct message *message)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (message_field(message, fields[i].field))
            return true;
    return false;
}

enum err dialect_read(struct arena *arena, const struct message *message, const struct dialect_place *place,
                      struct commitment *commitment)
{
    size_t count = 0;
    *commitment = (struct commitment){.amount_micros = -1, .unit_micros = 1};
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (!message_field(message, fields[i].field))
            continue;
        if (count++ > 0)
            continue; /* the first one says in which dialect it is told */
        commitment->dialect = fields[i].dialect;
        commitment->field = fields[i].field;
    }
    /* Two commitments might be to two prices, and only one of them need be signed. */
    if (count != 1)
        return count == 0 ? ERR_PAYMENT_REQUIRED : ERR_CONFLICTING_PAYMENT;
    assert(commitment->dialect && commitment->field.len > 0);
    enum err err = commitment->dialect->read(arena, message, place, commitment);
    assert(err != ERR_OK || commitment->id.len > 0 || commitment->amount_micros >= 0);
    assert(err != ERR_OK || commitment->unit_micros > 0);
    assert(commitment->amount_micros <= AMOUNT_PRICE_MAX || err != ERR_OK);   /* an id has room for it */
    assert(err != ERR_OK || !commitment->at_most || commitment->id.len == 0); /* an id says its price */
    assert(err != ERR_OK || commitment->dialect->write_receipt);              /* who pays hears of it */
    return err;
}

/* One unit has to be one whole number of micro-units in every currency: so minor units, never the currency's
 * own unit with decimals, which x402 does not have. */
int64_t dialect_unit(const char *scheme, struct slice currency)
{
    if (strcmp(scheme, "deferred") == 0)
        return 1;
    /* A ledger may have a currency that the configuration would not take. */
    int exponent = amount_exponent(currency);
    return strcmp(scheme, "batch-settlement") == 0 && exponent >= 0 ? amount_minor_micros(exponent) : 0;
}

bool dialect_amount(struct slice text, int64_t unit_micros, int64_t *micros)
{
    int64_t units = 0;
    assert(unit_micros > 0);
    if (text.len == 0 || text.len > DIGITS_MAX || (text.data[0] == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        units = units * 10 + (text.data[i] - '0');
    }
    return !__builtin_mul_overflow(units, unit_micros, micros) && *micros <= AMOUNT_PRICE_MAX;
}
