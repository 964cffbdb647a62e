#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/amount.h"
#include "ledger/base/uuid.h"
#include "sql/rows/archive.h"
#include "sql/rows/bill.h"
#include "sql/rows/entry.h"

#include <inttypes.h>
#include <stdlib.h>

/* All that is known of one payment id. */
struct answer {
    struct pg_rows entry, taken, conflicts, counts;
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

static void print_bytes(const char *name, struct pg_hex bytes, char *(*encode)(struct pg_hex))
{
    char *text = encode(bytes);
    print_fact(name, text);
    free(text);
}

static void print_agreement(int64_t version, bool none)
{
    if (none)
        print_fact("Agreement", "none");
    else
        printf("%-12sversion %" PRId64 "\n", "Agreement", version);
}

static void print_invoice(const struct charge_lookup_row *entry)
{
    const char *day = entry->local_date ? entry->local_date : "";
    if (entry->invoice) {
        bool carried = strcmp(entry->invoice_date, day) != 0;
        printf("%-12s%s of %s%s%s\n", "Invoice", entry->invoice, entry->invoice_date,
               carried ? ", carried from " : "", carried ? day : "");
    } else if (entry->closed) {
        printf("%-12snot yet invoiced: %s is closed and was carried forward\n", "Invoice", day);
    } else {
        printf("%-12snot yet invoiced: %s is open\n", "Invoice", day);
    }
}

/* The base has a line per component; each is set off from ours. */
static void print_base(struct pg_hex bytes)
{
    size_t len;
    char *base = show_raw(bytes, &len);
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

static void print_entry(const struct charge_lookup_row *entry)
{
    char money[SHOW_MONEY_MAX];
    print_fact("Payment", entry->payment_id);
    print_fact("URL", entry->resource);
    print_fact("Price", show_micros(entry->amount_micros, entry->currency, money));
    print_fact("Rule", entry->rule);
    print_agreement(entry->agreement_version, entry->agreement_version_null);
    print_fact("Site", entry->site);
    print_fact("Network", entry->network);
    print_instant("Offered", entry->offered_ms);
    print_instant("Receipt", entry->recorded_ms);
    print_invoice(entry);
    print_fact("Signer", entry->agent);
    print_fact("Directory", entry->directory_url);
    print_bytes("Key", entry->thumbprint, show_base64url);
    print_fact("Public key", entry->public_key);
    print_bytes("Signature", entry->signature, show_base64);
    print_base(entry->signature_base);
}

static void print_taken(const struct adjustment_lookup_row *taken, const char *currency)
{
    char money[SHOW_MONEY_MAX], at[SHOW_INSTANT_MAX];
    printf("\nTaken back  %s, %s on %s\n", show_micros(taken->amount_micros, currency, money), taken->kind,
           show_instant(taken->recorded_ms, at));
    print_fact("Reason", taken->reason);
    print_fact("By", taken->actor);
    print_fact("Stands on", taken->number ? taken->number : "nothing yet: its day is not closed, or carried");
}

static void print_conflict(const struct conflict_lookup_row *conflict)
{
    char money[SHOW_MONEY_MAX];
    print_fact("URL", conflict->resource);
    print_fact("Price", show_micros(conflict->amount_micros, conflict->currency, money));
    print_fact("Rule", conflict->rule);
    print_agreement(conflict->agreement_version, conflict->agreement_version_null);
    print_fact("Site", conflict->site);
    print_instant("Received", conflict->recorded_ms);
    print_fact("Signer", conflict->agent);
    print_bytes("Key", conflict->thumbprint, show_base64url);
    print_bytes("Signature", conflict->signature, show_base64);
    print_base(conflict->signature_base);
}

/* Of whom more attempts were counted than are kept. */
static void print_count(const struct conflict_counts_row *count)
{
    int64_t rest = count->attempts - count->kept;
    if (rest <= 0)
        return;
    printf("\nFurther     %" PRId64 " attempt%s refused, counted and not kept\n", rest,
           rest == 1 ? " was" : "s were");
    print_fact("Signer", count->agent);
}

/* --- JSON --- */

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

static void set_agreement(json_t *json, int64_t version, bool none)
{
    json_object_set_new(json, "agreement_version", none ? json_null() : json_integer(version));
}

static json_t *conflict_json(const struct conflict_lookup_row *conflict)
{
    json_t *json = json_object();
    json_object_set_new(json, "site", json_string(conflict->site));
    json_object_set_new(json, "agent", json_string(conflict->agent));
    set_bytes(json, "thumbprint", show_base64url(conflict->thumbprint));
    set_amount(json, conflict->amount_micros);
    json_object_set_new(json, "currency", json_string(conflict->currency));
    json_object_set_new(json, "rule", json_string(conflict->rule));
    set_agreement(json, conflict->agreement_version, conflict->agreement_version_null);
    json_object_set_new(json, "resource", json_string(conflict->resource));
    set_instant(json, "received_at", "received_unix", conflict->recorded_ms);
    set_bytes(json, "signature", show_base64(conflict->signature));
    json_object_set_new(json, "signature_base", show_json_bytes(conflict->signature_base));
    return json;
}

static json_t *taken_json(const struct adjustment_lookup_row *taken)
{
    char at[SHOW_INSTANT_MAX];
    return json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s?}", "adjustment_id", taken->adjustment_id, "kind",
                     taken->kind, "amount_micros", taken->amount_micros, "reason", taken->reason, "actor",
                     taken->actor, "recorded_at", show_instant(taken->recorded_ms, at), "number",
                     taken->number);
}

