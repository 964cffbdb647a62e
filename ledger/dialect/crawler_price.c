/* The first dialect of pay per crawl (WIRE.md section 2): the crawler names the price that it pays, or the
 * most that it would, and no offer. Its receipt is crawler-charged, which all dialects get. */
#include "ledger/dialect/dialect.h"

#include "ledger/base/text/amount.h"
#include "ledger/verify/component.h"

#include <assert.h>

static enum err read_price(struct arena *arena, const struct message *message,
                           const struct dialect_place *place, struct commitment *commitment)
{
    bool absent;
    struct slice field = component_field(arena, message, commitment->field, &absent);
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    size_t space = slice_find(field, ' ');
    struct slice named = {field.data, space};
    if (space != 3 || field.len <= space + 1 || amount_exponent(named) < 0 ||
        !amount_parse((struct slice){field.data + space + 1, field.len - space - 1},
                      &commitment->amount_micros))
        return ERR_MALFORMED_CRAWLER_PRICE;
    assert(commitment->unit_micros == 1); /* a decimal needs no unit */
    commitment->at_most = slice_eq(commitment->field, SLICE("crawler-max-price"));
    /* Nothing costs more than an id can carry. */
    if (commitment->at_most && commitment->amount_micros > AMOUNT_PRICE_MAX)
        commitment->amount_micros = AMOUNT_PRICE_MAX;
    /* Not malformed: it can be read, but nothing here costs as much, or it is money of another kind. */
    return slice_eq(named, place->currency) && commitment->amount_micros <= AMOUNT_PRICE_MAX
               ? ERR_OK
               : ERR_PRICE_NOT_ACCEPTABLE;
}

/* Nothing beside crawler-charged. It is there all the same: a dialect without it takes no payment. */
static bool write_receipt(struct exchange *exchange, const struct dialect_receipt *receipt)
{
    (void)exchange;
    (void)receipt;
    return true;
}

const struct dialect dialect_crawler_price = {read_price, write_receipt, NULL};
