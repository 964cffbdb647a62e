/* crawltabd: ties the rooms together, from the ledger up to HTTP, and takes them down in the other direction.
 */
#include "ledger/base/clock.h"
#include "ledger/base/config.h"
#include "ledger/base/log.h"
#include "ledger/writer.h"
#include "server/agent/directory.h"
#include "server/gate/gate.h"
#include "server/http/http.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define VERSION  "0.1.0"
#define EX_USAGE 64

static const char help[] = "Usage: crawltabd [--config FILE] [OPTION]\n"
                           "The gate: offers pages to AI crawlers at a price, checks their signed\n"
                           "commitments and writes them to the ledger before it gives the page away.\n"
                           "\n"
                           "  -c, --config FILE        configuration (default: config.yaml)\n"
                           "      --check-config       check the configuration and exit: 0 if it is good\n"
                           "      --print-config-example\n"
                           "                           print a configuration with every key and exit\n"
                           "      --clock-offset SECS  run with the clock moved, for demonstrations;\n"
                           "                           only when listening on loopback\n"
                           "  -h, --help               show this and exit\n"
                           "  -V, --version            show the version and exit\n"
                           "\n"
                           "SIGTERM and SIGINT finish the requests under way and stop.\n";

struct options {
    const char *config;
    bool check;
    long long clock_offset;
};

static bool parse_offset(const char *text, long long *seconds)
{
    char *end;
    errno = 0;
    *seconds = strtoll(text, &end, 10);
    return *text && !*end && errno == 0 && llabs(*seconds) <= 10LL * 366 * 86400;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
    enum { CHECK = 256, EXAMPLE, OFFSET };
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, CHECK},
        {"print-config-example", no_argument, NULL, EXAMPLE},
        {"clock-offset", required_argument, NULL, OFFSET},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1;) {
        switch (c) {
        case 'c':
            options->config = optarg;
            break;
        case CHECK:
            options->check = true;
            break;
        case EXAMPLE:
            config_write_example(stdout);
            return fflush(stdout) == 0 ? 0 : 1;
        case OFFSET:
            if (parse_offset(optarg, &options->clock_offset))
                break;
            fprintf(stderr, "crawltabd: --clock-offset: \"%s\" is not a number of seconds\n", optarg);
            return EX_USAGE;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'V':
            puts("crawltabd " VERSION);
            return 0;
        default:
            fputs("Try 'crawltabd --help'.\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "crawltabd: \"%s\" is not expected; try 'crawltabd --help'\n", argv[optind]);
        return EX_USAGE;
    }
    return -1;
}

static bool on_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0 ||
           strncmp(listen, "localhost:", 10) == 0;
}

static void set_log_level(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            log_set_level((enum log_level)i);
}

/* Everything that runs. Started in this order, stopped in the other. */
struct daemon {
    struct writer *writer;
    struct fetch *fetch;
    struct directory *directory;
    struct gate *gate;
    struct exchange_handler handler;
    struct http *http;
};

static void stop(struct daemon *daemon)
{
    http_stop(daemon->http);
    writer_stop(daemon->writer);
    fetch_stop(daemon->fetch);
    directory_stop(daemon->directory);
    gate_free(daemon->gate);
}

static bool start(struct daemon *daemon, const struct config *config)
{
    daemon->writer = writer_start(config);
    daemon->fetch = fetch_start(config);
    daemon->directory = daemon->fetch ? directory_start(config, daemon->fetch) : NULL;
    if (!daemon->writer || !daemon->directory) {
        LOG(ERROR, "start_failed", {"detail", "no memory or no threads"});
        return false;
    }
    struct gate_parts parts = {config, daemon->directory, daemon->writer};
    daemon->gate = gate_new(&parts);
    if (!daemon->gate)
        return false;
    daemon->handler = gate_handler(daemon->gate);
    daemon->http = http_start(config->listen, (int)config->threads, &daemon->handler);
    return daemon->http != NULL;
}

static int run(const struct config *config)
{
    struct daemon daemon = {.writer = NULL};
    sigset_t signals;
    int signal = 0;
    int status = 1;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    if (start(&daemon, config)) {
        LOG(INFO, "listening", {"address", http_address(daemon.http)}, {"version", VERSION});
        sigwait(&signals, &signal);
        LOG(INFO, "stopping", {"signal", strsignal(signal)});
        status = 0;
    }
    stop(&daemon);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "config.yaml"};
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    struct config *config = config_load(options.config, stderr, stderr);
    if (!config)
        return 1;
    if (options.check) {
        printf("%s: good, %zu site%s\n", options.config, config->site_count,
               config->site_count == 1 ? "" : "s");
        config_free(config);
        return 0;
    }
    if (options.clock_offset != 0 && !on_loopback(config->listen)) {
        fprintf(stderr, "crawltabd: --clock-offset is for demonstrations on loopback; `listen` is %s\n",
                config->listen);
        config_free(config);
        return EX_USAGE;
    }
    clock_set_offset_ms(options.clock_offset * 1000);
    set_log_level(config->log_level);
    status = run(config);
    config_free(config);
    return status;
}
