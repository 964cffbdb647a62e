/* What an operator has done that changes nothing in the ledger and is recorded there all the same: reading
 * what is about crawlers, their payments and their keys. */
#ifndef TOOLS_CRAWLTAB_FRAME_DEED_H
#define TOOLS_CRAWLTAB_FRAME_DEED_H

#include "ledger/pg/pg.h"

/* Records it under the name of who runs the command, outside of a transaction. Who may read alone, such as
 * the auditor's role, reads without a record: he is told so, and nothing more. */
enum err deed_record(struct pg *pg, const char *action, const char *detail) MUST_USE;

/* The same of an audit that has ended, and only if the record is noted as the next audit wants it: where what
 * guards the ledger is out of work, it would be a finding itself, for ever. False after telling that this one
 * is not recorded, which is a finding, too: so the numbers of deeds were set back, or what notes them
 * changed. True of who may read alone. */
bool deed_record_audit(struct pg *pg, const char *detail);

#endif
