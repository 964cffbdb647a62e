/* Bank files: whatever comes is read or refused with a reason, and what is read is whole or has a problem. */
#include "tests/fuzz/support.h"

#include "ledger/format/bank/movement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const members[] = {"amount", "currency", "booked_on"};
    struct format_output out = {0};
    const json_t *movement;
    size_t i;
    json_t *list = movement_read(slice_bytes(data, size), &out);
    HOLDS(list || *out.error);
    json_array_foreach(list, i, movement)
    {
        bool sound =
            !*format_text(movement, "problem") && strcmp(format_text(movement, "kind"), "rejection") != 0;
        for (size_t m = 0; m < sizeof(members) / sizeof(*members); m++)
            HOLDS(!sound || *format_text(movement, members[m]));
        HOLDS(*format_text(movement, "place") && *format_text(movement, "identity"));
    }
    json_decref(list);
    return 0;
}
