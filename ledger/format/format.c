/* Texts are formatted twice, at first only to learn their length: what goes into a bill is never cut to the
 * size of a buffer. */
#include "ledger/format/format.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool format_fail(struct format_output *out, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int len = vsnprintf(out->error, sizeof(out->error), pattern, arguments);
    va_end(arguments);
    assert(len > 0);
    return false;
}

char *format_vprinted(const char *pattern, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, pattern, arguments);
    char *text = len >= 0 ? malloc((size_t)len + 1) : NULL;
    if (text) {
        int written = vsnprintf(text, (size_t)len + 1, pattern, again);
        assert(written == len);
    }
    va_end(again);
    return text;
}

char *format_printed(const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    char *text = format_vprinted(pattern, arguments);
    va_end(arguments);
    return text;
}

/* Both are asked: a stream may keep its last bytes, and their failure, until it is closed. */
bool format_close(FILE *file, struct format_output *out)
{
    assert(file);
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    if (ok)
        return true;
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "no memory");
}

const json_t *format_member(const json_t *value, const char *path)
{
    char name[64];
    while (value && *path) {
        size_t len = strcspn(path, ".");
        assert(len > 0); /* "a..b" names nothing */
        if (len >= sizeof(name))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        value = json_object_get(value, name);
        path += len + (path[len] == '.');
    }
    return value;
}

const char *format_text(const json_t *value, const char *path)
{
    const json_t *member = format_member(value, path);
    return json_is_string(member) ? json_string_value(member) : "";
}

int64_t format_number(const json_t *value, const char *path)
{
    return json_integer_value(format_member(value, path));
}
