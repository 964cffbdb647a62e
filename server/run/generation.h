/* A generation: everything behind HTTP that one reading of the configuration made: ledger writer, key
 * directories and gate. Built as a whole beside the one before, and stopped when its last request has left.
 */
#ifndef SERVER_RUN_GENERATION_H
#define SERVER_RUN_GENERATION_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"
#include "server/http/http.h"

struct generation;

/* Starts everything that `config` asks for, reading key files and opening folders anew. The generation owns
 * the configuration, also when this fails. `former` (NULL: none): its accounts are shared if the ledger is
 * the same, and its cache of key directories if all that it depends on is unchanged. NULL after logging why.
 */
struct generation *generation_start(struct config *config, struct generation *former);

const struct config *generation_config(const struct generation *generation);

/* It serves from now on: what it shares with the former one goes by its configuration, too. */
void generation_take_over(struct generation *generation);

/* For the HTTP layer; lives as long as the generation. */
const struct exchange_handler *generation_handler(const struct generation *generation);

/* The same for the decision listener, and for the facilitator's. */
const struct exchange_handler *generation_decisions(const struct generation *generation);
const struct exchange_handler *generation_facilitator(const struct generation *generation);

/* For the monitor listener; it looks whether the threads of `http` are alive. */
const struct exchange_handler *generation_monitor(struct generation *generation, const struct http *http);

/* True while there is no connection to the ledger and the last try to make one failed. */
bool generation_refused(const struct generation *generation);

/* True while payments can be taken: entries can be written, and what crawlers owe is known. */
bool generation_ready(const struct generation *generation);

/* True if every thread that writes to the ledger has gone through its loop since this was asked last. */
bool generation_turned(const struct generation *generation);

/* Ends what no other generation shares, and frees. No request may be left in the handler. Waits for the
 * ledger, `ledger.timeout_seconds` at most. NULL is fine. */
void generation_stop(struct generation *generation);

#endif
