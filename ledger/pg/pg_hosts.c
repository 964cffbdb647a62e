/* Taken apart as libpq would, whose own walk over several hosts has no time limit for each: one silent host
 * would use up what was left for the next. */
#include "ledger/pg/pg_hosts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sun_path holds 108 bytes, one of them the NUL. */
#define SOCKET_PATH_MAX 107

static size_t count_items(const char *list)
{
    size_t count = 1;
    for (; list && *list; list++)
        count += *list == ',';
    return count;
}

/* A copy of the item at `index`, the last one if there are fewer; "" of a list that is NULL. */
static char *item(const char *list, size_t index)
{
    if (!list)
        return strdup("");
    /* One port for all hosts is libpq's rule, and its item is the last one there is. */
    for (; index > 0 && strchr(list, ','); index--)
        list = strchr(list, ',') + 1;
    return strndup(list, strcspn(list, ","));
}

/* A unix socket's folder must be absolute for libpq; ours may be relative to the configuration's folder. */
static char *absolute(char *host, const char *base)
{
    if (!host || !strchr(host, '/') || host[0] == '/')
        return host;
    size_t size = strlen(base) + strlen(host) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", base, host);
    free(host);
    return path;
}

static bool socket_path_fits(const struct pg_host *host, char problem[PG_HOSTS_PROBLEM_MAX])
{
    const char *port = host->port[0] ? host->port : "5432";
    size_t len = strlen(host->host) + strlen("/.s.PGSQL.") + strlen(port);
    if (host->host[0] != '/' || len <= SOCKET_PATH_MAX)
        return true;
    snprintf(problem, PG_HOSTS_PROBLEM_MAX,
             "the unix socket's path \"%s/.s.PGSQL.%s\" has %zu bytes, %d is the limit: use a shorter folder",
             host->host, port, len, SOCKET_PATH_MAX);
    return false;
}

/* libpq's own rule: as many addresses as hosts, and as many ports or just one. */
static bool lists_match(struct pg_hosts *hosts, const char *const lists[3],
                        char problem[PG_HOSTS_PROBLEM_MAX])
{
    size_t names = count_items(lists[0]), addresses = count_items(lists[1]), ports = count_items(lists[2]);
    hosts->count = lists[1] ? addresses : names;
    assert(hosts->count > 0);
    if (hosts->count > PG_HOSTS_MAX)
        snprintf(problem, PG_HOSTS_PROBLEM_MAX, "%zu hosts are named, %d is the limit", hosts->count,
                 PG_HOSTS_MAX);
    else if (lists[0] && lists[1] && names != addresses)
        snprintf(problem, PG_HOSTS_PROBLEM_MAX, "host names %zu servers and hostaddr %zu", names, addresses);
    else if (ports > 1 && ports != hosts->count)
        snprintf(problem, PG_HOSTS_PROBLEM_MAX, "%zu servers are named and %zu ports: give one port, or %zu",
                 hosts->count, ports, hosts->count);
    else
        return true;
    hosts->count = 0;
    return false;
}

bool pg_hosts_parse(struct pg_hosts *hosts, const char *const lists[3], const char *folder,
                    char problem[PG_HOSTS_PROBLEM_MAX])
{
    assert(folder && folder[0]);
    *hosts = (struct pg_hosts){.count = 0};
    char *base = realpath(folder, NULL);
    bool ok = false;
    snprintf(problem, PG_HOSTS_PROBLEM_MAX, "out of memory, or the configuration's folder is gone");
    if (!base || !lists_match(hosts, lists, problem))
        goto out;
    assert(hosts->count <= PG_HOSTS_MAX);
    for (size_t i = 0; i < hosts->count; i++) {
        struct pg_host *host = &hosts->items[i];
        host->host = absolute(item(lists[0], i), base);
        host->address = item(lists[1], i);
        host->port = item(lists[2], i);
        if (!host->host || !host->address || !host->port || !socket_path_fits(host, problem))
            goto out;
    }
    ok = true;
out:
    free(base);
    return ok;
}

void pg_hosts_free(struct pg_hosts *hosts)
{
    assert(hosts->count <= PG_HOSTS_MAX);
    for (size_t i = 0; i < hosts->count; i++) {
        free(hosts->items[i].host);
        free(hosts->items[i].address);
        free(hosts->items[i].port);
    }
}
