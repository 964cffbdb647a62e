/* A fixed list and not the system's mime.types: what a page is said to be, and so what browsers do with it,
 * must not depend on the machine. What is not known is not guessed from its content. */
#include "server/content/content_type.h"

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

const char *content_type(struct slice path)
{
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '.' && path.data[start - 1] != '/')
        start--;
    struct slice ending = {path.data + start, path.len - start};
    if (start > 0 && path.data[start - 1] == '.')
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
            if (slice_eq_nocase(types[i].ending, ending))
                return types[i].type;
    return "application/octet-stream";
}
