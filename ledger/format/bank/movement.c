/* A movement has no name that banks agree on: references are reused, left out, or mere line numbers, and
 * files overlap. So its identity is a digest of what it says, with its number among those that say the same
 * in one statement, which has all movements of its days; and a bank's reference counts only where it is one
 * of a kind. */
#include "ledger/format/bank/movement.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/instant.h"
#include "ledger/format/xml.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Members --- */

json_t *movement_new(const char *kind, const char *place)
{
    assert(*kind && *place);
    static const char *const texts[] = {"account",  "reference", "identity", "text",   "collection", "amount",
                                        "currency", "booked_on", "original", "reason", "problem"};
    json_t *movement = json_pack("{s:s,s:s,s:i,s:b,s:b,s:b}", "place", place, "kind", kind, "payments", 0,
                                 "unmarked", 0, "unique", 0, "first", 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        json_object_set_new(movement, texts[i], json_string(""));
    return movement;
}

void movement_set(json_t *movement, const char *member, const char *text)
{
    assert(!movement || json_object_get(movement, member)); /* movement_new has made it */
    char clean[MOVEMENT_TEXT_MAX];
    if (json_object_set_new(movement, member, json_string(text)) == 0)
        return;
    /* jansson takes UTF-8 alone; an old bank's Latin-1 must not cost the movement. */
    snprintf(clean, sizeof(clean), "%s", text);
    for (char *c = clean; *c; c++)
        *c = *c & 0x80 ? '?' : *c;
    json_object_set_new(movement, member, json_string(clean));
}

void movement_odd(json_t *movement, const char *problem)
{
    assert(*problem);
    if (!*format_text(movement, "problem"))
        movement_set(movement, "problem", problem);
}

/* --- Identity --- */

/* "NONREF", "NOTPROVIDED" and "0" are given to all, and short numbers are those of a statement's lines, which
 * start anew with the next one. */
bool movement_is_name(const char *reference)
{
    size_t digits = 0;
    bool letters = false;
    for (; *reference; reference++) {
        letters = letters || isalpha((unsigned char)*reference);
        if (isdigit((unsigned char)*reference) && (*reference != '0' || digits > 0))
            digits++; /* without leading zeros */
    }
    return digits >= 7 || (letters && digits > 0);
}

/* Letters and digits alone, in capitals: banks break lines and lose hyphens differently from file to file. */
static size_t essence(const char *text, char out[MOVEMENT_TEXT_MAX])
{
    size_t len = 0;
    for (; *text && len < MOVEMENT_TEXT_MAX; text++)
        if (isalnum((unsigned char)*text) || (*text & 0x80))
            out[len++] = (char)toupper((unsigned char)*text);
    assert(len <= MOVEMENT_TEXT_MAX);
    return len;
}

/* What was rejected is told again with other dates, and the same collection is not rejected twice. */
static bool is_rejection(const json_t *movement)
{
    return strcmp(format_text(movement, "kind"), "rejection") == 0;
}

/* Digest of what the movement says, and of `ordinal`. */
static void digest_of(const json_t *movement, size_t ordinal, char out[2 * DIGEST_SIZE + 1])
{
    char text[MOVEMENT_TEXT_MAX], amount[AMOUNT_TEXT_MAX], number[24];
    const char *reference = format_text(movement, "reference");
    int64_t micros;
    uint8_t digest[DIGEST_SIZE];
    /* 5.00 and 5.0 are the same; what is no amount is not booked, and told apart by its characters. */
    bool read = amount_parse(slice_of(format_text(movement, "amount")), &micros);
    snprintf(number, sizeof(number), "%zu", ordinal);
    /* Each part ends with a NUL, which no text has: no two movements come to the same bytes by moving
     * characters from one part into the next. What is hashed, and in which order, never changes: identities
     * are in the ledger. */
    const struct slice nul = slice_bytes("", 1);
    const char *date = is_rejection(movement) ? "" : format_text(movement, "booked_on");
    const struct slice parts[] = {
        slice_of(format_text(movement, "account")),
        nul,
        slice_of(date),
        nul,
        slice_of(format_text(movement, "kind")),
        nul,
        slice_of(read ? amount_format(micros, amount) : format_text(movement, "amount")),
        nul,
        slice_of(format_text(movement, "currency")),
        nul,
        slice_of(movement_is_name(reference) ? reference : ""),
        nul,
        slice_of(format_text(movement, "collection")),
        nul,
        slice_bytes(text, essence(format_text(movement, "text"), text)),
        nul,
        slice_of(number),
    };
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), digest);
    encoding_hex(digest, sizeof(digest), out);
}

/* Equal movements of a statement are told apart by their numbers: a statement has all movements of its days,
 * so that one which overlaps it counts them alike. `seen` counts by content. */
