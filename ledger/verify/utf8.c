/* Overlong forms and surrogates are refused: two byte strings for one text would be two names. */
#include "ledger/verify/utf8.h"

#include <assert.h>

bool utf8_valid(struct slice text)
{
    for (size_t i = 0; i < text.len;) {
        unsigned char lead = (unsigned char)text.data[i];
        size_t extra = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : 3;
        if (lead >= 0xf5 || (lead >= 0x80 && lead < 0xc2) || text.len - i <= extra)
            return false;
        unsigned long point = extra == 0 ? lead : lead & (0x3fU >> extra);
        assert(extra <= 3 && i + extra < text.len);
        for (size_t k = 1; k <= extra; k++) {
            unsigned char next = (unsigned char)text.data[i + k];
            if ((next & 0xc0) != 0x80)
                return false;
            point = point << 6 | (next & 0x3f);
        }
        if ((extra == 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) ||
            (extra == 3 && (point < 0x10000 || point > 0x10ffff)))
            return false;
        i += extra + 1;
    }
    return true;
}
