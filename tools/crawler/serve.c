/* crawler serve: the key directory over plain HTTP, for trying things out or behind a TLS proxy. The only
 * user of libmicrohttpd here. */
#include "tools/crawler/commands.h"
#include "tools/crawler/key.h"
#include "tools/crawler/say.h"

#include "ledger/base/http/agent.h"

#include <errno.h>
#include <getopt.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEDIA_TYPE   "application/http-message-signatures-directory+json"
#define CACHE        "max-age=3600"
#define IDLE_SECONDS 30
#define BACKLOG      64
#define ADDRESS_MAX  80

static const char help[] = "Usage: crawler serve --key FILE [--listen ADDRESS:PORT]\n"
                           "Serves the key directory over plain HTTP, until SIGTERM or SIGINT, at\n"
                           "/.well-known/http-message-signatures-directory. Sites ask for https: put a TLS\n"
                           "proxy in front, except for trying things out on loopback.\n"
                           "\n"
                           "  -k, --key FILE             the key that `crawler keygen` made\n"
                           "  -l, --listen ADDRESS:PORT  default 127.0.0.1:8403; port 0 takes a free one\n"
                           "  -h, --help                 show this\n";

struct arguments {
    const char *key;
    const char *listen;
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option longs[] = {
        {"key", required_argument, NULL, 'k'},
        {"listen", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "k:l:h", longs, NULL)) != -1;) {
        if (c == 'k') {
            arguments->key = optarg;
        } else if (c == 'l') {
            arguments->listen = optarg;
        } else if (c == 'h') {
            fputs(help, stdout);
            return COMMANDS_OK;
        } else {
            say_problem("try 'crawler serve --help'");
            return COMMANDS_USAGE;
        }
    }
    if (optind == argc && arguments->key)
        return -1;
    if (optind < argc)
        say_problem("\"%s\" is not expected; try 'crawler serve --help'", argv[optind]);
    else
        say_problem("--key FILE is missing; try 'crawler serve --help'");
    return COMMANDS_USAGE;
}

/* "address:port", "[address]:port" to its two halves. */
static bool split(const char *listen, char host[ADDRESS_MAX], const char **port)
{
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    const char *start = listen;
    if (len > 1 && listen[0] == '[' && listen[len - 1] == ']') {
        start++;
        len -= 2;
    } else if (memchr(listen, ':', len)) {
        return false;
    }
    if (len == 0 || len >= ADDRESS_MAX)
        return false;
    memcpy(host, start, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

/* -1 after saying why. */
static int open_socket(const char *listen_at)
{
    char host[ADDRESS_MAX];
    const char *port;
    int on = 1;
    struct addrinfo *found = NULL;
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (!split(listen_at, host, &port) || getaddrinfo(host, port, &wanted, &found) != 0) {
        say_problem("--listen: \"%s\" is not an address and port such as 127.0.0.1:8403", listen_at);
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        say_problem("cannot listen on %s: %s", listen_at, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void say_address(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[ADDRESS_MAX];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    bool v6 = address.ss_family == AF_INET6;
    say_line("listening on http://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *body)
{
    char *text = (char *)(uintptr_t)body; /* the API lacks a const; persistent: not written */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    bool found = status == MHD_HTTP_OK;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, found ? MEDIA_TYPE : "text/plain");
    if (found)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, CACHE);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* lint: parameters, libmicrohttpd decides them */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    static char seen;
    (void)version, (void)upload;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0; /* no request here needs a body */
        return MHD_YES;
    }
    if (strcmp(url, AGENT_WELL_KNOWN) != 0)
        return reply(connection, MHD_HTTP_NOT_FOUND, "The key directory is at " AGENT_WELL_KNOWN "\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    return reply(connection, MHD_HTTP_OK, context);
}

/* Until a signal comes. */
static int serve(int fd, char *directory)
{
    sigset_t signals;
    int signal = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, directory,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!daemon) {
        say_problem("libmicrohttpd did not start");
        close(fd);
        return COMMANDS_FAILED;
    }
    say_address(fd);
    sigwait(&signals, &signal);
    MHD_stop_daemon(daemon);
    return COMMANDS_OK;
}

int serve_main(int argc, char **argv)
{
    struct arguments arguments = {.listen = "127.0.0.1:8403"};
    struct key key;
    int status = parse(argc, argv, &arguments);
    if (status >= 0)
        return status;
    if (!key_load(arguments.key, &key))
        return COMMANDS_FAILED;
    key_forget(&key);
    char *directory = key_directory(&key);
    int fd = directory ? open_socket(arguments.listen) : -1;
    status = fd >= 0 ? serve(fd, directory) : COMMANDS_FAILED;
    free(directory);
    return status;
}
