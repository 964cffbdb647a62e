/* What a bank says has happened on the publisher's account, read from its files. Pure.
 *
 * A movement is an object. Its members are texts, "" where the file says nothing, unless said otherwise:
 *   place       where it stands in the file: "line 5", "entry 3", "entry 3, transaction 2"
 *   kind        "credit"     money that came in
 *               "return"     money that had come in and went back, such as a direct debit that the payer's
 *                            bank returned
 *               "rejection"  a collection that the bank refused
 *               "debit"      other money that went out; `unmarked` is true where the format has no mark for
 *                            returns, so that this is one if it names an invoice
 *               "announced"  not booked by the bank
 *   account     IBAN or number of the account
 *   reference   what the bank calls the movement. "NONREF" and the like are kept: people look for them
 *   unique      true if the reference can be a name: of all movements of the account, of that day and amount,
 *               it names this one
 *   identity    a name that is the same in every file that has the movement, and no other movement's:
 *               "2026-11-20/0123456789abcdef", a digest of what the movement says and of its number among
 *               those of its statement that say the same
 *   first       true for the first of those that say the same
 *   text        what the payer wrote: remittance information, end-to-end id
 *   collection  the collection whose payment this is, or that was refused: an id of its message or of one of
 *               its payment blocks
 *   payments    of a batch that does not list its payments: how many there are, a number; otherwise 0
 *   amount      a decimal without sign, in `currency`; booked_on its date
 *   original    of a return: the amount without the charges that the bank put on top
 *   reason      of a return or rejection: the bank's
 *   problem     why it cannot be booked, a clause: "it has no amount" */
#ifndef LEDGER_FORMAT_BANK_MOVEMENT_H
#define LEDGER_FORMAT_BANK_MOVEMENT_H

#include "ledger/base/slice.h"
#include "ledger/format/format.h"
#include "ledger/format/xml.h"

#define MOVEMENT_TEXT_MAX 1024

/* All movements of a bank's file, by day, what came in before what went back, as an array that the caller
 * frees with json_decref. What is odd about one of them is its problem, and the others' affair not. NULL with
 * out->error if it is no file that could be read: what it is then, and what to ask the bank for. */
json_t *movement_read(struct slice file, struct format_output *out);

/* Takes over the array and gives it back by day, what came in before what went out: in this order a return
 * finds what it returns. NULL without memory. */
json_t *movement_sorted(json_t *movements);

/* The readers behind it, each for one format, return NULL with out->error if nothing can be read. `xml` is
 * the element below the document's root.
 *
 * ISO 20022 camt.053 (bank to customer statement), every version from 2. */
json_t *camt_read(const xml_element *xml, struct format_output *out);

/* ISO 20022 pain.002 (customer payment status report): what was rejected. */
json_t *status_report_read(const xml_element *xml, struct format_output *out);

/* CSV (RFC 4180, or with semicolons) with a head line that names the columns reference, amount, currency,
 * date, text and, if wanted, account, in any order; others are ignored. A negative amount went out. */
json_t *movement_csv_read(struct slice file, struct format_output *out);

/* --- For the readers --- */

/* A movement with the members that are given and all others "". NULL without memory. */
json_t *movement_new(const char *kind, const char *place);

/* Sets a text. What is not UTF-8 becomes "?". */
void movement_set(json_t *movement, const char *member, const char *text);

/* Says what is odd, unless something was said before. */
void movement_odd(json_t *movement, const char *problem);

/* Whether a reference looks like one that a bank gives once, and that is no line number of one statement. */
bool movement_is_name(const char *reference);

/* Takes over the movements of one statement: checks date and amount, makes `identity`, `first` and `unique`,
 * and moves them to the end of `list`. False without memory. */
bool movement_add(json_t *list, json_t *statement);

/* Adds to the reason: the bank's code with what it means, "AC04 (account closed)", and its words; either may
 * be
 * "". */
void movement_add_reason(json_t *movement, const char *code, const char *words);

#endif
