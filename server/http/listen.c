/* A socket for each thread on one port: the kernel spreads connections, and no thread is woken for
 * another's. SO_REUSEPORT would also let a second gate of the same user in unseen, which is why the port is
 * bound alone first. */
#include "server/http/listen.h"

#include "ledger/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool fail(const char *address, const char *detail)
{
    const char *hint = NULL;
    if (errno == EADDRINUSE)
        hint = "another program listens there; stop it or set something else in `listen`";
    if (errno == EACCES)
        hint =
            "ports below 1024 need CAP_NET_BIND_SERVICE, and a socket a folder that may be written to; set "
            "something else in `listen`";
    LOG(ERROR, "listen_failed", {"address", address}, {"detail", detail}, {"hint", hint});
    return false;
}

/* A socket bound to the address; -1 with errno. */
static int bind_one(const struct addrinfo *info, bool shared)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* Learns the real port by binding alone first: that fails where somebody listens already, which a shared bind
 * by the same user would not. */
static bool settle_port(struct addrinfo *info)
{
    int fd = bind_one(info, false);
    if (fd < 0)
        return false;
    bool ok = getsockname(fd, info->ai_addr, &info->ai_addrlen) == 0;
    close(fd);
    return ok;
}

static struct addrinfo *resolve(const char *address)
{
    char host[64];
    struct addrinfo *info = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    const char *colon = strrchr(address, ':');
    assert(colon); /* the configuration's reader has looked at that */
    bool bracketed = address[0] == '[' && colon > address && colon[-1] == ']';
    int len = snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - (bracketed ? 2 : 0),
                       address + (bracketed ? 1 : 0));
    if (len < 0 || len >= (int)sizeof(host))
        return NULL;
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    return getaddrinfo(*host ? host : NULL, colon + 1, &hints, &info) == 0 ? info : NULL;
}

static void describe(const struct addrinfo *info, char bound[LISTEN_TEXT_MAX])
{
    char host[64] = "";
    char port[8] = "";
    getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(bound, LISTEN_TEXT_MAX, info->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* Asked by connecting, as a file of that name says nothing: its owner may have been killed. */
static bool listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

/* Who was killed has left the socket's file, which is in the way of the next one. What is no socket stays. */
static bool clear_path(const struct sockaddr_un *address)
{
    struct stat there;
    if (lstat(address->sun_path, &there) != 0)
        return errno == ENOENT;
    if (S_ISSOCK(there.st_mode) && !listens(address))
        return unlink(address->sun_path) == 0;
    errno = EADDRINUSE;
    return false;
}

/* -1 with errno. */
static int bind_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = clear_path(&address) ? socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return -1;
    /* Whoever may enter the folder may connect: a front runs as another user, and the umask is not ours. */
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || chmod(path, 0666) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* There is no SO_REUSEPORT for paths: all have the same queue. */
static bool open_path(const char *address, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX])
{
    size_t open = 0;
    errno = 0;
    for (; open < count; open++) {
        sockets[open] = open == 0 ? bind_path(address + 5) : fcntl(sockets[0], F_DUPFD_CLOEXEC, 3);
        if (sockets[open] < 0)
            break;
    }
    if (open == count) {
        snprintf(bound, LISTEN_TEXT_MAX, "%s", address);
        return true;
    }
    fail(address, strerror(errno));
    while (open > 0)
        close(sockets[--open]);
    return false;
}

static bool open_port(const char *address, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX])
{
    struct addrinfo *info = resolve(address);
    size_t open = 0;
    bool ok = false;
    errno = 0;
    if (!info)
        return fail(address, "not a numeric address and port such as 127.0.0.1:8402");
    if (!settle_port(info))
        goto out;
    for (; open < count; open++) {
        sockets[open] = bind_one(info, true);
        if (sockets[open] < 0)
            goto out;
    }
    describe(info, bound);
    ok = true;
out:
    if (!ok) {
        fail(address, strerror(errno));
        while (open > 0)
            close(sockets[--open]);
    }
    freeaddrinfo(info);
    return ok;
}

/* The address as listen_open would say it. False if it is no socket that connections come from. */
static bool describe_given(int fd, char bound[LISTEN_TEXT_MAX])
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at), size = sizeof(int);
    int type = 0, listening = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return false;
    if (at.ss_family == AF_UNIX) {
        const char *path = ((const struct sockaddr_un *)&at)->sun_path;
        snprintf(bound, LISTEN_TEXT_MAX, "unix:%.107s", path);
        return true;
    }
    describe(
        &(struct addrinfo){.ai_family = at.ss_family, .ai_addr = (struct sockaddr *)&at, .ai_addrlen = len},
        bound);
    return at.ss_family == AF_INET || at.ss_family == AF_INET6;
}

static bool refuse(const char *address, const char *detail, const char *hint)
{
    LOG(ERROR, "listen_failed", {"address", address}, {"detail", detail}, {"hint", hint});
    return false;
}

bool listen_take(const struct listen_given *given, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX])
{
    char other[LISTEN_TEXT_MAX];
    size_t open = 0;
    assert(given->count > 0);
    for (size_t i = 0; i < given->count; i++) {
        if (!describe_given(given->sockets[i], i == 0 ? bound : other))
            return refuse("systemd", "a socket that was given does not listen for streams",
                          "use ListenStream= with Accept=no in the .socket unit");
        if (i > 0 && strcmp(bound, other) != 0)
            return refuse(other, "sockets of several addresses were given, and all threads serve one",
                          "leave one address in the .socket unit");
    }
    if (given->count > count)
        return refuse(bound, "more sockets were given than there are threads",
                      "one is enough, or raise `threads`");
    /* Threads that share a socket are woken together and race for the connection, which costs little where
     * connections last; with ReusePort= and as many sockets as threads each has its own. */
    for (; open < count; open++) {
        sockets[open] = fcntl(given->sockets[open % given->count], F_DUPFD_CLOEXEC, 3);
        if (sockets[open] < 0 || fcntl(sockets[open], F_SETFL, O_NONBLOCK) != 0)
            break;
    }
    if (open < count) {
        fail(bound, strerror(errno));
        for (size_t i = 0; i <= open; i++)
            if (sockets[i] >= 0)
                close(sockets[i]);
        return false;
    }
    for (size_t i = 0; i < given->count; i++)
        close(given->sockets[i]);
    return true;
}

bool listen_open(const char *address, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX])
{
    assert(count > 0 && *address);
    if (strncmp(address, "unix:", 5) == 0)
        return open_path(address, sockets, count, bound);
    return open_port(address, sockets, count, bound);
}
