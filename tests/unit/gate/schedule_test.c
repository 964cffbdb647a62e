/* The night that a gate starts by itself is signalled only while it is the gate's child. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/support.h"

#include "ledger/base/clock.h"
#include "server/run/schedule.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define REAPING_MS 200

static atomic_int spawned, reaped, signalled, signalled_strangers;
static atomic_int signs; /* what was run is `crawltab checkpoint interim` */
static char command[64]; /* what is run instead of `crawltab nightly` */

/* The calls of schedule.c, on their way to the C library. */

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const words[], char *const environment[])
{
    int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                char *const *, char *const *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
    char shell[] = "sh", option[] = "-c";
    char *instead[] = {shell, option, command, NULL};
    (void)path;
    atomic_store(&signs, words[3] && words[4] && strcmp(words[3], "checkpoint") == 0 &&
                             strcmp(words[4], "interim") == 0 && !words[5]);
    int result = real(pid, "/bin/sh", actions, attributes, instead, environment);
    atomic_store(&spawned, 1);
    return result;
}

/* Between the moment at which a pid is free for others and the caller's knowing it. */
pid_t waitpid(pid_t pid, int *status, int options)
{
    pid_t (*real)(pid_t, int *, int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "waitpid");
    pid_t result = real(pid, status, options);
    atomic_store(&reaped, 1);
    poll(NULL, 0, REAPING_MS);
    return result;
}

int kill(pid_t pid, int number)
{
    siginfo_t info;
    int (*real)(pid_t, int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "kill");
    bool ours = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    atomic_fetch_add(ours ? &signalled : &signalled_strangers, 1);
    return ours ? real(pid, number) : 0;
}

static void wait_for(atomic_int *flag)
{
    int64_t give_up = clock_monotonic_ms() + 10000;
    while (!atomic_load(flag)) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 1);
    }
}

/* With a clock that shows the end of a minute; at the next one the command runs. */
static struct schedule *start(const char *shell)
{
    char minute[8];
    const char *times[] = {minute};
    const struct config_list list = {.items = times, .count = 1};
    atomic_store(&spawned, 0);
    atomic_store(&reaped, 0);
    snprintf(command, sizeof(command), "%s", shell);
    clock_set_offset_ms(0);
    time_t next = (time_t)(clock_now_ms() / 60000 + 1) * 60;
    struct tm local;
    localtime_r(&next, &local);
    snprintf(minute, sizeof(minute), "%02u:%02u", (unsigned)local.tm_hour % 24u,
             (unsigned)local.tm_min % 60u);
    clock_set_offset_ms((int64_t)next * 1000 - 200 - clock_now_ms());
    struct schedule *schedule = schedule_start("none.yaml", &list, 0);
    assert_non_null(schedule);
    wait_for(&spawned);
    return schedule;
}

static void a_night_that_has_just_ended_is_not_signalled(void **state)
{
    (void)state;
    struct schedule *schedule = start("exit 0");
    wait_for(&reaped);
    schedule_stop(schedule);
    assert_int_equal(atomic_load(&signalled_strangers), 0);
}

static void a_night_that_runs_is_ended(void **state)
{
    (void)state;
    int before = atomic_load(&signalled);
    struct schedule *schedule = start("exec sleep 60");
    schedule_stop(schedule); /* returns when it has ended */
    assert_int_equal(atomic_load(&signalled), before + 1);
    assert_int_equal(atomic_load(&reaped), 1);
    assert_int_equal(atomic_load(&signalled_strangers), 0);
}

/* Its night is twelve hours away. */
static void open_days_are_signed_in_between(void **state)
{
    (void)state;
    char time[8];
    const char *times[] = {time};
    const struct config_list list = {.items = times, .count = 1};
    struct tm local;
    clock_set_offset_ms(0);
    time_t later = (time_t)(clock_now_ms() / 1000) + 12 * 3600;
    localtime_r(&later, &local);
    snprintf(time, sizeof(time), "%02u:%02u", (unsigned)local.tm_hour % 24u, (unsigned)local.tm_min % 60u);
    atomic_store(&spawned, 0);
    atomic_store(&reaped, 0);
    snprintf(command, sizeof(command), "exit 0");
    struct schedule *schedule = schedule_start("none.yaml", &list, 100);
    assert_non_null(schedule);
    for (int i = 0; i < 2; i++) {
        wait_for(&spawned);
        assert_int_equal(atomic_load(&signs), 1);
        wait_for(&reaped);
        atomic_store(&spawned, 0);
        atomic_store(&reaped, 0);
    }
    schedule_stop(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_night_that_has_just_ended_is_not_signalled),
        cmocka_unit_test(a_night_that_runs_is_ended),
        cmocka_unit_test(open_days_are_signed_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
