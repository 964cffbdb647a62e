#include "tools/crawltab/export/selection.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/file/file.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/text/glob.h"

#include <errno.h>
#include <stdlib.h>

#define IDS_BYTES_MAX ((size_t)64 << 20)

static const struct export_kind kinds[] = {
    {"entries", "export_entries", true, true, true, true, true},
    {"adjustments", "export_adjustments", false, true, true, true, false},
    {"invoices", "export_invoices", false, true, false, true, false},
    {"events", "export_events", false, true, false, true, false},
    {"payments", "export_payments", false, true, false, true, false},
    {"conflicts", "export_conflicts", false, true, true, false, true},
    {"actions", "export_actions", false, false, false, false, false},
};

const char *const export_kinds[] = {"entries",  "adjustments", "invoices", "events",
                                    "payments", "conflicts",   "actions",  NULL};

const struct export_kind *export_kind_called(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* --- Ids --- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, UUID_SIZE);
}

static void sort_ids(struct selection *selection)
{
    size_t kept = 0;
    qsort(selection->ids, selection->id_count, UUID_SIZE, compare_ids);
    for (size_t i = 0; i < selection->id_count; i++)
        if (kept == 0 || memcmp(selection->ids[kept - 1], selection->ids[i], UUID_SIZE) != 0)
            memmove(selection->ids[kept++], selection->ids[i], UUID_SIZE);
    selection->id_count = kept;
}

/* Empty lines are none. */
static bool read_lines(struct selection *selection, struct slice rest)
{
    char where[4096];
    for (size_t line = 1; rest.len > 0; line++) {
        size_t len = slice_find(rest, '\n');
        struct slice id = slice_trim((struct slice){rest.data, len});
        if (id.len > 0 && id.data[id.len - 1] == '\r')
            id.len--;
        size_t cut = len < rest.len ? len + 1 : len;
        rest = (struct slice){rest.data + cut, rest.len - cut};
        if (id.len == 0)
            continue;
        if (!uuid_parse(id, selection->ids[selection->id_count++])) {
            snprintf(where, sizeof(where), "%s:%zu", selection->ids_file, line);
            LOG(ERROR, "this is no payment id", {"where", where},
                {"hint", "one a line: the 64 characters of the offer, or the UUID of an export"});
            return false;
        }
    }
    if (selection->id_count == 0)
        LOG(ERROR, "the file has no payment id in it", {"file", selection->ids_file});
    return selection->id_count > 0;
}

bool selection_read_ids(struct selection *selection)
{
    size_t len = 0, lines = 1;
    if (!selection->ids_file)
        return true;
    char *text = file_read(selection->ids_file, IDS_BYTES_MAX, &len, NULL);
    for (size_t i = 0; text && i < len; i++)
        lines += text[i] == '\n';
    selection->ids = text ? calloc(lines, UUID_SIZE) : NULL;
    if (!selection->ids) {
        LOG(ERROR, "the file of ids cannot be read", {"file", selection->ids_file},
            {"detail", strerror(errno)});
        free(text);
        return false;
    }
    bool read = read_lines(selection, (struct slice){text, len});
    free(text);
    if (read)
        sort_ids(selection);
    return read;
}

void selection_free(struct selection *selection)
{
    free(selection->ids);
    selection->ids = NULL;
}

bool selection_add_ids(const struct selection *selection, struct pg_array *array, struct pg_params *params)
{
    if (!selection->ids) {
        pg_params_text(params, NULL);
        return true;
    }
    pg_array_begin(array, PG_TYPE_UUID);
    for (size_t i = 0; i < selection->id_count; i++)
        pg_array_bytes(array, slice_bytes(selection->ids[i], UUID_SIZE));
    return pg_params_array(params, array);
}

/* --- Paths --- */

bool selection_has_path(const struct selection *selection, struct slice resource)
{
    if (!selection->path)
        return true;
    struct slice rest = resource;
    size_t scheme = slice_find(rest, ':') + SLICE("://").len;
    if (scheme <= rest.len)
        rest = (struct slice){rest.data + scheme, rest.len - scheme};
    size_t slash = slice_find(rest, '/');
    struct slice path = {rest.data + slash, rest.len - slash};
    path.len = slice_find(path, '?');
    return glob_matches(slice_of(selection->path), path.len > 0 ? path : SLICE("/"));
}

/* --- In words --- */

static void write_line(FILE *out, const char *word, const char *value)
{
    if (value)
        fprintf(out, "%s %s\n", word, value);
}

void selection_write(const struct selection *selection, FILE *out)
{
    uint8_t hash[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    write_line(out, "from", selection->from);
    write_line(out, "to", selection->to);
    write_line(out, "site", selection->site);
    write_line(out, "crawler", selection->crawler);
    write_line(out, "path", selection->path);
    write_line(out, "invoice", selection->invoice);
    if (selection->ids) {
        const struct slice bytes = slice_bytes(selection->ids, selection->id_count * UUID_SIZE);
        digest_sha256(&bytes, 1, hash);
        fprintf(out, "ids %zu %s\n", selection->id_count, encoding_hex(hash, sizeof(hash), hex));
    }
}

static void describe(FILE *out, const char *word, const char *value)
{
    if (value)
        fprintf(out, " %s %s", word, value);
}

void selection_describe(const struct selection *selection, FILE *out)
{
    fputs(selection->kind->name, out);
    describe(out, "from", selection->from);
    describe(out, "to", selection->to);
    describe(out, "of site", selection->site);
    describe(out, "of crawler", selection->crawler);
    describe(out, "of path", selection->path);
    describe(out, "of invoice", selection->invoice);
    if (selection->ids)
        fprintf(out, " of %zu ids", selection->id_count);
    describe(out, "into", selection->out);
}
