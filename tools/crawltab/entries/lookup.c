#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/amount.h"
#include "ledger/base/uuid.h"

#include <inttypes.h>
#include <stdlib.h>

/* Columns of charge_lookup. */
enum {
    ENTRY_ID,
    ENTRY_SITE,
    ENTRY_NETWORK,
    ENTRY_CURRENCY,
    ENTRY_AMOUNT,
    ENTRY_RULE,
    ENTRY_RESOURCE,
    ENTRY_AGENT,
    ENTRY_THUMBPRINT,
    ENTRY_KEY,
    ENTRY_DIRECTORY,
    ENTRY_RECORDED,
    ENTRY_OFFERED,
    ENTRY_SIGNATURE,
    ENTRY_BASE,
    ENTRY_DAY,
    ENTRY_CLOSED,
    ENTRY_INVOICE,
    ENTRY_INVOICE_DATE,
    ENTRY_AGREEMENT
};

/* Columns of adjustment_lookup. */
enum { TAKEN_ID, TAKEN_KIND, TAKEN_AMOUNT, TAKEN_REASON, TAKEN_ACTOR, TAKEN_AT, TAKEN_NUMBER };

/* Columns of conflict_lookup. */
enum {
    CONFLICT_SITE,
    CONFLICT_AGENT,
    CONFLICT_THUMBPRINT,
    CONFLICT_AMOUNT,
    CONFLICT_CURRENCY,
    CONFLICT_RULE,
    CONFLICT_RESOURCE,
    CONFLICT_RECORDED,
    CONFLICT_SIGNATURE,
    CONFLICT_BASE,
    CONFLICT_AGREEMENT
};

/* Columns of conflict_counts. */
enum { COUNT_AGENT, COUNT_ATTEMPTS, COUNT_KEPT };

/* All that is known of one payment id. */
struct answer {
    struct pg_rows entry, taken, conflicts, counts, archived;
};

static void print_fact(const char *name, const char *value)
{
    printf("%-12s", name);
    show_text(stdout, value ? value : "(unknown)");
    fputc('\n', stdout);
}

static void print_instant(const char *name, int64_t ms)
{
    char text[SHOW_INSTANT_MAX];
    printf("%-12s%s (unix %" PRId64 ")\n", name, show_instant(ms, text), ms / 1000);
}

static void print_bytes(const char *name, const struct pg_rows *rows, int row, int column,
                        char *(*encode)(const struct pg_rows *, int, int))
{
    char *text = encode(rows, row, column);
    print_fact(name, text);
    free(text);
}

static void print_agreement(const struct pg_rows *rows, int row, int column)
{
    if (pg_null(rows, row, column))
        print_fact("Agreement", "none");
    else
        printf("%-12sversion %s\n", "Agreement", pg_text(rows, row, column));
}

static void print_invoice(const struct pg_rows *entry)
{
    const char *day = pg_text(entry, 0, ENTRY_DAY);
    if (!pg_null(entry, 0, ENTRY_INVOICE)) {
        const char *date = pg_text(entry, 0, ENTRY_INVOICE_DATE);
        printf("%-12s%s of %s%s%s\n", "Invoice", pg_text(entry, 0, ENTRY_INVOICE), date,
               strcmp(date, day) == 0 ? "" : ", carried from ", strcmp(date, day) == 0 ? "" : day);
    } else if (pg_flag(entry, 0, ENTRY_CLOSED)) {
        printf("%-12snot yet invoiced: %s is closed and was carried forward\n", "Invoice", day);
    } else {
        printf("%-12snot yet invoiced: %s is open\n", "Invoice", day);
    }
}

/* The base has a line per component; each is set off from ours. */
static void print_base(const struct pg_rows *rows, int row, int column)
{
    size_t len;
    char *base = show_raw(rows, row, column, &len);
    puts("Signed");
    for (char *line = base; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        fputs("  | ", stdout);
        show_text(stdout, line);
        fputc('\n', stdout);
        line = end ? end + 1 : NULL;
    }
    free(base);
}

