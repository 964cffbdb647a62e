/* What a bank says has happened on the publisher's account: credits, read from its files. */
#ifndef LEDGER_FORMAT_BANK_MOVEMENT_H
#define LEDGER_FORMAT_BANK_MOVEMENT_H

#include "ledger/base/slice.h"
#include "ledger/format/format.h"

/* An array of {reference, text, amount, currency, booked_on}: `reference` names the movement and is unique at
 * the bank, `text` is what the payer wrote (remittance information, end-to-end id), `amount` a decimal,
 * `booked_on` a date. Debits, reversals and what is not booked yet are left out. NULL with out->error, which
 * names the line or entry; the caller frees with json_decref. */
typedef json_t *movement_read(struct slice file, struct format_output *out);

/* ISO 20022 camt.053 (bank to customer statement), any version. An entry with several transactions gives a
 * movement for each. */
movement_read camt_read;

/* CSV (RFC 4180) with a head line that names the columns reference, amount, currency, date, text in any
 * order; others are ignored. */
movement_read movement_csv_read;

#endif
