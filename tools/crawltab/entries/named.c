/* The thumbprint of a key is told from a number by its form alone: 43 characters that are 32 bytes. */
#include "tools/crawltab/entries/named.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "sql/rows/bill.h"
#include "sql/rows/entry.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define NUMBER    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/."
#define KEY_CHARS ENCODING_BASE64URL_LEN(DIGEST_SIZE)
#define COLUMN    "%-12s"

bool named_read(const char *word, char text[NAMED_MAX])
{
    size_t len = strlen(word);
    for (; len > 0 && (isspace((unsigned char)*word) || strchr("\"'", *word)); word++)
        len--;
    while (len > 0 && (isspace((unsigned char)word[len - 1]) || strchr("\"'", word[len - 1])))
        len--;
    if (len == 0 || len >= NAMED_MAX)
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    return true;
}

static bool read_key(const char *text, uint8_t thumbprint[DIGEST_SIZE])
{
    size_t len;
    return strlen(text) == KEY_CHARS && encoding_unbase64url(slice_of(text), thumbprint, DIGEST_SIZE, &len) &&
           len == DIGEST_SIZE;
}

/* --- one slip of the hand --- */

typedef void slip_tell(struct pg_array *array, const char *text);

/* The text with one character changed, left out, put in or swapped with the next one. */
static void each_slip(const char *text, const char *alphabet, slip_tell *tell, struct pg_array *array)
{
    char slip[NAMED_MAX + 1];
    size_t len = strlen(text);
    for (size_t at = 0; at <= len; at++) {
        for (const char *c = alphabet; *c; c++) {
            snprintf(slip, sizeof(slip), "%.*s%c%s", (int)at, text, *c, text + at);
            tell(array, slip);
            if (at < len) {
                snprintf(slip, sizeof(slip), "%.*s%c%s", (int)at, text, *c, text + at + 1);
                tell(array, slip);
            }
        }
        if (at < len) {
            snprintf(slip, sizeof(slip), "%.*s%s", (int)at, text, text + at + 1);
            tell(array, slip);
        }
        if (at + 1 < len) {
            snprintf(slip, sizeof(slip), "%.*s%c%c%s", (int)at, text, text[at + 1], text[at], text + at + 2);
            tell(array, slip);
        }
    }
}

static void add_number(struct pg_array *array, const char *text)
{
    pg_array_bytes(array, slice_of(text));
}

static void add_key(struct pg_array *array, const char *text)
{
    uint8_t thumbprint[DIGEST_SIZE];
    if (read_key(text, thumbprint))
        pg_array_bytes(array, slice_bytes(thumbprint, DIGEST_SIZE));
}

/* --- invoices and credit notes --- */

static void print_fact(const char *name, const char *value)
{
    printf(COLUMN, name);
    show_text(stdout, value);
    putchar('\n');
}

static void print_invoice(const struct invoice_glance_row *invoice)
{
    char money[SHOW_MONEY_MAX];
    bool credit = strcmp(invoice->kind, "credit-note") == 0;
    print_fact("Answer", credit ? "a credit note" : "an invoice");
    print_fact("Number", invoice->number);
    print_fact("Site", invoice->site);
    print_fact("Crawler", invoice->agent);
    printf(COLUMN "%s to %s\n", credit ? "Day" : "Days", invoice->first_date, invoice->last_date);
    print_fact("Issued", invoice->issue_date);
    if (invoice->due_date)
        print_fact("Due", invoice->due_date);
    print_fact("Status", invoice->status);
    print_fact("Total",
               show_minor(invoice->total_minor, invoice->currency_decimals, invoice->currency, money));
    if (!credit)
        print_fact("Open",
                   show_minor(invoice->open_minor, invoice->currency_decimals, invoice->currency, money));
    printf(COLUMN "%" PRId64 ", crawls %" PRId64 "\n", "Lines", invoice->lines, invoice->entries);
    if (invoice->corrects)
        print_fact("Corrects", invoice->corrects);
    if (invoice->replaces)
        print_fact("Replaces", invoice->replaces);
    if (invoice->credit_notes)
        print_fact("Corrected by", invoice->credit_notes);
    printf(COLUMN "crawltab invoice show %s: the document\n", "More", invoice->number);
    printf(COLUMN "crawltab invoice entries %s: %s\n", "", invoice->number,
           credit ? "what it gives back" : "every crawl, and why it costs that much");
}

