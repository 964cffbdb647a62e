/* Into three files: the rows, an index of them, and the manifest, which gets its name last: where it stands,
 * the other two are whole. To standard output go the rows alone. */
#include "tools/crawltab/export/export_manifest.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/deed.h"

#include "ledger/base/file/file.h"
#include "ledger/export/manifest.h"

#include <inttypes.h>
#include <stdlib.h>

static const char hint[] = "see crawltab export --help";

/* --- The command line --- */

struct words {
    const char *format;
    bool gzip, zstd, unsigned_;
};

static bool fits(const char *option, const char *value, bool fitting, const struct export_kind *kind)
{
    char what[128];
    if (!value || fitting)
        return true;
    snprintf(what, sizeof(what), "%s is not for %s", option, kind->name);
    command_misused(what, value, hint);
    return false;
}

static bool check_kind(struct selection *selection, const struct command_words *words)
{
    const char *name = words->count > 0 ? words->items[0] : "entries";
    selection->kind = export_kind_called(name);
    if (!selection->kind) {
        command_unknown("there is no such export", name, export_kinds,
                        "use entries, adjustments, invoices, events, payments, conflicts or actions");
        return false;
    }
    if (words->count > 1) {
        command_misused("one kind of rows at a time", words->items[1], hint);
        return false;
    }
    const struct export_kind *kind = selection->kind;
    return fits("--site", selection->site, kind->of_site, kind) &&
           fits("--crawler", selection->crawler, kind->of_site, kind) &&
           fits("--ids", selection->ids_file, kind->of_ids, kind) &&
           fits("--invoice", selection->invoice, kind->of_invoice, kind) &&
           fits("--path", selection->path, kind->of_path, kind);
}

/* A line of the manifest cannot hold a line feed, and a text may hold no other control character. */
static bool is_plain(const char *option, const char *value)
{
    for (const char *c = value; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            command_misused("control characters cannot stand here", option, hint);
            return false;
        }
    return true;
}

static bool check_range(const struct selection *selection)
{
    bool chosen = selection->ids_file || selection->invoice;
    if (!chosen && (!selection->from || !selection->to)) {
        command_misused("--from and --to are needed", NULL, "or --ids, or --invoice");
        return false;
    }
    if (!command_date("this is no date", selection->from) || !command_date("this is no date", selection->to))
        return false;
    if (selection->from && selection->to && strcmp(selection->from, selection->to) >= 0) {
        command_misused("--to must be after --from", selection->to, "--to is the first day left out");
        return false;
    }
    return true;
}

static bool check(struct selection *selection, const struct words *words)
{
    const char *slash = selection->out ? strrchr(selection->out, '/') : NULL;
    if (strcmp(words->format, "csv") != 0 && strcmp(words->format, "jsonl") != 0) {
        command_misused("unknown format", words->format, "use csv or jsonl");
        return false;
    }
    if (words->gzip && words->zstd) {
        command_misused("--gzip and --zstd exclude each other", NULL, hint);
        return false;
    }
    if (words->unsigned_ && !selection->out) {
        command_misused("--unsigned goes with --out", NULL, hint);
        return false;
    }
    if (selection->out && !*(slash ? slash + 1 : selection->out)) {
        command_misused("--out names no file", selection->out, hint);
        return false;
    }
    selection->csv = strcmp(words->format, "csv") == 0;
    selection->packing = words->gzip ? PACKING_GZIP : words->zstd ? PACKING_ZSTD : PACKING_NONE;
    return check_range(selection) && is_plain("--site", selection->site) &&
           is_plain("--crawler", selection->crawler) && is_plain("--path", selection->path) &&
           is_plain("--invoice", selection->invoice) && is_plain("--out", selection->out);
}

/* --- What is asked for is there --- */

static bool is_there(struct pg *pg, const char *statement, const char *name, const char *problem,
                     const char *where)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    if (!name)
        return true;
    pg_params_text(&params, name);
    bool asked = pg_run(pg, statement, &params, &rows) == ERR_OK;
    bool found = rows.count > 0;
    if (asked && !found)
        LOG(ERROR, problem, {"name", name}, {"hint", where});
    pg_rows_free(&rows);
    return asked && found;
}

