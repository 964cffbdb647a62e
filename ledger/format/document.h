/* The invoice document: everything that an invoice or a credit note says. Pages, files and settlement batches
 * are rendered from it alone. It is one JSON object, made by sql/statements/bill/invoice_read.sql; here each
 * of its members is named once, with its type, and structs and reader are made of these lists: a renderer
 * that misspells one does not compile, and a document in which one is missing is refused with the member's
 * name.
 *
 *   TEXT, NUMBER, OBJECT, LIST   must be there; a NUMBER is an integer, a LIST one of objects
 *   ..._OR_NULL                  must be there; null reads as "", also the texts of an object
 *   MAY_...                      may be left out, and then reads as "" or 0
 *
 * Instants are "2026-11-21T01:01:00.000Z", dates "2026-11-21". Micro-units are millionths of the currency's
 * unit. */
#ifndef LEDGER_FORMAT_DOCUMENT_H
#define LEDGER_FORMAT_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Another document. */
#define DOCUMENT_REFERENCE(X)                                                                                \
    X(TEXT, number)                                                                                          \
    X(TEXT, date)

#define DOCUMENT_PERIOD(X)                                                                                   \
    X(TEXT, first_date) /* local days, both included */                                                      \
    X(TEXT, last_date)                                                                                       \
    X(TEXT, starts_at) /* their instants, half open */                                                       \
    X(TEXT, ends_at)                                                                                         \
    X(TEXT, time_zone)

/* Seller or buyer; from iban on, what is paid to the seller. */
#define DOCUMENT_PARTY(X)                                                                                    \
    X(TEXT, name)                                                                                            \
    X(MAY_TEXT, street)                                                                                      \
    X(MAY_TEXT, street_2)                                                                                    \
    X(MAY_TEXT, city)                                                                                        \
    X(MAY_TEXT, postal_code)                                                                                 \
    X(MAY_TEXT, region)                                                                                      \
    X(MAY_TEXT, country) /* ISO 3166-1, two letters */                                                       \
    X(MAY_TEXT, tax_id)                                                                                      \
    X(MAY_TEXT, tax_registration) /* the seller's */                                                         \
    X(MAY_TEXT, registration)                                                                                \
    X(MAY_TEXT, registration_scheme)                                                                         \
    X(MAY_TEXT, contact) /* the seller's */                                                                  \
    X(MAY_TEXT, phone)                                                                                       \
    X(MAY_TEXT, email)                                                                                       \
    X(MAY_TEXT, website)                                                                                     \
    X(MAY_TEXT, endpoint)       /* Peppol: "SCHEME:ID" */                                                    \
    X(MAY_TEXT, purchase_order) /* the buyer's */                                                            \
    X(MAY_TEXT, reference)                                                                                   \
    X(MAY_TEXT, logo) /* a data: URL */                                                                      \
    X(MAY_TEXT, iban)                                                                                        \
    X(MAY_TEXT, bic)                                                                                         \
    X(MAY_TEXT, creditor_id)                                                                                 \
    X(MAY_TEXT, ach_destination)                                                                             \
    X(MAY_TEXT, ach_destination_name)                                                                        \
    X(MAY_TEXT, ach_origin)                                                                                  \
    X(MAY_TEXT, ach_company_id)

/* How the crawler's operator pays, as agreed on. */
#define DOCUMENT_SETTLEMENT(X)                                                                               \
    X(MAY_TEXT, rail)                                                                                        \
    X(MAY_TEXT, scheme) /* sepa-direct-debit */                                                              \
    X(MAY_TEXT, iban)                                                                                        \
    X(MAY_TEXT, bic)                                                                                         \
    X(MAY_TEXT, mandate_id)                                                                                  \
    X(MAY_TEXT, mandate_date)                                                                                \
    X(MAY_TEXT, routing_number) /* ach */                                                                    \
    X(MAY_TEXT, account)                                                                                     \
    X(MAY_TEXT, kind)                                                                                        \
    X(MAY_TEXT, network) /* x402 */                                                                          \
    X(MAY_TEXT, asset)                                                                                       \
    X(MAY_TEXT, pay_to)                                                                                      \
    X(MAY_TEXT, currency)                                                                                    \
    X(MAY_NUMBER, decimals)

#define DOCUMENT_AGREEMENT(X)                                                                                \
    X(NUMBER, version)                                                                                       \
    X(TEXT, text) /* what was agreed, in words */

/* kind is "crawls", "included", "subscription", "tier", "fee", "minimum", "reversal", "refund", "credit" or
 * "void". */
