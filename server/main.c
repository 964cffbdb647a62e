/* crawltabd: options and signals. generation.c ties the rooms behind HTTP together, reload.c replaces them.
 */
#include "ledger/base/clock.h"
#include "ledger/base/config/config.h"
#include "ledger/base/log.h"
#include "ledger/base/log_queue.h"
#include "ledger/base/places.h"
#include "ledger/base/version.h"
#include "server/monitor/monitor.h"
#include "server/rules/rules.h"
#include "server/origin/origin.h"
#include "server/run/schedule.h"
#include "server/run/reload.h"
#include "server/run/service.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EX_USAGE 64

/* The end of a generation sends no signal: while one is awaited it is looked for. */
#define RETIRING_POLL_MS 50

/* How often a gate that starts looks whether it can take payments. */
#define START_POLL_MS 10

static const char help[] = "Usage: crawltabd [--config FILE] [OPTION]\n"
                           "The gate: offers pages to AI crawlers at a price, checks their signed\n"
                           "commitments and writes them to the ledger before it gives the page away.\n"
                           "\n"
                           "  -c, --config FILE        configuration (default: %s)\n"
                           "      --check-config       check the configuration and exit: 0 if it is good\n"
                           "      --print-config-example\n"
                           "                           print a configuration with every key and exit\n"
                           "      --clock-offset SECS  run with the clock moved, for demonstrations;\n"
                           "                           only when listening on loopback\n"
                           "  -h, --help               show this and exit\n"
                           "  -V, --version            show the version and exit\n"
                           "\n"
                           "SIGTERM and SIGINT finish the requests under way and stop; a second one stops\n"
                           "at once. SIGHUP reads the configuration and the key files again.\n";

struct options {
    const char *config;
    bool check;
    int64_t clock_offset_ms;
};

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
            if (clock_read_offset(optarg, &options->clock_offset_ms))
                break;
            fprintf(stderr, "crawltabd: --clock-offset: \"%s\" is not a number of seconds\n", optarg);
            return EX_USAGE;
        case 'h':
            printf(help, places_config);
            return 0;
        case 'V':
            puts("crawltabd " CRAWLTAB_VERSION);
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

static sigset_t signals_that_matter(bool reload_too)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (reload_too)
        sigaddset(&signals, SIGHUP);
    return signals;
}

/* Reloads as often as told, until told to stop. One that comes while requests of the generation before are
 * under way waits until they are answered: there are never more than two generations. */
static int serve(struct served *served, struct service *service)
{
    assert(served->http && served->generation);
    for (;;) {
        /* Anew in each round: a reload has put another one in its place. */
        const struct generation *generation = served->generation;
        int64_t wait_ms = service_tell(service, generation_ready(generation), generation_turned(generation));
        bool retiring = reload_retiring(served);
        sigset_t signals = signals_that_matter(!retiring);
        if (retiring && (wait_ms < 0 || wait_ms > RETIRING_POLL_MS))
            wait_ms = RETIRING_POLL_MS;
        struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000};
        int signal = wait_ms < 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &wait);
        if (signal == SIGHUP) {
            service_reloading(service);
            signal = reload(served);
            service_reloaded(service);
            assert(served->generation && served->http); /* whatever came of it, something serves */
        }
        if (signal > 0)
            return signal;
    }
}

/* From now on a signal ends the process at once: whoever sends a second one will not wait. */
static void stop(struct served *served, int signal)
{
    sigset_t signals = signals_that_matter(false);
    assert(served->http && served->generation);
    LOG(INFO, "stopping", {"signal", strsignal(signal)});
    int failed = pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    assert(!failed);
    /* HTTP first: requests under way need their generation, and the former one's last have to leave it. */
    monitor_stopping(); /* it answers until the last request has its reply */
    http_stop(served->http);
    http_stop(served->decisions);
    http_stop(served->facilitator);
    http_stop(served->monitor);
    reload_finish(served);
}

static struct http_options http_options(const struct config *config)
{
    return (struct http_options){
        .listen = config->listen,
        .threads = config_threads(config),
        .header_seconds = config->http_header_seconds,
        .idle_seconds = config->http_idle_seconds,
        .send_seconds = config->http_send_seconds,
        .send_bytes_per_second = config->http_send_bytes_per_second,
        .drain_seconds = config->http_drain_seconds,
        .connections = config->http_connections,
        .client_connections = config->http_client_connections,
        .trusted_proxies = &config->trusted_proxies,
        .upstream = origin_upstream(),
    };
}

/* Only fronts reach it, and each says for whom it asks. */
static struct http *start_decisions(const struct config *config, const struct service_sockets *given,
                                    const struct exchange_handler *handler)
{
    struct http_options options = http_options(config);
    struct config_list fronts;
    if (!reload_fronts(config, &fronts))
        return NULL;
    options.listen = config->decisions_listen;
    options.sockets = given->decisions.sockets;
    options.socket_count = given->decisions.count;
    options.trusted_proxies = &fronts;
    options.upstream = (struct exchange_upstream){.start = NULL};
    struct http *http = http_start(&options, handler);
    if (http)
        LOG(INFO, "deciding", {"address", http_address(http)});
    free(fronts.items);
    return http;
}

