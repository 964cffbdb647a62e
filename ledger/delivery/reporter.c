#include "ledger/delivery/reporter.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define REPORTER_MAGIC 0xa7d25e19u

struct reporter {
    uint32_t magic;
    pthread_mutex_t mutex; /* held while a report is handed over, so that no writer stops meanwhile */
    struct writer *writer;
};

struct reporter *reporter_new(void)
{
    struct reporter *reporter = calloc(1, sizeof(*reporter));
    if (!reporter)
        return NULL;
    OBJECT_MAKE(reporter, REPORTER_MAGIC);
    pthread_mutex_init(&reporter->mutex, NULL);
    return reporter;
}

void reporter_free(struct reporter *reporter)
{
    if (!reporter)
        return;
    assert(!reporter->writer);
    OBJECT_END(reporter, REPORTER_MAGIC);
    pthread_mutex_destroy(&reporter->mutex);
    free(reporter);
}

void reporter_use(struct reporter *reporter, struct writer *writer)
{
    OBJECT_CHECK(reporter, REPORTER_MAGIC);
    assert(writer);
    pthread_mutex_lock(&reporter->mutex);
    reporter->writer = writer;
    pthread_mutex_unlock(&reporter->mutex);
}

bool reporter_uses(struct reporter *reporter, const struct writer *writer)
{
    OBJECT_CHECK(reporter, REPORTER_MAGIC);
    pthread_mutex_lock(&reporter->mutex);
    bool uses = reporter->writer == writer;
    pthread_mutex_unlock(&reporter->mutex);
    return uses;
}

void reporter_leave(struct reporter *reporter, const struct writer *writer)
{
    OBJECT_CHECK(reporter, REPORTER_MAGIC);
    pthread_mutex_lock(&reporter->mutex);
    if (reporter->writer == writer)
        reporter->writer = NULL;
    pthread_mutex_unlock(&reporter->mutex);
}

enum err reporter_report(struct reporter *reporter, struct undelivered_report *report)
{
    OBJECT_CHECK(reporter, REPORTER_MAGIC);
    pthread_mutex_lock(&reporter->mutex);
    /* It answers on a thread of its own, never from within. */
    enum err err = reporter->writer ? writer_report(reporter->writer, report) : ERR_LEDGER_UNAVAILABLE;
    pthread_mutex_unlock(&reporter->mutex);
    return err;
}
