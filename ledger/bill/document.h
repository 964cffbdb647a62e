/* The invoice document: one JSON object with everything that an invoice or a credit note says. Pages, files
 * and settlement batches are rendered from it alone. Its members, all there unless said otherwise:
 *
 *   number            "INV-2026-000123", unique in the site
 *   kind              "invoice" or "credit-note". A credit note's amounts are positive: what is taken back
 *   corrects          null, or of a credit note {number, date}: the invoice that it takes back from
 *   site, network     the site's name and x402 network
 *   agent             the crawler's identity, a URL
 *   issue_date        local date; issued_at the instant
 *   due_date          local date until which it is to be paid; null for a credit note
 *   currency          ISO 4217 code; currency_decimals its exponent
 *   period            {first_date, last_date, starts_at, ends_at, time_zone}: local days, both included, and
 *                     their instants, half open
 *   seller, buyer     parties: {name, street, city, postal_code, region, country, tax_id, registration,
 *                     registration_scheme, email, endpoint}: texts, each only where known, name always. A
 *                     buyer may have purchase_order and reference; a seller contact, phone, website,
 *                     tax_registration, what payments need (iban, bic, creditor_id, ach_...), and logo, a
 *                     data: URL. country is of ISO 3166-1, two letters; endpoint is "SCHEME:ID" (Peppol)
 *   settlement        how the crawler's operator pays: the agreement's {rail, ...}, or {}
 *   agreement         null, or {version, text}: what was agreed, in words
 *   lines             [{line, kind, description, quantity, unit_price_micros, amount_micros}]: amount =
 *                     quantity * unit price. What lessens the bill has a quantity below zero. kind is
 *                     "crawls", "included", "subscription", "tier", "fee", "minimum", "reversal", "refund",
 *                     "credit" or "void"; the last four also have payment_id (null for "void")
 *   entries           number of crawls
 *   carried_in_micros + subtotal_micros (the sum of the lines) = net_micros + carried_out_micros
 *   net_minor         net_micros in minor units: a whole number, by rounding down
 *   tax               {treatment, rate_ppm, amount_minor, note}: "none", "standard", "zero", "exempt" or
 *                     "reverse-charge"; note is the sentence that the law wants, or ""
 *   total_minor       net and tax; total the same as a decimal
 *   rounding          the rule in words
 *   status            "issued", "sent", "part-paid", "overdue", "paid", "void", or "credited": all of it was
 *                     taken back; of a credit note "issued" or "sent". status_at: instant of the newest event
 *   paid_minor, credited_minor, open_minor: what is still to be paid, below zero if too much was
 *   events            [{event, at, actor, detail}]
 *   payments          [{amount_minor, reference, received_on, recorded_at}]
 *   credit_notes      [{number, date, total_minor}] that take back from this invoice
 *   days              [{date, entries, sum_micros}]: the crawls of each day of the period that had any
 *
 * Instants are "2026-11-21T01:01:00.000Z". Micro-units are millionths of the currency's unit. */
#ifndef LEDGER_BILL_DOCUMENT_H
#define LEDGER_BILL_DOCUMENT_H

#include "ledger/pg/pg.h"

#include <jansson.h>

/* The document of a number, of any site when `site` is NULL. *count is how many sites have the number; only
 * if it is 1 there is a document, which the caller frees with json_decref. `now_ms` tells what is overdue. */
enum err document_read(struct pg *pg, const char *number, const char *site, int64_t now_ms, int *count,
                       json_t **document) MUST_USE;

#endif