/* Only resource servers reach it, each with many payments of others: no limit is each client's own. */
static struct http *start_facilitator(const struct config *config, const struct service_sockets *given,
                                      const struct exchange_handler *handler)
{
    struct http_options options = http_options(config);
    options.listen = config->facilitator_listen;
    options.sockets = given->facilitator.sockets;
    options.socket_count = given->facilitator.count;
    options.client_connections = 0;
    options.trusted_proxies = &reload_nobody;
    options.upstream = (struct exchange_upstream){.start = NULL};
    struct http *http = http_start(&options, handler);
    if (http)
        LOG(INFO, "facilitating", {"address", http_address(http)});
    return http;
}

/* One thread: it is asked a few times a minute. */
static struct http *start_monitor(const struct config *config, const struct exchange_handler *handler)
{
    struct http_options options = http_options(config);
    assert(*config->monitor_listen && handler->context);
    options.listen = config->monitor_listen;
    options.threads = 1;
    options.trusted_proxies = &reload_nobody;
    options.upstream = (struct exchange_upstream){.start = NULL};
    struct http *http = http_start(&options, handler);
    if (http)
        LOG(INFO, "monitored", {"address", http_address(http)});
    return http;
}

static bool start_gate(struct served *served, const struct config *config,
                       const struct service_sockets *given)
{
    assert(!served->http && !served->decisions);
    if (*config->decisions_listen || given->decisions.count > 0) {
        served->decisions = start_decisions(config, given, generation_decisions(served->generation));
        if (!served->decisions)
            return false;
    }
    if (*config->facilitator_listen || given->facilitator.count > 0) {
        served->facilitator = start_facilitator(config, given, generation_facilitator(served->generation));
        if (!served->facilitator)
            return false;
    }
    struct http_options options = http_options(config);
    options.sockets = given->gate.sockets;
    options.socket_count = given->gate.count;
    assert(options.threads > 0);
    served->http = http_start(&options, generation_handler(served->generation));
    if (served->http)
        LOG(INFO, "listening", {"address", http_address(served->http)}, {"version", CRAWLTAB_VERSION});
    return served->http != NULL;
}

static bool start_listening(struct served *served, const struct config *config,
                            const struct service_sockets *given)
{
    if (!start_gate(served, config, given))
        return false;
    if (!*config->monitor_listen)
        return true;
    served->monitor = start_monitor(config, generation_monitor(served->generation, served->http));
    return served->monitor != NULL;
}

/* The door is opened when payments can be taken: until then those who ask are served by another gate at the
 * same address, or wait in the socket that a service manager holds. Without a ledger, and after as long as a
 * payment waits for it, it is opened all the same: offers and free pages need none. */
static void wait_for_ledger(const struct generation *generation, int64_t ledger_ms)
{
    int64_t until_ms = clock_monotonic_ms() + ledger_ms;
    while (!generation_ready(generation) && !generation_refused(generation) &&
           clock_monotonic_ms() < until_ms)
        poll(NULL, 0, START_POLL_MS);
}

static int start_and_serve(const char *file, struct config *config, const struct service_sockets *given)
{
    struct service service;
    sigset_t signals = signals_that_matter(true);
    int status = 1;
    /* Before any thread is made, which has the mask from whoever makes it: else a signal might end the
     * process on a thread that does not wait for it. A full disk, or a peer that has gone, is an error of the
     * call. */
    int failed = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    assert(!failed);
    log_queue_start();
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    service_start(&service, config->ledger_timeout_seconds * 1000);
    struct served served = {.file = file, .generation = generation_start(config, NULL)};
    if (served.generation)
        generation_take_over(served.generation);
    if (served.generation)
        wait_for_ledger(served.generation, config->ledger_timeout_seconds * 1000);
    if (served.generation && start_listening(&served, config, given)) {
        struct schedule *schedule =
            schedule_start(file, &config->nightly_at, config->seal_interim_minutes * 60000);
        int signal = serve(&served, &service);
        const struct config *last = generation_config(served.generation);
        assert(signal > 0);
        service_stopping(&service, (last->http_drain_seconds + last->ledger_timeout_seconds) * 1000);
        stop(&served, signal);
        schedule_stop(schedule);
        status = 0;
    } else {
        http_stop(served.http);
        http_stop(served.decisions);
        http_stop(served.facilitator);
    }
    assert(!served.retirement);
    /* What requests are parked with resumes them until it is stopped, so that what they came in by goes last.
     */
    generation_stop(served.generation);
    http_free(served.http);
    http_free(served.decisions);
    http_free(served.facilitator);
    http_free(served.monitor);
    log_queue_stop();
    return status;
}

/* What the configuration's reader cannot know is whether the rules make sense to the gate. */
static int check(const char *file, const struct config *config)
{
    struct rules *rules = rules_new(config);
    if (rules)
        printf("%s: good, %zu site%s\n", file, config->site_count, config->site_count == 1 ? "" : "s");
    rules_free(rules);
    return rules ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = {.config = places_config};
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    struct config *config = (options.check ? config_examine : config_load)(options.config, stderr, stderr);
    if (!config)
        return 1;
    if (options.check) {
        status = check(options.config, config);
        config_free(config);
        return status;
    }
    struct service_sockets given;
    status = service_sockets(&given) ? 0 : 1;
    bool loopback = config_on_loopback(config) && given.gate.count == 0;
    if (options.clock_offset_ms != 0 && !loopback) {
        fprintf(stderr, "crawltabd: --clock-offset is for demonstrations on loopback; `listen` is %s\n",
                given.gate.count == 0 ? config->listen : "systemd's");
        status = EX_USAGE;
    }
    if (status > 0) {
        config_free(config);
        return status;
    }
    clock_set_offset_ms(options.clock_offset_ms);
    reload_log(config);
    return start_and_serve(options.config, config, &given);
}
