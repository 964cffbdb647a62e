/* A request's passage through the gate, as the HTTP layer calls it (struct exchange_handler). `context` is
 * the struct gate_thread of the calling thread; gate_passage_finished takes any. */
#ifndef SERVER_GATE_GATE_PASSAGE_H
#define SERVER_GATE_GATE_PASSAGE_H

#include "server/gate/crawl.h"

/* A request that has come, or comes back: the reply is made, or it is parked. */
enum exchange_verdict gate_passage_request(void *context, struct exchange *exchange);

/* It is parked now, and stands in its thread's line, unless it waits for something else. */
void gate_passage_parked(void *context, struct exchange *exchange);

/* Takes some of the line: verifies them, and hands the writer their entries together. Whether there are
 * more. */
bool gate_passage_turned(void *context);

/* Makes the reply to a request that HTTP itself refuses. */
void gate_passage_refuse(void *context, struct exchange *exchange, enum err err);

/* The exchange is over, whatever came of it: lets go of what it held. On any thread. */
void gate_passage_finished(void *context, struct exchange *exchange);

#endif
