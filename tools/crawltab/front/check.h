/* Whether a running front sends everybody where he belongs. */
#ifndef TOOLS_CRAWLTAB_FRONT_CHECK_H
#define TOOLS_CRAWLTAB_FRONT_CHECK_H

#include "tools/crawltab/frame/command.h"

/* Asks the front of the URL, or the one at "address:port" (`at`, or NULL), as a person and as each crawler of
 * the configuration's list; `asks` if the front asks the gate and delivers by itself. A line for each thing
 * that was looked at; EXIT_FAILED if any of them is not as it should be. */
enum exit_status check_front(const struct config *config, const char *url, const char *at, bool asks);

#endif
