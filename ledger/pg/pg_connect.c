/* libpq looks host names up with getaddrinfo(3), which has no deadline: a name server that is silent, or a
 * module of nsswitch.conf that hangs, would hold a writer for as long as it likes, and with it all who wait
 * for their receipts. So each try is made by a thread of its own, which is left to itself at the deadline and
 * cleans up after itself when the look-up returns. All of the try, and not the look-up alone: which names
 * there are, only libpq knows (of a service file, of PGHOST, of a key distribution centre). */
#include "ledger/pg/pg_connect.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Threads that were left to themselves with one host: who tries again every two seconds must not pile them
 * up. For each host by itself, so that one whose name is not found does not keep others from being tried. */
#define LEFT_MAX 4
/* So long before the deadline the thread ends by itself, since it knows best what is wrong, unless it hangs:
 * this part of the time, and no more than so many milliseconds. */
#define GRACE_PART   10
#define GRACE_MAX_MS 100

#define ATTEMPT_MAGIC 0x39f5a2d7u

/* Shared by the thread that waits and the one that tries; freed by the one that leaves last. */
struct attempt {
    uint32_t magic;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool done; /* under the mutex, like the next */
    bool left;
    struct attempt *next; /* in the list of those that were left, under its mutex */
    PGconn *conn;
    int64_t deadline_ms;               /* of who waits */
    int64_t ends_ms;                   /* of the thread, before that */
    char *keys[PG_TARGET_OPTIONS_MAX]; /* copies: the target may be gone when the look-up returns */
    char *values[PG_TARGET_OPTIONS_MAX];
    char problem[PG_CONNECT_PROBLEM_MAX];
};

static pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct attempt *left_attempts;

bool pg_connect_wait(struct pg_conn *conn, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t remaining = deadline_ms - clock_monotonic_ms();
        struct pollfd socket = {.fd = PQsocket(conn), .events = events};
        if (remaining <= 0 || socket.fd < 0)
            return false;
        /* At most a minute at a time, as an int of milliseconds is less than a deadline may be. */
        int ready = poll(&socket, 1, remaining < 60000 ? (int)remaining : 60000);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

static void attempt_free(struct attempt *attempt)
{
    OBJECT_END(attempt, ATTEMPT_MAGIC);
    assert(!attempt->next); /* it is in no list any more */
    PQfinish(attempt->conn);
    for (size_t i = 0; i < PG_TARGET_OPTIONS_MAX; i++) {
        free(attempt->keys[i]);
        if (attempt->values[i])
            explicit_bzero(attempt->values[i], strlen(attempt->values[i])); /* a password */
        free(attempt->values[i]);
    }
    pthread_cond_destroy(&attempt->ended);
    pthread_mutex_destroy(&attempt->mutex);
    free(attempt);
}

/* NULL without memory. */
static struct attempt *attempt_new(const struct pg_target *target, int64_t deadline_ms)
{
    pthread_condattr_t monotonic;
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    if (!attempt)
        return NULL;
    OBJECT_MAKE(attempt, ATTEMPT_MAGIC);
    int64_t grace_ms = (deadline_ms - clock_monotonic_ms()) / GRACE_PART;
    attempt->deadline_ms = deadline_ms;
    attempt->ends_ms = deadline_ms - (grace_ms < GRACE_MAX_MS ? grace_ms : GRACE_MAX_MS);
    assert(target->count < PG_TARGET_OPTIONS_MAX); /* the last one is the NULL that ends them */
    bool ok = pthread_mutex_init(&attempt->mutex, NULL) == 0 && pthread_condattr_init(&monotonic) == 0 &&
              pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&attempt->ended, &monotonic) == 0;
    assert(ok); /* glibc's have nothing that could fail */
    pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < target->count; i++) {
        attempt->keys[i] = strdup(target->keys[i]);
        attempt->values[i] = strdup(target->values[i]);
        ok = ok && attempt->keys[i] && attempt->values[i];
    }
    if (ok)
        return attempt;
    attempt_free(attempt);
    return NULL;
}

