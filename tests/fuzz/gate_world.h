/* What the fuzzed gate lives in instead of clock, chance, network and database: the doors of DESIGN.md
 * section 3 with another side behind them. Linked instead of clock.c, random.c, directory.c, writer.c,
 * reader.c, refresh.c, agreements.c and tokens.c. */
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
    struct config *config;
    struct credit *credit;
    struct signature_key *key; /* the one key that directories list */
    uint8_t thumbprint[DIGEST_SIZE];
    struct jwk jwk;

    /* What the gate did. */
    struct submission *queued;
    struct directory_wait *waiting;
    struct reading *reading;
    struct undelivered_report *reported;
    unsigned read;      /* accounts that were asked for */
    unsigned submitted; /* charges handed over */
    unsigned recorded;  /* of those, confirmed */
    unsigned reports;   /* of what is taken back */
    bool late;          /* the charge may only be a repeat, as its times are over */
    int64_t amount_micros;
};

extern struct world world;

/* Reads the configuration, in the checkout, where tools/dev/fuzz.sh runs, and makes the keys: by the fake
 * chance, always the same ones. Once, before anything else. */
void world_start(const char *yaml);

extern const uint8_t world_seed[SIGNATURE_ED25519_KEY_SIZE]; /* of world.key */

/* The text with `name` replaced, in the arena; `text` itself when it is not in there. */
struct slice world_replace(struct arena *arena, struct slice text, const char *name, struct slice value);

/* An id of the site "example" with the terms of https://shop.example/terms. */
struct slice world_id(struct arena *arena, struct slice authority, struct slice target, int64_t price,
                      int64_t ms);

/* Answers what was queued, as the other threads would. */
void world_turn(void);

#endif
