#include "ledger/format/bill/view.h"

#include "ledger/base/amount.h"

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
    add(lines, format_text(party, "street"));
    add(lines, format_text(party, "street_2"));
    add_place(lines, party);
    add(lines, format_text(party, "country"));
    add_labelled(lines, "Tax ID", format_text(party, "tax_id"));
    add_labelled(lines, "Registration", format_text(party, "registration"));
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

static json_t *rows_view(const json_t *lines)
{
    int price_decimals = decimals_of(lines, "unit_price_micros");
    int amount_decimals_ = decimals_of(lines, "amount_micros");
    json_t *rows = json_array();
    const json_t *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        char quantity[24], price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
        snprintf(quantity, sizeof(quantity), "%" PRId64, format_number(line, "quantity"));
        json_array_append_new(rows, json_pack("[s,s,s,s]", format_text(line, "description"), quantity,
                                              amount_format_decimals(format_number(line, "unit_price_micros"),
                                                                     price_decimals, price),
                                              amount_format_decimals(format_number(line, "amount_micros"),
                                                                     amount_decimals_, amount)));
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

static json_t *sums_view(const json_t *document)
{
    int64_t in = format_number(document, "carried_in_micros"),
            forward = format_number(document, "carried_out_micros");
    int64_t paid = format_number(document, "paid_minor"),
            credited = format_number(document, "credited_minor");
    char amount[AMOUNT_TEXT_MAX], text[64], label[64];
    json_t *sums = json_array();
    pair(sums, "Subtotal", amount_format(format_number(document, "subtotal_micros"), amount));
    if (in != 0)
        pair(sums, "Carried in from the last invoice", amount_format(in, amount));
    if (forward != 0)
        pair(sums, "Carried forward to the next invoice", amount_format(-forward, amount));
    pair(sums, "Net amount", minor(document, "net_minor", text));
    if (strcmp(format_text(document, "tax.treatment"), "none") != 0)
        pair(sums, tax_label(document, label), minor(document, "tax.amount_minor", text));
    pair(sums, "Total", minor(document, "total_minor", text));
    if (paid == 0 && credited == 0)
        return sums;
    if (paid != 0)
        pair(sums, "Paid", minor(document, "paid_minor", text));
    if (credited != 0)
        pair(sums, "Credited", minor(document, "credited_minor", text));
    pair(sums, "To be paid", minor(document, "open_minor", text));
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

/* How the rest is paid. */
static json_t *payment_note(const json_t *document)
{
    const char *rail = format_text(document, "settlement.rail"), *iban = format_text(document, "seller.iban"),
               *bic = format_text(document, "seller.bic"), *number = format_text(document, "number"),
               *due = format_text(document, "due_date");
    char amount[64];
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
        return json_sprintf("Please pay %s by %s to IBAN %s%s%s, reference %s.", amount, due, iban,
                            *bic ? ", BIC " : "", bic, number);
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
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "title",
                     is_credit(document) ? "Credit note" : "Invoice", "number",
                     format_text(document, "number"), "status", quiet ? "" : status, "seller",
                     party_view(json_object_get(document, "seller")), "buyer",
                     party_view(json_object_get(document, "buyer")), "facts", facts_view(document), "rows",
                     rows_view(json_object_get(document, "lines")), "sums", sums_view(document), "notes",
                     notes_view(document), "days", days_view(document));
}