#define DOCUMENT_LINE(X)                                                                                     \
    X(NUMBER, line)                                                                                          \
    X(TEXT, kind)                                                                                            \
    X(TEXT, description)                                                                                     \
    X(NUMBER, quantity) /* below zero for what lessens the bill */                                           \
    X(NUMBER, unit_price_micros)                                                                             \
    X(NUMBER, amount_micros)    /* quantity * unit price */                                                  \
    X(TEXT_OR_NULL, payment_id) /* what a "reversal", "refund" or "credit" is of */

#define DOCUMENT_TAX(X)                                                                                      \
    X(TEXT, treatment) /* "none", "standard", "zero", "exempt" or "reverse-charge" */                        \
    X(NUMBER, rate_ppm)                                                                                      \
    X(NUMBER, amount_minor)                                                                                  \
    X(TEXT, note) /* the sentence that the law wants, or "" */

#define DOCUMENT_EVENT(X)                                                                                    \
    X(TEXT, event) /* issued, sent, part-paid, paid, returned, credit-applied, void, reissued or */          \
                   /* written-off */                                                                         \
    X(TEXT, at)                                                                                              \
    X(TEXT, actor)                                                                                           \
    X(TEXT, detail) /* of returned the bank's reason and the movement, of credit-applied the credit */

#define DOCUMENT_PAYMENT(X)                                                                                  \
    X(NUMBER, amount_minor)                                                                                  \
    X(TEXT, reference)                                                                                       \
    X(TEXT, received_on)                                                                                     \
    X(TEXT, recorded_at)

/* Credit of one invoice that has paid another. */
#define DOCUMENT_APPLIED(X)                                                                                  \
    X(TEXT, number)         /* the other invoice */                                                          \
    X(NUMBER, amount_minor) /* below zero: it went there, from this one */                                   \
    X(TEXT, at)

#define DOCUMENT_CREDIT_NOTE(X)                                                                              \
    X(TEXT, number)                                                                                          \
    X(TEXT, date)                                                                                            \
    X(NUMBER, total_minor)

#define DOCUMENT_DAY(X)                                                                                      \
    X(TEXT, date)                                                                                            \
    X(NUMBER, entries)                                                                                       \
    X(NUMBER, sum_micros)

/* status is "issued", "sent", "part-paid", "overdue", "paid", "void", "written-off": owed, but not counted
 * on, or "credited": all of it was taken back; of a credit note "issued" or "sent". carried_in_micros +
 * subtotal_micros = net_micros + carried_out_micros. */
#define DOCUMENT(X)                                                                                          \
    X(TEXT, number) /* "INV-2026-000123", unique in the site */                                              \
    X(TEXT, kind)   /* "invoice" or "credit-note", whose amounts are positive: what is taken back */         \
    X(OBJECT_OR_NULL, corrects, document_reference) /* null for an invoice */                                \
    X(OBJECT_OR_NULL, replaces, document_reference) /* the void invoice over the same crawls, or null */     \
    X(OBJECT_OR_NULL, replaced_by,                                                                           \
      document_reference) /* of a void invoice, the one in its place, or null */                             \
    X(TEXT, site)                                                                                            \
    X(TEXT, network)                                                                                         \
    X(TEXT, agent) /* the crawler's identity, a URL */                                                       \
    X(TEXT, issue_date)                                                                                      \
    X(TEXT, issued_at)                                                                                       \
    X(TEXT_OR_NULL, made_at)  /* null: by a version that did not write it down; else as issued_at */         \
    X(TEXT, scheduled_at)     /* when it could be made first */                                              \
    X(TEXT_OR_NULL, due_date) /* null for a credit note */                                                   \
    X(TEXT, currency)         /* ISO 4217 */                                                                 \
    X(NUMBER, currency_decimals)                                                                             \
    X(OBJECT, period, document_period)                                                                       \
    X(OBJECT, seller, document_party)                                                                        \
    X(OBJECT, buyer, document_party)                                                                         \
    X(OBJECT, settlement, document_settlement)                                                               \
    X(OBJECT_OR_NULL, agreement, document_agreement)                                                         \
    X(LIST, lines, document_line)                                                                            \
    X(NUMBER, entries) /* crawls */                                                                          \
    X(NUMBER, carried_in_micros)                                                                             \
    X(NUMBER, subtotal_micros) /* the sum of the lines */                                                    \
    X(NUMBER, net_micros)                                                                                    \
    X(NUMBER, carried_out_micros)                                                                            \
    X(NUMBER, net_minor) /* net_micros in minor units, rounded down */                                       \
    X(OBJECT, tax, document_tax)                                                                             \
    X(NUMBER, total_minor) /* net and tax */                                                                 \
    X(TEXT, total)         /* the same as a decimal */                                                       \
    X(TEXT, rounding)      /* the rule in words */                                                           \
    X(MAY_TEXT, notice)    /* of a sandbox, that nothing is owed */                                          \
    X(TEXT, status)                                                                                          \
    X(TEXT, status_at) /* of the newest event */                                                             \
    X(NUMBER, paid_minor)                                                                                    \
    X(NUMBER, credited_minor)                                                                                \
    X(NUMBER, applied_minor)    /* what other invoices' credit paid of it, less what its own paid of them */ \
    X(NUMBER, open_minor)       /* still to be paid, below zero if too much was */                           \
    X(MAY_TEXT, written_off_on) /* "", or the local day since which it is not counted on */                  \
    X(MAY_NUMBER, disputed_micros) /* of its lines, before tax, in open disputes; it is due all the same */  \
    X(LIST, events, document_event)                                                                          \
    X(LIST, payments, document_payment)                                                                      \
    X(LIST, applied, document_applied)                                                                       \
    X(LIST, credit_notes, document_credit_note) /* those that take back from this invoice */                 \
    X(LIST, days, document_day)                 /* with the crawls of those that had any */                  \
    X(MAY_TEXT, entries_url) /* for a rendering, not stored: where the buyer can see each crawl, */          \
    X(MAY_TEXT, mark)        /* the number that the Greek tax authority gave the invoice, */                 \
    X(MAY_TEXT, mark_url)    /* and its page of it */