static bool identify(json_t *movement, json_t *seen)
{
    char digest[2 * DIGEST_SIZE + 1], name[64];
    digest_of(movement, 0, digest);
    json_int_t ordinal = json_integer_value(json_object_get(seen, digest)) + 1;
    /* By what it says without a number first, then with its number among those. */
    if (json_object_set_new(seen, digest, json_integer(ordinal)) != 0)
        return false;
    assert(ordinal > 0);
    digest_of(movement, (size_t)ordinal, digest);
    const char *head = is_rejection(movement) ? "rejection" : format_text(movement, "booked_on");
    snprintf(name, sizeof(name), "%.20s/%.16s", head, digest);
    json_object_set_new(movement, "first", json_boolean(ordinal == 1));
    return json_object_set_new(movement, "identity", json_string(name)) == 0;
}

/* How often the statement has the movement's reference, on its side of the account: a name that it has twice
 * is none. A payment and its return may share one. */
static json_t *times_of(const json_t *movement, json_t *times)
{
    char key[200];
    snprintf(key, sizeof(key), "%s %.180s", format_text(movement, "kind"),
             format_text(movement, "reference"));
    /* What is cut off makes two references one, and neither is unique then: a person looks. */
    json_t *count = json_object_get(times, key);
    if (!count) {
        count = json_integer(0);
        json_object_set_new(times, key, count);
    }
    return count;
}

static void check(json_t *movement)
{
    char problem[160];
    const char *date = format_text(movement, "booked_on"), *amount = format_text(movement, "amount");
    int64_t micros;
    if (is_rejection(movement))
        return; /* no money has moved: it is about an invoice, whatever its amount */
    if (!*amount || !*format_text(movement, "currency"))
        movement_odd(movement, *amount ? "it has no currency" : "it has no amount");
    else if (!amount_parse(slice_of(amount), &micros) || micros == 0) {
        snprintf(problem, sizeof(problem), "the amount \"%.60s\" is no decimal above 0 such as 12.30",
                 amount);
        movement_odd(movement, problem);
    }
    /* Both are looked at: the first that is odd is told. */
    if (!*date)
        movement_odd(movement, "it has no date");
    else if (!instant_is_date(slice_of(date))) {
        snprintf(problem, sizeof(problem), "\"%.60s\" is no date such as 2026-11-20", date);
        movement_odd(movement, problem);
    }
}

bool movement_add(json_t *list, json_t *statement)
{
    assert(list != statement);
    json_t *seen = json_object(), *times = json_object(), *movement;
    bool ok = seen && times && statement;
    size_t i;
    /* Twice over: whether a reference is unique is known only when all were seen. */
    json_array_foreach(statement, i, movement)
    {
        check(movement);
        json_t *count = times_of(movement, times);
        json_integer_set(count, json_integer_value(count) + 1);
        ok = ok && identify(movement, seen);
    }
    json_array_foreach(statement, i, movement)
    {
        bool once = json_integer_value(times_of(movement, times)) == 1;
        bool name = movement_is_name(format_text(movement, "reference"));
        json_object_set_new(movement, "unique", json_boolean(once && name));
    }
    ok = ok && json_array_extend(list, statement) == 0;
    json_decref(seen);
    json_decref(times);
    json_decref(statement);
    return ok;
}

/* --- Files --- */

/* What people give instead of a statement, by how it begins. */
static const char *other_format(struct slice file)
{
    static const struct {
        struct slice start;
        const char *what;
    } formats[] = {
        {SLICE("PK\x03\x04"), "it is a zip archive: unpack it, and import the files in it one by one"},
        {SLICE("\x1f\x8b"), "it is compressed with gzip: unpack it first"},
        {SLICE("%PDF"), "it is a PDF, which is for people: ask the bank for camt.053 or CSV"},
        {SLICE("\xff\xfe"), "it is UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
        {SLICE("\xfe\xff"), "it is UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
        {SLICE("<\0"), "it is UTF-16: save it as UTF-8 (iconv -f UTF-16LE -t UTF-8)"},
        {SLICE("\0<"), "it is UTF-16: save it as UTF-8 (iconv -f UTF-16BE -t UTF-8)"},
        {SLICE(":20:"), "it is MT940: ask the bank for camt.053"},
        {SLICE("{1:"), "it is a SWIFT message such as MT940: ask the bank for camt.053"},
    };
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (slice_starts(file, formats[i].start))
            return formats[i].what;
    if (slice_find(file, '\0') < file.len)
        return "it is no text: it has zero bytes";
    return NULL;
}

static json_t *read_xml(struct slice file, struct format_output *out)
{
    static const struct {
        const char *element;
        json_t *(*read)(const xml_element *xml, struct format_output *out);
        const char *what;
    } messages[] = {
        {"BkToCstmrStmt", camt_read, NULL},
        {"CstmrPmtStsRpt", status_report_read, NULL},
        {"BkToCstmrAcctRpt", NULL,
         "camt.052, a report of a day that is not over: import the statement, camt.053"},
        {"BkToCstmrDbtCdtNtfctn", NULL,
         "camt.054, a notice of what the statement has as well: import camt.053"},
        {"CstmrDrctDbtInitn", NULL, "pain.008, which is for the bank: import its statement, camt.053"},
        {"CstmrCdtTrfInitn", NULL, "pain.001, which is for the bank: import its statement, camt.053"},
    };
    char error[200];
    struct xml_tree *tree = xml_read(file, error);
    json_t *list = NULL;
    if (!tree) {
        format_fail(out, "this is no XML: %s", error);
        return NULL;
    }
    const xml_element *root = xml_root(tree), *found = NULL;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages) && !found; i++) {
        found = xml_find(root, messages[i].element);
        if (found && messages[i].read)
            list = messages[i].read(found, out);
        else if (found)
            format_fail(out, "this is %s", messages[i].what);
        assert(!found || list || *out->error);
    }
    if (!found)
        format_fail(out, "this is no camt.053: it has no BkToCstmrStmt, but \"%.40s\"", xml_name(root));
    xml_tree_free(tree);
    return list;
}