static json_t *entry_json(const struct charge_lookup_row *entry)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:s?,s:s?,s:s?}", "payment_id", entry->payment_id,
                  "site", entry->site, "network", entry->network, "resource", entry->resource, "rule",
                  entry->rule, "currency", entry->currency, "agent", entry->agent, "directory_url",
                  entry->directory_url, "public_key", entry->public_key, "day", entry->local_date, "invoice",
                  entry->invoice, "invoice_date", entry->invoice_date);
    set_amount(json, entry->amount_micros);
    set_agreement(json, entry->agreement_version, entry->agreement_version_null);
    set_instant(json, "offered_at", "offered_unix", entry->offered_ms);
    set_instant(json, "receipt_at", "receipt_unix", entry->recorded_ms);
    json_object_set_new(json, "day_closed", json_boolean(entry->closed));
    set_bytes(json, "thumbprint", show_base64url(entry->thumbprint));
    set_bytes(json, "signature", show_base64(entry->signature));
    json_object_set_new(json, "signature_base", show_json_bytes(entry->signature_base));
    return json;
}

/* --- the command --- */

static void print_answer(const struct answer *answer)
{
    const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
    print_entry(&entry);
    for (int i = 0; i < answer->taken.count; i++) {
        const struct adjustment_lookup_row taken = adjustment_lookup_row(&answer->taken, i);
        print_taken(&taken, entry.currency);
    }
    for (int i = 0; i < answer->conflicts.count; i++) {
        const struct conflict_lookup_row conflict = conflict_lookup_row(&answer->conflicts, i);
        printf("\nConflict %d of %d: refused and not charged\n", i + 1, answer->conflicts.count);
        print_conflict(&conflict);
    }
    for (int i = 0; i < answer->counts.count; i++) {
        const struct conflict_counts_row count = conflict_counts_row(&answer->counts, i);
        print_count(&count);
    }
}

static json_t *answer_json(const struct answer *answer)
{
    const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
    json_t *json = entry_json(&entry), *adjustments = json_array(), *conflicts = json_array(),
           *counts = json_array();
    for (int i = 0; i < answer->taken.count; i++) {
        const struct adjustment_lookup_row taken = adjustment_lookup_row(&answer->taken, i);
        json_array_append_new(adjustments, taken_json(&taken));
    }
    for (int i = 0; i < answer->conflicts.count; i++) {
        const struct conflict_lookup_row conflict = conflict_lookup_row(&answer->conflicts, i);
        json_array_append_new(conflicts, conflict_json(&conflict));
    }
    for (int i = 0; i < answer->counts.count; i++) {
        const struct conflict_counts_row count = conflict_counts_row(&answer->counts, i);
        json_array_append_new(counts, json_pack("{s:s,s:I,s:I}", "agent", count.agent, "attempts",
                                                count.attempts, "kept", count.kept));
    }
    json_object_set_new(json, "adjustments", adjustments);
    json_object_set_new(json, "conflicts", conflicts);
    json_object_set_new(json, "conflict_counts", counts);
    return json;
}

static enum exit_status show(const struct answer *answer, bool json)
{
    if (json)
        return show_json(answer_json(answer), JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    print_answer(answer);
    return EXIT_DONE;
}

static enum exit_status unknown(struct pg *pg, const uint8_t id[UUID_SIZE], const struct pg_params *params)
{
    struct pg_rows archived = {0};
    char text[UUID_TEXT_MAX];
    if (pg_run(pg, "archive_find", params, &archived) != ERR_OK)
        return EXIT_FAILED;
    if (archived.count > 0)
        LOG(ERROR, "the entries of this payment id's day are archived", {"id", uuid_format(id, text)},
            {"file", archive_find_row(&archived, 0).file}, {"SHA-256", archive_find_row(&archived, 0).sha256},
            {"hint", "crawltab archive restore FILE brings them back, or look for the id in the file"});
    else
        LOG(ERROR, "no entry has this payment id", {"id", uuid_format(id, text)},
            {"detail", "nothing was charged for it"},
            {"hint", "an offer leaves no trace until it is paid; was it made by this ledger?"});
    pg_rows_free(&archived);
    return EXIT_FAILED;
}

static enum exit_status lookup(struct pg *pg, const uint8_t id[UUID_SIZE], bool json)
{
    struct pg_params params = {0};
    struct answer answer = {.entry = {0}};
    enum exit_status status = EXIT_FAILED;
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    if (pg_run(pg, "charge_lookup", &params, &answer.entry) != ERR_OK ||
        pg_run(pg, "adjustment_lookup", &params, &answer.taken) != ERR_OK ||
        pg_run(pg, "conflict_lookup", &params, &answer.conflicts) != ERR_OK ||
        pg_run(pg, "conflict_counts", &params, &answer.counts) != ERR_OK)
        goto out;
    status = answer.entry.count > 0 ? show(&answer, json) : unknown(pg, id, &params);
out:
    pg_rows_free(&answer.entry);
    pg_rows_free(&answer.taken);
    pg_rows_free(&answer.conflicts);
    pg_rows_free(&answer.counts);
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
