#define _GNU_SOURCE /* sched_getaffinity */

#include "ledger/base/cores.h"

#include <sched.h>

size_t cores_usable(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
    return count > 0 ? (size_t)count : 1; /* more than the set has room for: told as none */
}