static void print_entry(const struct pg_rows *entry)
{
    char money[SHOW_MONEY_MAX];
    print_fact("Payment", pg_text(entry, 0, ENTRY_ID));
    print_fact("URL", pg_text(entry, 0, ENTRY_RESOURCE));
    print_fact("Price",
               show_micros(pg_number(entry, 0, ENTRY_AMOUNT), pg_text(entry, 0, ENTRY_CURRENCY), money));
    print_fact("Rule", pg_text(entry, 0, ENTRY_RULE));
    print_agreement(entry, 0, ENTRY_AGREEMENT);
    print_fact("Site", pg_text(entry, 0, ENTRY_SITE));
    print_fact("Network", pg_text(entry, 0, ENTRY_NETWORK));
    print_instant("Offered", pg_number(entry, 0, ENTRY_OFFERED));
    print_instant("Receipt", pg_number(entry, 0, ENTRY_RECORDED));
    print_invoice(entry);
    print_fact("Signer", pg_text(entry, 0, ENTRY_AGENT));
    print_fact("Directory", pg_text(entry, 0, ENTRY_DIRECTORY));
    print_bytes("Key", entry, 0, ENTRY_THUMBPRINT, show_base64url);
    print_fact("Public key", pg_text(entry, 0, ENTRY_KEY));
    print_bytes("Signature", entry, 0, ENTRY_SIGNATURE, show_base64);
    print_base(entry, 0, ENTRY_BASE);
}

static void print_taken(const struct pg_rows *taken, int row, const char *currency)
{
    char money[SHOW_MONEY_MAX], at[SHOW_INSTANT_MAX];
    printf("\nTaken back  %s, %s on %s\n", show_micros(pg_number(taken, row, TAKEN_AMOUNT), currency, money),
           pg_text(taken, row, TAKEN_KIND), show_instant(pg_number(taken, row, TAKEN_AT), at));
    print_fact("Reason", pg_text(taken, row, TAKEN_REASON));
    print_fact("By", pg_text(taken, row, TAKEN_ACTOR));
    print_fact("Stands on", pg_null(taken, row, TAKEN_NUMBER)
                                ? "nothing yet: its day is not closed, or carried"
                                : pg_text(taken, row, TAKEN_NUMBER));
}

static void print_conflict(const struct pg_rows *rows, int row)
{
    char money[SHOW_MONEY_MAX];
    printf("\nConflict %d of %d: refused and not charged\n", row + 1, rows->count);
    print_fact("URL", pg_text(rows, row, CONFLICT_RESOURCE));
    print_fact("Price", show_micros(pg_number(rows, row, CONFLICT_AMOUNT),
                                    pg_text(rows, row, CONFLICT_CURRENCY), money));
    print_fact("Rule", pg_text(rows, row, CONFLICT_RULE));
    print_agreement(rows, row, CONFLICT_AGREEMENT);
    print_fact("Site", pg_text(rows, row, CONFLICT_SITE));
    print_instant("Received", pg_number(rows, row, CONFLICT_RECORDED));
    print_fact("Signer", pg_text(rows, row, CONFLICT_AGENT));
    print_bytes("Key", rows, row, CONFLICT_THUMBPRINT, show_base64url);
    print_bytes("Signature", rows, row, CONFLICT_SIGNATURE, show_base64);
    print_base(rows, row, CONFLICT_BASE);
}

/* Of whom more attempts were counted than are kept. */
static void print_count(const struct pg_rows *counts, int row)
{
    int64_t rest = pg_number(counts, row, COUNT_ATTEMPTS) - pg_number(counts, row, COUNT_KEPT);
    if (rest <= 0)
        return;
    printf("\nFurther     %" PRId64 " attempt%s refused, counted and not kept\n", rest,
           rest == 1 ? " was" : "s were");
    print_fact("Signer", pg_text(counts, row, COUNT_AGENT));
}

/* --- JSON
 * --------------------------------------------------------------------------------------------------- */

static void set_bytes(json_t *json, const char *key, char *text)
{
    json_object_set_new(json, key, text ? json_string(text) : json_null());
    free(text);
}

static void set_instant(json_t *json, const char *key, const char *unix_key, int64_t ms)
{
    char text[SHOW_INSTANT_MAX];
    json_object_set_new(json, key, json_string(show_instant(ms, text)));
    json_object_set_new(json, unix_key, json_integer(ms / 1000));
}

