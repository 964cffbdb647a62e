/* The servers of a connection string: its lists of hosts, addresses and ports taken apart, one by one as
 * libpq pairs them. Knows the string's format but not libpq. */
#ifndef LEDGER_PG_PG_HOSTS_H
#define LEDGER_PG_PG_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#define PG_HOSTS_MAX         16
#define PG_HOSTS_PROBLEM_MAX 256

/* "" is libpq's default. A host with a slash is the absolute folder of a unix socket. */
struct pg_host {
    char *host;
    char *address;
    char *port;
};

struct pg_hosts {
    struct pg_host items[PG_HOSTS_MAX];
    size_t count; /* at least 1 */
};

/* Each list may be NULL. Relative folders are taken from `folder`. False with what is wrong in `problem`; the
 * caller frees with pg_hosts_free, whatever comes back. */
bool pg_hosts_parse(struct pg_hosts *hosts, const char *const lists[3], const char *folder,
                    char problem[PG_HOSTS_PROBLEM_MAX]);
void pg_hosts_free(struct pg_hosts *hosts);

#endif
