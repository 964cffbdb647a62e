/* Payments as the crawler has kept them, and as the publisher says that they were: what differs. Pure. */
#ifndef TOOLS_CRAWLER_ACCOUNT_COMPARE_H
#define TOOLS_CRAWLER_ACCOUNT_COMPARE_H

#include "ledger/base/identifier/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One payment. */
struct compare_payment {
    uint8_t id[UUID_SIZE];
    int64_t micros;
    char currency[8];
    char *url;     /* the list's */
    bool unbilled; /* there: it is taken back, or not proven */
};

/* Starts as {0}. */
struct compare_list {
    struct compare_payment *items;
    size_t count, room;
};

/* Adds a payment, with a copy of the URL that it is for. False without memory. */
bool compare_add(struct compare_list *list, const struct compare_payment *payment, const char *url);
void compare_free(struct compare_list *list);

#define COMPARE_DIFFERENCES(X)                                                                               \
    X(COMPARE_MISSING_THERE, "missing_there", "a receipt here, no entry there")                              \
    X(COMPARE_MISSING_HERE, "missing_here", "an entry there, no receipt here")                               \
    X(COMPARE_AMOUNT, "amount_differs", "another amount there than on the receipt")                          \
    X(COMPARE_URL, "url_differs", "for another URL there than on the receipt")                               \
    X(COMPARE_TWICE_HERE, "twice_here", "more than one receipt here with this id")                           \
    X(COMPARE_TWICE_THERE, "twice_there", "more than one entry there with this id")

enum compare_difference {
#define COMPARE_NAME(difference, name, sentence) difference,
    COMPARE_DIFFERENCES(COMPARE_NAME)
#undef COMPARE_NAME
        COMPARE_COUNT
};

const char *compare_name(enum compare_difference difference);
const char *compare_sentence(enum compare_difference difference);

/* Told for each difference, in the order of ids; the one that is not there is NULL. */
typedef void compare_tell(void *context, enum compare_difference difference,
                          const struct compare_payment *here, const struct compare_payment *there);

struct compare_result {
    size_t agree, differences;
};

/* Sorts both by their ids, and tells. What is twice on one side is told once and then compared once. */
struct compare_result compare_lists(struct compare_list *here, struct compare_list *there, compare_tell *tell,
                                    void *context);

#endif
