#include "tools/crawltab/export/exporter.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/export/manifest.h"
#include "ledger/export/row_text.h"
#include "sql/rows/export.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_ROWS 4096
#define PROGRESS_MS   500

struct exporter {
    const struct selection *selection;
    struct packed_file *file, *index;
    struct export_made *made;
    struct export_sum *day; /* of which rows are being told; NULL: of none */
    struct row_form form;
    struct row_text text, name;
    bool progress;
    int64_t told_ms;
};

void export_made_free(struct export_made *made)
{
    pg_rows_free(&made->days);
    free(made->of_days);
    made->of_days = NULL;
}

static void show_progress(struct exporter *exporter)
{
    if (!exporter->progress || exporter->made->rows % PROGRESS_ROWS != 0)
        return;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - exporter->told_ms < PROGRESS_MS)
        return;
    exporter->told_ms = now_ms;
    fprintf(stderr, "\r%" PRId64 " rows", exporter->made->rows);
}

static void end_progress(const struct exporter *exporter)
{
    if (exporter->progress && exporter->told_ms > 0)
        fputs("\r\033[K", stderr);
}

/* Sums are in the order of their currencies, of which a ledger has few. */
static struct export_sum *sum_of(struct export_made *made, const char *currency)
{
    size_t at = 0;
    while (at < made->currencies && strcmp(made->sums[at].currency, currency) < 0)
        at++;
    if (at < made->currencies && strcmp(made->sums[at].currency, currency) == 0)
        return &made->sums[at];
    if (made->currencies == EXPORT_CURRENCIES_MAX)
        return NULL;
    memmove(&made->sums[at + 1], &made->sums[at], (made->currencies - at) * sizeof(*made->sums));
    made->currencies++;
    made->sums[at] = (struct export_sum){.rows = 0};
    snprintf(made->sums[at].currency, sizeof(made->sums[at].currency), "%s", currency);
    return &made->sums[at];
}

static bool count_into(struct export_sum *sum, int64_t micros)
{
    if (!sum || !amount_add(sum->micros, micros, &sum->micros))
        return false;
    sum->rows++;
    return true;
}

static enum err count(struct exporter *exporter, const struct pg_row *row)
{
    const struct row_form *form = &exporter->form;
    char currency[4] = "";
    exporter->made->rows++;
    if (form->amount < 0 || form->currency < 0)
        return ERR_OK;
    const struct pg_cell code = pg_row_cell(row, form->currency);
    int64_t micros = pg_row_cell(row, form->amount).number;
    snprintf(currency, sizeof(currency), "%.*s", (int)code.bytes.len, code.bytes.data);
    if (count_into(sum_of(exporter->made, currency), micros) &&
        (!exporter->day || count_into(exporter->day, micros)))
        return ERR_OK;
    LOG(ERROR, "the sums of the rows cannot be counted", {"currency", currency},
        {"hint", "export fewer days at once, or one site"});
    return ERR_INTERNAL;
}

static void write_index(struct exporter *exporter, struct slice line)
{
    uint8_t hash[MANIFEST_HASH_SIZE];
    char hex[2 * MANIFEST_HASH_SIZE + 1];
    if (!exporter->index)
        return;
    manifest_hash(line, hash);
    row_text_name(exporter->form.csv, line, &exporter->name);
    encoding_hex(hash, sizeof(hash), hex);
    hex[2 * MANIFEST_HASH_SIZE] = ' ';
    packed_file_write(exporter->index, (struct slice){hex, sizeof(hex)});
    packed_file_write(exporter->index, (struct slice){exporter->name.data, exporter->name.len});
    packed_file_write(exporter->index, SLICE("\n"));
}

static enum err write_line(struct exporter *exporter)
{
    const struct slice line = {exporter->text.data, exporter->text.len};
    if (!exporter->text.full) {
        packed_file_write(exporter->file, line);
        write_index(exporter, line);
    }
    if (!exporter->text.full && !exporter->name.full)
        return ERR_OK;
    LOG(ERROR, "the row cannot be written", {"detail", "no memory"});
    return ERR_INTERNAL;
}

static enum err tell_row(void *context, const struct pg_row *row)
{
    struct exporter *exporter = context;
    enum err err = ERR_OK;
    if (exporter->selection->path &&
        !selection_has_path(exporter->selection, pg_row_cell(row, exporter->form.resource).bytes))
        goto out;
    row_text_write(&exporter->form, row, &exporter->text);
    TRY(write_line(exporter));
    TRY(count(exporter, row));
    show_progress(exporter);
out:
    return err;
}

static enum err write_head(struct exporter *exporter)
{
    if (!exporter->form.csv)
        return ERR_OK;
    row_text_head(&exporter->form, &exporter->text);
    return write_line(exporter);
}

