#include "ledger/format/bill/view.h"

#include "ledger/base/amount.h"
#include "ledger/format/unicode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_credit(const json_t *document)
{
    return strcmp(format_text(document, "kind"), "credit-note") == 0;
}

static void add(json_t *list, const char *text)
{
    if (*text)
        json_array_append_new(list, json_string(text));
}

/* A label with a value; nothing when there is no value. */
static void pair(json_t *list, const char *label, const char *value)
{
    if (*value)
        json_array_append_new(list, json_pack("[s,s]", label, value));
}

/* "USD 12.34" of a member in minor units. */
static const char *minor(const json_t *document, const char *path, char out[64])
{
    char amount[AMOUNT_TEXT_MAX];
    amount_format_minor(format_number(document, path), (int)format_number(document, "currency_decimals"),
                        amount);
    snprintf(out, 64, "%.8s %s", format_text(document, "currency"), amount);
    return out;
}

/* --- Parties
 * ------------------------------------------------------------------------------------------------ */

/* "10115 Berlin", with the region behind. */
static void add_place(json_t *lines, const json_t *party)
{
    const char *code = format_text(party, "postal_code"), *city = format_text(party, "city"),
               *region = format_text(party, "region");
    if (*code || *city || *region)
        json_array_append_new(lines, json_sprintf("%s%s%s%s%s", code, *code && *city ? " " : "", city,
                                                  *region && (*code || *city) ? ", " : "", region));
}

static void add_labelled(json_t *lines, const char *label, const char *value)
{
    if (*value)
        json_array_append_new(lines, json_sprintf("%s %s", label, value));
}

static json_t *party_view(const json_t *party)
{
    json_t *lines = json_array();
    char country[UNICODE_COUNTRY_MAX];
    add(lines, format_text(party, "street"));
    add(lines, format_text(party, "street_2"));
    add_place(lines, party);
    add(lines, unicode_country(format_text(party, "country"), country));
    add_labelled(lines, "Tax ID", format_text(party, "tax_id"));
    add_labelled(lines, "Registration", format_text(party, "registration"));
    add(lines, format_text(party, "contact"));
    add(lines, format_text(party, "phone"));
    add(lines, format_text(party, "email"));
    add(lines, format_text(party, "website"));
    return json_pack("{s:s,s:o}", "name", format_text(party, "name"), "lines", lines);
}

/* --- Facts
 * -------------------------------------------------------------------------------------------------- */

static json_t *facts_view(const json_t *document)
{
    json_t *facts = json_array();
    char text[24];
    pair(facts, "Number", format_text(document, "number"));
    pair(facts, "Date", format_text(document, "issue_date"));
    pair(facts, "Due", format_text(document, "due_date"));
    if (*format_text(document, "corrects.number"))
        json_array_append_new(facts,
                              json_pack("[s,o]", "Corrects",
                                        json_sprintf("%s of %s", format_text(document, "corrects.number"),
                                                     format_text(document, "corrects.date"))));
    const char *first = format_text(document, "period.first_date"),
               *last = format_text(document, "period.last_date");
    bool one_day = strcmp(first, last) == 0;
    json_array_append_new(
        facts, json_pack("[s,o]", "Period",
                         json_sprintf("%s%s%s (%s)", first, one_day ? "" : " to ", one_day ? "" : last,
                                      format_text(document, "period.time_zone"))));
    pair(facts, "Site", format_text(document, "site"));
    pair(facts, "Crawler", format_text(document, "agent"));
    if (!is_credit(document)) {
        snprintf(text, sizeof(text), "%" PRId64, format_number(document, "entries"));
        pair(facts, "Crawls", text);
    }
    pair(facts, "Order", format_text(document, "buyer.purchase_order"));
    return facts;
}

/* --- Lines and sums
 * ----------------------------------------------------------------------------------------- */

/* The most decimals among a member of the lines. */
static int decimals_of(const json_t *lines, const char *member)
{
    const json_t *line;
    size_t i;
    int most = 2;
    json_array_foreach(lines, i, line)
    {
        int needed = amount_decimals(format_number(line, member));
        most = needed > most ? needed : most;
    }
    return most;
}

/* The most decimals in the column of amounts, lines and sums. */
static int amount_column(const json_t *document)
{
    static const char *const members[] = {"subtotal_micros", "carried_in_micros", "carried_out_micros"};
    int most = decimals_of(json_object_get(document, "lines"), "amount_micros");
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        int needed = amount_decimals(format_number(document, members[i]));
        most = needed > most ? needed : most;
    }
    return most;
}

