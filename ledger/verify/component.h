/* Message components and the signature base of RFC 9421 sections 2.1, 2.2, 2.4 and 2.5, for requests and for
 * responses. Pure. */
#ifndef LEDGER_VERIFY_COMPONENT_H
#define LEDGER_VERIFY_COMPONENT_H

#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "ledger/verify/fault.h"
#include "ledger/verify/sf.h"

/* All lines of a request's field as one value: each without line folding and white space around it, joined
 * with ", " (section 2.1). data is NULL when the field is absent (*absent is true) or the arena is full. The
 * value may point into the message. */
struct slice component_field(struct arena *arena, const struct message *message, struct slice name,
                             bool *absent);

/* Builds the base for the covered components and parameters in `input`, an inner list of Signature-Input,
 * from the message as we see it. ERR_MALFORMED_SIGNATURE for what section 2.5 calls an error: an unknown
 * component or parameter, one that stands twice, parameters that exclude each other, a field or member that
 * is not there, `;sf` on a field whose type we do not know, trailers, a value that is not ASCII; *fault (may
 * be NULL) then says which. ERR_REQUEST_TOO_LARGE when the arena is full. */
enum err component_base(struct arena *arena, const struct message *message, const struct sf_member *input,
                        struct slice *base, struct fault *fault) MUST_USE;

/* The same for a response: `@status`, its own fields, and with `;req` what component_base knows of the
 * request that it answers. */
enum err component_response_base(struct arena *arena, const struct message_response *response,
                                 const struct sf_member *input, struct slice *base) MUST_USE;

#endif
