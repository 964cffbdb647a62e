#include "ledger/format/markup.h"

void markup_text(FILE *out, const char *value)
{
    /* Both quotes too, so that one function serves attributes as well. */
    for (; *value; value++)
        switch (*value) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc((unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value, out);
        }
}
