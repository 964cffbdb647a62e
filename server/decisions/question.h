/* What a front asks the decision listener (WIRE.md section 6): whether a request that it has got may be
 * answered. It says which in one of the ways of fronts. Pure. */
#ifndef SERVER_DECISIONS_QUESTION_H
#define SERVER_DECISIONS_QUESTION_H

#include "ledger/base/http/message.h"

/* Turns the message that the front has sent into the one that it has got: method, host and target from
 * X-Original-Method, -Host, -URI or -URL, X-Forwarded-Method, -Host, -Uri, or from a path that begins with
 * `prefix` (empty: none does). All that are there must say the same. NULL, or, static, what is wrong: also
 * that nothing says the target, since the question's own path is nobody's page. Leaves the message as it was
 * then. */
const char *question_read(struct arena *arena, struct slice prefix, struct message *message);

#endif
