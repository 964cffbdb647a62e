#define _GNU_SOURCE /* struct ucred */
#include "tests/pg/support_cut.h"

#include "tests/pg/support.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM   (1 << 22)
#define KILLED 0

/* One direction of one connection: messages that have not been sent on. */
struct stream {
    int from, to;
    size_t len;
    uint8_t data[ROOM];
};

struct relay {
    int statements; /* that came so far */
    int number;
    bool started;   /* the startup packet, which has no type, is through */
    bool executing; /* an Execute message was among what is not sent on yet */
    bool finishing;
    struct stream front, back;
};

static struct sockaddr_un address_of(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *config = ledger_config_path();
    int base = (int)(strrchr(config, '/') - config);
    int len =
        snprintf(address.sun_path, sizeof(address.sun_path), "%.*s/%s/.s.PGSQL.5432", base, config, folder);
    assert_true(len < (int)sizeof(address.sun_path));
    return address;
}

static int listen_at(const char *folder)
{
    struct sockaddr_un address = address_of(folder);
    char *slash = strrchr(address.sun_path, '/');
    *slash = '\0';
    if (mkdir(address.sun_path, 0700) != 0)
        assert_int_equal(errno, EEXIST);
    *slash = '/';
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int connect_to(const char *folder)
{
    struct sockaddr_un address = address_of(folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        _exit(2);
    return fd;
}

static void send_on(struct stream *stream, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t count = send(stream->to, stream->data + sent, len - sent, MSG_NOSIGNAL);
        if (count <= 0)
            break;
        sent += (size_t)count;
    }
    stream->len -= len;
    memmove(stream->data, stream->data + len, stream->len);
}

static bool receive(struct stream *stream)
{
    ssize_t count = read(stream->from, stream->data + stream->len, ROOM - stream->len);
    if (count > 0)
        stream->len += (size_t)count;
    return count > 0;
}

static size_t message_len(const uint8_t *message)
{
    return (size_t)message[0] << 24 | (size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3];
}

/* The length of the whole message at `at`, with its type; 0 while a part is missing. */
static size_t whole(const struct stream *stream, size_t at, bool typed)
{
    size_t head = typed ? 1 : 0;
    if (stream->len < at + head + 4)
        return 0;
    size_t len = head + message_len(stream->data + at + head);
    return stream->len >= at + len ? len : 0;
}

static void kill_client(const struct relay *relay)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(relay->front.from, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        _exit(2);
    signal(SIGTERM, SIG_IGN); /* who waits for the program may be faster than the next line */
    kill(peer.pid, SIGKILL);
    _exit(KILLED); /* closes both connections */
}

/* Sends on what the program has asked for, statement by statement. */
static void from_client(struct relay *relay)
{
    struct stream *front = &relay->front;
    for (size_t at = 0, len; (len = whole(front, at, relay->started)) > 0;) {
        uint8_t type = relay->started ? front->data[at] : 0;
        at += len;
        relay->started = true;
        relay->executing = relay->executing || type == 'E' || type == 'Q';
        if ((type == 'S' || type == 'Q') && relay->executing) {
            relay->executing = false;
            relay->finishing = ++relay->statements == relay->number;
        }
        if (type == 0 || type == 'S' || type == 'Q' || type == 'X') {
            send_on(front, at);
            at = 0;
        }
    }
}

/* Sends on what the server answers, unless this is the answer that nobody is told. */
static void from_server(struct relay *relay)
{
    struct stream *back = &relay->back;
    if (!relay->finishing) {
        send_on(back, back->len);
        return;
    }
    for (size_t at = 0, len; (len = whole(back, at, true)) > 0; at += len)
        if (back->data[at] == 'Z')
            kill_client(relay);
}

static void serve(struct relay *relay, int listener)
{
    int client = accept(listener, NULL, NULL);
    int server = connect_to("pg");
    relay->started = false;
    relay->front.from = relay->back.to = client;
    relay->front.to = relay->back.from = server;
    relay->front.len = relay->back.len = 0;
    for (bool open = true; open;) {
        struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        poll(ends, 2, -1);
        if (ends[0].revents && (open = receive(&relay->front)))
            from_client(relay);
        if (open && ends[1].revents && (open = receive(&relay->back)))
            from_server(relay);
    }
    close(client);
    close(server);
}

int cut_start(int number)
{
    int listener = listen_at("cut");
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static struct relay relay;
        relay.number = number;
        for (;;)
            serve(&relay, listener);
    }
    close(listener);
    return pid;
}

bool cut_stop(int pid)
{
    int status;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == KILLED;
}
