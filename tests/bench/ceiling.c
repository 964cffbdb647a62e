/* The ceiling of offers: libmicrohttpd with the gate's threads and sockets, and nothing behind it. Every
 * request is answered with one response that was made before, read from a file: field lines, an empty line,
 * the body.
 *
 *   ceiling ADDRESS:PORT THREADS STATUS FILE */
#include "server/http/listen.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64
#define FILE_MAX    16384

static struct MHD_Response *response;
static unsigned status;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* lint: parameters, libmicrohttpd's callback has eight */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    static char seen;
    (void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state)
        return MHD_queue_response(connection, status, response);
    *state = &seen;
    return MHD_YES;
}

static void read_response(const char *path)
{
    static char text[FILE_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    char *line = text;
    char *body = len > 0 ? strstr(text, "\n\n") : NULL;
    if (!body)
        fail(path);
    close(fd);
    size_t body_len = (size_t)(text + len - body) - 2;
    response = MHD_create_response_from_buffer(body_len, body + 2, MHD_RESPMEM_PERSISTENT);
    body[1] = '\0';
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        char *colon = strchr(line, ':');
        *end = '\0';
        if (!colon)
            fail(line);
        *colon = '\0';
        if (MHD_add_response_header(response, line, colon + 2) != MHD_YES)
            fail(line);
    }
}

static void *answer_requests(void *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd events = {.fd = info->epoll_fd, .events = POLLIN};
    for (;;) {
        MHD_UNSIGNED_LONG_LONG left_ms;
        if (MHD_get_timeout(daemon, &left_ms) != MHD_YES || left_ms > 0)
            poll(&events, 1, 1000);
        MHD_run_wait(daemon, 0);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int sockets[THREADS_MAX];
    char bound[LISTEN_TEXT_MAX];
    pthread_t threads[THREADS_MAX];
    size_t count = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
    if (count == 0 || count > THREADS_MAX) {
        fputs("usage: ceiling ADDRESS:PORT THREADS STATUS FILE\n", stderr);
        return 64;
    }
    status = (unsigned)strtoul(argv[3], NULL, 10);
    read_response(argv[4]);
    if (!listen_open(argv[1], sockets, count, bound))
        return 1;
    for (size_t i = 0; i < count; i++) {
        struct MHD_Daemon *daemon = MHD_start_daemon(
            MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET,
            sockets[i], MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
        if (!daemon || pthread_create(&threads[i], NULL, answer_requests, daemon) != 0)
            fail("libmicrohttpd");
    }
    puts(bound);
    fflush(stdout);
    pthread_join(threads[0], NULL);
    return 0;
}
