/* Answers what is to be done: the deed, once, and what came of it. */
#ifndef SERVER_CONSOLE_SERVE_DEED_H
#define SERVER_CONSOLE_SERVE_DEED_H

#include "server/console/deed.h"
#include "server/console/seat.h"

void serve_deed(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                const struct deed *deed);

#endif
