/* The offer keys that a ledger's ids were ever made with. The gate needs two; whoever judges entries needs
 * all, and nobody else may have them: so they are in a file of the operator's and in no table, where they
 * would be in every copy of the database and in reach of other roles. */
#ifndef LEDGER_EVIDENCE_OFFER_KEYS_H
#define LEDGER_EVIDENCE_OFFER_KEYS_H

#include "ledger/base/config/config.h"
#include "ledger/entry/offer_key.h"

struct offer_keys {
    uint8_t (*items)[OFFER_KEY_SIZE]; /* each once; those of offer.key_file first */
    size_t count;
    size_t kept;         /* of them, that are in the history */
    const char *file;    /* where a problem is; the configuration's */
    const char *problem; /* why one of the two files could not be read; NULL: both were, or were not there */
};

/* Reads offer.key_file and offer.history_file. A file that is not there has none. Nothing is logged. False
 * without memory. Freed, and wiped, with offer_keys_free, whatever comes back. */
bool offer_keys_read(const struct config *config, struct offer_keys *keys) MUST_USE;
void offer_keys_free(struct offer_keys *keys);

/* Adds to the history what it lacks. False after logging why. */
bool offer_keys_keep(const struct config *config, struct offer_keys *keys) MUST_USE;

#endif