#define DOCUMENT_FIELD(kind, name, ...)         DOCUMENT_FIELD_##kind(name, __VA_ARGS__)
#define DOCUMENT_FIELD_TEXT(name, of)           const char *name;
#define DOCUMENT_FIELD_TEXT_OR_NULL(name, of)   const char *name;
#define DOCUMENT_FIELD_MAY_TEXT(name, of)       const char *name;
#define DOCUMENT_FIELD_NUMBER(name, of)         int64_t name;
#define DOCUMENT_FIELD_MAY_NUMBER(name, of)     int64_t name;
#define DOCUMENT_FIELD_OBJECT(name, of)         struct of name;
#define DOCUMENT_FIELD_OBJECT_OR_NULL(name, of) struct of name;
#define DOCUMENT_FIELD_LIST(name, of)                                                                        \
    struct {                                                                                                 \
        struct of *items;                                                                                    \
        size_t count;                                                                                        \
    } name;

/* Each begins with the JSON that it was read from, for what passes it on as it is; NULL where that was null.
 */
#define DOCUMENT_STRUCT(name, MEMBERS)                                                                       \
    struct name {                                                                                            \
        json_t *json;                                                                                        \
        MEMBERS(DOCUMENT_FIELD)                                                                              \
    };

DOCUMENT_STRUCT(document_reference, DOCUMENT_REFERENCE)
DOCUMENT_STRUCT(document_period, DOCUMENT_PERIOD)
DOCUMENT_STRUCT(document_party, DOCUMENT_PARTY)
DOCUMENT_STRUCT(document_settlement, DOCUMENT_SETTLEMENT)
DOCUMENT_STRUCT(document_agreement, DOCUMENT_AGREEMENT)
DOCUMENT_STRUCT(document_line, DOCUMENT_LINE)
DOCUMENT_STRUCT(document_tax, DOCUMENT_TAX)
DOCUMENT_STRUCT(document_event, DOCUMENT_EVENT)
DOCUMENT_STRUCT(document_payment, DOCUMENT_PAYMENT)
DOCUMENT_STRUCT(document_applied, DOCUMENT_APPLIED)
DOCUMENT_STRUCT(document_credit_note, DOCUMENT_CREDIT_NOTE)
DOCUMENT_STRUCT(document_day, DOCUMENT_DAY)
DOCUMENT_STRUCT(document, DOCUMENT)

#define DOCUMENT_PROBLEM_MAX 160

/* Reads the JSON, of which the document keeps a reference: texts live as long as it does. False with what is
 * wrong, "lines[2].quantity is missing", and an empty document. */
bool document_open(json_t *json, struct document *document, char problem[DOCUMENT_PROBLEM_MAX]);

/* The same of a party alone, whose texts are the JSON's. */
bool document_party_open(json_t *json, struct document_party *party, char problem[DOCUMENT_PROBLEM_MAX]);

/* An empty one, {0}, is fine. */
void document_free(struct document *document);

/* A text with its path, for what says that it is missing: DOCUMENT_TEXT(document, seller.name). */
struct document_text {
    const char *path;
    const char *text;
};
#define DOCUMENT_TEXT(document, member)                                                                      \
    {                                                                                                        \
#member, (document)->member                                                                          \
    }

bool document_is_credit_note(const struct document *document);

/* A text of a party by its name in the list above, which it must be: for rules that are kept as a table. */
const char *document_party_text(const struct document_party *party, const char *wanted);

/* What a rendering takes beside; `mark_url` may be NULL. False without memory, or if it is not UTF-8. */
bool document_set_entries_url(struct document *document, const char *url);
bool document_set_mark(struct document *document, const char *mark, const char *mark_url);

#endif
