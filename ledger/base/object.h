/* Checked hand-overs. A struct that crosses a thread or a room has a magic number as its first member,
 * "magic": set when it is made, checked by whoever is given it, cleared when it ends. So one that is stale,
 * freed twice or of another kind ends the program where it arrives, and not where it has done harm. Each
 * kind's number is drawn by chance and stands beside its struct. The checks stay on in releases, like all
 * assertions. */
#ifndef LEDGER_BASE_OBJECT_H
#define LEDGER_BASE_OBJECT_H

#include <assert.h>
#include <stdint.h>

#define OBJECT_MAKE(object, number) ((object)->magic = (number))

#define OBJECT_CHECK(object, number) assert((object) != NULL && (object)->magic == (number))

/* Through a pointer to volatile, or the compiler would leave it out before a free. */
#define OBJECT_END(object, number)                                                                           \
    do {                                                                                                     \
        OBJECT_CHECK(object, number);                                                                        \
        *(volatile uint32_t *)&(object)->magic = 0;                                                          \
    } while (0)

#endif
