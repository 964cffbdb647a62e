/* What the fuzzed gate lives in instead of clock, chance, network and database: the doors of DESIGN.md
 * section 3 with another side behind them. Linked instead of clock.c, random.c, directory.c, writer.c,
 * reader.c, refresh.c and agreements.c. */
#ifndef TESTS_FUZZ_GATE_WORLD_H
#define TESTS_FUZZ_GATE_WORLD_H

#include "ledger/account/reader.h"
#include "ledger/credit/refresh.h"
#include "ledger/entry/writer.h"
#include "server/agent/directory.h"

#define WORLD_NOW 1763640000 /* seconds; time stands still */

/* How the world behaves for one input. */
struct world {
    bool ask;         /* keys are not known at first */
    bool ledger_down; /* entries are not confirmed */
    bool conflict;    /* the id was used by another */
    bool overloaded;  /* nothing is queued */
    bool limited;     /* an agreement leaves no credit */
    bool unread;      /* accounts have not been read yet */
    struct credit *credit;
    struct signature_key *key; /* the one key that directories list */
    uint8_t thumbprint[DIGEST_SIZE];
    struct jwk jwk;

    /* What the gate did. */
    struct submission *queued;
    struct directory_wait *waiting;
    struct reading *reading;
    unsigned read;      /* accounts that were asked for */
    unsigned submitted; /* charges handed over */
    unsigned recorded;  /* of those, confirmed */
    int64_t amount_micros;
};

extern struct world world;

/* Answers what was queued, as the other threads would. */
void world_turn(void);

#endif
