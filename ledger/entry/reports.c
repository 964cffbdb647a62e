/* What was not delivered waits here until the ledger has it. A report stays at the head of its list while it
 * is written: until then reports_has must find it, or the same payment would be answered as paid for. One at
 * a time, as each gives credit back and has a number of its own. */
#include "ledger/entry/reports.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_MAX    65536 /* that wait: 6 MB */
#define REPORTS_A_TURN 16    /* then entries have their turn */

#define REPORTS_MAGIC 0x2c6f81d9u

struct reports {
    uint32_t magic;
    pthread_mutex_t mutex;
    struct undelivered_report *first, **end;
    size_t count;
    bool taken; /* the first of them, by the thread that writes it */
};

struct reports *reports_new(void)
{
    struct reports *reports = calloc(1, sizeof(*reports));
    if (!reports)
        return NULL;
    OBJECT_MAKE(reports, REPORTS_MAGIC);
    pthread_mutex_init(&reports->mutex, NULL);
    reports->end = &reports->first;
    return reports;
}

void reports_free(struct reports *reports)
{
    if (!reports)
        return;
    assert(!reports->first && reports->count == 0 && !reports->taken); /* somebody waits for each */
    OBJECT_END(reports, REPORTS_MAGIC);
    pthread_mutex_destroy(&reports->mutex);
    free(reports);
}

bool reports_put(struct reports *reports, struct undelivered_report *report)
{
    OBJECT_CHECK(reports, REPORTS_MAGIC);
    OBJECT_CHECK(report, REPORT_MAGIC);
    assert(report->done && uuid_is_v7(report->fact.payment_id));
    report->next = NULL;
    pthread_mutex_lock(&reports->mutex);
    /* Bounded, as whoever reports may run wild. */
    bool room = reports->count < REPORTS_MAX;
    if (room) {
        *reports->end = report;
        reports->end = &report->next;
        reports->count++;
    }
    pthread_mutex_unlock(&reports->mutex);
    return room;
}

/* From the front on: few wait at any time, unless the ledger is away, and then nobody asks. */
bool reports_has(struct reports *reports, const uint8_t payment_id[UUID_SIZE])
{
    OBJECT_CHECK(reports, REPORTS_MAGIC);
    bool found = false;
    pthread_mutex_lock(&reports->mutex);
    for (struct undelivered_report *report = reports->first; report && !found; report = report->next)
        found = report->fact.final_micros == 0 && memcmp(report->fact.payment_id, payment_id, UUID_SIZE) == 0;
    pthread_mutex_unlock(&reports->mutex);
    return found;
}

bool reports_wait(struct reports *reports)
{
    OBJECT_CHECK(reports, REPORTS_MAGIC);
    pthread_mutex_lock(&reports->mutex);
    bool waits = reports->first && !reports->taken;
    pthread_mutex_unlock(&reports->mutex);
    return waits;
}

/* The first one; it stays in the list. NULL: there is none, or another thread has it. */
static struct undelivered_report *take(struct reports *reports)
{
    pthread_mutex_lock(&reports->mutex);
    struct undelivered_report *report = reports->taken ? NULL : reports->first;
    reports->taken = reports->taken || report;
    pthread_mutex_unlock(&reports->mutex);
    return report;
}

/* Lets the one that was taken be: it is tried again. */
static void leave(struct reports *reports)
{
    pthread_mutex_lock(&reports->mutex);
    assert(reports->taken);
    reports->taken = false;
    pthread_mutex_unlock(&reports->mutex);
}

/* Answers the one that was taken. */
static void end(struct reports *reports, struct undelivered_report *report, enum err err)
{
    OBJECT_CHECK(report, REPORT_MAGIC);
    pthread_mutex_lock(&reports->mutex);
    assert(reports->taken && reports->first == report && reports->count > 0);
    reports->first = report->next;
    if (!reports->first)
        reports->end = &reports->first;
    reports->count--;
    reports->taken = false;
    pthread_mutex_unlock(&reports->mutex);
    report->err = err;
    report->done(report); /* it may be gone after this */
}

static void remember(struct receipt_cache *receipts, const struct undelivered *fact,
                     enum undelivered_outcome outcome)
{
    if (outcome == UNDELIVERED_DIFFERS)
        return; /* the ledger knows how it ended, and this was not it */
    if (fact->final_micros == 0)
        receipt_cache_kill(receipts, fact->payment_id);
    else if (outcome == UNDELIVERED_RECORDED || outcome == UNDELIVERED_KNOWN)
        receipt_cache_lower(receipts, fact->payment_id, fact->final_micros);
}

enum written { WRITTEN, AGAIN, LOST };

static enum written write_one(struct reports *reports, struct undelivered_report *report,
                              struct session *session, struct receipt_cache *receipts, int64_t until_ms)
{
    struct pg *pg = session->pg;
    pg_deadline(pg, until_ms);
    enum err err = undelivered_record(session, &report->fact, &report->outcome);
    enum pg_failure failure = pg_failure(pg);
    pg_deadline(pg, 0);
    if (err != ERR_OK && failure != PG_DATA) {
        leave(reports);
        return failure == PG_RETRY ? AGAIN : LOST;
    }
    if (err != ERR_OK) /* its day was sealed in this moment */
        report->outcome = UNDELIVERED_SEALED;
    /* Before it leaves the list: from then on nobody but the ledger knows. */
    remember(receipts, &report->fact, report->outcome);
    end(reports, report, ERR_OK);
    return WRITTEN;
}

bool reports_write(struct reports *reports, struct session *session, struct receipt_cache *receipts,
                   int64_t timeout_ms)
{
    OBJECT_CHECK(reports, REPORTS_MAGIC);
    OBJECT_CHECK(session, SESSION_MAGIC);
    enum written written = WRITTEN;
    for (int i = 0; i < REPORTS_A_TURN && written == WRITTEN; i++) {
        /* Some at a time, between two batches: payments wait for receipts, and reports for nothing. */
        struct undelivered_report *report = take(reports);
        if (!report)
            break;
        int64_t until_ms = clock_monotonic_ms() + timeout_ms;
        written = write_one(reports, report, session, receipts, until_ms);
    }
    return written != LOST;
}

void reports_expire(struct reports *reports, int64_t until_ms)
{
    OBJECT_CHECK(reports, REPORTS_MAGIC);
    struct undelivered_report *report;
    while ((report = take(reports))) {
        bool over = until_ms == INT64_MAX || (report->deadline_ms != 0 && report->deadline_ms <= until_ms);
        if (!over) {
            leave(reports);
            break;
        }
        end(reports, report, ERR_LEDGER_UNAVAILABLE);
    }
}
