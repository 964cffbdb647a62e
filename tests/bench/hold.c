/* Holds connections open: what an idle one costs the gate. Opens COUNT of them, prints "open", waits for a
 * line, sends a request on each and reads the answer, prints "served", and waits for a line again.
 *
 *   hold ADDRESS PORT HOST COUNT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_one(const char *address, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    return fd;
}

/* The answer fits one read or a few: it is over when its length has come. */
static void serve_one(int fd, const char *host)
{
    char text[8192];
    size_t got = 0;
    int len = snprintf(
        text, sizeof(text),
        "GET /articles/harbour-bell.html HTTP/1.1\r\nHost: %s\r\nUser-Agent: GPTBot/1.2\r\n\r\n", host);
    if (write(fd, text, (size_t)len) != len)
        fail("write");
    for (;;) {
        ssize_t n = read(fd, text + got, sizeof(text) - 1 - got);
        if (n <= 0)
            fail("read");
        got += (size_t)n;
        text[got] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (body && length && got >= (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10))
            return;
    }
}

static void tell(const char *what)
{
    puts(what);
    fflush(stdout);
    if (getchar() == EOF)
        exit(1);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    size_t count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    int *fds = calloc(count + 1, sizeof(*fds));
    if (count == 0 || !fds) {
        fputs("usage: hold ADDRESS PORT HOST COUNT\n", stderr);
        return 64;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < count; i++)
        fds[i] = open_one(argv[1], argv[2]);
    tell("open");
    for (size_t i = 0; i < count; i++)
        serve_one(fds[i], argv[3]);
    tell("served");
    free(fds);
    return 0;
}
