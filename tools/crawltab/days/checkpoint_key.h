/* The key that signs checkpoints (`ledger.checkpoint_key_file`): one Ed25519 seed in hex. */
#ifndef TOOLS_CRAWLTAB_DAYS_CHECKPOINT_KEY_H
#define TOOLS_CRAWLTAB_DAYS_CHECKPOINT_KEY_H

#include "ledger/base/config/config.h"
#include "ledger/proof/note.h"

/* Reads the key; makes the file first if it is not there and `make` says so. False after logging why. */
bool checkpoint_key_load(const struct config *config, bool make, struct note_key *key);

/* Verifies by Ed25519, for note_open. */
bool checkpoint_key_verifies(const uint8_t key[NOTE_KEY_SIZE], struct slice text,
                             const uint8_t signature[NOTE_SIGNATURE_SIZE]);

#endif