static enum err read_days(struct pg *pg, const struct selection *selection, struct pg_rows *days)
{
    struct pg_params params = {0};
    struct pg_array ids = {0};
    enum err err = ERR_INTERNAL;
    pg_params_text(&params, selection->from);
    pg_params_text(&params, selection->to);
    pg_params_text(&params, selection->site);
    if (!selection_add_ids(selection, &ids, &params))
        goto out;
    pg_params_text(&params, selection->invoice);
    TRY(pg_run(pg, "export_days", &params, days));
out:
    pg_array_free(&ids);
    return err;
}

/* Before the first row: half an export helps nobody. */
static enum err check_days(const struct selection *selection, const struct pg_rows *days)
{
    for (int i = 0; i < days->count; i++) {
        const struct export_days_row day = export_days_row(days, i);
        if (!day.archive)
            continue;
        LOG(ERROR, "entries of these days are archived", {"day", day.local_date}, {"file", day.archive},
            {"hint", "crawltab archive list tells which; restore them, or export the other days"});
        return ERR_INTERNAL;
    }
    if (days->count > 0 || !selection->invoice)
        return ERR_OK;
    LOG(ERROR, "no crawls are on this invoice", {"invoice", selection->invoice},
        {"hint", "is the number right, and an invoice's? Of a credit note there are adjustments"});
    return ERR_INTERNAL;
}

static enum err export_day(struct pg *pg, struct exporter *exporter, int number)
{
    const struct selection *selection = exporter->selection;
    const struct export_days_row day = export_days_row(&exporter->made->days, number);
    struct pg_params params = {0};
    struct pg_array ids = {0};
    enum err err = ERR_INTERNAL;
    exporter->day = &exporter->made->of_days[number];
    snprintf(exporter->day->currency, sizeof(exporter->day->currency), "%s", day.currency);
    pg_params_number(&params, day.site_id);
    pg_params_text(&params, day.local_date);
    pg_params_text(&params, day.first_id);
    pg_params_text(&params, day.end_id);
    pg_params_text(&params, selection->crawler);
    if (!selection_add_ids(selection, &ids, &params))
        goto out;
    pg_params_text(&params, selection->invoice);
    TRY(pg_stream(pg, selection->kind->statement, &params, tell_row, exporter));
out:
    pg_array_free(&ids);
    return err;
}

static enum err export_days(struct pg *pg, struct exporter *exporter)
{
    struct export_made *made = exporter->made;
    enum err err = ERR_INTERNAL;
    made->of_days = calloc((size_t)made->days.count + 1, sizeof(*made->of_days));
    if (!made->of_days)
        goto out;
    TRY(check_days(exporter->selection, &made->days));
    TRY(pg_run(pg, "export_settings", NULL, NULL));
    TRY(write_head(exporter));
    for (int i = 0; i < made->days.count; i++)
        TRY(export_day(pg, exporter, i));
out:
    return err;
}

static enum err export_all(struct pg *pg, struct exporter *exporter)
{
    const struct selection *selection = exporter->selection;
    struct pg_params params = {0};
    struct pg_array ids = {0};
    enum err err = ERR_INTERNAL;
    pg_params_text(&params, selection->from);
    pg_params_text(&params, selection->to);
    pg_params_text(&params, selection->site);
    pg_params_text(&params, selection->crawler);
    if (!selection_add_ids(selection, &ids, &params))
        goto out;
    pg_params_text(&params, selection->invoice);
    TRY(write_head(exporter));
    TRY(pg_stream(pg, selection->kind->statement, &params, tell_row, exporter));
out:
    pg_array_free(&ids);
    return err;
}

enum err export_rows(struct pg *pg, const struct selection *selection, struct packed_file *file,
                     struct packed_file *index, struct export_made *made)
{
    struct exporter exporter = {.selection = selection,
                                .file = file,
                                .index = index,
                                .made = made,
                                .progress =
                                    isatty(STDERR_FILENO) && (selection->out || !isatty(STDOUT_FILENO))};
    enum err err;
    *made = (struct export_made){.rows = 0};
    row_form_of(selection->kind->statement, selection->csv, &exporter.form);
    assert(!selection->path || exporter.form.resource >= 0);
    TRY(pg_begin(pg));
    if (selection->kind->of_site)
        TRY(read_days(pg, selection, &made->days));
    TRY(selection->kind->by_day ? export_days(pg, &exporter) : export_all(pg, &exporter));
    TRY(pg_commit(pg));
out:
    end_progress(&exporter);
    pg_rollback(pg);
    row_text_free(&exporter.text);
    row_text_free(&exporter.name);
    return err;
}