/* The number with what brings its point below those with `decimals`. */
static json_t *padded(const char *number, int decimals)
{
    char pads[8 * sizeof(VIEW_PAD)] = "";
    const char *point = strchr(number, '.');
    size_t len = 0;
    if (!point)
        len += (size_t)snprintf(pads, sizeof(pads), VIEW_POINT_PAD);
    for (int i = point ? (int)strlen(point + 1) : 0; i < decimals; i++)
        len += (size_t)snprintf(pads + len, sizeof(pads) - len, VIEW_PAD);
    return json_sprintf("%s%s", number, pads);
}

static json_t *padded_micros(int64_t micros, int decimals)
{
    char amount[AMOUNT_TEXT_MAX];
    return padded(amount_format(micros, amount), decimals);
}

static json_t *rows_view(const json_t *document)
{
    const json_t *lines = json_object_get(document, "lines"), *line;
    int price_decimals = decimals_of(lines, "unit_price_micros"), decimals = amount_column(document);
    json_t *rows = json_array();
    size_t i;
    json_array_foreach(lines, i, line)
    {
        char quantity[24];
        snprintf(quantity, sizeof(quantity), "%" PRId64, format_number(line, "quantity"));
        json_array_append_new(
            rows, json_pack("[s,s,o,o]", format_text(line, "description"), quantity,
                            padded_micros(format_number(line, "unit_price_micros"), price_decimals),
                            padded_micros(format_number(line, "amount_micros"), decimals)));
    }
    return rows;
}

static const char *tax_label(const json_t *document, char out[64])
{
    char rate[AMOUNT_TEXT_MAX];
    if (strcmp(format_text(document, "tax.treatment"), "standard") != 0)
        return "Tax";
    snprintf(out, 64, "Tax %s %%", amount_format_percent(format_number(document, "tax.rate_ppm"), rate));
    return out;
}

static void add_sum(json_t *sums, const char *label, json_t *amount)
{
    json_array_append_new(sums, json_pack("[s,o]", label, amount));
}

/* A member in minor units; what is to be paid has its currency. */
static json_t *minor_sum(const json_t *document, const char *path, int decimals, bool last)
{
    char amount[AMOUNT_TEXT_MAX], text[64];
    if (last)
        return padded(minor(document, path, text), decimals);
    return padded(amount_format_minor(format_number(document, path),
                                      (int)format_number(document, "currency_decimals"), amount),
                  decimals);
}

static json_t *sums_view(const json_t *document)
{
    int64_t in = format_number(document, "carried_in_micros"),
            forward = format_number(document, "carried_out_micros");
    int64_t paid = format_number(document, "paid_minor"),
            credited = format_number(document, "credited_minor");
    int decimals = amount_column(document);
    bool more = paid != 0 || credited != 0;
    char label[64];
    json_t *sums = json_array();
    add_sum(sums, "Subtotal", padded_micros(format_number(document, "subtotal_micros"), decimals));
    if (in != 0)
        add_sum(sums, "Carried in from the last invoice", padded_micros(in, decimals));
    if (forward != 0)
        add_sum(sums, "Carried forward to the next invoice", padded_micros(-forward, decimals));
    add_sum(sums, "Net amount", minor_sum(document, "net_minor", decimals, false));
    if (strcmp(format_text(document, "tax.treatment"), "none") != 0)
        add_sum(sums, tax_label(document, label), minor_sum(document, "tax.amount_minor", decimals, false));
    add_sum(sums, "Total", minor_sum(document, "total_minor", decimals, !more));
    if (paid != 0)
        add_sum(sums, "Paid", minor_sum(document, "paid_minor", decimals, false));
    if (credited != 0)
        add_sum(sums, "Credited", minor_sum(document, "credited_minor", decimals, false));
    if (more)
        add_sum(sums, "To be paid", minor_sum(document, "open_minor", decimals, true));
    return sums;
}

/* --- Notes
 * -------------------------------------------------------------------------------------------------- */

/* Accounts are recognised by their last four characters; no more is printed. */
static const char *tail_of(const char *account)
{
    size_t len = strlen(account);
    return len > 4 ? account + len - 4 : account;
}

