#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/amount.h"
#include "ledger/base/clock.h"
#include "ledger/base/file.h"
#include "ledger/format/bank/movement.h"
#include "ledger/format/bank/remittance.h"
#include "ledger/collect/event.h"
#include "sql/rows/collect.h"

#include <errno.h>

#define FILE_MAX (64U << 20)

struct import {
    struct pg *pg;
    struct argument_site site;
    json_t *numbers;
    json_t *told; /* with --json */
    bool dry_run;
    size_t booked, repeated, left, failed;
};

static const char *word_of(enum event_outcome outcome)
{
    switch (outcome) {
    case EVENT_DONE:
        return "booked";
    case EVENT_REPEATED:
        return "booked before";
    case EVENT_CONFLICT:
        return "booked before, with another amount";
    case EVENT_NO_NUMBER:
        return "no such invoice";
    case EVENT_NO_DEBT:
        return "a credit note is not paid";
    case EVENT_MISFIT:
        return "the amount does not fit the currency";
    case EVENT_PAID:
    case EVENT_VOID:
        return "refused";
    }
    return "refused";
}

static void tell(struct import *import, const json_t *movement, const char *number, const char *what)
{
    if (import->told) {
        json_array_append_new(import->told, json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s}", "reference",
                                                      format_text(movement, "reference"), "booked_on",
                                                      format_text(movement, "booked_on"), "amount",
                                                      format_text(movement, "amount"), "currency",
                                                      format_text(movement, "currency"), "invoice", number,
                                                      "outcome", what));
        return;
    }
    printf("%.10s %12s %.3s  ", format_text(movement, "booked_on"), format_text(movement, "amount"),
           format_text(movement, "currency"));
    show_column(stdout, format_text(movement, "reference"), 20);
    fputs("  ", stdout);
    show_column(stdout, number ? number : "-", 16);
    printf("  %s%s\n", what, import->dry_run && strcmp(what, "booked") == 0 ? " (dry run)" : "");
}

/* The movement's invoice is known: books it. */
static enum err book(struct import *import, const json_t *movement, const char *number, int64_t micros)
{
    const struct event_subject subject = {number, import->site.name, command_actor(), clock_now_ms(),
                                          import->dry_run};
    const struct event_money money = {micros, format_text(movement, "reference"),
                                      format_text(movement, "booked_on")};
    enum event_outcome outcome;
    struct event_state state = {0};
    enum err err = event_receive(import->pg, &subject, &money, &outcome, &state);
    if (err != ERR_OK)
        return err;
    import->booked += outcome == EVENT_DONE;
    import->repeated += outcome == EVENT_REPEATED;
    import->failed += outcome != EVENT_DONE && outcome != EVENT_REPEATED;
    tell(import, movement, number, word_of(outcome));
    return ERR_OK;
}

static enum err take(struct import *import, const json_t *movement)
{
    const char *number, *why = NULL;
    int64_t micros = 0;
    enum remittance found = remittance_find(import->numbers, format_text(movement, "text"), &number);
    if (found == REMITTANCE_NONE)
        why = "names no invoice: left for you";
    else if (found == REMITTANCE_SEVERAL)
        why = "names several invoices: left for you";
    else if (strcmp(format_text(movement, "currency"), import->site.currency) != 0)
        why = "in another currency: left for you";
    if (why) {
        import->left++;
        tell(import, movement, found == REMITTANCE_ONE ? number : NULL, why);
        return ERR_OK;
    }
    if (!amount_parse(slice_of(format_text(movement, "amount")), &micros) || micros == 0) {
        import->failed++;
        tell(import, movement, number, "the amount is no decimal such as 12.30");
        return ERR_OK;
    }
    return book(import, movement, number, micros);
}

static enum err read_numbers(struct import *import)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, import->site.site_id);
    TRY(pg_run(import->pg, "invoice_numbers", &params, &rows));
    for (int i = 0; i < rows.count; i++)
        TRY(remittance_add(import->numbers, invoice_numbers_row(&rows, i).number) == 0 ? ERR_OK
                                                                                       : ERR_INTERNAL);
out:
    pg_rows_free(&rows);
    return err;
}

/* The movements of the file, or NULL after a message. CSV unless it begins like XML. */
static json_t *read_file(const char *path)
{
    struct format_output out = {0};
    json_t *movements = NULL;
    size_t len;
    char *text = file_read(path, FILE_MAX, &len, NULL);
    if (!text) {
        LOG(ERROR, "the file cannot be read", {"file", path},
            {"detail", errno == EFBIG ? "it is larger than 64 MiB" : strerror(errno)});
        return NULL;
    }
    const char *start = text + strspn(text, "\xef\xbb\xbf \t\r\n");
    movements = (*start == '<' ? camt_read : movement_csv_read)((struct slice){text, len}, &out);
    if (!movements)
        LOG(ERROR, "the file is not as it should be; nothing was booked", {"file", path},
            {"detail", out.error});
    free(text);
    return movements;
}

static enum exit_status import_all(struct import *import, const json_t *movements)
{
    const json_t *movement;
    size_t i;
    enum err err = read_numbers(import);
    json_array_foreach(movements, i, movement)
    {
        if (err == ERR_OK)
            err = take(import, movement);
    }
    if (err != ERR_OK)
        LOG(ERROR, "the import was broken off",
            {"hint", "run it again: what was booked is not booked twice"});
    if (import->told && !show_json(json_incref(import->told), JSON_INDENT(2)))
        err = ERR_INTERNAL;
    if (!import->told)
        printf("%zu booked, %zu booked before, %zu left for you, %zu refused\n", import->booked,
               import->repeated, import->left, import->failed);
    return err == ERR_OK && import->failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status import_payments(const char *config_path, int argc, char **argv)
{
    const char *site = NULL;
    bool json = false;
    struct import import = {.pg = NULL};
    const struct command_option options[] = {{"--site", &site, NULL},
                                             {"--dry-run", NULL, &import.dry_run},
                                             {"--json", NULL, &json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    enum exit_status status = EXIT_FAILED;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count != 1)
        return command_misused("use: crawltab import FILE", NULL, "see crawltab import --help");
    json_t *movements = read_file(words.items[0]);
    struct config *config = movements ? command_config(config_path) : NULL;
    import.pg = config ? command_open(config, "crawltab import") : NULL;
    import.numbers = json_object();
    import.told = json ? json_array() : NULL;
    if (import.pg && argument_site(import.pg, config, site, &import.site))
        status = import_all(&import, movements);
    json_decref(import.told);
    json_decref(import.numbers);
    json_decref(movements);
    pg_close(import.pg);
    config_free(config);
    return status;
}

const struct command import_command = {
    "import", "book payments from a bank's file",
    "usage: crawltab import FILE [--site NAME] [--dry-run] [--json]\n"
    "\n"
    "Reads what came in from a bank's statement, camt.053 or CSV, and books what names\n"
    "an invoice: its number in the payer's text, however the bank has spaced it. What\n"
    "names none or several is listed and left for you (crawltab invoice paid). A\n"
    "movement is booked once, by the bank's reference: the same file again, or files\n"
    "that overlap, change nothing.\n"
    "\n"
    "CSV needs a first line with the columns reference, amount, currency, date, text.\n"
    "\n"
    "options:\n"
    "  --site NAME    needed if the configuration has several sites\n"
    "  --dry-run      show what would be booked\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n"
    "\n"
    "exit status: 1 when a movement that names an invoice could not be booked\n",
    import_payments};
