/* Who asks: a program that shows its key with each request, or a browser that has shown one. */
#ifndef SERVER_CONSOLE_CALLER_H
#define SERVER_CONSOLE_CALLER_H

#include "server/console/seat.h"

/* Who it is. False after an answer: nobody, or the ledger cannot be asked. */
bool caller_know(struct seat *seat, const struct asked *ask, struct caller *caller);

/* Whether it may. False after an answer; what was not to be written is on record. */
bool caller_may(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                enum role_right right);

/* Whether it means what it sends: what a browser sends must come from a page of ours. False after an answer.
 */
bool caller_means(const struct asked *ask, const struct caller *caller);

/* Answers /login and /logout. */
void caller_log_in(struct seat *seat, const struct asked *ask);
void caller_log_out(const struct seat *seat, const struct asked *ask, const struct caller *caller);

#endif
