/* What Unicode's data know: names of countries, and letters of other scripts in Latin. The only user of ICU.
 */
#ifndef LEDGER_FORMAT_UNICODE_H
#define LEDGER_FORMAT_UNICODE_H

#include <stddef.h>

#define UNICODE_COUNTRY_MAX 128

/* The English name of a country by its ISO 3166-1 code of two letters, in `out`, which is returned: "Germany"
 * for "DE". The code itself where it is none. */
const char *unicode_country(const char *code, char out[UNICODE_COUNTRY_MAX]);

#endif
