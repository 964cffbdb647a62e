/* A queue of one size, and a thread that takes one reading after the other. A page of entries has a bound of
 * its own for the time that it takes (entries.c), the server another one: so whoever waits behind knows how
 * long at most. */
#include "ledger/account/reader.h"

#include "ledger/account/answer.h"
#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/pg/schema.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

#define WAITING_MAX    64
#define CONNECT_MAX_MS 2000
#define RETRY_MS       1000  /* after a connection that failed: who asks meanwhile hears it at once */
#define IDLE_MS        60000 /* without an inquiry, the connection is let go */

#define READER_MAGIC 0x8a17f36du

struct reader {
    uint32_t magic;
    const struct config *config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct reading *first, *last; /* under the mutex, like all up to stopping */
    size_t waiting;
    bool stopping;

    /* The thread's own. */
    struct pg *pg;
    int64_t retry_ms; /* monotonic: no connection is tried before */
    struct log_repeats repeats;
};

static void disconnect(struct reader *reader)
{
    pg_close(reader->pg);
    reader->pg = NULL;
}

static enum err connect_now(struct reader *reader)
{
    enum err err = ERR_LEDGER_UNAVAILABLE;
    if (clock_monotonic_ms() < reader->retry_ms)
        return err;
    reader->pg = pg_open(&(struct pg_options){
        .config = reader->config,
        .role = reader->config->ledger_gate_role,
        .application = "crawltabd account",
        .connect_ms = CONNECT_MAX_MS,
        .timeout_ms = reader->config->ledger_timeout_seconds * 1000,
        .limit_server = true,
    });
    if (reader->pg)
        err = schema_check_gate(reader->pg);
    if (err == ERR_OK)
        return ERR_OK;
    disconnect(reader);
    reader->retry_ms = clock_monotonic_ms() + RETRY_MS;
    return err;
}

static enum err answer(struct reader *reader, struct reading *reading)
{
    enum err err = ERR_OK;
    if (clock_monotonic_ms() >= reading->deadline_ms)
        return ERR_LEDGER_UNAVAILABLE; /* others have taken all its time */
    if (reader->pg && !pg_alive(reader->pg))
        disconnect(reader);
    if (!reader->pg)
        TRY(connect_now(reader));
    pg_deadline(reader->pg, reading->deadline_ms);
    err = answer_make(reader->pg, reading);
    /* A connection on which something went wrong is in no state that anybody has thought of. */
    if (err == ERR_LEDGER_UNAVAILABLE || err == ERR_INTERNAL)
        disconnect(reader);
out:
    return err;
}

static void serve(struct reader *reader, struct reading *reading)
{
    OBJECT_CHECK(reading, READING_MAGIC);
    log_repeats_begin(&reader->repeats);
    enum err err = answer(reader, reading);
    log_repeats_end();
    if (err == ERR_OK)
        reader->repeats = (struct log_repeats){0};
    assert((err == ERR_OK) == (reading->body != NULL));
    reading->err = err == ERR_LEDGER_UNAVAILABLE ? ERR_ACCOUNT_UNAVAILABLE : err;
    reading->done(reading);
}

/* The next reading; NULL: nobody has asked for a while, or it is to end. */
static struct reading *take(struct reader *reader, bool *stopping)
{
    int64_t until_ms = clock_monotonic_ms() + IDLE_MS;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&reader->mutex);
    while (!reader->first && !reader->stopping)
        if (!reader->pg)
            pthread_cond_wait(&reader->wake, &reader->mutex);
        else if (pthread_cond_timedwait(&reader->wake, &reader->mutex, &until) != 0)
            break;
    struct reading *reading = reader->first;
    *stopping = reader->stopping;
    if (reading) {
        assert(reader->waiting > 0);
        reader->first = reading->next;
        reader->waiting--;
    }
    pthread_mutex_unlock(&reader->mutex);
    return reading;
}

static void *run(void *context)
{
    struct reader *reader = context;
    bool stopping = false;
    OBJECT_CHECK(reader, READER_MAGIC);
    for (;;) {
        struct reading *reading = take(reader, &stopping);
        if (reading && stopping) {
            reading->err = ERR_ACCOUNT_UNAVAILABLE;
            reading->done(reading);
        } else if (reading) {
            serve(reader, reading);
        } else {
            disconnect(reader);
            if (stopping)
                return NULL;
        }
    }
}

static bool init_lock(struct reader *reader)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&reader->mutex, NULL) != 0 || pthread_condattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&reader->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct reader *reader_start(const struct config *config)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    OBJECT_MAKE(reader, READER_MAGIC);
    reader->config = config;
    if (init_lock(reader) && pthread_create(&reader->thread, NULL, run, reader) == 0)
        return reader;
    free(reader);
    return NULL;
}

void reader_stop(struct reader *reader)
{
    if (!reader)
        return;
    OBJECT_CHECK(reader, READER_MAGIC);
    pthread_mutex_lock(&reader->mutex);
    reader->stopping = true;
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->mutex);
    pthread_join(reader->thread, NULL);
    assert(!reader->first && !reader->pg);
    pthread_cond_destroy(&reader->wake);
    pthread_mutex_destroy(&reader->mutex);
    OBJECT_END(reader, READER_MAGIC);
    free(reader);
}

enum err reader_submit(struct reader *reader, struct reading *reading)
{
    OBJECT_CHECK(reader, READER_MAGIC);
    OBJECT_CHECK(reading, READING_MAGIC);
    reading->next = NULL;
    reading->deadline_ms = clock_monotonic_ms() + reader->config->ledger_timeout_seconds * 1000;
    pthread_mutex_lock(&reader->mutex);
    bool room = reader->waiting < WAITING_MAX;
    if (room && reader->first)
        reader->last->next = reading;
    else if (room)
        reader->first = reading;
    if (room) {
        reader->last = reading;
        reader->waiting++;
        pthread_cond_signal(&reader->wake);
    }
    pthread_mutex_unlock(&reader->mutex);
    return room ? ERR_OK : ERR_OVERLOADED;
}
