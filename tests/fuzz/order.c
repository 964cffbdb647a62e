/* Bodies of the facilitator's calls. What is taken agrees with the site, and becomes a PAYMENT-SIGNATURE that
 * the gate's own reader takes for the same scheme and at least that amount, or refuses. Input: ARENA JSON. */
#include "tests/fuzz/support.h"

#include "ledger/dialect/dialect.h"
#include "server/facilitator/order.h"

static const struct config_site site = {
    .name = "shop", .network = "shop:402", .currency = "EUR", .pay_to = "merchant"};

static void check(struct arena *arena, const struct order *order)
{
    const struct message_field field = {SLICE("payment-signature"), order->field};
    const struct message message = {.method = SLICE("GET"), .fields = &field, .field_count = 1};
    const struct config_list nobody = {.count = 0};
    const struct slice url = arena_format(arena, "https://%.*s%.*s", (int)order->authority.len,
                                          order->authority.data, (int)order->target.len, order->target.data);
    const struct dialect_place place = {.network = slice_of(site.network),
                                        .currency = slice_of(site.currency),
                                        .pay_to = slice_of(site.pay_to),
                                        .authority = order->authority,
                                        .url = url,
                                        .insecure_hosts = &nobody};
    struct commitment commitment;
    HOLDS(order->unit_micros == 1 || order->unit_micros == 10000);
    HOLDS(order->amount_micros >= 0 && order->amount_micros % order->unit_micros == 0);
    HOLDS(order->authority.len > 0 && slice_starts(order->target, SLICE("/")));
    if (dialect_read(arena, &message, &place, &commitment) != ERR_OK)
        return;
    HOLDS(commitment.claims && commitment.unit_micros == order->unit_micros);
    HOLDS(commitment.amount_micros < 0 || commitment.amount_micros >= order->amount_micros);
    HOLDS(commitment.identifier.len == 0 ||
          (commitment.identifier.len >= 16 && commitment.identifier.len <= 128));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct order order;
    struct refusal refusal = {0, NULL, NULL};
    if (order_read(&arena, text, &site, &order, &refusal))
        check(&arena, &order);
    else
        HOLDS((refusal.status == 200 || refusal.status == 400) && refusal.code && refusal.detail);
    if (order_read(&small, text, &site, &order, &refusal))
        HOLDS(order.field.data && order.authority.data && order.target.data);
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
