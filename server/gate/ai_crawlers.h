/* The AI crawlers that say who they are in User-Agent. Kept up to date by hand; sorted. Pure. */
#ifndef SERVER_GATE_AI_CRAWLERS_H
#define SERVER_GATE_AI_CRAWLERS_H

#include "ledger/base/slice.h"

/* True if the User-Agent names a known AI crawler. */
bool ai_crawlers_know(struct slice user_agent);

/* True if `word` stands in the User-Agent as a whole word, compared without case. */
bool ai_crawlers_word(struct slice user_agent, struct slice word);

#endif
