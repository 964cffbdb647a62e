#include "ledger/export/manifest.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <string.h>

bool manifest_next(struct slice *rest, struct slice *word, struct slice *value)
{
    if (rest->len == 0)
        return false;
    size_t len = slice_find(*rest, '\n');
    struct slice line = {rest->data, len};
    size_t cut = len < rest->len ? len + 1 : len;
    *rest = (struct slice){rest->data + cut, rest->len - cut};
    size_t space = slice_find(line, ' ');
    *word = (struct slice){line.data, space};
    *value = space < line.len ? (struct slice){line.data + space + 1, line.len - space - 1}
                              : (struct slice){line.data + line.len, 0};
    assert(slice_within(*word, line) && slice_within(*value, line));
    return true;
}

struct slice manifest_text(struct slice note)
{
    for (size_t at = note.len; at >= 2; at--)
        if (note.data[at - 1] == '\n' && note.data[at - 2] == '\n')
            return (struct slice){note.data, at - 1};
    return note;
}

static bool read_number(struct slice text, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *number > INT64_MAX / 10 - 1)
            return false;
        *number = 10 * *number + (text.data[i] - '0');
    }
    return text.len > 0;
}

static bool read_hex(struct slice text, uint8_t out[DIGEST_SIZE])
{
    return text.len == (size_t)2 * DIGEST_SIZE && encoding_unhex(text, out, DIGEST_SIZE);
}

/* False if the word's value is not what it has to be; a word that is not known says nothing to us. */
static bool take(struct manifest *manifest, struct slice word, struct slice value)
{
    if (slice_eq(word, SLICE("kind")))
        manifest->kind = value;
    else if (slice_eq(word, SLICE("file")))
        manifest->file = value;
    else if (slice_eq(word, SLICE("index")))
        manifest->index = value;
    else if (slice_eq(word, SLICE("format")))
        return (manifest->csv = slice_eq(value, SLICE("csv"))) || slice_eq(value, SLICE("jsonl"));
    else if (slice_eq(word, SLICE("compression")))
        return packing_named(value, &manifest->packing);
    else if (slice_eq(word, SLICE("bytes")))
        return read_number(value, &manifest->bytes);
    else if (slice_eq(word, SLICE("rows")))
        return read_number(value, &manifest->rows);
    else if (slice_eq(word, SLICE("sha256")))
        return read_hex(value, manifest->sha256);
    else if (slice_eq(word, SLICE("index-sha256")))
        return read_hex(value, manifest->index_sha256);
    return true;
}

const char *manifest_read(struct slice text, struct manifest *manifest)
{
    struct slice rest = text, word, value;
    *manifest = (struct manifest){.text = text, .bytes = -1, .rows = -1};
    if (!manifest_next(&rest, &word, &value) || !slice_eq(word, SLICE(MANIFEST_TITLE)))
        return "its first line is not " MANIFEST_TITLE;
    while (manifest_next(&rest, &word, &value))
        if (!take(manifest, word, value))
            return "a line of it cannot be read";
    if (manifest->bytes < 0 || manifest->rows < 0 || manifest->file.len == 0 || manifest->index.len == 0)
        return "file, bytes, rows or index is missing in it";
    return NULL;
}

void manifest_hash(struct slice line, uint8_t out[MANIFEST_HASH_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(&line, 1, hash);
    memcpy(out, hash, MANIFEST_HASH_SIZE);
}
