/* A child process and not a thread of the gate: the night needs another role, much memory and its own time,
 * and its crash must not be the gate's. Local times are looked up anew after each night, so that a change
 * of the clocks moves none of them. */
#define _GNU_SOURCE /* pthread_condattr_setclock */
#include "server/run/schedule.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/places.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The wall clock may be set meanwhile, so it is looked at this often. */
#define LOOK_EVERY_MS 1000

#define SCHEDULE_MAGIC 0xc0196a5du

/* What is run, and how it is called in the log. */
struct job {
    const char *words[3]; /* after `crawltab --config FILE`; the last one is NULL */
    const char *started, *done, *failed;
};

static const struct job night = {{"nightly"}, "nightly_started", "nightly_done", "nightly_failed"};
static const struct job interim = {
    {"checkpoint", "interim"}, "interim_started", "interim_done", "interim_failed"};

struct schedule {
    uint32_t magic;
    const char *file;
    int64_t interim_ms;            /* 0: never */
    int minutes[CONFIG_TIMES_MAX]; /* of the day */
    size_t count;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending; /* under the lock */
    pid_t child; /* under the lock; 0: none, or reaped */
};

/* The next moment, after `now`, at which the local clock shows so many minutes since midnight. */
static int64_t next_moment(int minutes, int64_t now_ms)
{
    assert(minutes >= 0 && minutes < 24 * 60);
    time_t now = (time_t)(now_ms / 1000);
    struct tm local;
    localtime_r(&now, &local);
    local.tm_hour = minutes / 60;
    local.tm_min = minutes % 60;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    struct tm tomorrow = local;
    time_t at = mktime(&local);
    if (at <= now) {
        tomorrow.tm_mday++;
        at = mktime(&tomorrow);
    }
    return (int64_t)at * 1000;
}

static int64_t next_of_all(const struct schedule *schedule, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < schedule->count; i++) {
        int64_t moment = next_moment(schedule->minutes[i], now_ms);
        next = moment < next ? moment : next;
    }
    return next;
}

/* Found from this program, not by PATH: it must be of the same version. */
static bool find_command(char *path, size_t room)
{
    ssize_t len = readlink("/proc/self/exe", path, room - 1);
    if (len <= 0)
        return false;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    assert(slash); /* the kernel gives a whole path */
    size_t left = room - (size_t)(slash + 1 - path);
    return (size_t)snprintf(slash + 1, left, "%s", places_command) < left;
}

/* The gate's threads block signals; the command must not. */
static int spawn(const char *file, const struct job *job, pid_t *child)
{
    char path[4096], config[] = "--config", first[16], second[16];
    char *copy = strdup(file);
    snprintf(first, sizeof(first), "%s", job->words[0]);
    snprintf(second, sizeof(second), "%s", job->words[1] ? job->words[1] : "");
    char *words[] = {path, config, copy, first, job->words[1] ? second : NULL, NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    int problem = copy && find_command(path, sizeof(path)) ? posix_spawnattr_init(&attributes) : ENOENT;
    if (problem == 0) {
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        problem = posix_spawn(child, path, NULL, &attributes, words, environ);
        posix_spawnattr_destroy(&attributes);
    }
    free(copy);
    return problem;
}

static void log_end(const struct job *job, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (code == 0)
        LOG(INFO, job->done, {"status", LOG_NUMBER(code)});
    else if (code == 75)
        LOG(INFO, job->done, {"status", LOG_NUMBER(code)}, {"detail", "another run is closing the days"});
    else if (code == 3)
        LOG(ERROR, job->done, {"status", LOG_NUMBER(code)},
            {"detail", "there are entries that are not what was signed, and not billed"},
            {"hint", "crawltab unproven lists them with the reasons"});
    else
        LOG(ERROR, job->failed, {"status", LOG_NUMBER(code)},
            {"hint", "its own messages stand above; it is tried again at the next time"});
}

/* Until the child has ended, and leaves it there: as long as it is not reaped, its pid is nobody else's, and
 * schedule_stop may signal it. It is reaped under the lock that schedule_stop signals under. */
static void wait_for_end(pid_t child)
{
    siginfo_t info;
    while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
}

static void run_command(struct schedule *schedule, const struct job *job)
{
    assert(schedule->child == 0);
    pid_t child = 0;
    int status;
    pthread_mutex_lock(&schedule->lock);
    int problem = schedule->ending ? ECANCELED : spawn(schedule->file, job, &child);
    schedule->child = problem == 0 ? child : 0;
    pthread_mutex_unlock(&schedule->lock);
    if (problem != 0) {
        if (problem != ECANCELED)
            LOG(ERROR, "nightly_not_started", {"detail", strerror(problem)}, {"job", job->words[0]},
                {"hint", "crawltab must lie in the folder of crawltabd"});
        return;
    }
    LOG(INFO, job->started, {"pid", LOG_NUMBER(child)});
    wait_for_end(child);
    pthread_mutex_lock(&schedule->lock);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    schedule->child = 0;
    pthread_mutex_unlock(&schedule->lock);
    log_end(job, status);
}

/* False when the thread is to end. */
static bool sleep_a_little(struct schedule *schedule)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_EVERY_MS / 1000;
    pthread_mutex_lock(&schedule->lock);
    int result = 0;
    while (!schedule->ending && result == 0)
        result = pthread_cond_timedwait(&schedule->wake, &schedule->lock, &until);
    bool go_on = !schedule->ending;
    pthread_mutex_unlock(&schedule->lock);
    return go_on;
}

