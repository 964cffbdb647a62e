#include "tools/crawltab/entries/mistyped.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/encoding.h"
#include "ledger/entry/undelivered.h"
#include "sql/rows/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#define LINE_MAX_BYTES    256  /* of the words that count, when they are put together here */
#define RECEIPT_MAX_BYTES 4096 /* of an x402 receipt: longer than the gate writes any */

/* --- list --- */

static void print_row(const struct undelivered_list_row *row)
{
    char money[SHOW_MONEY_MAX], of[32] = "";
    if (!row->length_bytes_null)
        snprintf(of, sizeof(of), " of %" PRId64, row->length_bytes);
    printf("%-10s  %s  %16s  %s\n", row->local_date ? row->local_date : "-", row->payment_id,
           row->amount_micros_null ? "(archived)" : show_micros(row->amount_micros, row->currency, money),
           row->reversed_micros_null ? "not yet" : "taken back");
    if (row->final_micros_null)
        printf("  %" PRId64 "%s bytes, status %" PRId64 ", told by the %s\n", row->sent_bytes, of,
               row->status, row->told_by);
    else
        printf("  delivered; final amount %s, told by the %s\n",
               show_micros(row->final_micros, row->currency, money), row->told_by);
    if (row->resource) {
        fputs("  ", stdout);
        show_text(stdout, row->resource);
        fputs("\n  ", stdout);
        show_text(stdout, row->agent);
        fputc('\n', stdout);
    }
}

static json_t *row_json(const struct undelivered_list_row *row)
{
    return json_pack(
        "{s:s,s:s,s:s?,s:s?,s:s?,s:o,s:s,s:I,s:I,s:o,s:s,s:o,s:o}", "site", row->site, "payment_id",
        row->payment_id, "day", row->local_date, "resource", row->resource, "agent", row->agent,
        "amount_micros", row->amount_micros_null ? json_null() : json_integer(row->amount_micros), "currency",
        row->currency, "status", row->status, "sent_bytes", row->sent_bytes, "length_bytes",
        row->length_bytes_null ? json_null() : json_integer(row->length_bytes), "told_by", row->told_by,
        "reversed_micros", row->reversed_micros_null ? json_null() : json_integer(row->reversed_micros),
        "final_micros", row->final_micros_null ? json_null() : json_integer(row->final_micros));
}

static bool tell(const struct pg_rows *rows, bool json)
{
    json_t *array = json ? json_array() : NULL;
    if (!json && rows->count == 0)
        puts("everything that was paid for was delivered");
    for (int i = 0; i < rows->count; i++) {
        const struct undelivered_list_row row = undelivered_list_row(rows, i);
        if (json)
            json_array_append_new(array, row_json(&row));
        else
            print_row(&row);
    }
    return !json || show_json(array, JSON_INDENT(2));
}

static enum exit_status list(struct pg *pg, const char *site, const char *from, const char *to, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, site);
    pg_params_text(&params, from);
    pg_params_text(&params, to);
    bool ok = pg_run(pg, "undelivered_list", &params, &rows) == ERR_OK && tell(&rows, json);
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --- --log --- */

struct log_totals {
    long lines, recorded, known, problems;
};

