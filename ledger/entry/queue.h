/* Submissions on their way to the writer's threads: a bounded queue that any thread may add to, and the place
 * where those threads wait. All functions may be called from any thread at any time, but for queue_free. */
#ifndef LEDGER_ENTRY_QUEUE_H
#define LEDGER_ENTRY_QUEUE_H

#include "ledger/entry/charge.h"
#include "ledger/entry/reports.h"

struct queue;

/* For at most so many submissions. NULL without memory or lock. */
struct queue *queue_new(size_t most) MUST_USE;
/* It must be empty and nobody wait. NULL is fine. */
void queue_free(struct queue *queue);

/* Adds it at the end; deadline_ms must not be before that of those in front of it. ERR_OK: it is taken, and
 * wakes a thread that waits for work; it may be answered before this returns. ERR_OVERLOADED: full; it stays
 * the caller's. Never waits. Not after queue_stop. */
enum err queue_put(struct queue *queue, struct submission *submission) MUST_USE;

/* Wakes a thread that waits for work: there is a report. Not after queue_stop. */
void queue_wake(struct queue *queue);

/* Takes the first submission, if its deadline is `until_ms` or before; INT64_MAX: whatever it is. It stays
 * marked as taken: the caller answers it. NULL if there is none. Never waits. */
struct submission *queue_take(struct queue *queue, int64_t until_ms);

/* The deadline of the first, monotonic; INT64_MAX if there is none. */
int64_t queue_deadline(struct queue *queue);

/* A thread that is about to wait. */
struct queue_waiter {
    bool connected;          /* it can write; else it waits for its moment to connect */
    bool holds;              /* it has submissions that it has not answered */
    struct reports *reports; /* these are written, too, by who can */
    int64_t connect_at_ms;   /* monotonic; of one that is not connected */
};

/* Waits. Connected: for something to write, or a second, to look at the connection. Else until it may
 * connect, or sooner where deadlines have to be watched. False when the queue is stopped and nothing is left
 * that this thread could do. */
bool queue_wait(struct queue *queue, const struct queue_waiter *waiter);

/* Nobody waits from now on. What is queued stays, for queue_take. */
void queue_stop(struct queue *queue);

#endif