static json_t *invoice_json(const struct invoice_glance_row *invoice)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s?,s:s?}", "number",
                     invoice->number, "site", invoice->site, "agent", invoice->agent, "issue_date",
                     invoice->issue_date, "due_date", invoice->due_date, "first_date", invoice->first_date,
                     "last_date", invoice->last_date, "status", invoice->status, "currency",
                     invoice->currency, "total_minor", invoice->total_minor, "open_minor",
                     invoice->open_minor, "entries", invoice->entries, "lines", invoice->lines, "corrects",
                     invoice->corrects, "replaces", invoice->replaces);
}

static enum exit_status tell_invoices(const struct pg_rows *rows, bool json)
{
    json_t *list = json_array();
    const char *kind = "";
    for (int i = 0; i < rows->count; i++) {
        const struct invoice_glance_row invoice = invoice_glance_row(rows, i);
        kind = invoice.kind;
        if (json)
            json_array_append_new(list, invoice_json(&invoice));
        else if (i > 0)
            putchar('\n');
        if (!json)
            print_invoice(&invoice);
    }
    if (json)
        return show_json(json_pack("{s:s,s:o}", "status", kind, "documents", list), JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    json_decref(list);
    return EXIT_DONE;
}

static enum err find_invoices(struct pg *pg, const char *number, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, number);
    pg_params_number(&params, clock_now_ms());
    return pg_run(pg, "invoice_glance", &params, rows);
}

/* --- keys --- */

struct key_rows {
    struct pg_rows sources, entries;
};

static enum err read_key_rows(struct pg *pg, const uint8_t thumbprint[DIGEST_SIZE], int64_t crawler_id,
                              struct key_rows *rows)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_bytes(&params, slice_bytes(thumbprint, DIGEST_SIZE));
    pg_params_number(&params, crawler_id);
    TRY(pg_run(pg, "key_sources", &params, &rows->sources));
    TRY(pg_run(pg, "key_entries", &params, &rows->entries));
out:
    return err;
}

static void print_key(const struct key_lookup_row *key, const struct key_rows *rows)
{
    char at[SHOW_INSTANT_MAX], money[SHOW_MONEY_MAX];
    print_fact("Answer", "a key that has paid");
    print_fact("Account", key->agent);
    print_fact("Public key", key->public_key);
    print_fact("Since", show_instant(key->first_seen_ms, at));
    print_fact("First in", key->directory_url);
    for (int i = 0; i < rows->sources.count; i++) {
        const struct key_sources_row source = key_sources_row(&rows->sources, i);
        printf(COLUMN, i == 0 ? "Relied on" : "");
        show_text(stdout, source.url);
        printf(" since %s, %" PRId64 " version%s of it\n", show_instant(source.first_relied_ms, at),
               source.bodies, source.bodies == 1 ? "" : "s");
    }
    for (int i = 0; i < rows->entries.count; i++) {
        const struct key_entries_row entry = key_entries_row(&rows->entries, i);
        printf(COLUMN "%s  %s  %s\n" COLUMN, i == 0 ? "Last paid" : "", entry.payment_id,
               show_instant(entry.offered_ms, at), show_micros(entry.amount_micros, entry.currency, money),
               "");
        show_text(stdout, entry.resource);
        putchar('\n');
    }
    if (rows->entries.count == 0)
        print_fact("Last paid", "nothing in the last two days with payments of this account");
}

static json_t *key_json(const struct key_lookup_row *key, const struct key_rows *rows)
{
    char at[SHOW_INSTANT_MAX];
    json_t *sources = json_array(), *entries = json_array();
    for (int i = 0; i < rows->sources.count; i++) {
        const struct key_sources_row source = key_sources_row(&rows->sources, i);
        json_array_append_new(sources,
                              json_pack("{s:s,s:s,s:I}", "url", source.url, "first_relied_at",
                                        show_instant(source.first_relied_ms, at), "bodies", source.bodies));
    }
    for (int i = 0; i < rows->entries.count; i++) {
        const struct key_entries_row entry = key_entries_row(&rows->entries, i);
        json_array_append_new(entries,
                              json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "payment_id", entry.payment_id, "site",
                                        entry.site, "offered_at", show_instant(entry.offered_ms, at),
                                        "resource", entry.resource, "amount_micros", entry.amount_micros,
                                        "currency", entry.currency));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "agent", key->agent, "public_key", key->public_key,
                     "first_seen_at", show_instant(key->first_seen_ms, at), "directory_url",
                     key->directory_url, "sources", sources, "entries", entries);
}

