/* The door to chance. */
#ifndef LEDGER_BASE_CRYPTO_RANDOM_H
#define LEDGER_BASE_CRYPTO_RANDOM_H

#include <stddef.h>

/* Fills `out` with cryptographically strong random bytes. Aborts if the kernel has none: there is no safe way
 * to go on. Thread-safe. */
void random_bytes(void *out, size_t len);

#endif
