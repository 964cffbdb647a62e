/* What is not as the RFC says is refused, not guessed at: whoever sends forms here is a browser or a library.
 * Headers other than Content-Disposition say nothing that is believed. */
#include "server/console/base/multipart.h"

#include <string.h>

static struct slice from(struct slice text, size_t at)
{
    return (struct slice){text.data + at, text.len - at};
}

/* The value of a parameter (`name="` in front), as browsers write it: quoted, with %22 for a quotation mark.
 */
static bool parameter(struct slice line, struct slice name, struct slice *value)
{
    while (line.len > 0) {
        size_t end = slice_find(line, ';');
        line = slice_trim(from(line, end + (end < line.len)));
        if (!slice_starts(line, name))
            continue;
        line = from(line, name.len);
        size_t quote = slice_find(line, '"');
        *value = (struct slice){line.data, quote};
        return quote < line.len;
    }
    return false;
}

bool multipart_begin(struct multipart *form, struct slice type, struct slice body)
{
    static const struct slice key = {"boundary=", 9};
    *form = (struct multipart){.rest = body};
    while (type.len > 0 && !slice_starts(type, key)) {
        size_t end = slice_find(type, ';');
        type = slice_trim(from(type, end + (end < type.len)));
    }
    if (type.len <= key.len)
        return false;
    struct slice value = from(type, key.len);
    bool quoted = value.data[0] == '"';
    value = quoted ? from(value, 1) : value;
    value.len = slice_find(value, quoted ? '"' : ';');
    form->boundary = quoted ? value : slice_trim(value);
    if (form->boundary.len == 0 || form->boundary.len > MULTIPART_BOUNDARY_MAX || body.len < 2 ||
        memcmp(body.data, "--", 2) != 0 || !slice_starts(from(body, 2), form->boundary))
        return false;
    form->rest = from(body, 2 + form->boundary.len);
    return true;
}

/* Where "\r\n--boundary" begins; the whole length if it does not. */
static size_t find_boundary(const struct multipart *form)
{
    struct slice text = form->rest;
    for (size_t at = 0; at < text.len; at++) {
        at += slice_find(from(text, at), '\r');
        struct slice here = from(text, at < text.len ? at : text.len);
        if (slice_starts(here, SLICE("\r\n--")) && slice_starts(from(here, 4), form->boundary))
            return at;
    }
    return text.len;
}

/* The lines up to the empty one. False where there is none, or the part has no name. */
static bool read_head(struct multipart *form, struct multipart_part *part)
{
    static const struct slice disposition = {"content-disposition: form-data;", 31};
    while (form->rest.len > 0) {
        size_t end = slice_find(form->rest, '\r');
        struct slice line = {form->rest.data, end};
        if (!slice_starts(from(form->rest, end), SLICE("\r\n")))
            return false;
        form->rest = from(form->rest, end + 2);
        if (line.len == 0)
            return part->name.data != NULL;
        struct slice head = {line.data, line.len < disposition.len ? line.len : disposition.len};
        if (!slice_eq_nocase(head, disposition))
            continue;
        if (!parameter(line, SLICE("name=\""), &part->name))
            return false;
        (void)parameter(line, SLICE("filename=\""), &part->filename);
    }
    return false;
}

bool multipart_next(struct multipart *form, struct multipart_part *part)
{
    *part = (struct multipart_part){.name = {NULL, 0}};
    form->ended = slice_starts(form->rest, SLICE("--"));
    if (form->ended || !slice_starts(form->rest, SLICE("\r\n")))
        return false;
    form->rest = from(form->rest, 2);
    if (!read_head(form, part))
        return false;
    size_t end = find_boundary(form);
    if (end == form->rest.len)
        return false;
    part->content = (struct slice){form->rest.data, end};
    form->rest = from(form->rest, end + 4 + form->boundary.len);
    return true;
}
