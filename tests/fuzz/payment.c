/* The Payment field: one that is taken has its three members. Input: ARENA TARGET LF fields, one a line. */
#include "tests/fuzz/support.h"

#include "server/gate/commitment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct message message = fuzz_request(&arena, text);
    struct commitment tight;
    struct commitment commitment;
    enum err small_err = commitment_parse(&small, &message, &tight);
    enum err err = commitment_parse(&arena, &message, &commitment);
    HOLDS(err == ERR_OK || err == ERR_PAYMENT_REQUIRED || err == ERR_MALFORMED_PAYMENT ||
          err == ERR_CONFLICTING_PAYMENT);
    HOLDS((err == ERR_PAYMENT_REQUIRED) ==
          (!message_field(&message, SLICE("payment")) && err != ERR_CONFLICTING_PAYMENT));
    if (err == ERR_OK)
        HOLDS(commitment.scheme.data && commitment.network.data && commitment.id.data);
    if (small_err == ERR_OK)
        HOLDS(err == ERR_OK && slice_eq(tight.id, commitment.id) &&
              slice_eq(tight.network, commitment.network) && slice_eq(tight.scheme, commitment.scheme));
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