/* A mistyped name would give an empty file that looks as if nothing had been charged. */
static bool all_there(struct pg *pg, const struct selection *selection)
{
    return is_there(pg, "site_list", selection->site, "the ledger has no such site",
                    "see crawltab site list") &&
           is_there(pg, "export_crawler", selection->crawler, "the ledger has no such crawler",
                    "see crawltab crawler list");
}

static bool record(struct pg *pg, const struct selection *selection)
{
    char *detail = NULL;
    size_t size;
    FILE *out = open_memstream(&detail, &size);
    if (out)
        selection_describe(selection, out);
    bool ok = out && fclose(out) == 0 && deed_record(pg, "export", detail) == ERR_OK;
    free(detail);
    return ok;
}

/* --- Writing --- */

/* The names of the three files. */
struct names {
    char index[4096], manifest[4096];
};

static bool name_files(const struct selection *selection, struct names *names)
{
    const char *path = selection->out ? selection->out : "";
    int len = snprintf(names->index, sizeof(names->index), "%s" MANIFEST_INDEX, path);
    int other = snprintf(names->manifest, sizeof(names->manifest), "%s" MANIFEST_SUFFIX, path);
    if (len < (int)sizeof(names->index) && other < (int)sizeof(names->manifest))
        return true;
    LOG(ERROR, "the file cannot be written", {"file", path}, {"detail", "its name is too long"});
    return false;
}

static bool write_manifest(struct pg *pg, const struct selection *selection, const struct export_made *made,
                           const struct checkpoint_keys *keys, const char *path)
{
    char *note = export_manifest_make(pg, selection, made, keys);
    const char *problem = note ? file_replace(path, note, strlen(note), FILE_PRIVATE) : NULL;
    if (problem)
        LOG(ERROR, "the manifest cannot be written", {"file", path}, {"detail", problem});
    bool ok = note && !problem;
    free(note);
    return ok;
}

static void tell(const struct selection *selection, const struct export_made *made, const char *manifest)
{
    printf("%s: %" PRId64 " row%s, %" PRId64 " bytes; manifest: %s\n", selection->out, made->rows,
           made->rows == 1 ? "" : "s", made->file.bytes, manifest);
}

static enum exit_status export_files(struct pg *pg, const struct selection *selection,
                                     const struct checkpoint_keys *keys)
{
    struct export_made made = {.rows = 0};
    struct names names;
    enum exit_status status = EXIT_FAILED;
    if (!name_files(selection, &names))
        return EXIT_FAILED;
    struct packed_file *file = packed_file_begin(selection->out, selection->packing), *index = NULL;
    if (file && selection->out)
        index = packed_file_begin(names.index, selection->packing);
    if (!file || (selection->out && !index) || export_rows(pg, selection, file, index, &made) != ERR_OK)
        goto out;
    packed_file_end(file, &made.file);
    if (index)
        packed_file_end(index, &made.index);
    bool named = packed_file_name(file);
    file = NULL;
    if (named && index) {
        named = packed_file_name(index);
        index = NULL;
        named = named && write_manifest(pg, selection, &made, keys, names.manifest);
        if (named)
            tell(selection, &made, names.manifest);
    }
    status = named ? EXIT_DONE : EXIT_FAILED;
out:
    packed_file_discard(file);
    packed_file_discard(index);
    export_made_free(&made);
    return status;
}

/* --- The command --- */

/* Looked at before the first row, which may be hours before the manifest. */
static bool load_keys(const struct config *config, const struct selection *selection, bool unsigned_,
                      struct checkpoint_keys *keys)
{
    keys->count = 0;
    if (!selection->out || unsigned_)
        return true;
    if (!checkpoint_keys_load(config, keys))
        return false;
    if (keys->count == 0)
        LOG(ERROR, "there is no key to sign the manifest by", {"file", config->ledger_checkpoint_key_file},
            {"hint", "the first crawltab nightly makes it; --unsigned writes a manifest without signature"});
    return keys->count > 0;
}

static enum exit_status export(const char *config_path, const struct selection *selection, bool unsigned_) {
    enum exit_status status = EXIT_FAILED; struct checkpoint_keys keys = {.count = 0};
    struct config *config = command_config(config_path);
    bool ready = config && load_keys(config, selection, unsigned_, &keys);
    struct pg *pg = ready ? command_open(config, "crawltab export") : NULL;
    if (pg && all_there(pg, selection) && record(pg, selection))
        status = export_files(pg, selection, unsigned_ ? NULL : &keys);
    checkpoint_keys_clear(&keys);
    pg_close(pg);
    config_free(config);
    return status;
}

