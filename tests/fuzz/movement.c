/* Bank files: whatever comes is read or refused with a reason, and what is read is whole. Input: KIND FILE.
 */
#include "tests/fuzz/support.h"

#include "ledger/format/bank/movement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_bytes(data, size);
    static const char *const members[] = {"reference", "amount", "currency", "booked_on"};
    struct format_output out = {0};
    const json_t *movement;
    size_t i;
    movement_read *read = fuzz_byte(&input) % 2 ? camt_read : movement_csv_read;
    json_t *list = read(input, &out);
    HOLDS(list || *out.error);
    json_array_foreach(list, i, movement)
    {
        for (size_t m = 0; m < sizeof(members) / sizeof(*members); m++)
            HOLDS(*format_text(movement, members[m]));
    }
    json_decref(list);
    return 0;
}
