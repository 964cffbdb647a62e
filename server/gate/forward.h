/* What a site's own server is asked, and what of its answer the crawler gets (WIRE.md section 6). */
#ifndef SERVER_GATE_FORWARD_H
#define SERVER_GATE_FORWARD_H

#include "server/gate/crawl.h"
#include "server/origin/origin.h"

/* The question: target and Host as they came; without fields of one hop, and without payment, signature and
 * what only the gate may say about who asks, which it says itself. False when the arena is full. */
bool forward_request(struct crawl *crawl, struct origin_request *request);

/* The answer as the crawl's reply, which has its stream from now on. What was paid for is private. False when
 * the arena is full: then the stream is still the answer's. */
bool forward_answer(struct crawl *crawl, struct origin_answer *answer);

/* Sends the body from memory, with its header in one packet, if all of it has come meanwhile. */
void forward_whole(struct exchange *exchange);

/* How much of the price X-Crawltab-Amount of the answer lets off: 0 to all of it, and 0 where there is no
 * such field. *fault: NULL, or, static, why the field does not count. */
int64_t forward_let_off(const struct origin_answer *answer, int64_t price_micros, const char **fault);

/* Lowers the crawl's charge by that. */
void forward_lower(struct crawl *crawl, const struct origin_answer *answer);

/* True if the answer gives content away, so that it is paid for. */
bool forward_is_given(const struct origin_answer *answer);

#endif