/* A key that several accounts use is told for each. */
static enum exit_status tell_keys(struct pg *pg, const uint8_t thumbprint[DIGEST_SIZE],
                                  const struct pg_rows *keys, bool json)
{
    json_t *list = json_array();
    enum err err = ERR_OK;
    for (int i = 0; i < keys->count && err == ERR_OK; i++) {
        const struct key_lookup_row key = key_lookup_row(keys, i);
        struct key_rows rows = {.sources = {.count = 0}};
        err = read_key_rows(pg, thumbprint, key.crawler_id, &rows);
        if (err == ERR_OK && json)
            json_array_append_new(list, key_json(&key, &rows));
        else if (err == ERR_OK)
            print_key(&key, &rows);
        pg_rows_free(&rows.sources);
        pg_rows_free(&rows.entries);
    }
    bool shown =
        err == ERR_OK &&
        (!json || show_json(json_pack("{s:s,s:O}", "status", "key", "accounts", list), JSON_INDENT(2)));
    json_decref(list);
    return shown ? EXIT_DONE : EXIT_FAILED;
}

/* --- neither --- */

static enum err find_meant(struct pg *pg, const char *text, struct pg_rows *numbers, struct pg_rows *keys)
{
    struct pg_array slips = {0};
    struct pg_params number_params = {0}, key_params = {0};
    size_t len = strlen(text);
    enum err err = ERR_OK;
    pg_array_begin(&slips, PG_TYPE_TEXT);
    each_slip(text, NUMBER, add_number, &slips);
    pg_params_text(&number_params, text);
    TRY(pg_params_array(&number_params, &slips) ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_run(pg, "invoice_meant", &number_params, numbers));
    if (len + 1 < KEY_CHARS || len > KEY_CHARS + 1)
        goto out;
    pg_array_begin(&slips, PG_TYPE_BYTEA);
    each_slip(text, BASE64URL, add_key, &slips);
    TRY(pg_params_array(&key_params, &slips) ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_run(pg, "key_meant", &key_params, keys));
out:
    pg_array_free(&slips);
    return err;
}

static enum exit_status tell_meant(const char *text, const struct pg_rows *numbers,
                                   const struct pg_rows *keys, bool json)
{
    json_t *list = json_array();
    if (!json)
        puts("Answer      no invoice, credit note or key of this ledger, and no payment id");
    if (!json)
        print_fact("Given", text);
    for (int i = 0; i < numbers->count; i++) {
        const struct invoice_meant_row meant = invoice_meant_row(numbers, i);
        if (json) {
            json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "kind", meant.kind, "number",
                                                  meant.number, "site", meant.site, "agent", meant.agent));
            continue;
        }
        printf(COLUMN "%s, %s of %s for ", "Meant?", meant.number,
               strcmp(meant.kind, "invoice") == 0 ? "an invoice" : "a credit note", meant.issue_date);
        show_text(stdout, meant.agent);
        putchar('\n');
    }
    for (int i = 0; i < keys->count; i++) {
        const struct key_meant_row meant = key_meant_row(keys, i);
        char *thumbprint = show_base64url(meant.thumbprint);
        if (json)
            json_array_append_new(list, json_pack("{s:s,s:s?,s:s}", "kind", "key", "thumbprint", thumbprint,
                                                  "agent", meant.agent));
        else
            printf(COLUMN "%s, the key of %s\n", "Meant?", thumbprint ? thumbprint : "", meant.agent);
        free(thumbprint);
    }
    if (json)
        (void)show_json(json_pack("{s:s,s:s,s:O}", "status", "unknown", "given", text, "may_mean", list),
                        JSON_INDENT(2));
    json_decref(list);
    return EXIT_FAILED;
}

enum exit_status named_look_up(struct pg *pg, const char *word, bool json)
{
    struct pg_rows rows = {0}, keys = {0};
    struct pg_params params = {0};
    uint8_t thumbprint[DIGEST_SIZE];
    enum exit_status status = EXIT_FAILED;
    bool is_key = read_key(word, thumbprint);
    if (find_invoices(pg, word, &rows) != ERR_OK)
        goto out;
    if (rows.count > 0) {
        status = tell_invoices(&rows, json);
        goto out;
    }
    pg_params_bytes(&params, slice_bytes(thumbprint, DIGEST_SIZE));
    if (is_key && pg_run(pg, "key_lookup", &params, &keys) != ERR_OK)
        goto out;
    if (keys.count > 0) {
        status = tell_keys(pg, thumbprint, &keys, json);
        goto out;
    }
    pg_rows_free(&rows);
    pg_rows_free(&keys);
    if (find_meant(pg, word, &rows, &keys) == ERR_OK)
        status = tell_meant(word, &rows, &keys, json);
out:
    pg_rows_free(&rows);
    pg_rows_free(&keys);
    return status;
}
