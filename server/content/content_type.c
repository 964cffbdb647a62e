/* What the web is made of is told by a list of our own, with its character set: what a page is said to be,
 * and so what browsers do with it, must not depend on the machine. The rest is told by the system's
 * mime.types, where there is one (Debian's media-types). What neither knows is not guessed from its content.
 */
#include "server/content/content_type.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MIME_TYPES     "/etc/mime.types"
#define MIME_TYPES_MAX (1 << 20)

static const struct {
    struct slice ending;
    const char *type;
} types[] = {
    {SLICE("html"), "text/html; charset=utf-8"},
    {SLICE("htm"), "text/html; charset=utf-8"},
    {SLICE("css"), "text/css; charset=utf-8"},
    {SLICE("js"), "text/javascript; charset=utf-8"},
    {SLICE("mjs"), "text/javascript; charset=utf-8"},
    {SLICE("json"), "application/json"},
    {SLICE("jsonld"), "application/ld+json"},
    {SLICE("xml"), "application/xml"},
    {SLICE("rss"), "application/rss+xml"},
    {SLICE("atom"), "application/atom+xml"},
    {SLICE("txt"), "text/plain; charset=utf-8"},
    {SLICE("md"), "text/markdown; charset=utf-8"},
    {SLICE("csv"), "text/csv; charset=utf-8"},
    {SLICE("svg"), "image/svg+xml"},
    {SLICE("png"), "image/png"},
    {SLICE("jpg"), "image/jpeg"},
    {SLICE("jpeg"), "image/jpeg"},
    {SLICE("gif"), "image/gif"},
    {SLICE("webp"), "image/webp"},
    {SLICE("avif"), "image/avif"},
    {SLICE("ico"), "image/vnd.microsoft.icon"},
    {SLICE("pdf"), "application/pdf"},
    {SLICE("woff"), "font/woff"},
    {SLICE("woff2"), "font/woff2"},
    {SLICE("mp3"), "audio/mpeg"},
    {SLICE("mp4"), "video/mp4"},
    {SLICE("webm"), "video/webm"},
    {SLICE("wasm"), "application/wasm"},
    {SLICE("zip"), "application/zip"},
    {SLICE("gz"), "application/gzip"},
    {SLICE("epub"), "application/epub+zip"},
};

struct known_type {
    const char *ending;
    const char *type;
};

/* Read once, when a file is first asked for that the list above does not know, and kept: what is sent must
 * not change with a package that is upgraded while the gate runs. */
static struct {
    pthread_once_t once;
    char *text;
    struct known_type *types;
    size_t count;
} system_types = {.once = PTHREAD_ONCE_INIT};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct known_type *)a)->ending, ((const struct known_type *)b)->ending);
}

static bool read_text(void)
{
    FILE *file = fopen(MIME_TYPES, "re");
    system_types.text = file ? malloc(MIME_TYPES_MAX + 1) : NULL;
    size_t len = system_types.text ? fread(system_types.text, 1, MIME_TYPES_MAX, file) : 0;
    if (file)
        fclose(file);
    if (system_types.text)
        system_types.text[len] = '\0';
    return len > 0;
}

/* "type/subtype  ending ending # …" a line. */
static void take_line(char *line, size_t room)
{
    static const char blank[] = " \t\r";
    line[strcspn(line, "#")] = '\0';
    /* In place: types and endings stay where the file's text is, and are freed by nobody. */
    const char *type = strsep(&line, blank);
    for (char *ending; (ending = strsep(&line, blank)) && system_types.count < room;) {
        for (char *c = ending; *c; c++)
            *c = slice_lower(*c);
        if (*ending)
            system_types.types[system_types.count++] = (struct known_type){ending, type};
    }
}

static void read_system_types(void)
{
    if (!read_text())
        return;
    /* Each ending has a blank before it. */
    size_t room = 1;
    for (const char *c = system_types.text; *c; c++)
        room += *c == ' ' || *c == '\t';
    system_types.types = calloc(room, sizeof(*system_types.types));
    char *rest = system_types.types ? system_types.text : NULL;
    for (char *line; (line = strsep(&rest, "\n"));)
        take_line(line, room);
    assert(system_types.count < room);
    qsort(system_types.types, system_types.count, sizeof(*system_types.types), compare);
}

static const char *system_type(struct slice ending)
{
    char name[32];
    if (ending.len >= sizeof(name))
        return NULL;
    for (size_t i = 0; i < ending.len; i++)
        name[i] = slice_lower(ending.data[i]);
    name[ending.len] = '\0';
    pthread_once(&system_types.once, read_system_types);
    const struct known_type key = {.ending = name};
    const struct known_type *found =
        system_types.count == 0 ? NULL
                                : bsearch(&key, system_types.types, system_types.count, sizeof(key), compare);
    return found ? found->type : NULL;
}

const char *content_type(struct slice path)
{
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '.' && path.data[start - 1] != '/')
        start--;
    struct slice ending = {path.data + start, path.len - start};
    assert(slice_within(ending, path));
    if (start == 0 || path.data[start - 1] != '.' || ending.len == 0)
        return "application/octet-stream";
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (slice_eq_nocase(types[i].ending, ending))
            return types[i].type;
    const char *type = system_type(ending);
    return type ? type : "application/octet-stream";
}