/* "FR14 2004 …", in fours that no line breaks. */
static const char *grouped(const char *iban, char out[64])
{
    size_t len = 0;
    for (size_t i = 0; iban[i] && len + 4 < 64; i++) {
        if (i > 0 && i % 4 == 0)
            len += (size_t)snprintf(out + len, 64 - len, "\xc2\xa0");
        out[len++] = iban[i];
    }
    out[len] = '\0';
    return out;
}

/* How the rest is paid. */
static json_t *payment_note(const json_t *document)
{
    const char *rail = format_text(document, "settlement.rail"), *iban = format_text(document, "seller.iban"),
               *bic = format_text(document, "seller.bic"), *number = format_text(document, "number"),
               *due = format_text(document, "due_date");
    char amount[64], account[64];
    minor(document, "open_minor", amount);
    if (is_credit(document))
        return json_sprintf("This amount is credited against invoice %s; there is nothing to pay.",
                            format_text(document, "corrects.number"));
    if (format_number(document, "open_minor") <= 0)
        return json_string("Nothing is left to pay.");
    if (strcmp(rail, "sepa-direct-debit") == 0)
        return json_sprintf("%s will be collected by SEPA direct debit from the account ending in %s, "
                            "mandate %s, creditor %s.",
                            amount, tail_of(format_text(document, "settlement.iban")),
                            format_text(document, "settlement.mandate_id"),
                            format_text(document, "seller.creditor_id"));
    if (strcmp(rail, "ach") == 0)
        return json_sprintf("%s will be collected by ACH debit from the account ending in %s.", amount,
                            tail_of(format_text(document, "settlement.account")));
    if (strcmp(rail, "card") == 0)
        return json_sprintf("%s will be charged to the card on file.", amount);
    if (strcmp(rail, "x402") == 0)
        return json_sprintf("%s is requested over x402 on %s.", amount,
                            format_text(document, "settlement.network"));
    if (*iban)
        return json_sprintf("Please pay %s by %s to IBAN %s%s%s, reference %s.", amount, due,
                            grouped(iban, account), *bic ? ", BIC " : "", bic, number);
    return json_sprintf("Please pay %s by %s, reference %s.", amount, due, number);
}

static json_t *notes_view(const json_t *document)
{
    json_t *notes = json_array();
    json_array_append_new(notes, payment_note(document));
    add(notes, format_text(document, "tax.note"));
    add(notes, format_text(document, "rounding"));
    add(notes, format_text(document, "agreement.text"));
    return notes;
}

/* --- Days
 * --------------------------------------------------------------------------------------------------- */

static json_t *days_view(const json_t *document)
{
    json_t *days = json_array();
    const json_t *list = json_object_get(document, "days"), *day;
    int64_t most = 1;
    size_t i;
    json_array_foreach(list, i, day)
    {
        int64_t sum = format_number(day, "sum_micros");
        most = sum > most ? sum : most;
    }
    int64_t scale = most > INT64_MAX / 1000 ? 1000 : 1; /* so that the product fits */
    if (json_array_size(list) < 2)                      /* one day is all of the sum */
        return days;
    json_array_foreach(list, i, day)
    {
        char label[160], amount[AMOUNT_TEXT_MAX];
        int64_t sum = format_number(day, "sum_micros");
        snprintf(label, sizeof(label), "%.20s: %.8s %s, %" PRId64 " crawls", format_text(day, "date"),
                 format_text(document, "currency"), amount_format(sum, amount),
                 format_number(day, "entries"));
        int64_t share = sum > 0 ? sum / scale * 1000 / (most / scale) : 0;
        json_array_append_new(days, json_pack("{s:s,s:s,s:I}", "date", format_text(day, "date"), "label",
                                              label, "share", share));
    }
    return days;
}

json_t *view_of(const json_t *document)
{
    const char *status = format_text(document, "status");
    bool quiet = strcmp(status, "issued") == 0 || strcmp(status, "sent") == 0;
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "title",
                     is_credit(document) ? "Credit note" : "Invoice", "number",
                     format_text(document, "number"), "status", quiet ? "" : status, "currency",
                     format_text(document, "currency"), "seller",
                     party_view(json_object_get(document, "seller")), "buyer",
                     party_view(json_object_get(document, "buyer")), "facts", facts_view(document), "rows",
                     rows_view(document), "sums", sums_view(document), "notes", notes_view(document), "days",
                     days_view(document));
}