static void *watch_the_clock(void *context)
{
    OBJECT_CHECK((struct schedule *)context, SCHEDULE_MAGIC);
    struct schedule *schedule = context;
    int64_t looked_ms = clock_now_ms();
    int64_t next_ms = next_of_all(schedule, looked_ms), signed_ms = clock_monotonic_ms();
    while (sleep_a_little(schedule)) {
        int64_t now_ms = clock_now_ms();
        bool due = now_ms >= next_ms;
        /* A clock that was set back would wait for days. */
        if (due || now_ms < looked_ms)
            next_ms = next_of_all(schedule, now_ms);
        looked_ms = now_ms;
        if (due)
            run_command(schedule, &night);
        /* Between nights, by a clock that nobody sets. */
        if (schedule->interim_ms > 0 && clock_monotonic_ms() - signed_ms >= schedule->interim_ms) {
            signed_ms = clock_monotonic_ms();
            run_command(schedule, &interim);
        }
    }
    return NULL;
}

static int minutes_of(const char *text)
{
    return ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
}

struct schedule *schedule_start(const char *file, const struct config_list *times, int64_t interim_ms)
{
    struct schedule *schedule = times->count > 0 ? calloc(1, sizeof(*schedule)) : NULL;
    pthread_condattr_t monotonic;
    if (times->count == 0)
        return NULL;
    if (schedule) {
        OBJECT_MAKE(schedule, SCHEDULE_MAGIC);
        schedule->file = file;
        schedule->interim_ms = interim_ms;
        for (; schedule->count < times->count && schedule->count < CONFIG_TIMES_MAX; schedule->count++)
            schedule->minutes[schedule->count] = minutes_of(times->items[schedule->count]);
        pthread_mutex_init(&schedule->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&schedule->wake, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    if (!schedule || pthread_create(&schedule->thread, NULL, watch_the_clock, schedule) != 0) {
        LOG(ERROR, "nightly_not_started", {"detail", "no memory or no threads"},
            {"hint", "the gate goes on; run crawltab nightly from a timer"});
        free(schedule);
        return NULL;
    }
    return schedule;
}

void schedule_stop(struct schedule *schedule)
{
    if (!schedule)
        return;
    OBJECT_CHECK(schedule, SCHEDULE_MAGIC);
    pthread_mutex_lock(&schedule->lock);
    schedule->ending = true;
    if (schedule->child > 0)
        kill(schedule->child, SIGTERM);
    pthread_cond_signal(&schedule->wake);
    pthread_mutex_unlock(&schedule->lock);
    pthread_join(schedule->thread, NULL);
    assert(schedule->child == 0);
    pthread_cond_destroy(&schedule->wake);
    pthread_mutex_destroy(&schedule->lock);
    OBJECT_END(schedule, SCHEDULE_MAGIC);
    free(schedule);
}
