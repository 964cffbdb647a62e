#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/file/file.h"
#include "ledger/collect/intake.h"
#include "ledger/format/bank/movement.h"

#include <ctype.h>
#include <errno.h>

#define FILE_MAX (64U << 20)

/* Beside those of all commands: something is left for a person. */
#define EXIT_LEFT 2

struct import {
    struct intake intake;
    json_t *told; /* with --json */
    size_t count[INTAKE_NONE + 1];
};

static const char *const results[] = {[INTAKE_BOOKED] = "booked",
                                      [INTAKE_RETURNED] = "returned",
                                      [INTAKE_BEFORE] = "booked before",
                                      [INTAKE_LEFT] = "left",
                                      [INTAKE_NONE] = "none"};

/* Below zero: it went out. */
static const char *amount_of(const json_t *movement, const struct intake_result *result, char out[48])
{
    const char *kind = format_text(movement, "kind");
    bool out_again = strcmp(kind, "return") == 0 || strcmp(kind, "debit") == 0;
    snprintf(out, 48, "%s%.40s", out_again && *result->amount ? "-" : "", result->amount);
    return out;
}

static void tell_json(struct import *import, const json_t *movement, const struct intake_result *result)
{
    char amount[48];
    static const char *const members[] = {"place",     "kind",     "reference", "identity", "account",
                                          "booked_on", "currency", "text",      "reason"};
    json_t *item = json_object();
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        json_object_set_new(item, members[i], json_string(format_text(movement, members[i])));
    json_object_set_new(item, "amount", json_string(amount_of(movement, result, amount)));
    json_object_set_new(item, "invoice", result->number ? json_string(result->number) : json_null());
    json_object_set_new(item, "result", json_string(results[result->kind]));
    json_object_set_new(item, "outcome", json_string(result->told));
    json_array_append_new(import->told, item);
}

/* An intake_tell. Money that went out and names nothing is not listed, only counted. */
static void tell(void *context, const json_t *movement, const struct intake_result *result)
{
    struct import *import = context;
    char amount[48];
    import->count[result->kind]++;
    if (import->told) {
        tell_json(import, movement, result);
        return;
    }
    if (result->kind == INTAKE_NONE)
        return;
    bool named = json_is_true(json_object_get(movement, "unique"));
    bool changed = result->kind == INTAKE_BOOKED || result->kind == INTAKE_RETURNED;
    printf("%-10.10s %12.20s %-3.3s  ", format_text(movement, "booked_on"),
           amount_of(movement, result, amount), format_text(movement, "currency"));
    show_column(stdout, format_text(movement, named ? "reference" : "identity"), 27);
    fputs("  ", stdout);
    show_column(stdout, result->number ? result->number : "-", 16);
    printf("  %s%s\n", result->told, changed && import->intake.dry_run ? " (dry run)" : "");
    if (result->kind == INTAKE_LEFT)
        printf("  %s: %.200s\n", format_text(movement, "place"), format_text(movement, "text"));
}

/* The movements of the file in the order of booking, or NULL after a message. */
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
    movements = movement_read(slice_bytes(text, len), &out);
    movements = movements ? movement_sorted(movements) : NULL;
    if (!movements)
        LOG(ERROR, "the file is not as it should be; nothing was booked", {"file", path},
            {"detail", out.error});
    free(text);
    return movements;
}

static enum exit_status import_all(struct import *import, const json_t *movements)
{
    const size_t *count = import->count;
    const json_t *movement;
    size_t i;
    enum err err = intake_open(&import->intake);
    json_array_foreach(movements, i, movement)
    {
        if (err == ERR_OK)
            err = intake_take(&import->intake, movement, tell, import);
    }
    if (err != ERR_OK)
        LOG(ERROR, "the import was broken off",
            {"hint", "run it again: what was booked is not booked twice"});
    if (import->told && !show_json(json_incref(import->told), JSON_INDENT(2)))
        err = ERR_INTERNAL;
    if (!import->told)
        printf("%zu booked, %zu returned, %zu booked before, %zu left for you\n", count[INTAKE_BOOKED],
               count[INTAKE_RETURNED], count[INTAKE_BEFORE], count[INTAKE_LEFT]);
    if (!import->told && count[INTAKE_NONE] > 0)
        printf("%zu more went out, or are not booked by the bank\n", count[INTAKE_NONE]);
    if (err != ERR_OK)
        return EXIT_FAILED;
    return count[INTAKE_LEFT] > 0 ? (enum exit_status)EXIT_LEFT : EXIT_DONE;
}

