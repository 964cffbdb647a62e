/* The offer key's file: one key of 32 bytes a line in hex, the newest first. */
#ifndef LEDGER_ENTRY_OFFER_KEY_H
#define LEDGER_ENTRY_OFFER_KEY_H

#include "ledger/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define OFFER_KEY_SIZE 32

struct offer_key {
    uint8_t current[OFFER_KEY_SIZE];
    uint8_t previous[OFFER_KEY_SIZE];
    bool has_previous;
};

/* Reads the file; makes it with a fresh key, readable by its owner alone, if it is not there. The caller
 * wipes the key. False after logging why. */
bool offer_key_load(const char *path, struct offer_key *key);

/* Reads it for somebody who makes no offers: nothing is made, nothing is logged. NULL if it was read, else
 * what is wrong with it, in words; *key is zeros then. */
const char *offer_key_read(const char *path, struct offer_key *key) MUST_USE;

#endif
