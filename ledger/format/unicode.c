/* Only for the reader of a page or paper: what machines read keeps the code. */
#include "ledger/format/unicode.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uldnames.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

const char *unicode_country(const char *code, char out[UNICODE_COUNTRY_MAX])
{
    UErrorCode error = U_ZERO_ERROR;
    UChar name[UNICODE_COUNTRY_MAX / 2];
    int32_t len;
    snprintf(out, UNICODE_COUNTRY_MAX, "%.8s", code);
    /* What is longer would be read as other parts of a locale, too; out stays what it was given. */
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

/* Made once: its rules are a megabyte, and read for a tenth of a second. */
static UTransliterator *to_ascii;

static void make_to_ascii(void)
{
    static const UChar id[] = u"Any-Latin; Latin-ASCII";
    UErrorCode error = U_ZERO_ERROR;
    to_ascii = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &error);
    if (U_FAILURE(error))
        abort(); /* ICU without its data: no name could be written */
}

/* Writes the text, which may have been cut within a character. */
static void write_ascii(const UChar *text, int32_t len, char *out, size_t room)
{
    assert(room > 0);
    size_t made = 0;
    for (int32_t i = 0; i < len && made + 1 < room; i++) {
        if (text[i] < 0x80)
            out[made++] = (char)text[i];
        else if (!U16_IS_TRAIL(text[i]) && !u_hasBinaryProperty(text[i], UCHAR_GRAPHEME_EXTEND))
            out[made++] = '?';
    }
    assert(made < room);
    out[made] = '\0';
}

const char *unicode_ascii(const char *text, char *out, size_t room)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    UErrorCode error = U_ZERO_ERROR;
    int32_t room_16 = (int32_t)strlen(text) * 8 + 64, len, limit; /* a letter may become several */
    UChar *wide = malloc((size_t)room_16 * sizeof(*wide));
    pthread_once(&once, make_to_ascii);
    if (!wide)
        abort();
    /* What is not UTF-8 becomes U+FFFD, and a question mark in the end: a bank's file is not the place to
     * find out about it. */
    u_strFromUTF8WithSub(wide, room_16, &len, text, -1, 0xfffd, NULL, &error);
    limit = len;
    utrans_transUChars(to_ascii, wide, &len, room_16, 0, &limit, &error);
    if (U_FAILURE(error))
        abort(); /* the room is more than any rule makes of a text */
    assert(len >= 0 && len <= room_16);
    write_ascii(wide, len, out, room);
    free(wide);
    return out;
}
