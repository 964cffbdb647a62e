/* What is paid for, while it is delivered: what becomes of it is recorded when it has ended, and what breaks
 * off in the middle, because the site's own server stops there, is not billed. */
#ifndef SERVER_GATE_DELIVERING_H
#define SERVER_GATE_DELIVERING_H

#include "server/gate/crawl.h"

/* From now on, if the answer's body breaks off, the ledger is told that the crawl's page was not delivered;
 * unless it was a repeat, which the crawler may have had before. Once for an answer that is to be paid. */
void delivering_watch(struct crawl *crawl, struct origin_answer *answer);

/* The reply is ready, its end is told to others already, and its bytes to whoever counts them: from now on it
 * is followed to its end, which goes to the journal of deliveries. What is not for an entry is left alone. */
void delivering_follow(struct crawl *crawl, enum err outcome);

#endif
