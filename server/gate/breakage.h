/* What was paid for and breaks off in the middle, because the site's own server stops there. */
#ifndef SERVER_GATE_BREAKAGE_H
#define SERVER_GATE_BREAKAGE_H

#include "server/gate/crawl.h"

/* From now on, if the answer's body breaks off, the ledger is told that the crawl's page was not delivered;
 * unless it was a repeat, which the crawler may have had before. Once for an answer that is to be paid. */
void breakage_follow(struct crawl *crawl, struct origin_answer *answer);

#endif
