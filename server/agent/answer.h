/* Whether an HTTP answer can be a key directory: status, media type and encoding. Pure. */
#ifndef SERVER_AGENT_ANSWER_H
#define SERVER_AGENT_ANSWER_H

#include "ledger/base/http/message.h"

/* True for the media types that directories have in the wild, with any parameters:
 * application/http-message-signatures-directory with or without +json, application/jwk-set+json and
 * application/json. */
bool answer_type_fits(struct slice content_type);

/* Why the answer is no directory, or NULL when it is one as far as its head shows. `conditional`: the request
 * said If-None-Match or If-Modified-Since, so that 304 is an answer. Static text. */
const char *answer_refusal(long status, const struct message *answer, bool conditional);

#endif
