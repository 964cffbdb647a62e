#include "tools/crawltab/frame/csv.h"

#include <stdio.h>
#include <string.h>

void csv_text(const char *text)
{
    putchar('"');
    if (text && *text && strchr("=+-@\t\r", *text))
        putchar('\'');
    for (; text && *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}
