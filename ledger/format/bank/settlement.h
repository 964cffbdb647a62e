/* Files that collect money for invoices, and the batch that they are made from. A renderer refuses the whole
 * batch when a particular is missing or does not fit: a bank would refuse it too, but later. */
#ifndef LEDGER_FORMAT_BANK_SETTLEMENT_H
#define LEDGER_FORMAT_BANK_SETTLEMENT_H

#include "ledger/base/slice.h"
#include "ledger/format/document.h"
#include "ledger/format/format.h"

struct settlement_due {
    struct document document;
    int64_t due_minor; /* what is still open of it */
    int64_t attempt;   /* 1 for the first */
};

/* What NACHA calls the file id modifier. */
#define SETTLEMENT_FILE_MODIFIERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SETTLEMENT_FILES_A_DAY    ((int)sizeof(SETTLEMENT_FILE_MODIFIERS) - 1)

/* All invoices are of one site, one currency and one rail. Starts as {0}. */
struct settlement_batch {
    const char *id;         /* UUID */
    const char *made_at;    /* "2026-11-21T02:00:00.000Z" */
    const char *collect_on; /* local date, "2026-11-26" */
    size_t file_of_day;     /* how many files of this format were made on the same day (UTC) */
    struct settlement_due *dues;
    size_t count;
};

/* Adds what is due of an invoice, of whose document the batch keeps a reference. False, with the error, if
 * the document lacks something. */
bool settlement_add(struct settlement_batch *batch, json_t *document, int64_t due_minor, int64_t attempt,
                    struct format_output *out);
void settlement_free(struct settlement_batch *batch);

typedef bool settlement_render(const struct settlement_batch *batch, struct format_output *out);

/* SEPA direct debit: ISO 20022 pain.008.001.08, with the rules of the EPC's implementation guidelines (SEPA
 * character set, EUR, one payment block for each scheme). */
settlement_render sepa_render;

/* ACH debit: a NACHA file of 94 columns, CCD entries in one batch, USD. */
settlement_render ach_render;

/* Stablecoin: x402 v2 payment requests, one per invoice: scheme "exact", amounts in the asset's base units.
 * An asset holds amounts of the currency that it is worth, and of no other. */
settlement_render x402_render;

/* Card: for the publisher's own system, which charges the card: the body of a webhook. */
settlement_render card_render;

/* What a file of sepa_render collects as a whole, or by the payment block of that id: an array of {number,
 * amount}, `number` as the bank knows it, which the caller frees. NULL if the file has neither by this id. */
json_t *sepa_debits(struct slice file, const char *id);

/* For all of them: the sum of what is due. False if there are no invoices, nothing is due of one, or on
 * overflow. */
bool settlement_total(const struct settlement_batch *batch, int64_t *minor);

#endif
