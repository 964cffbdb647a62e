#include "tools/crawltab/export/export_manifest.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/export/manifest.h"
#include "ledger/proof/leaf.h"
#include "sql/rows/export.h"
#include "sql/rows/site.h"

#include <inttypes.h>
#include <stdlib.h>

/* Whoever checks a note reads 64 signatures at the most, whatever more there are. */
#define SIGNERS_MAX 64

struct signer {
    char origin[LEAF_ORIGIN_MAX];
    const struct note_key *key;
};

struct signers {
    struct signer items[SIGNERS_MAX];
    size_t count;
};

/* The sites that the export is about; of what is about none, all. */
static enum err find_signers(struct pg *pg, const struct selection *selection, const struct export_made *made,
                             const struct checkpoint_keys *keys, struct signers *signers)
{
    struct pg_params params = {0};
    struct pg_rows sites = {0};
    enum err err;
    pg_params_text(&params, selection->site);
    TRY(pg_run(pg, "site_list", &params, &sites));
    for (int i = 0; i < sites.count && signers->count < SIGNERS_MAX; i++) {
        const struct site_list_row site = site_list_row(&sites, i);
        struct signer *signer = &signers->items[signers->count];
        bool about = made->days.count == 0;
        for (int k = 0; k < made->days.count && !about; k++)
            about = export_days_row(&made->days, k).site_id == site.site_id;
        if (!about)
            continue;
        signer->key = checkpoint_keys_of_site(pg, keys, site.site_id, site.name);
        if (!signer->key || !leaf_origin(site.network, site.name, signer->origin)) {
            err = ERR_INTERNAL;
            goto out;
        }
        signers->count++;
    }
out:
    pg_rows_free(&sites);
    return err;
}

static void write_base64(FILE *out, struct pg_hex hex)
{
    uint8_t bytes[DIGEST_SIZE];
    char text[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    size_t len = pg_hex_bytes(hex, bytes, sizeof(bytes));
    text[encoding_base64(bytes, len < sizeof(bytes) ? len : sizeof(bytes), text)] = '\0';
    fputs(text, out);
}

static void write_sum(FILE *out, const struct export_sum *sum)
{
    char amount[AMOUNT_TEXT_MAX];
    fprintf(out, "%s %" PRId64 " %s", sum->currency, sum->rows, amount_format(sum->micros, amount));
}

static void write_days(FILE *out, const struct export_made *made)
{
    for (int i = 0; i < made->days.count; i++) {
        const struct export_days_row day = export_days_row(&made->days, i);
        fprintf(out, "day %s %s ", day.site, day.local_date);
        if (made->of_days) {
            write_sum(out, &made->of_days[i]);
            fputc(' ', out);
        }
        if (day.sealed) {
            fprintf(out, "sealed %" PRId64 " ", day.log_size);
            write_base64(out, day.day_root);
            fputc('\n', out);
        } else {
            fputs("open\n", out);
        }
    }
}

static bool write_checkpoints(FILE *out, const struct export_made *made)
{
    char origin[LEAF_ORIGIN_MAX];
    for (int i = 0, newest = -1; i < made->days.count; i++) {
        const struct export_days_row day = export_days_row(&made->days, i);
        if (day.sealed)
            newest = i;
        bool last = i + 1 == made->days.count || export_days_row(&made->days, i + 1).site_id != day.site_id;
        if (!last || newest < 0)
            continue;
        const struct export_days_row seal = export_days_row(&made->days, newest);
        if (!leaf_origin(seal.network, seal.site, origin))
            return false;
        fprintf(out, "checkpoint %s %" PRId64 " ", origin, seal.log_size);
        write_base64(out, seal.log_root);
        fputc('\n', out);
        newest = -1;
    }
    return true;
}

/* The manifest stands beside the file: it names it without its folder. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool write_text(FILE *out, const struct selection *selection, const struct export_made *made,
                       const struct signers *signers)
{
    char hex[2 * DIGEST_SIZE + 1], verifier[NOTE_VERIFIER_MAX];
    const char *name = last_part(selection->out);
    fputs(MANIFEST_TITLE "\n", out);
    for (size_t i = 0; i < signers->count; i++) {
        if (!note_verifier(signers->items[i].origin, signers->items[i].key->public_key, verifier))
            return false;
        fprintf(out, "key %s\n", verifier);
    }
    fprintf(out, "kind %s\nformat %s\ncompression %s\n", selection->kind->name,
            selection->csv ? "csv" : "jsonl", packing_name(selection->packing));
    selection_write(selection, out);
    fprintf(out, "file %s\nbytes %" PRId64 "\nsha256 %s\nrows %" PRId64 "\n", name, made->file.bytes,
            encoding_hex(made->file.sha256, DIGEST_SIZE, hex), made->rows);
    fprintf(out, "index %s" MANIFEST_INDEX "\nindex-sha256 %s\n", name,
            encoding_hex(made->index.sha256, DIGEST_SIZE, hex));
    for (size_t i = 0; i < made->currencies; i++) {
        fputs("sum ", out);
        write_sum(out, &made->sums[i]);
        fputc('\n', out);
    }
    write_days(out, made);
    return write_checkpoints(out, made);
}

static bool sign(FILE *out, const char *text, const struct signers *signers)
{
    char line[NOTE_LINE_MAX];
    fputs(text, out);
    fputc('\n', out);
    for (size_t i = 0; i < signers->count; i++) {
        if (!note_line(text, signers->items[i].origin, signers->items[i].key, line))
            return false;
        fputs(line, out);
    }
    return true;
}

/* What a writer writes, as one text; NULL without memory or if the writer fails. */
static char *text_of(const struct selection *selection, const struct export_made *made,
                     const struct signers *signers, const char *to_sign)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = out && (to_sign ? sign(out, to_sign, signers) : write_text(out, selection, made, signers));
    if (out && fclose(out) != 0)
        ok = false;
    if (!ok) {
        free(text);
        text = NULL;
    }
    return text;
}

char *export_manifest_make(struct pg *pg, const struct selection *selection, const struct export_made *made,
                           const struct checkpoint_keys *keys)
{
    char *text = NULL, *note = NULL;
    struct signers *signers = calloc(1, sizeof(*signers));
    if (!signers || (keys && find_signers(pg, selection, made, keys, signers) != ERR_OK))
        goto out;
    text = text_of(selection, made, signers, NULL);
    note = text ? text_of(selection, made, signers, text) : NULL;
out:
    if (!note)
        LOG(ERROR, "the export's manifest cannot be made", {"file", selection->out});
    free(text);
    free(signers);
    return note;
}
