/* The paid calls of a process: each is made once for its payment id, whoever asks how often, and its result
 * is kept for a while, so that whoever lost it gets it again. What was charged and gave no result, or one
 * that nobody has got in the end, is taken back. For all threads, through reloads. */
#ifndef SERVER_MCP_CALLS_H
#define SERVER_MCP_CALLS_H

#include "ledger/base/config/config.h"
#include "ledger/delivery/reporter.h"

struct calls;
struct call;

/* Who pays for what. */
struct call_key {
    uint8_t id[UUID_SIZE];
    uint8_t thumbprint[DIGEST_SIZE];
};

/* Somebody who waits until a call has ended. */
struct call_wait {
    void (*ready)(struct call_wait *wait); /* once, on any thread */
    struct call_wait *next;
};

enum calls_place {
    CALLS_FIRST,  /* nobody makes it: it is to be made, and ended with calls_finish or calls_fail */
    CALLS_LATER,  /* somebody does: the wait is told */
    CALLS_ENDED,  /* it has its result */
    CALLS_APART,  /* its id is another's here: what the ledger says counts */
    CALLS_REFUSED /* too many at once, or it cannot be noted */
};

/* NULL after logging why. What was not delivered is told by the reporter, which must outlive the calls. */
struct calls *calls_new(const struct config *config, struct reporter *reporter);

/* Gives up what nobody waits for: there is no process after this one, or the next one reads the file. NULL is
 * fine. */
void calls_free(struct calls *calls);

/* The reporter has a writer: tells what was left by a process that died. Again: nothing. */
void calls_tell_left(struct calls *calls);

/* The process ends, and the reporter's writer is still there: what is kept and was not got will not be got
 * any more, and is told. */
void calls_end(struct calls *calls);

/* Looks the call up, or begins it. But for CALLS_APART and CALLS_REFUSED *call is the caller's until
 * calls_let_go. */
enum calls_place calls_enter(struct calls *calls, const struct call_key *key, struct call_wait *wait,
                             struct call **call);
void calls_let_go(struct calls *calls, struct call *call);

/* From then on it has an entry, which is taken back if nothing comes of it. */
void calls_charged(struct call *call);

/* It has ended with a result, which is copied. False: it could not be kept, and will not be had again.
 * `final_micros`: what is billed of it once it is delivered, less than was charged, may be 0; -1: all. */
bool calls_finish(struct calls *calls, struct call *call, struct slice result, int64_t final_micros);

/* All of the result has been handed to the network. */
void calls_delivered(struct calls *calls, struct call *call);

/* It has ended without one. `err` is what those hear who wait for it. Once it has ended this does nothing. */
void calls_fail(struct calls *calls, struct call *call, enum err err);

/* What came of a call that has ended: its result, which stays until the call is let go, and data is NULL
 * where there is none; then *err says why. */
struct slice calls_result(const struct call *call, enum err *err);

#endif
