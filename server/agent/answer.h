/* Whether an HTTP answer can be a key directory: status, media type and encoding. Pure. */
#ifndef SERVER_AGENT_ANSWER_H
#define SERVER_AGENT_ANSWER_H

#include "ledger/base/http/message.h"

/* True for the media types that directories have in the wild at the well-known path, with any parameters:
 * application/http-message-signatures-directory with or without +json, application/jwk-set+json and
 * application/json. */
bool answer_type_fits(struct slice content_type);

/* What was asked. */
struct answer_question {
    bool conditional; /* with If-None-Match or If-Modified-Since, so that 304 is an answer */
    bool well_known;  /* at the well-known path, where alone the media type must be a directory's */
};

/* Why the answer is no directory, or NULL when it is one as far as its head shows. Static text. */
const char *answer_refusal(long status, const struct message *answer, struct answer_question question);

#endif
