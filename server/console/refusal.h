/* No, and why: to a program as a problem (RFC 9457), to a person as a page. */
#ifndef SERVER_CONSOLE_REFUSAL_H
#define SERVER_CONSOLE_REFUSAL_H

#include "server/console/seat.h"

/* Answers so; `hint`, what to do, may be NULL. */
void refusal(const struct asked *ask, const struct caller *caller, unsigned status, const char *detail,
             const char *hint);

void refusal_of_fault(const struct asked *ask, const struct caller *caller, const struct view_fault *fault);

#endif