static bool connect_until(PGconn *conn, int64_t deadline_ms)
{
    if (!conn || PQstatus(conn) == CONNECTION_BAD)
        return false;
    /* libpq says for what to wait; before its first answer it is for writing. */
    for (PostgresPollingStatusType status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK;
         status = PQconnectPoll(conn)) {
        if (status == PGRES_POLLING_FAILED ||
            !pg_connect_wait(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
            return false;
    }
    return PQsetnonblocking(conn, 1) == 0;
}

/* --- Those that were left to themselves ---
 */

static const char *host_of(const struct attempt *attempt)
{
    OBJECT_CHECK(attempt, ATTEMPT_MAGIC);
    size_t at = 0;
    while (attempt->keys[at] && strcmp(attempt->keys[at], "host") != 0)
        at++;
    return attempt->keys[at] ? attempt->values[at] : "";
}

static bool too_many_left(const char *host)
{
    int count = 0;
    pthread_mutex_lock(&left_mutex);
    for (const struct attempt *attempt = left_attempts; attempt; attempt = attempt->next)
        count += strcmp(host_of(attempt), host) == 0;
    pthread_mutex_unlock(&left_mutex);
    return count >= LEFT_MAX;
}

static void note_left(struct attempt *attempt)
{
    assert(attempt->left && !attempt->next);
    pthread_mutex_lock(&left_mutex);
    attempt->next = left_attempts;
    left_attempts = attempt;
    pthread_mutex_unlock(&left_mutex);
}

static void forget_left(struct attempt *attempt)
{
    pthread_mutex_lock(&left_mutex);
    struct attempt **at = &left_attempts;
    while (*at != attempt) {
        at = &(*at)->next;
        assert(*at); /* it was noted under the mutex that said so */
    }
    *at = attempt->next;
    attempt->next = NULL;
    pthread_mutex_unlock(&left_mutex);
    attempt_free(attempt);
}

/* --- Trying ---
 */

static void *try_to_connect(void *context)
{
    OBJECT_CHECK((struct attempt *)context, ATTEMPT_MAGIC);
    struct attempt *attempt = context;
    PGconn *conn =
        PQconnectStartParams((const char *const *)attempt->keys, (const char *const *)attempt->values, 0);
    bool connected = connect_until(conn, attempt->ends_ms);
    const char *why = conn ? PQerrorMessage(conn) : "out of memory";
    pthread_mutex_lock(&attempt->mutex);
    attempt->conn = conn;
    if (!connected)
        snprintf(attempt->problem, sizeof(attempt->problem), "%s", *why ? why : "no answer in time");
    for (size_t len = strlen(attempt->problem); len > 0 && attempt->problem[len - 1] == '\n'; len--)
        attempt->problem[len - 1] = '\0';
    attempt->done = true;
    bool left = attempt->left;
    /* Under the mutex, and with nothing touched behind it: who waits may free the attempt as soon as it is
     * open. */
    pthread_cond_signal(&attempt->ended);
    pthread_mutex_unlock(&attempt->mutex);
    if (left)
        forget_left(attempt);
    return NULL;
}

static bool start(struct attempt *attempt)
{
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, try_to_connect, attempt) == 0;
    if (started)
        pthread_detach(thread);
    return started;
}

/* True when the thread has ended in time; else it owns the attempt from now on. */
static bool wait_for_end(struct attempt *attempt)
{
    OBJECT_CHECK(attempt, ATTEMPT_MAGIC);
    const struct timespec until = {attempt->deadline_ms / 1000, attempt->deadline_ms % 1000 * 1000000};
    /* The clock of the condition is the monotonic one, as the deadline's: a step of the other ends no wait.
     */
    assert(!attempt->left);
    int result = 0;
    pthread_mutex_lock(&attempt->mutex);
    while (!attempt->done && result == 0)
        result = pthread_cond_timedwait(&attempt->ended, &attempt->mutex, &until);
    bool done = attempt->done;
    attempt->left = !done;
    if (!done)
        /* Noted before the thread can see that it was left: it takes itself off the list. */
        note_left(attempt);
    pthread_mutex_unlock(&attempt->mutex);
    return done;
}

struct pg_conn *pg_connect(const struct pg_target *target, int64_t deadline_ms,
                           char problem[PG_CONNECT_PROBLEM_MAX])
{
    PGconn *conn = NULL;
    const char *host = pg_target_get(target, "host");
    /* Counted before another one is started: the look-up that hangs would hang once more. */
    if (too_many_left(host ? host : "")) {
        snprintf(problem, PG_CONNECT_PROBLEM_MAX, "%d look-ups of the host's name are still not answered",
                 LEFT_MAX);
        return NULL;
    }
    struct attempt *attempt = attempt_new(target, deadline_ms);
    if (!attempt || !start(attempt)) {
        snprintf(problem, PG_CONNECT_PROBLEM_MAX, "no memory or no thread for connecting");
        if (attempt)
            attempt_free(attempt);
        return NULL;
    }
    if (!wait_for_end(attempt)) {
        snprintf(problem, PG_CONNECT_PROBLEM_MAX, "the look-up of the host's name was not answered in time");
        return NULL;
    }
    if (!*attempt->problem) {
        conn = attempt->conn;
        assert(conn);
        attempt->conn = NULL;
    }
    memcpy(problem, attempt->problem, PG_CONNECT_PROBLEM_MAX);
    attempt_free(attempt);
    return conn;
}
