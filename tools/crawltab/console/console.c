/* The operator's console as a process of its own, until it is told to stop. */
#include "tools/crawltab/frame/command.h"

#include "ledger/base/clock.h"
#include "ledger/base/places.h"
#include "server/console/console.h"
#include "server/http/http.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM     4096
#define THREADS_LEAST 4 /* a request waits for PostgreSQL on its thread */

/* Waits for one of the signals that end it, which every thread has blocked. */
static void wait_for_end(const sigset_t *signals)
{
    int signal = 0;
    while (sigwait(signals, &signal) != 0)
        continue;
    LOG(INFO, "stopping", {"signal", strsignal(signal)});
}

static struct http *listen_on(const struct config *config, const char *listen,
                              const struct exchange_handler *handler)
{
    size_t threads = config_threads(config);
    const struct http_options options = {
        .listen = listen,
        .threads = threads < THREADS_LEAST ? THREADS_LEAST : threads,
        .header_seconds = config->http_header_seconds,
        .idle_seconds = config->http_idle_seconds,
        .send_seconds = config->http_send_seconds,
        .send_bytes_per_second = config->http_send_bytes_per_second,
        .drain_seconds = config->http_drain_seconds,
        .client_connections = 0,
        .trusted_proxies = &config->trusted_proxies,
    };
    return http_start(&options, handler);
}

static enum exit_status serve(const struct console_parts *parts, const char *listen)
{
    enum exit_status status = EXIT_FAILED;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread is made, which has the mask from us */
    signal(SIGPIPE, SIG_IGN);
    struct console *console = console_new(parts);
    struct exchange_handler handler = console ? console_handler(console) : (struct exchange_handler){0};
    struct http *http = console ? listen_on(parts->config, listen, &handler) : NULL;
    if (http) {
        LOG(INFO, "the console listens", {"address", http_address(http)},
            {"hint", "crawltab token add NAME --role owner makes a key to log in with"});
        wait_for_end(&signals);
        status = EXIT_DONE;
    }
    if (console)
        console_stopping(console);
    http_stop(http);
    http_free(http);
    console_free(console);
    return status;
}

/* The program that runs, and the folder of style and script, which a checkout has beside it. */
static bool find_places(char program[PATH_ROOM], char assets[PATH_ROOM])
{
    ssize_t len = readlink("/proc/self/exe", program, PATH_ROOM - 1);
    if (len <= 0)
        return false;
    program[len] = '\0';
    const char *slash = strrchr(program, '/');
    int folder = places_console[0] == '/' || !slash ? 0 : (int)(slash - program) + 1;
    return snprintf(assets, PATH_ROOM, "%.*s%s", folder, program, places_console) < PATH_ROOM;
}

static enum exit_status run_console(const char *config_path, int argc, char **argv)
{
    const char *listen = NULL;
    char program[PATH_ROOM], assets[PATH_ROOM], offset[32];
    const struct command_option options[] = {{"--listen", &listen, NULL}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("this is not expected", words.items[0], "see crawltab console --help");
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab console") : NULL;
    enum exit_status status = EXIT_FAILED;
    if (pg && find_places(program, assets)) {
        snprintf(offset, sizeof(offset), "%lld", (long long)(clock_offset_ms() / 1000));
        const struct console_parts parts = {
            .config = config,
            .program = {program, config_path, clock_offset_ms() ? offset : NULL},
            .assets = assets,
            .open = command_open,
        };
        pg_close(pg); /* it was to say at once what is wrong with the ledger */
        pg = NULL;
        status = serve(&parts, listen ? listen : config->console_listen);
    }
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command console_command = {
    "console", "the ledger as pages for people and an API for programs",
    "usage: crawltab console [--listen ADDRESS:PORT | --listen unix:PATH]\n"
    "\n"
    "Serves what the other commands tell and do, until it is stopped: today's\n"
    "numbers, crawlers, prices, invoices, disputes, look-ups, the ledger's own\n"
    "records. Every page is JSON and CSV too, at the same address with .json or .csv\n"
    "behind it; the API is below /api/v1, and /api/v1/openapi.json describes it.\n"
    "\n"
    "Whoever comes in has a key of crawltab token, in one of four roles:\n"
    "\n"
    "  owner    everything\n"
    "  finance  invoices, payments, credits and disputes; no agreements and no keys\n"
    "  auditor  sees everything, the records too, and changes nothing\n"
    "  reader   sees traffic and prices\n"
    "\n"
    "It is for loopback or a unix socket. A proxy of yours in front brings TLS; name\n"
    "it in trusted_proxies, so that wrong keys are counted for each client.\n"
    "\n"
    "options:\n"
    "  --listen ADDRESS  where (default: console.listen of the configuration)\n"
    "  --config FILE     the configuration (default: config.yaml)\n",
    "  crawltab console\n"
    "  crawltab console --listen unix:/run/crawltab/console.sock\n",
    run_console};
