#include "ledger/format/unicode.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uldnames.h>
#include <unicode/ustring.h>

const char *unicode_country(const char *code, char out[UNICODE_COUNTRY_MAX])
{
    UErrorCode error = U_ZERO_ERROR;
    UChar name[UNICODE_COUNTRY_MAX / 2];
    int32_t len;
    snprintf(out, UNICODE_COUNTRY_MAX, "%.8s", code);
    if (strlen(code) != 2)
        return out;
    ULocaleDisplayNames *names = uldn_open("en", ULDN_STANDARD_NAMES, &error);
    len = uldn_regionDisplayName(names, code, name, UNICODE_COUNTRY_MAX / 2, &error);
    if (U_SUCCESS(error))
        u_strToUTF8(out, UNICODE_COUNTRY_MAX, NULL, name, len, &error);
    if (U_FAILURE(error) || error == U_STRING_NOT_TERMINATED_WARNING)
        snprintf(out, UNICODE_COUNTRY_MAX, "%.8s", code);
    uldn_close(names);
    return out;
}