/* The value of " name=" in the line, up to a space; cut at `size`. False if there is none. */
static bool value_of(const char *line, const char *name, char *out, size_t size)
{
    const char *at = line;
    size_t len = strlen(name);
    while ((at = strstr(at, name)) && ((at > line && at[-1] != ' ') || at[len] != '='))
        at++;
    if (!at)
        return false;
    at += len + 1;
    len = strcspn(at, " \t\r\n\"");
    if (len >= size)
        len = size - 1;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

/* A whole number; -1 for "-" or nothing. False for anything else. */
static bool number_of(const char *text, int64_t *number)
{
    char *end;
    *number = -1;
    if (*text == '\0' || strcmp(text, "-") == 0)
        return true;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && *number >= 0;
}

/* The first value of a field of Caddy's log, whose names are as the answer had them; NULL: it had none. */
static const char *field_of(const json_t *entry, const char *name)
{
    const char *key;
    json_t *values;
    json_t *fields = json_object_get(entry, "resp_headers");
    json_object_foreach(fields, key, values) if (strcasecmp(key, name) ==
                                                 0) return json_string_value(json_array_get(values, 0));
    return NULL;
}

/* The payment id in a receipt: `id` of the Payment-Response dictionary, or `transaction` of the JSON that
 * x402 clients get, in base64. False if there is none. */
static bool receipt_id(const char *receipt, char out[MISTYPED_TEXT_MAX])
{
    uint8_t bytes[RECEIPT_MAX_BYTES];
    size_t len;
    const char *id = strstr(receipt, "id=\"");
    if (id) {
        snprintf(out, MISTYPED_TEXT_MAX, "%.*s", (int)strcspn(id + 4, "\""), id + 4);
        return true;
    }
    if (!encoding_unbase64(slice_of(receipt), false, bytes, sizeof(bytes), &len))
        return false;
    json_t *settled = json_loadb((const char *)bytes, len, 0, NULL);
    id = json_string_value(json_object_get(settled, "transaction"));
    snprintf(out, MISTYPED_TEXT_MAX, "%s", id ? id : "");
    json_decref(settled);
    return *out != '\0';
}

/* Caddy writes JSON: what it says in the words of the others. False if the line is no such. */
static bool translate(const char *line, char out[LINE_MAX_BYTES])
{
    char id[MISTYPED_TEXT_MAX];
    json_t *entry = *line == '{' ? json_loads(line, 0, NULL) : NULL;
    const char *receipt = field_of(entry, "Payment-Response"), *length = field_of(entry, "Content-Length");
    bool paid = receipt && receipt_id(receipt, id);
    if (paid)
        snprintf(out, LINE_MAX_BYTES,
                 "crawltab=%s status=%" JSON_INTEGER_FORMAT " bytes=%" JSON_INTEGER_FORMAT " length=%.20s",
                 id, json_integer_value(json_object_get(entry, "status")),
                 json_integer_value(json_object_get(entry, "size")), length ? length : "-");
    json_decref(entry);
    return paid;
}

enum line { LINE_OTHER, LINE_DELIVERED, LINE_LOST, LINE_BAD };

/* A front's line says whose payment it is, what status the site's answer had, and how many bytes of how many
 * went out. */
static enum line read_line(const char *line, struct undelivered *fact)
{
    char id[MISTYPED_TEXT_MAX] = "", status[24] = "", bytes[24] = "", length[24] = "";
    struct mistyped_given given;
    int64_t code;
    *fact = (struct undelivered){.told_by = "log"};
    if (!value_of(line, "crawltab", id, sizeof(id)) || !*id || strcmp(id, "-") == 0)
        return LINE_OTHER;
    if (!mistyped_read(id, &given) || (!given.is_id && !given.is_uuid) ||
        !value_of(line, "status", status, sizeof(status)) || !number_of(status, &code) || code < 0 ||
        code > 999 || !value_of(line, "bytes", bytes, sizeof(bytes)) || !number_of(bytes, &fact->sent_bytes))
        return LINE_BAD;
    if (value_of(line, "length", length, sizeof(length)) && !number_of(length, &fact->length_bytes))
        return LINE_BAD;
    if (!*length)
        fact->length_bytes = -1;
    if (fact->sent_bytes < 0)
        fact->sent_bytes = 0;
    memcpy(fact->payment_id, given.raw, UUID_SIZE);
    fact->status = (unsigned)code;
    bool given_away = code == 200 || code == 203 || code == 206;
    bool whole = fact->length_bytes < 0 || fact->sent_bytes >= fact->length_bytes;
    return given_away && whole ? LINE_DELIVERED : LINE_LOST;
}

static void complain(const char *path, long number, const char *what)
{
    fprintf(stderr, "%s:%ld: %s\n", path, number, what);
}

static bool take_line(struct pg *pg, const char *path, const char *line, struct log_totals *totals)
{
    struct undelivered fact;
    enum undelivered_outcome outcome;
    char words[LINE_MAX_BYTES];
    totals->lines++;
    switch (read_line(translate(line, words) ? words : line, &fact)) {
    case LINE_OTHER:
    case LINE_DELIVERED:
        return true;
    case LINE_BAD:
        totals->problems++;
        complain(path, totals->lines,
                 "names a payment, but not crawltab=ID status=NNN bytes=N length=N, see --help");
        return true;
    case LINE_LOST:
        break;
    }
    if (undelivered_record_alone(pg, &fact, &outcome) != ERR_OK)
        return false;
    totals->recorded += outcome == UNDELIVERED_RECORDED;
    totals->known += outcome == UNDELIVERED_KNOWN;
    totals->problems += outcome != UNDELIVERED_RECORDED && outcome != UNDELIVERED_KNOWN;
    if (outcome == UNDELIVERED_DIFFERS)
        complain(path, totals->lines,
                 "this payment has a final amount, which its server has told: see crawltab lookup");
    if (outcome == UNDELIVERED_NO_CHARGE)
        complain(path, totals->lines, "nobody has paid with this id here");
    if (outcome == UNDELIVERED_SEALED)
        complain(path, totals->lines, "the day of this payment is sealed: take it back with crawltab adjust");
    return true;
}

static enum exit_status read_log(struct pg *pg, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "r");
    struct log_totals totals = {0};
    char *line = NULL;
    size_t room = 0;
    bool ok = file != NULL;
    while (ok && getline(&line, &room, file) > 0)
        ok = take_line(pg, path, line, &totals);
    if (!file || ferror(file)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        ok = false;
    }
    free(line);
    if (file && !standard)
        fclose(file);
    printf("%ld lines: %ld recorded, %ld recorded before, %ld with problems\n", totals.lines, totals.recorded,
           totals.known, totals.problems);
    return ok && totals.problems == 0 ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status run(const char *config_path, int argc, char **argv)
{
    bool json = false;
    const char *site = NULL, *from = NULL, *to = NULL, *log = NULL;
    const struct command_option options[] = {{"--site", &site, NULL}, {"--from", &from, NULL},
                                             {"--to", &to, NULL},     {"--log", &log, NULL},
                                             {"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    enum exit_status status = EXIT_FAILED;
    if (!command_parse(argc, argv, options, &words) || !command_date("--from", from) ||
        !command_date("--to", to))
        return EXIT_USAGE;
    if (words.count != 0)
        return command_misused("use: crawltab undelivered [--log FILE]", words.items[0],
                               "see crawltab undelivered --help");
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab undelivered") : NULL;
    if (pg)
        status = log ? read_log(pg, log) : list(pg, site, from, to, json);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command undelivered_command = {
    "undelivered", "paid pages that did not arrive whole",
    "usage: crawltab undelivered [--site NAME] [--from DATE] [--to DATE] [--json]\n"
    "       crawltab undelivered --log FILE\n"
    "\n"
    "Lists paid pages that were not delivered whole, because the site's own server\n"
    "stopped in the middle. Their payment ids open nothing any more, and the nightly\n"
    "close of their day takes back what was paid for them, before it bills. And\n"
    "those of servers that bill through the facilitator and have settled for less in\n"
    "the end: delivered, with a final amount.\n"
    "\n"
    "--log reads them from the access log of a front that asks the gate and delivers\n"
    "by itself; run it before the nightly close. Lines with these words count, others\n"
    "are passed over; the same line twice counts once:\n"
    "\n"
    "  crawltab=PAYMENT-ID status=200 bytes=1234 length=5678\n"
    "\n"
    "bytes: sent of the body; length: its Content-Length, or -. The payment id is\n"
    "what the gate answers as X-Crawltab-Payment. For nginx:\n"
    "\n"
    "  log_format crawltab 'crawltab=$crawltab_payment status=$status '\n"
    "    'bytes=$body_bytes_sent length=$sent_http_content_length';\n"
    "\n"
    "Caddy's access log, which is JSON, is understood as it is, but names no payment\n"
    "that was made by a crawler's own price. HAProxy tells the gate by its script;\n"
    "this is for answers that HAProxy itself has made:\n"
    "\n"
    "  log-format \"crawltab=%[var(txn.crawltab_id)] status=%ST bytes=0 length=-\"\n"
    "\n"
    "crawltab front NAME --decisions prints these lines where they belong.\n"
    "\n"
    "exit status of --log: 0 all lines were understood; 1 some were not, or name a\n"
    "payment that is not there, whose day is sealed, or which has a final amount\n"
    "\n"
    "options:\n"
    "  --site NAME    of this site alone\n"
    "  --from DATE    of payments from this day on\n"
    "  --to DATE      up to this day\n"
    "  --log FILE     the access log; - for standard input\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab undelivered --from 2026-11-01 --json\n", run};