/* The site's account as statements write it: in capitals, without spaces. */
static void account_of(const char *text, char account[64])
{
    size_t len = 0;
    for (; *text && len + 1 < 64; text++)
        if (*text != ' ')
            account[len++] = (char)toupper((unsigned char)*text);
    account[len] = '\0';
}

static enum exit_status import_into(struct import *import, const struct config *config, const char *site_name,
                                    const char *account, const json_t *movements)
{
    struct argument_site site;
    char number[64];
    if (!argument_site(import->intake.pg, config, site_name, &site))
        return EXIT_FAILED;
    if (!account)
        account = site.configured ? site.configured->billing_iban : "";
    account_of(account, number);
    import->intake.site_id = site.site_id;
    import->intake.site = site.name;
    import->intake.currency = site.currency;
    import->intake.account = number;
    import->intake.actor = command_actor();
    enum exit_status status = import_all(import, movements);
    intake_close(&import->intake);
    return status;
}

static enum exit_status import_payments(const char *config_path, int argc, char **argv)
{
    const char *site = NULL, *account = NULL;
    bool json = false;
    struct import import = {.told = NULL};
    const struct command_option options[] = {{"--site", &site, NULL},
                                             {"--account", &account, NULL},
                                             {"--dry-run", NULL, &import.intake.dry_run},
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
    import.intake.pg = config ? command_open(config, "crawltab import") : NULL;
    import.told = json ? json_array() : NULL;
    if (import.intake.pg)
        status = import_into(&import, config, site, account, movements);
    json_decref(import.told);
    json_decref(movements);
    pg_close(import.intake.pg);
    config_free(config);
    return status;
}

const struct command import_command = {
    "import", "book what a bank's file says was paid, or came back",
    "usage: crawltab import FILE [--site NAME] [--account NUMBER] [--dry-run]\n"
    "                       [--json]\n"
    "\n"
    "Reads your bank's statement, camt.053 or CSV, and books what names an invoice:\n"
    "its number in the payer's text, however the bank has spaced it, or a batch of\n"
    "direct debits that settle has made. A debit that came back (in camt.053, in\n"
    "pain.002, or as a negative line of CSV) opens its invoice again, with the bank's\n"
    "reason; crawltab settle --again collects it once more.\n"
    "\n"
    "A movement is booked once: the same file again, or files that overlap, change\n"
    "nothing. What is not sure is listed with the reason and left for you (crawltab\n"
    "invoice paid): it names no invoice or several, is of another account or\n"
    "currency, is far more than is open, or is odd in itself.\n"
    "\n"
    "CSV needs a first line with the columns reference, amount, currency, date, text,\n"
    "and may have account; commas or semicolons stand between them.\n"
    "\n"
    "options:\n"
    "  --site NAME       needed if the configuration has several sites\n"
    "  --account NUMBER  whose statement it is (default: the site's billing.iban)\n"
    "  --dry-run         show what would be booked\n"
    "  --json            for programs: every movement with its result, \"booked\",\n"
    "                    \"returned\", \"booked before\", \"left\" or \"none\"\n"
    "  --config FILE     the configuration (default: config.yaml)\n"
    "\n"
    "exit status: 2 when something is left for you, 1 when the file cannot be read or\n"
    "the ledger not be written\n",
    "  crawltab import /srv/bank/statement.xml --dry-run\n", import_payments};
