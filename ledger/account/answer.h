/* The answers to inquiries about an account, made from the ledger. Each statement has the numbers of site and
 * crawler, and the latter comes of the signature alone: nothing that an inquiry says can name another's. */
#ifndef LEDGER_ACCOUNT_ANSWER_H
#define LEDGER_ACCOUNT_ANSWER_H

#include "ledger/account/reading.h"
#include "ledger/pg/pg.h"

#include <jansson.h>

/* Answers, as reader_submit says, but ERR_LEDGER_UNAVAILABLE where the ledger did not. */
enum err answer_make(struct pg *pg, struct reading *reading) MUST_USE;

/* --- For the topics, each in a file of its own --- */

/* Whose account it is. */
struct answer_account {
    struct pg *pg;
    int64_t site_id, crawler_id;
    const struct reading *reading;
};

/* Each makes a new object, the caller's. */
enum err answer_summary(const struct answer_account *account, json_t **answer) MUST_USE;
enum err answer_entries(const struct answer_account *account, json_t **answer) MUST_USE;

#endif
