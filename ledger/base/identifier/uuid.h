/* UUIDs (RFC 9562): version 7 carries its time in the first 48 bits, which is what orders and partitions the
 * ledger. */
#ifndef LEDGER_BASE_IDENTIFIER_UUID_H
#define LEDGER_BASE_IDENTIFIER_UUID_H

#include "ledger/base/slice.h"

#include <stdint.h>

#define UUID_SIZE     16
#define UUID_TEXT_MAX 37

/* Version 7 from a time in ms and ten bytes of which 74 bits are used. */
void uuid_make(int64_t ms, const uint8_t random[10], uint8_t out[UUID_SIZE]);

/* The time in ms. */
int64_t uuid_ms(const uint8_t uuid[UUID_SIZE]);

/* True if version and variant say that this is a version 7. */
bool uuid_is_v7(const uint8_t uuid[UUID_SIZE]);

/* The least one above it, in the order of ids. The last of all has none: it becomes the first. */
void uuid_next(const uint8_t uuid[UUID_SIZE], uint8_t next[UUID_SIZE]);

/* "018f…-…" in `out`, which is returned. */
const char *uuid_format(const uint8_t uuid[UUID_SIZE], char out[UUID_TEXT_MAX]);

/* Reads a UUID with hyphens, or takes the first 16 bytes of a payment id of 64 base64url characters. */
bool uuid_parse(struct slice text, uint8_t out[UUID_SIZE]);

#endif
