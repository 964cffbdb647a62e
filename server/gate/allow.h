/* What a front hears that asks and then delivers by itself (WIRE.md section 6): yes, and who it is. */
#ifndef SERVER_GATE_ALLOW_H
#define SERVER_GATE_ALLOW_H

#include "server/gate/crawl.h"

/* The reply is yes: 200 with X-Crawltab-Agent, -Payment and -Amount, each of them also when there is nothing
 * to say, so that no client's own can be taken for ours. ERR_REQUEST_TOO_LARGE when the arena is full. */
enum err allow_write(struct crawl *crawl) MUST_USE;

#endif
