/* Where a request is answered: the console as one of its threads sees it, and who asks. */
#ifndef SERVER_CONSOLE_SEAT_H
#define SERVER_CONSOLE_SEAT_H

#include "server/console/base/asked.h"
#include "server/console/base/reply.h"
#include "server/console/base/session.h"
#include "server/console/console.h"
#include "server/console/live.h"
#include "server/console/view/read.h"

#include <pthread.h>

struct seat {
    const struct console_parts *parts;
    struct sessions *sessions;
    struct live *live;
    struct live_watchers watchers;
    pthread_mutex_t *deeds; /* of the console: one is done after another */
    struct pg *pg;          /* NULL: not connected now */
    const json_t *prices;   /* of rules, by site */
    const json_t *settings; /* without secrets, for people */
};

/* Who asks. */
struct caller {
    struct console_token token; /* name "": nobody */
    bool browser;               /* by the cookie of a session */
    struct session session;
    char actor[128]; /* under which deeds are recorded */
    json_t *told;    /* see view_source */
};

struct view_source seat_source(const struct seat *seat, const struct caller *caller);

#endif
