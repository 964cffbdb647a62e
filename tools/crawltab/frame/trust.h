/* By what an operator checks the logs of his ledger: the configured key or one that he gives, and a
 * checkpoint that he has kept elsewhere. */
#ifndef TOOLS_CRAWLTAB_FRAME_TRUST_H
#define TOOLS_CRAWLTAB_FRAME_TRUST_H

#include "ledger/proof/log_check.h"
#include "tools/crawltab/frame/checkpoint_key.h"

struct trust {
    struct log_trust log;
    uint8_t keys[CHECKPOINT_KEYS_MAX][NOTE_KEY_SIZE];
    const char *kept_file; /* NULL: none */
    struct log_kept kept;
    char *note; /* that `kept` is of */
};

/* `verifier`: --vkey, then the configured key is not read; `kept_file`: --checkpoint; both may be NULL. False
 * after telling what is wrong. Ended by trust_free in any case; the structure must stay where it is. */
bool trust_load(const struct config *config, const char *verifier, const char *kept_file,
                struct trust *trust);

/* The same without a configuration: what is given by hand alone. */
bool trust_given(const char *verifier, const char *kept_file, struct trust *trust);
void trust_free(struct trust *trust);

/* The checkpoint to compare logs with; NULL: none was given. */
const struct log_kept *trust_kept(const struct trust *trust);

#endif
