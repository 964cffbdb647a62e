#include "tools/crawltab/frame/letter.h"
#include "tools/crawltab/frame/proof.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/file/file.h"
#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/bill/invoice.h"
#include "ledger/format/paper/pdf_letter.h"
#include "ledger/pg/sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define TEXTS_MAX 64

/* What a letter is made with. */
struct writing {
    struct letter letter;
    struct bundle_report report;
    json_t *bundle, *party;
    struct document_party seller;
    char *texts[TEXTS_MAX]; /* made for it */
    size_t text_count;
    const char *proof; /* the file's path */
    size_t bytes;      /* the file's */
    char digest[2 * DIGEST_SIZE + 1];
    char at[INSTANT_TEXT_MAX];
    bool failed; /* no memory */
};

/* --- texts --- */

/* A text that format_printed has made. */
static const char *keep(struct writing *writing, char *text)
{
    if (!text || writing->text_count == TEXTS_MAX) {
        writing->failed = true;
        free(text);
        return "";
    }
    writing->texts[writing->text_count++] = text;
    return text;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* The file's name without its folders: that is what it is sent as. */
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- what the letter is about --- */

/* The row of a table among the facts; NULL: there is none. */
static json_t *fact_row(const json_t *bundle, const char *table)
{
    static const char *const lists[] = {"facts", "unsealed"};
    for (size_t k = 0; k < 2; k++) {
        size_t i;
        const json_t *fact;
        json_array_foreach(json_object_get(bundle, lists[k]), i,
                           fact) if (strcmp(text_of(fact, "table"), table) ==
                                     0) return json_loads(text_of(fact, "row"), 0, NULL);
    }
    return NULL;
}

/* The log of a name; the first one of the file if it is not there. */
static const json_t *log_called(const json_t *bundle, const char *origin)
{
    const json_t *logs = json_object_get(bundle, "logs"), *log;
    size_t i;
    json_array_foreach(logs, i, log) if (strcmp(text_of(log, "origin"), origin) == 0) return log;
    return json_array_get(logs, 0);
}

/* The currency of a day's leaf. */
static void read_currency(const json_t *log, char out[8])
{
    const char *leaf = text_of(json_array_get(json_object_get(log, "days"), 0), "leaf");
    const char *line = strstr(leaf, "\ncurrency ");
    out[0] = '\0';
    if (line)
        sscanf(line, "\ncurrency %7[A-Z]", out);
}

static void add_log(struct writing *writing, const json_t *log)
{
    struct letter *letter = &writing->letter;
    letter_pair(letter, "Log", text_of(log, "origin"));
    letter_pair(letter, "Signed by the key", text_of(log, "signed_by"));
    letter_pair(letter, "Enclosed file",
                keep(writing, format_printed("%s, %zu bytes, SHA-256 %s", file_name(writing->proof),
                                             writing->bytes, writing->digest)));
}

static void add_entry(struct writing *writing, const json_t *log)
{
    const json_t *entry = json_object_get(writing->bundle, "entry"),
                 *place = json_object_get(writing->bundle, "place");
    json_t *invoice = fact_row(writing->bundle, "invoice");
    char currency[8], amount[AMOUNT_TEXT_MAX], at[INSTANT_TEXT_MAX];
    read_currency(log, currency);
    amount_format(json_integer_value(json_object_get(entry, "amount_micros")), amount);
    instant_format(json_integer_value(json_object_get(entry, "recorded_ms")), at);
    struct letter *letter = &writing->letter;
    letter_pair(letter, "Payment id", text_of(entry, "payment_id"));
    letter_pair(letter, "Page", text_of(entry, "resource"));
    letter_pair(
        letter, "Charged",
        keep(writing, format_printed("%s %s, by the rule \"%s\"", amount, currency, text_of(entry, "rule"))));
    letter_pair(letter, "Recorded at", keep(writing, format_printed("%s", at)));
    letter_pair(letter, "Billing day", text_of(place, "day"));
    letter_pair(letter, "Crawler", text_of(entry, "agent"));
    letter_pair(letter, "Key's thumbprint", text_of(entry, "thumbprint"));
    if (invoice)
        letter_pair(letter, "Invoice",
                    keep(writing, format_printed("%s of %s", text_of(invoice, "number"),
                                                 text_of(invoice, "issue_date"))));
    json_decref(invoice);
}

static void add_facts(struct writing *writing)
{
    const json_t *bundle = writing->bundle;
    bool entry = json_object_get(bundle, "entry") != NULL;
    const json_t *log = log_called(bundle, text_of(entry ? json_object_get(bundle, "place") : bundle, "log"));
    struct letter *letter = &writing->letter;
    letter->title = entry ? "Evidence of a payment" : "Evidence that a payment id was not charged";
    if (entry) {
        add_entry(writing, log);
    } else {
        letter_pair(letter, "Payment id", text_of(bundle, "payment_id"));
        letter_pair(letter, "Billing day", text_of(bundle, "day"));
    }
    add_log(writing, log);
}

/* --- its parts --- */

/* The findings of one verdict, in the order of the report. `items` has room for all. */
static void add_findings(struct writing *writing, enum bundle_verdict verdict, const char *head,
                         const char **items)
{
    struct letter_part part = {.head = head, .style = LETTER_NUMBERED, .items = items};
    for (size_t i = 0; i < writing->report.count; i++)
        if (writing->report.items[i].verdict == verdict)
            items[part.count++] = writing->report.items[i].sentence;
    letter_part(&writing->letter, &part);
}

/* The signed notes, one of each log: whoever kept an older one can compare. */
static void add_checkpoints(struct writing *writing, const char *notes[BUNDLE_LOGS_MAX])
{
    const json_t *log;
    size_t i;
    struct letter_part part = {.style = LETTER_VERBATIM, .items = notes};
    json_array_foreach(json_object_get(writing->bundle, "logs"), i, log)
    {
        notes[part.count++] = text_of(log, "checkpoint");
    }
    part.head = part.count > 1 ? "The signed checkpoints" : "The signed checkpoint";
    letter_part(&writing->letter, &part);
}

static void add_check(struct writing *writing, const char *items[4])
{
    const char *name = file_name(writing->proof);
    const json_t *log = json_array_get(json_object_get(writing->bundle, "logs"), 0);
    const char *key = text_of(log, "signed_by");
    items[0] =
        keep(writing, format_printed("Is the file the one that was enclosed? \"sha256sum %s\" prints the "
                                     "SHA-256 above.",
                                     name));
    items[1] =
        keep(writing, format_printed("Does it hold? \"crawltab verify %s --vkey '%s'\" says all that is "
                                     "written here, on any machine, without a ledger or a network.",
                                     name, key));
    items[2] = "Without that program: the format, crawltab-proof/1, is described in ledger/PROOF.md of its "
               "sources, from which a program of your own can be written; its section \"By hand\" checks the "
               "crawler's signature with OpenSSL.";
    items[3] = "Is the key of the log the publisher's, and is the log the one that it was? Compare key and "
               "checkpoint with those that you or others have kept: of two checkpoints of one log the newer "
               "one must have grown from the older (crawltab verify --checkpoint).";
    const struct letter_part part = {"How to check this without the publisher", LETTER_NUMBERED, items, 4};
    letter_part(&writing->letter, &part);
}

static bool render(struct writing *writing, struct format_output *out)
{
    const char **items = calloc(2 * writing->report.count + 1, sizeof(*items));
    const char *notes[BUNDLE_LOGS_MAX], *checks[4];
    struct letter *letter = &writing->letter;
    if (!items)
        return format_fail(out, "no memory");
    letter->opening =
        keep(writing,
             format_printed("%s states about its ledger what stands below. What is proven follows from the "
                            "signatures and hashes in the enclosed file, and can be checked without %s; "
                            "what is not proven does not follow from them.",
                            writing->seller.name, writing->seller.name));
    add_facts(writing);
    add_findings(writing, BUNDLE_PROVEN, "Proven", items);
    add_findings(writing, BUNDLE_UNPROVEN, "Not proven by the file", items + writing->report.count);
    add_check(writing, checks);
    add_checkpoints(writing, notes);
    bool ok = writing->failed ? format_fail(out, "no memory") : letter_render(letter, out);
    free(items);
    return ok;
}

/* --- whose letter it is --- */

/* The seller as on invoices, the picture as a data: URL. */
static bool read_seller(const struct config *config, const char *site, struct writing *writing)
{
    struct invoice_seller seller;
    char problem[DOCUMENT_PROBLEM_MAX];
    if (!invoice_seller_init(&seller, config, site))
        return false; /* it has told */
    writing->party = seller.party ? json_loads(seller.party, 0, NULL) : json_pack("{s:s}", "name", site);
    json_object_del(writing->party, "logo");
    char *base64 = seller.logo ? malloc(ENCODING_BASE64_LEN(seller.logo_len) + 1) : NULL;
    if (base64) {
        base64[encoding_base64(seller.logo, seller.logo_len, base64)] = '\0';
        json_object_set_new(writing->party, "logo",
                            json_sprintf("data:%s;base64,%s", seller.logo_type, base64));
    }
    free(base64);
    invoice_seller_free(&seller);
    if (writing->party && document_party_open(writing->party, &writing->seller, problem))
        return true;
    LOG(ERROR, "the letter cannot be written", {"detail", writing->party ? problem : "out of memory"});
    return false;
}

/* --- the file --- */

static bool read_proof(struct writing *writing)
{
    uint8_t digest[DIGEST_SIZE];
    char *text = file_read(writing->proof, BUNDLE_BYTES_MAX, &writing->bytes, NULL);
    if (!text) {
        LOG(ERROR, "the proof cannot be read", {"file", writing->proof}, {"detail", strerror(errno)});
        return false;
    }
    const struct slice whole = slice_bytes(text, writing->bytes);
    digest_sha256(&whole, 1, digest);
    encoding_hex(digest, DIGEST_SIZE, writing->digest);
    writing->bundle = json_loadb(text, writing->bytes, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    return writing->bundle && proof_check(writing->bundle, &(struct proof_trust){0}, &writing->report) &&
           writing->report.wrong == 0;
}

static bool write_out(struct writing *writing, const char *path)
{
    struct format_output out = {.bytes = NULL};
    const char *problem =
        render(writing, &out) ? file_replace(path, out.bytes, out.len, FILE_PUBLIC) : out.error;
    if (problem)
        LOG(ERROR, "the letter cannot be written", {"file", path}, {"detail", problem});
    free(out.bytes);
    return !problem;
}

bool letter_write(struct pg *pg, const struct config *config, const char *site, const char *proof,
                  const char *path)
{
    struct writing writing = {.proof = proof};
    bool sandbox = false;
    instant_format(clock_now_ms(), writing.at);
    writing.letter.at = writing.at;
    writing.letter.seller = &writing.seller;
    bool ok = sandbox_read(pg, &sandbox) == ERR_OK && read_seller(config, site, &writing);
    writing.letter.notice =
        sandbox ? "A trial: this ledger was used with a moved clock. Nothing is owed by it." : "";
    ok = ok && read_proof(&writing) && write_out(&writing, path);
    for (size_t i = 0; i < writing.text_count; i++)
        free(writing.texts[i]);
    bundle_report_free(&writing.report);
    json_decref(writing.bundle);
    json_decref(writing.party);
    return ok;
}