static void set_amount(json_t *json, int64_t micros)
{
    char text[AMOUNT_TEXT_MAX];
    json_object_set_new(json, "amount", json_string(amount_format(micros, text)));
    json_object_set_new(json, "amount_micros", json_integer(micros));
}

static void set_agreement(json_t *json, const struct pg_rows *rows, int row, int column)
{
    bool none = pg_null(rows, row, column);
    json_object_set_new(json, "agreement_version",
                        none ? json_null() : json_integer(pg_number(rows, row, column)));
}

static json_t *conflict_json(const struct pg_rows *rows, int row)
{
    json_t *json = json_object();
    json_object_set_new(json, "site", show_json_text(rows, row, CONFLICT_SITE));
    json_object_set_new(json, "agent", show_json_text(rows, row, CONFLICT_AGENT));
    set_bytes(json, "thumbprint", show_base64url(rows, row, CONFLICT_THUMBPRINT));
    set_amount(json, pg_number(rows, row, CONFLICT_AMOUNT));
    json_object_set_new(json, "currency", show_json_text(rows, row, CONFLICT_CURRENCY));
    json_object_set_new(json, "rule", show_json_text(rows, row, CONFLICT_RULE));
    set_agreement(json, rows, row, CONFLICT_AGREEMENT);
    json_object_set_new(json, "resource", show_json_text(rows, row, CONFLICT_RESOURCE));
    set_instant(json, "received_at", "received_unix", pg_number(rows, row, CONFLICT_RECORDED));
    set_bytes(json, "signature", show_base64(rows, row, CONFLICT_SIGNATURE));
    json_object_set_new(json, "signature_base", show_json_bytes(rows, row, CONFLICT_BASE));
    return json;
}

static json_t *counts_json(const struct pg_rows *counts)
{
    json_t *list = json_array();
    for (int i = 0; i < counts->count; i++)
        json_array_append_new(
            list, json_pack("{s:o,s:I,s:I}", "agent", show_json_text(counts, i, COUNT_AGENT), "attempts",
                            pg_number(counts, i, COUNT_ATTEMPTS), "kept", pg_number(counts, i, COUNT_KEPT)));
    return list;
}

static json_t *taken_json(const struct pg_rows *taken)
{
    char at[SHOW_INSTANT_MAX];
    json_t *list = json_array();
    for (int i = 0; i < taken->count; i++)
        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:o}", "adjustment_id", pg_text(taken, i, TAKEN_ID), "kind",
                      pg_text(taken, i, TAKEN_KIND), "amount_micros", pg_number(taken, i, TAKEN_AMOUNT),
                      "reason", pg_text(taken, i, TAKEN_REASON), "actor", pg_text(taken, i, TAKEN_ACTOR),
                      "recorded_at", show_instant(pg_number(taken, i, TAKEN_AT), at), "number",
                      show_json_text(taken, i, TAKEN_NUMBER)));
    return list;
}

static json_t *entry_json(const struct answer *answer)
{
    const struct pg_rows *entry = &answer->entry;
    static const struct {
        const char *key;
        int column;
    } texts[] = {{"payment_id", ENTRY_ID},   {"site", ENTRY_SITE},
                 {"network", ENTRY_NETWORK}, {"resource", ENTRY_RESOURCE},
                 {"rule", ENTRY_RULE},       {"currency", ENTRY_CURRENCY},
                 {"agent", ENTRY_AGENT},     {"directory_url", ENTRY_DIRECTORY},
                 {"public_key", ENTRY_KEY},  {"day", ENTRY_DAY},
                 {"invoice", ENTRY_INVOICE}, {"invoice_date", ENTRY_INVOICE_DATE}};
    json_t *json = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        json_object_set_new(json, texts[i].key, show_json_text(entry, 0, texts[i].column));
    set_amount(json, pg_number(entry, 0, ENTRY_AMOUNT));
    set_agreement(json, entry, 0, ENTRY_AGREEMENT);
    set_instant(json, "offered_at", "offered_unix", pg_number(entry, 0, ENTRY_OFFERED));
    set_instant(json, "receipt_at", "receipt_unix", pg_number(entry, 0, ENTRY_RECORDED));
    json_object_set_new(json, "day_closed", json_boolean(pg_flag(entry, 0, ENTRY_CLOSED)));
    set_bytes(json, "thumbprint", show_base64url(entry, 0, ENTRY_THUMBPRINT));
    set_bytes(json, "signature", show_base64(entry, 0, ENTRY_SIGNATURE));
    json_object_set_new(json, "signature_base", show_json_bytes(entry, 0, ENTRY_BASE));
    for (int i = 0; i < answer->conflicts.count; i++)
        json_array_append_new(list, conflict_json(&answer->conflicts, i));
    json_object_set_new(json, "adjustments", taken_json(&answer->taken));
    json_object_set_new(json, "conflicts", list);
    json_object_set_new(json, "conflict_counts", counts_json(&answer->counts));
    return json;
}

