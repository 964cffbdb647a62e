/* The offer key's file: one key of 32 bytes a line in hex, the newest first. */
#ifndef SERVER_GATE_OFFER_KEY_H
#define SERVER_GATE_OFFER_KEY_H

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

#endif
