/* What Unicode's data know: names of countries, and letters of other scripts in Latin. The only user of ICU.
 */
#ifndef LEDGER_FORMAT_UNICODE_H
#define LEDGER_FORMAT_UNICODE_H

#include <stddef.h>

#define UNICODE_COUNTRY_MAX 128

/* The English name of a country by its ISO 3166-1 code of two letters, in `out`, which is returned: "Germany"
 * for "DE". The code itself where it is none. */
const char *unicode_country(const char *code, char out[UNICODE_COUNTRY_MAX]);

/* A text of any script in ASCII, as well as its letters are known to sound: "Soren Muller" for
 * "S\u00f8ren M\u00fcller", "Beijing" for its two characters. "?" stands for what has no such writing, one
 * for each character. In `out`, cut to `room` bytes, which is returned. */
const char *unicode_ascii(const char *text, char *out, size_t room);

#endif
