/* An offset moves the wall clock alone, never the monotonic one: deadlines and time limits are real in a
 * demonstration as well. */
#include "ledger/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define OFFSET_MAX_SECONDS (10LL * 366 * 86400)

static int64_t offset;

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    /* Only for a clock that a system does not have. A made-up time would go into ids and signatures. */
    int failed = clock_gettime(id, &now);
    assert(!failed && now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME) + offset;
}

int64_t clock_system_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

void clock_set_offset_ms(int64_t offset_ms)
{
    offset = offset_ms;
}

int64_t clock_offset_ms(void)
{
    return offset;
}

bool clock_read_offset(const char *seconds, int64_t *offset_ms)
{
    char *end;
    errno = 0;
    long long number = strtoll(seconds, &end, 10);
    if (!*seconds || *end || errno != 0 || llabs(number) > OFFSET_MAX_SECONDS)
        return false;
    *offset_ms = number * 1000;
    return true;
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_since_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(!failed);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
