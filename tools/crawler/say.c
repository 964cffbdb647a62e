#include "tools/crawler/say.h"

#include <stdarg.h>

#define LINE_MAX_BYTES 8192
#define INDENT         4

static void write_clean(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        putc(byte < 0x20 || byte == 0x7f ? '?' : byte, out);
    }
}

static void write_line(FILE *out, const char *format, va_list values)
{
    char line[LINE_MAX_BYTES];
    int len = vsnprintf(line, sizeof(line), format, values);
    if (len > 0)
        write_clean(out, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
    putc('\n', out);
}

void say_problem(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("crawler: ", stderr);
    write_line(stderr, format, values);
    va_end(values);
}

void say_line(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(stdout, format, values);
    va_end(values);
}

/* How much of the line fits into `room`: up to a space, or a semicolon between parameters, where there is
 * one, else all of the room. */
static size_t piece_of(struct slice line, size_t room)
{
    if (line.len <= room)
        return line.len;
    for (size_t i = room; i > 0; i--)
        if (line.data[i] == ' ' || line.data[i - 1] == ';')
            return i;
    return room;
}

void say_head_line(FILE *out, char mark, struct slice line)
{
    size_t room = SAY_COLUMNS - 2;
    for (bool first = true; first || line.len > 0; first = false) {
        size_t piece = piece_of(line, first ? room : room - INDENT);
        fprintf(out, "%c %*s", mark, first ? 0 : INDENT, "");
        write_clean(out, line.data, piece);
        putc('\n', out);
        while (piece < line.len && line.data[piece] == ' ')
            piece++;
        line = (struct slice){line.data + piece, line.len - piece};
    }
}
