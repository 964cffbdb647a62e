/* Content-Digest (RFC 9530 section 2): whether a body is the one that was sent. Pure. */
#ifndef LEDGER_VERIFY_CONTENT_DIGEST_H
#define LEDGER_VERIFY_CONTENT_DIGEST_H

#include "ledger/base/arena.h"
#include "ledger/base/http/message.h"

/* NULL if the message's field has the SHA-256 or SHA-512 of the body, and no wrong one of either; others are
 * not looked at. Else, static, what is wrong: also that there is no such field. */
const char *content_digest_refusal(struct arena *arena, const struct message *message, struct slice body);

#endif
