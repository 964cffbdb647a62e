/* The subcommands of `crawltab dispute` that change something. */
#ifndef TOOLS_CRAWLTAB_DISPUTES_DISPUTE_STEPS_H
#define TOOLS_CRAWLTAB_DISPUTES_DISPUTE_STEPS_H

#include "tools/crawltab/frame/command.h"

struct dispute_steps {
    const char *const *words; /* behind the subcommand */
    int count;
    const char *site, *reason, *text, *evidence, *invoice, *line; /* of "open" */
    const char *name, *piece;                                     /* of evidence: how, and which */
    bool uphold, reject;                                          /* of "decide" */
    const char *amount, *proof;
    bool letters; /* beside the proofs */
    bool json;
};

/* Opens one, and lets the rules look at it. */
enum exit_status dispute_steps_open(struct pg *pg, const struct config *config,
                                    const struct dispute_steps *steps);

/* Decides one or, without a word, lets the rules look at all that none has looked at. */
enum exit_status dispute_steps_decide(struct pg *pg, const struct config *config,
                                      const struct dispute_steps *steps);

/* Writes a proof of each payment that the dispute is about and that is not upheld into the folder, and its
 * letter if they are wanted. False after telling what is wrong. */
bool dispute_steps_prove(struct pg *pg, const struct config *config, const struct dispute_steps *steps);

/* Prints the dispute. EXIT_FAILED after telling that there is none. */
enum exit_status dispute_steps_show(struct pg *pg, const char *dispute_id, bool json);

#endif
