/* Descriptors run out before memory does, and without one the gate can neither send a page nor reach its
 * ledger: so the limit of connections is made from the limit of open files, and leaves room for both. */
#include "server/http/limits.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/slice.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CONNECTIONS_MAX 65536
#define RESERVE         128 /* ledger, key directories, key files, log */

size_t limits_connections(size_t wanted)
{
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    struct rlimit more = {files.rlim_max, files.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        files = more;
    /* A quarter is for the files that are being sent. */
    size_t open_files = files.rlim_cur < 4 * CONNECTIONS_MAX ? (size_t)files.rlim_cur : 4 * CONNECTIONS_MAX;
    size_t room = open_files > 2 * RESERVE ? (open_files - RESERVE) / 4 * 3 : open_files / 3;
    size_t count = wanted > 0 ? wanted : CONNECTIONS_MAX;
    if (count > room && wanted > 0)
        LOG(WARN, "connections_limited", {"wanted", LOG_NUMBER((int64_t)wanted)},
            {"hint", "raise the limit of open files (LimitNOFILE in systemd)"});
    count = count < room ? count : room;
    LOG(INFO, "limits", {"connections", LOG_NUMBER((int64_t)count)},
        {"open_files", LOG_NUMBER((int64_t)files.rlim_cur)});
    return count;
}

/* Open addressing with linear probing; a client that has left is closed up, so every search ends at a hole.
 */
struct client_count {
    uint8_t address[16];
    size_t count; /* 0: a hole */
};

#define CLIENTS_MAGIC 0x1fd04b87u

struct limits_clients {
    uint32_t magic;
    pthread_mutex_t lock;
    size_t most;
    size_t mask;
    struct client_count table[];
};

struct limits_clients *limits_clients_new(size_t most, size_t connections)
{
    assert(most > 0);
    size_t size = 64;
    while (size < 2 * connections)
        size *= 2;
    struct limits_clients *clients = calloc(1, sizeof(*clients) + size * sizeof(*clients->table));
    if (!clients)
        return NULL;
    OBJECT_MAKE(clients, CLIENTS_MAGIC);
    clients->most = most;
    clients->mask = size - 1;
    pthread_mutex_init(&clients->lock, NULL);
    return clients;
}

void limits_clients_free(struct limits_clients *clients)
{
    if (!clients)
        return;
    OBJECT_END(clients, CLIENTS_MAGIC);
    pthread_mutex_destroy(&clients->lock);
    free(clients);
}

/* Who has one address of an IPv6 network usually has all of them. */
static void name_client(const uint8_t address[16], uint8_t name[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(name, address, 16);
    if (memcmp(address, mapped, sizeof(mapped)) != 0)
        memset(name + 8, 0, 8);
}

static size_t home_of(const struct limits_clients *clients, const uint8_t name[16])
{
    uint64_t hash = slice_hash(slice_bytes(name, 16));
    return (size_t)(hash ^ hash >> 32) & clients->mask;
}

/* The client's place, or the hole where it would be. */
static size_t find(const struct limits_clients *clients, const uint8_t name[16])
{
    size_t i = home_of(clients, name);
    while (clients->table[i].count > 0 && memcmp(clients->table[i].address, name, 16) != 0)
        i = (i + 1) & clients->mask;
    return i;
}

bool limits_clients_enter(struct limits_clients *clients, const uint8_t address[16])
{
    uint8_t name[16];
    if (!clients)
        return true;
    OBJECT_CHECK(clients, CLIENTS_MAGIC);
    name_client(address, name);
    pthread_mutex_lock(&clients->lock);
    struct client_count *client = &clients->table[find(clients, name)];
    memcpy(client->address, name, 16);
    bool fits = client->count++ < clients->most;
    pthread_mutex_unlock(&clients->lock);
    return fits;
}

/* Moves up what stands behind a new hole and could not be found across it. */
static void close_up(struct limits_clients *clients, size_t hole)
{
    assert(clients->table[hole].count == 0);
    for (size_t i = (hole + 1) & clients->mask; clients->table[i].count > 0; i = (i + 1) & clients->mask) {
        size_t home = home_of(clients, clients->table[i].address);
        if (((i - home) & clients->mask) < ((i - hole) & clients->mask))
            continue;
        clients->table[hole] = clients->table[i];
        clients->table[i].count = 0;
        hole = i;
    }
}

void limits_clients_leave(struct limits_clients *clients, const uint8_t address[16])
{
    uint8_t name[16];
    if (!clients)
        return;
    OBJECT_CHECK(clients, CLIENTS_MAGIC);
    name_client(address, name);
    pthread_mutex_lock(&clients->lock);
    size_t place = find(clients, name);
    assert(clients->table[place].count > 0); /* who was turned away has been counted, too */
    if (--clients->table[place].count == 0)
        close_up(clients, place);
    pthread_mutex_unlock(&clients->lock);
}
