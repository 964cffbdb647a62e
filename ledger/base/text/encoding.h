/* Base64, base64url (RFC 4648), hexadecimal and decimal. Decoding is strict: no white space, no stray bits.
 */
#ifndef LEDGER_BASE_TEXT_ENCODING_H
#define LEDGER_BASE_TEXT_ENCODING_H

#include "ledger/base/slice.h"

#include <stdint.h>

/* Characters that `len` bytes become, without a NUL. */
#define ENCODING_BASE64_LEN(len)    (((len) + 2) / 3 * 4)
#define ENCODING_BASE64URL_LEN(len) (((len)*4 + 2) / 3)

/* Writes padded base64 without a NUL and returns the number of characters. */
size_t encoding_base64(const void *bytes, size_t len, char *out);

/* Writes base64url without padding and without a NUL and returns the number of characters. */
size_t encoding_base64url(const void *bytes, size_t len, char *out);

/* Decodes padded base64 into at most `room` bytes. With `lenient`, missing padding and non-zero padding bits
 * are taken, as RFC 9651 section 4.2.7 allows. False when it does not parse or does not fit. */
bool encoding_unbase64(struct slice text, bool lenient, uint8_t *out, size_t room, size_t *len);

/* Decodes unpadded base64url, as in JWK. */
bool encoding_unbase64url(struct slice text, uint8_t *out, size_t room, size_t *len);

/* Writes 2 * len lower-case digits and a NUL. Returns `out`. */
char *encoding_hex(const void *bytes, size_t len, char *out);

/* Decodes exactly `len` bytes from 2 * len digits. */
bool encoding_unhex(struct slice text, uint8_t *out, size_t len);

/* Room for any number in decimal. */
#define ENCODING_DECIMAL_MAX 20

/* Writes the number in decimal without a NUL, with zeros in front of fewer than `digits` digits; at most
 * ENCODING_DECIMAL_MAX. Returns the number of characters. */
size_t encoding_decimal(uint64_t number, size_t digits, char *out);

#endif