/* --- the command
 * -------------------------------------------------------------------------------------------- */

static enum exit_status show(const struct answer *answer, bool json)
{
    if (json)
        return show_json(entry_json(answer), JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    print_entry(&answer->entry);
    for (int i = 0; i < answer->taken.count; i++)
        print_taken(&answer->taken, i, pg_text(&answer->entry, 0, ENTRY_CURRENCY));
    for (int i = 0; i < answer->conflicts.count; i++)
        print_conflict(&answer->conflicts, i);
    for (int i = 0; i < answer->counts.count; i++)
        print_count(&answer->counts, i);
    return EXIT_DONE;
}

static enum exit_status lookup(struct pg *pg, const uint8_t id[UUID_SIZE], bool json)
{
    struct pg_params params = {0};
    struct answer answer = {.entry = {0}};
    enum exit_status status = EXIT_FAILED;
    char text[UUID_TEXT_MAX];
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    if (pg_run(pg, "charge_lookup", &params, &answer.entry) != ERR_OK ||
        pg_run(pg, "adjustment_lookup", &params, &answer.taken) != ERR_OK ||
        pg_run(pg, "conflict_lookup", &params, &answer.conflicts) != ERR_OK ||
        pg_run(pg, "conflict_counts", &params, &answer.counts) != ERR_OK)
        goto out;
    if (answer.entry.count == 0 && pg_run(pg, "archive_find", &params, &answer.archived) != ERR_OK)
        goto out;
    if (answer.entry.count == 0 && answer.archived.count > 0)
        LOG(ERROR, "the entries of this payment id's day are archived", {"id", uuid_format(id, text)},
            {"file", pg_text(&answer.archived, 0, 1)}, {"SHA-256", pg_text(&answer.archived, 0, 2)},
            {"hint", "crawltab archive restore FILE brings them back, or look for the id in the file"});
    else if (answer.entry.count == 0)
        LOG(ERROR, "no entry has this payment id", {"id", uuid_format(id, text)},
            {"detail", "nothing was charged for it"},
            {"hint", "an offer leaves no trace until it is paid; was it made by this ledger?"});
    else
        status = show(&answer, json);
out:
    pg_rows_free(&answer.entry);
    pg_rows_free(&answer.taken);
    pg_rows_free(&answer.conflicts);
    pg_rows_free(&answer.counts);
    pg_rows_free(&answer.archived);
    return status;
}

static enum exit_status look_up_payment(const char *config_path, int argc, char **argv)
{
    bool json = false;
    const struct command_option options[] = {{"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    uint8_t id[UUID_SIZE];
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count != 1)
        return command_misused("use: crawltab lookup PAYMENT-ID", NULL, "see crawltab lookup --help");
    if (!uuid_parse(slice_of(words.items[0]), id))
        return command_misused("this is no payment id", words.items[0],
                               "give the 64 characters of the offer, or the UUID of an export");
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab lookup") : NULL;
    if (pg)
        status = lookup(pg, id, json);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command lookup_command = {
    "lookup", "answer a dispute: who signed what, when, at which price",
    "usage: crawltab lookup PAYMENT-ID [--json]\n"
    "\n"
    "Shows the entry of a payment id (64 characters as in the offer, or its UUID as\n"
    "in exports): signer, key, URL, price, receipt time, invoice, what was signed,\n"
    "and other commitments that used the same id and were refused: the first eight\n"
    "of each crawler, and how many more there were.\n"
    "\n"
    "options:\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    look_up_payment};
