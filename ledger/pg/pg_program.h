/* PostgreSQL's own programs, such as pg_dump, run on the ledger. */
#ifndef LEDGER_PG_PG_PROGRAM_H
#define LEDGER_PG_PG_PROGRAM_H

#include "ledger/base/config/config.h"

/* Runs "PROGRAM --dbname=… WORDS…" and waits for it: on the ledger of the configuration, as `role`, with the
 * password that the configuration gives, which the command line does not show. `words` ends with NULL. What
 * the program says goes to the standard error. False, after a log line, if it cannot be run or fails. */
bool pg_program_run(const struct config *config, const char *role, const char *program,
                    const char *const *words);

#endif
