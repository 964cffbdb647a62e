/* Entries that may have been recorded, since their connection was lost before the answer: each waits to be
 * tried again, to be found, or for the time after which nothing is recorded. An outage leaves many of them,
 * and each payment after it asks for its own, so that is one look. */
#ifndef LEDGER_CREDIT_DOUBTS_H
#define LEDGER_CREDIT_DOUBTS_H

#include "ledger/credit/credit.h"

struct doubts;

/* NULL without memory. */
struct doubts *doubts_new(void);
void doubts_free(struct doubts *doubts);

/* Keeps one; the same entry may be in doubt several times. False without memory. */
bool doubts_add(struct doubts *doubts, const uint8_t id[UUID_SIZE], const struct credit_claim *claim,
                int64_t amount_micros);

/* Takes one with this id, claim and amount out. False if there is none. */
bool doubts_take(struct doubts *doubts, const uint8_t id[UUID_SIZE], const struct credit_claim *claim,
                 int64_t amount_micros);

/* Copies up to `room` ids, those first that were asked for longest ago; returns how many. */
size_t doubts_ask(struct doubts *doubts, uint8_t (*ids)[UUID_SIZE], size_t room);

/* Told of each entry that is taken out. */
typedef void doubts_release(const struct credit_claim *claim, int64_t amount_micros);

/* Takes all with this id out. */
void doubts_found(struct doubts *doubts, const uint8_t id[UUID_SIZE], doubts_release *release);

/* Takes those out that were made (by the time in their ids) before this moment. */
void doubts_expire(struct doubts *doubts, int64_t made_before_ms, doubts_release *release);

#endif
