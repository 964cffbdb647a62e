/* People write numbers with spaces, dashes and line breaks, and banks add their own. So letters and digits
 * are compared alone, but only whole words of them: "INV-1" must not be found in "INV-10". Two numbers that
 * look the same then belong to nobody. */
#include "ledger/format/bank/remittance.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define KEY_MAX 96

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80);
}

/* Letters and digits of the text alone, in capitals. */
static size_t key_of(const char *text, size_t len, char key[KEY_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++)
        if (in_word(text[i])) {
            if (used + 1 == KEY_MAX)
                return 0;
            key[used++] = (char)toupper((unsigned char)text[i]);
        }
    key[used] = '\0';
    assert(used < KEY_MAX);
    return used;
}

int remittance_add(json_t *numbers, const char *number)
{
    char key[KEY_MAX];
    if (key_of(number, strlen(number), key) == 0)
        return 0; /* nothing that could be found */
    const json_t *other = json_object_get(numbers, key);
    if (other && (json_is_null(other) || strcmp(json_string_value(other), number) != 0))
        return json_object_set_new_nocheck(numbers, key, json_null()); /* "A-11" and "A1-1" */
    return json_object_set_new_nocheck(numbers, key, json_string(number));
}

enum remittance remittance_find(const json_t *numbers, const char *text, const char **number)
{
    enum remittance found = REMITTANCE_NONE;
    size_t len = strlen(text);
    *number = NULL;
    for (size_t from = 0; from < len; from++) {
        if (!in_word(text[from]) || (from > 0 && in_word(text[from - 1])))
            continue;
        /* From each start of a word to each end of one: numbers may be broken up by spaces. No number is
         * longer than a key, so that a text of a kilobyte costs no more than its length times that. */
        for (size_t to = from + 1; to <= len && to - from <= 2 * KEY_MAX; to++) {
            char key[KEY_MAX];
            if (!in_word(text[to - 1]) || (to < len && in_word(text[to])))
                continue;
            assert(from < to && to <= len);
            if (key_of(text + from, to - from, key) == 0)
                break;
            const json_t *known = json_object_get(numbers, key);
            const char *named = json_string_value(known);
            if (!known || (named && *number && strcmp(named, *number) == 0))
                continue;
            found = !named || found != REMITTANCE_NONE ? REMITTANCE_SEVERAL : REMITTANCE_ONE;
            *number = named ? named : *number;
        }
    }
    assert(found != REMITTANCE_ONE || *number);
    return found;
}
