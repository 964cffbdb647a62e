/* The answers to inquiries about an account, made from the ledger. Each statement has the numbers of site and
 * crawler, and the latter comes of the signature alone: nothing that an inquiry says can name another's. */
#ifndef LEDGER_ACCOUNT_ANSWER_H
#define LEDGER_ACCOUNT_ANSWER_H

#include "ledger/account/reading.h"
#include "ledger/format/format.h"
#include "ledger/pg/pg.h"

#include <jansson.h>

/* Answers, as reader_submit says, but ERR_LEDGER_UNAVAILABLE where the ledger did not. */
enum err answer_make(struct pg *pg, struct reading *reading) MUST_USE;

/* --- For the topics, each in a file of its own --- */

/* Whose account it is. */
struct answer_account {
    struct pg *pg;
    int64_t site_id, crawler_id;
    struct reading *reading;
};

/* Each makes a new object, the caller's. */
typedef enum err answer_topic(const struct answer_account *account, json_t **answer);
answer_topic answer_summary, answer_entries, answer_statement, answer_invoices, answer_proof,
    answer_checkpoints, answer_disputes, answer_dispute, answer_dispute_opening;

/* An invoice in its format, the caller's to free. ERR_INVOICE_FORMAT: the format asks for more than it has.
 */
enum err answer_invoice(const struct answer_account *account, struct format_output *out) MUST_USE;

/* The site, the agent and the currency, that each answer begins with. NULL without memory. */
json_t *answer_begin(const struct answer_account *account);

/* The target of the page behind `after`: the same inquiry from there on. */
json_t *answer_next(const struct answer_account *account, const char *after);

/* An answer with the list, which stays the caller's, as `name`, and with `next`, which is taken; NULL: there
 * is no other page. NULL without memory. */
json_t *answer_page(const struct answer_account *account, const char *name, json_t *list, json_t *next);

#endif
