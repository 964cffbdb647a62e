/* Files that collect money for invoices, and what they are made from: one batch, as JSON
 *   id          UUID of the batch
 *   made_at     instant, "2026-11-21T02:00:00.000Z"
 *   collect_on  local date of the collection, "2026-11-26"
 *   invoices    what is collected: [{document, due_minor}], the invoice documents of ledger/bill/document.h
 * with what is still open of each All invoices of a batch are of one site, one currency and one rail. A
 * renderer refuses the whole batch when a particular is missing or does not fit: a bank would refuse it too,
 * but later. */
#ifndef LEDGER_FORMAT_BANK_SETTLEMENT_H
#define LEDGER_FORMAT_BANK_SETTLEMENT_H

#include "ledger/format/format.h"

typedef bool settlement_render(const json_t *batch, struct format_output *out);

/* SEPA direct debit: ISO 20022 pain.008.001.08, with the rules of the EPC's implementation guidelines (SEPA
 * character set, EUR, one payment block for each scheme). */
settlement_render sepa_render;

/* ACH debit: a NACHA file of 94 columns, CCD entries in one batch, USD. */
settlement_render ach_render;

/* Stablecoin: x402 v2 payment requests, one per invoice: scheme "exact", amounts in the asset's base units.
 */
settlement_render x402_render;

/* Card: for the publisher's own system, which charges the card: the body of a webhook. */
settlement_render card_render;

/* For all of them: the number of invoices, the sum of what is due. False if there are none, or on overflow.
 */
bool settlement_total(const json_t *batch, size_t *count, int64_t *minor);

#endif
