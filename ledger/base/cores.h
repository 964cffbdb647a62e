/* How many threads can work at once. */
#ifndef LEDGER_BASE_CORES_H
#define LEDGER_BASE_CORES_H

#include <stddef.h>

/* The cores that this process may use, at least one: a container or taskset may allow fewer than there are.
 */
size_t cores_usable(void);

#endif
