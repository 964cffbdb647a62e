/* An HTTP/1.1 request as text, as a proxy's log or `curl -v` shows it: read into a message. Pure. */
#ifndef TOOLS_CRAWLTAB_GATE_RAW_REQUEST_H
#define TOOLS_CRAWLTAB_GATE_RAW_REQUEST_H

#include "ledger/base/arena.h"
#include "ledger/base/http/message.h"

#define RAW_REQUEST_FIELDS_MAX 200

/* Reads request line, fields and body (RFC 9112 sections 3, 5 and 6.3); what is behind the body is left
 * alone. Lines may end with LF alone. The authority is Host's, or that of an absolute-form target, lower case
 * and without the scheme's default port. False with *why, static, when it is no request, or one that the gate
 * refuses as malformed. */
bool raw_request_parse(struct arena *arena, struct slice text, const char *scheme, struct message *message,
                       const char **why);

#endif
