/* Observe mode: what would come of a request is found out, and everybody gets what a person gets, byte for
 * byte.
 */
#ifndef SERVER_GATE_OBSERVE_H
#define SERVER_GATE_OBSERVE_H

#include "server/gate/crawl.h"

/* True if this is about a request, which arrived with `err`, whose rule is observed only. */
bool observe_is(const struct crawl *crawl, enum err arrived);

/* Judges it as far as that needs nobody else. True: its signatures are to be verified, be it only to know who
 * asks. False: as observe_end. */
bool observe_begin(struct crawl *crawl, enum err arrived);

/* After the signatures, whose verification gave `err`: crawl->observed says what would have come of the
 * request, and from now on it is one for a free page. */
void observe_end(struct crawl *crawl, enum err err);

/* "paid", "free" or the code of a refusal. */
const char *observe_name(const struct crawl *crawl);

/* What it would have earned: its price, if it got content and would have, or could have, paid. */
int64_t observe_amount(const struct crawl *crawl);

#endif
