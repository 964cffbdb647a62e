/* Both sides are sorted and gone through together: each id is in one step, whatever there are of it. */
#include "tools/crawler/account/compare.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define COMPARE_TEXT(difference, name, sentence) name,
    COMPARE_DIFFERENCES(COMPARE_TEXT)
#undef COMPARE_TEXT
};

static const char *const sentences[] = {
#define COMPARE_TEXT(difference, name, sentence) sentence,
    COMPARE_DIFFERENCES(COMPARE_TEXT)
#undef COMPARE_TEXT
};

const char *compare_name(enum compare_difference difference)
{
    return names[difference];
}

const char *compare_sentence(enum compare_difference difference)
{
    return sentences[difference];
}

bool compare_add(struct compare_list *list, const struct compare_payment *payment, const char *url)
{
    if (list->count == list->room) {
        size_t room = 2 * list->room + 256;
        struct compare_payment *items = realloc(list->items, room * sizeof(*items));
        if (!items)
            return false;
        list->items = items;
        list->room = room;
    }
    struct compare_payment *added = &list->items[list->count];
    *added = *payment;
    added->url = strdup(url);
    list->count += added->url != NULL;
    return added->url;
}

void compare_free(struct compare_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].url);
    free(list->items);
    *list = (struct compare_list){.items = NULL};
}

static int by_id(const void *a, const void *b)
{
    const struct compare_payment *one = a, *other = b;
    return memcmp(one->id, other->id, UUID_SIZE);
}

static void sort(struct compare_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_id);
}

/* How many have the id of the first. */
static size_t same(const struct compare_payment *first, const struct compare_payment *end)
{
    size_t count = 1;
    while (first + count < end && by_id(first, first + count) == 0)
        count++;
    return count;
}

struct compare_result compare_lists(struct compare_list *here, struct compare_list *there, compare_tell *tell,
                                    void *context)
{
    struct compare_result result = {0};
    sort(here);
    sort(there);
    const struct compare_payment *a = here->items, *a_end = a ? a + here->count : a;
    const struct compare_payment *b = there->items, *b_end = b ? b + there->count : b;
    while (a < a_end || b < b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : by_id(a, b);
        const struct compare_payment *one = order <= 0 ? a : NULL, *other = order >= 0 ? b : NULL;
        size_t ones = one ? same(a, a_end) : 0, others = other ? same(b, b_end) : 0;
        const bool differs[COMPARE_COUNT] = {
            [COMPARE_MISSING_THERE] = !other,
            [COMPARE_MISSING_HERE] = !one,
            [COMPARE_AMOUNT] =
                one && other && (one->micros != other->micros || strcmp(one->currency, other->currency) != 0),
            [COMPARE_URL] = one && other && strcmp(one->url, other->url) != 0,
            [COMPARE_TWICE_HERE] = ones > 1,
            [COMPARE_TWICE_THERE] = others > 1,
        };
        size_t before = result.differences;
        for (enum compare_difference i = 0; i < COMPARE_COUNT; i++)
            if (differs[i]) {
                tell(context, i, one, other);
                result.differences++;
            }
        result.agree += result.differences == before;
        a += ones;
        b += others;
    }
    return result;
}
