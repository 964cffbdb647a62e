/* Payment ids: none opens but the one that was minted, for the offer that it was minted for, in its time.
 * Input: an id as text, or with a first byte over 0x7f: AGE(4) PRICE(6), then pairs of position and XOR. */
#include "tests/fuzz/support.h"

#include "ledger/base/text/amount.h"
#include "ledger/entry/payment_id.h"

#define NOW_MS      1763640000000
#define TTL_SECONDS 300
#define AHEAD_MS    60000

static const struct payment_offer an_offer = {
    .site = {"a", 1},
    .network = {"a:402", 5},
    .terms_url = {"https://a.example/terms", 23},
    .authority = {"a.example", 9},
    .target = {"/page?x=1", 9},
};

static int64_t number(struct slice *input, int bytes)
{
    int64_t n = 0;
    while (bytes-- > 0)
        n = n << 8 | fuzz_byte(input);
    return n;
}

/* A minted id with some characters changed opens if nothing changed after all, and is not too old. */
static void check_changed(const struct payment_keys *keys, struct slice input)
{
    uint8_t random[10] = {1};
    char minted[PAYMENT_ID_TEXT];
    char changed[PAYMENT_ID_TEXT];
    struct payment_id id;
    int64_t age_ms = number(&input, 4) % 1000000 - 200000;
    int64_t price = number(&input, 6) % AMOUNT_PRICE_MAX;
    payment_id_mint(keys, &an_offer, NOW_MS - age_ms, price, random, minted);
    memcpy(changed, minted, sizeof(changed));
    while (input.len >= 2) {
        uint8_t at = fuzz_byte(&input) % PAYMENT_ID_TEXT;
        changed[at] = (char)(changed[at] ^ fuzz_byte(&input));
    }
    bool same = memcmp(changed, minted, sizeof(changed)) == 0;
    bool fresh = age_ms <= TTL_SECONDS * 1000 && age_ms >= -AHEAD_MS;
    enum err err =
        payment_id_open(keys, &an_offer, slice_bytes(changed, sizeof(changed)), NOW_MS, TTL_SECONDS, &id);
    HOLDS(err == (!same ? ERR_OFFER_MISMATCH : fresh ? ERR_OK : ERR_OFFER_EXPIRED));
    HOLDS(err != ERR_OK || (id.price_micros == price && uuid_ms(id.uuid) == NOW_MS - age_ms));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct payment_keys keys;
    static struct payment_keys others; /* libFuzzer reads what is minted; under these nothing ever is */
    struct payment_id id;
    struct slice input = slice_bytes(data, size);
    if (!keys.current) {
        keys.current = hmac_new("current", 7);
        keys.previous = hmac_new("previous", 8);
        others.current = hmac_new("other", 5);
    }
    if (size > 0 && data[0] > 0x7f) {
        fuzz_byte(&input);
        check_changed(&keys, input);
    } else {
        enum err err = payment_id_open(&others, &an_offer, input, NOW_MS, TTL_SECONDS, &id);
        HOLDS(err == ERR_OFFER_MISMATCH);
    }
    return 0;
}