json_t *movement_read(struct slice file, struct format_output *out)
{
    const struct slice mark = SLICE("\xef\xbb\xbf");
    if (slice_starts(file, mark))
        file = slice_bytes(file.data + mark.len, file.len - mark.len);
    /* A BOM and empty lines in front are nobody's data. */
    while (file.len > 0 && isspace((unsigned char)*file.data))
        file = slice_bytes(file.data + 1, file.len - 1);
    const char *other = file.len > 0 ? other_format(file) : "it is empty";
    if (other) {
        format_fail(out, "%s", other);
        return NULL;
    }
    return *file.data == '<' ? read_xml(file, out) : movement_csv_read(file, out);
}

/* --- Order --- */

struct place {
    json_t *movement;
    size_t number; /* in the file */
};

/* What came back must find what had come in, however the bank sorts; what is alike keeps its order. */
static int compare(const void *one, const void *other)
{
    const struct place *a = one, *b = other;
    int days = strcmp(format_text(a->movement, "booked_on"), format_text(b->movement, "booked_on"));
    bool a_out = strcmp(format_text(a->movement, "kind"), "credit") != 0,
         b_out = strcmp(format_text(b->movement, "kind"), "credit") != 0;
    /* Dates sort as texts; one that is none is odd, and its place means nothing. */
    if (days != 0 || a_out != b_out)
        return days != 0 ? days : a_out - b_out;
    return a->number < b->number ? -1 : 1;
}

json_t *movement_sorted(json_t *list)
{
    size_t count = json_array_size(list);
    struct place *places = calloc(count + 1, sizeof(*places));
    json_t *result = json_array();
    for (size_t i = 0; places && i < count; i++)
        places[i] = (struct place){json_array_get(list, i), i};
    if (places)
        qsort(places, count, sizeof(*places), compare);
    bool ok = places && result;
    for (size_t i = 1; places && i < count; i++)
        assert(compare(&places[i - 1], &places[i]) < 0); /* no two are equal: the order is the file's, too */
    for (size_t i = 0; ok && i < count; i++)
        ok = json_array_append(result, places[i].movement) == 0;
    free(places);
    json_decref(list);
    if (ok)
        return result;
    json_decref(result);
    return NULL;
}

/* --- Reasons --- */

static const char *meaning_of(const char *code)
{
    /* ISO 20022 external code set, ExternalReturnReason1Code and ExternalStatusReason1Code: those that SEPA
     * direct debits come back with. */
    static const char *const reasons[][2] = {
        {"AC01", "incorrect account number"},
        {"AC04", "account closed"},
        {"AC06", "account blocked"},
        {"AC13", "debtor is a consumer"},
        {"AG01", "direct debits are forbidden on this account"},
        {"AG02", "incorrect operation code"},
        {"AM04", "insufficient funds"},
        {"AM05", "duplicate collection"},
        {"BE05", "creditor identifier incorrect"},
        {"CNOR", "creditor's bank is not registered"},
        {"CUST", "requested by the customer"},
        {"DNOR", "debtor's bank is not registered"},
        {"DUPL", "duplicate payment"},
        {"ED05", "settlement failed"},
        {"FF01", "file format incorrect"},
        {"FOCR", "recalled"},
        {"FRAD", "fraud"},
        {"MD01", "no mandate"},
        {"MD02", "mandate data missing or incorrect"},
        {"MD06", "refund requested by the debtor"},
        {"MD07", "debtor deceased"},
        {"MS02", "refused by the debtor"},
        {"MS03", "no reason given by the bank"},
        {"RC01", "bank identifier incorrect"},
        {"RR01", "debtor's account or identification missing"},
        {"RR02", "debtor's name or address missing"},
        {"RR03", "creditor's name or address missing"},
        {"RR04", "regulatory reason"},
        {"SL01", "specific service of the debtor's bank"},
        {"TECH", "technical problem"},
        {"TM01", "received after the cut-off time"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strcmp(reasons[i][0], code) == 0)
            return reasons[i][1];
    return NULL;
}

void movement_add_reason(json_t *movement, const char *code, const char *words)
{
    const char *before = format_text(movement, "reason"), *meaning = meaning_of(code);
    if (!*code && !*words)
        return;
    json_object_set_new(movement, "reason",
                        json_sprintf("%s%s%s%s%s%s%s%s", before, *before ? ", " : "", code,
                                     meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "",
                                     *code && *words ? " " : "", words));
}