static enum exit_status export_ledger(const char *config_path, int argc, char **argv)
{
    struct selection selection = {.from = NULL};
    struct words how = {.format = "csv"};
    const struct command_option options[] = {{"--from", &selection.from, NULL},
                                             {"--to", &selection.to, NULL},
                                             {"--site", &selection.site, NULL},
                                             {"--crawler", &selection.crawler, NULL},
                                             {"--path", &selection.path, NULL},
                                             {"--invoice", &selection.invoice, NULL},
                                             {"--ids", &selection.ids_file, NULL},
                                             {"--format", &how.format, NULL},
                                             {"--out", &selection.out, NULL},
                                             {"--gzip", NULL, &how.gzip},
                                             {"--zstd", NULL, &how.zstd},
                                             {"--unsigned", NULL, &how.unsigned_},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words) || !check_kind(&selection, &words) ||
        !check(&selection, &how))
        return EXIT_USAGE;
    enum exit_status status = EXIT_FAILED;
    if (selection_read_ids(&selection))
        status = export(config_path, &selection, how.unsigned_);
    selection_free(&selection);
    return status;
}

const struct command export_command = {
    "export", "write entries, invoices, payments, deeds as CSV or JSON lines",
    "usage: crawltab export [entries|adjustments|invoices|events|payments|conflicts|\n"
    "           actions] --from YYYY-MM-DD --to YYYY-MM-DD [--site NAME]\n"
    "           [--crawler AGENT] [--path GLOB] [--ids FILE] [--invoice NUMBER]\n"
    "           [--format csv|jsonl] [--gzip|--zstd] [--out FILE [--unsigned]]\n"
    "\n"
    "Writes what the ledger has of the billing days from the first (included) to the\n"
    "second (not included), each in its site's zone; operators' deeds by days in UTC.\n"
    "Entries come with their invoice, its line, the billing day and the public key.\n"
    "Row after row: memory does not grow with their number.\n"
    "\n"
    "  entries      paid crawls (default)\n"
    "  adjustments  what was taken back, why and by whom\n"
    "  invoices     invoices and credit notes, a row for each line\n"
    "  events       what happened to these, and who did it: sent, void, written off\n"
    "  payments     money that came in, by the day on which it was recorded\n"
    "  conflicts    second commitments for an id that was used; nobody is charged\n"
    "  actions      operators' deeds; each export and look-up is one\n"
    "\n"
    "With --out there are two files more: FILE.manifest, signed by the key of the\n"
    "checkpoints, has digest, counts, sums, days and their checkpoints; FILE.index\n"
    "has a line for each row. crawltab verify FILE checks all three and names the\n"
    "row that was changed, removed, added or moved. They get their names when they\n"
    "are whole: a run that was killed leaves nothing under these, and is run again.\n"
    "The same rows give the same bytes.\n"
    "\n"
    "CSV is RFC 4180. Text that a spreadsheet would take for a formula gets an\n"
    "apostrophe in front; JSON lines have it as it is. There is no Parquet: no\n"
    "library of Debian 12 writes it.\n"
    "\n"
    "Who exports what is recorded in the ledger, unless his role may only read.\n"
    "\n"
    "options:\n"
    "  --site NAME, --crawler AGENT\n"
    "                    only these\n"
    "  --path GLOB       only of URLs with such a path, as in rules: * and ? stop at\n"
    "                    a slash, ** does not\n"
    "  --ids FILE        only these payment ids, one a line; then of any day\n"
    "  --invoice NUMBER  only what is on this invoice; then of any day\n"
    "  --format NAME     csv (default) or jsonl\n"
    "  --gzip, --zstd    compressed\n"
    "  --out FILE        into files, with manifest and index\n"
    "  --unsigned        a manifest without signature, where the key is not at hand\n"
    "  --config FILE     the configuration (default: config.yaml)\n",
    "  crawltab export --from 2026-11-01 --to 2026-12-01 > november.csv\n"
    "  crawltab export --invoice INV-2026-000001 --format jsonl\n"
    "  crawltab export payments --from 2026-01-01 --to 2027-01-01 --out paid.csv\n",
    export_ledger};
