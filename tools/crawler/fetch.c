/* crawler fetch: its command line, what all fetches share, and the summary. */
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"
#include "tools/crawler/visit.h"

#include "ledger/base/clock.h"
#include "ledger/base/version.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "Usage: crawler fetch --key FILE --agent URL [OPTION]... URL...\n"
    "Fetches pages and pays for them where the price allows. Pages go below the\n"
    "folder of --out as HOST/PATH, receipts to receipts.jsonl in it, one a line.\n"
    "\n"
    "  -k, --key FILE           the key that `crawler keygen` made\n"
    "  -a, --agent URL          under which name sites find the key directory,\n"
    "                           e.g. https://my.crawler.example\n"
    "  -p, --max-price PRICE    the most for one page, e.g. 'USD 0.05'; without it\n"
    "                           nothing is paid and prices are reported\n"
    "  -b, --budget PRICE       the most for all pages together (default: no limit)\n"
    "  -o, --out DIR            folder for pages and receipts (default: out)\n"
    "      --ca FILE            certificates to trust, PEM (default: the system's)\n"
    "      --user-agent TEXT    User-Agent (default: crawltab-crawler/" CRAWLTAB_VERSION ")\n"
    "      --timeout SECONDS    the longest one request may take (default: 60)\n"
    "      --max-bytes N        the largest page that is taken (default: 67108864)\n"
    "      --clock-offset SECS  sign with the clock moved, for demonstrations\n"
    "  -v, --verbose            show request and answer heads on standard error\n"
    "  -h, --help               show this\n"
    "\n"
    "A commitment without an answer counts against the budget: it may have been\n"
    "charged. Redirects are not followed, for signature and price are for the URL\n"
    "that was named. Exit status: 0 all fetched, 1 some not or a receipt is not\n"
    "right, 64 the command line is wrong.\n";

struct options {
    const char *key;
    const char *agent;
    const char *out;
    const char *max_price;
    const char *budget;
    int64_t clock_offset;
    int64_t timeout;
    int64_t max_bytes;
    struct client_options client;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static bool number_of(const char *option, const char *text, int64_t min, int64_t max, int64_t *number)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text && !*end && errno == 0 && value >= min && value <= max) {
        *number = value;
        return true;
    }
    say_problem("--%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64, option, text, min, max);
    return false;
}

enum { CA = 256, USER_AGENT, TIMEOUT, MAX_BYTES, CLOCK_OFFSET };

/* False after saying why the value does not do. */
static bool take_option(int c, struct options *options)
{
    const int64_t decade = INT64_C(10) * 366 * 86400;
    switch (c) {
    case 'k':
        options->key = optarg;
        return true;
    case 'a':
        options->agent = optarg;
        return true;
    case 'p':
        options->max_price = optarg;
        return true;
    case 'b':
        options->budget = optarg;
        return true;
    case 'o':
        options->out = optarg;
        return true;
    case 'v':
        options->client.verbose = true;
        return true;
    case CA:
        options->client.ca_file = optarg;
        return true;
    case USER_AGENT:
        options->client.user_agent = optarg;
        return true;
    case TIMEOUT:
        return number_of("timeout", optarg, 1, 86400, &options->timeout);
    case MAX_BYTES:
        return number_of("max-bytes", optarg, 1, INT64_C(1) << 40, &options->max_bytes);
    case CLOCK_OFFSET:
        return number_of("clock-offset", optarg, -decade, decade, &options->clock_offset);
    default:
        say_problem("try 'crawler fetch --help'");
        return false;
    }
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"key", required_argument, NULL, 'k'},
        {"agent", required_argument, NULL, 'a'},
        {"max-price", required_argument, NULL, 'p'},
        {"budget", required_argument, NULL, 'b'},
        {"out", required_argument, NULL, 'o'},
        {"output", required_argument, NULL, 'o'},
        {"ca", required_argument, NULL, CA},
        {"user-agent", required_argument, NULL, USER_AGENT},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"max-bytes", required_argument, NULL, MAX_BYTES},
        {"clock-offset", required_argument, NULL, CLOCK_OFFSET},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "k:a:p:b:o:vh", longs, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return COMMANDS_OK;
        }
        if (!take_option(c, options))
            return COMMANDS_USAGE;
    }
    const char *missing = !options->key     ? "--key FILE"
                          : !options->agent ? "--agent URL"
                          : optind == argc  ? "a URL to fetch"
                                            : NULL;
    if (!missing)
        return -1;
    say_problem("%s is missing; try 'crawler fetch --help'", missing);
    return COMMANDS_USAGE;
}

static bool set_purse(const struct options *options, struct purse *purse)
{
    char currency[PURSE_CURRENCY_MAX];
    purse->budget_micros = INT64_MAX;
    if (options->max_price &&
        !purse_parse(slice_of(options->max_price), purse->currency, &purse->price_micros)) {
        say_problem("--max-price: \"%s\" is not a price such as 'USD 0.05'", options->max_price);
        return false;
    }
    if (!options->budget)
        return true;
    if (!purse_parse(slice_of(options->budget), currency, &purse->budget_micros)) {
        say_problem("--budget: \"%s\" is not a sum such as 'USD 1.00'", options->budget);
        return false;
    }
    if (strcmp(currency, purse->currency) != 0) {
        say_problem("--budget is in %s; %s", currency,
                    *purse->currency ? "--max-price is not" : "it needs a --max-price in the same currency");
        return false;
    }
    return true;
}

/* What is sent as Signature-Agent and User-Agent must be able to stand in a field. */
static bool check_fields(const struct options *options)
{
    char memory[8192];
    struct arena arena;
    struct url url;
    arena_init(&arena, memory, sizeof(memory));
    if (!url_parse(&arena, slice_of(options->agent), &url)) {
        say_problem("--agent: \"%s\" is not a URL such as https://my.crawler.example", options->agent);
        return false;
    }
    for (const char *c = options->client.user_agent; *c; c++)
        if (*c < 0x20 || *c > 0x7e) {
            say_problem("--user-agent: only printable ASCII can be sent");
            return false;
        }
    if (options->client.ca_file && access(options->client.ca_file, R_OK) != 0) {
        say_problem("--ca: cannot read \"%s\": %s", options->client.ca_file, strerror(errno));
        return false;
    }
    return true;
}

static void summarise(const struct visit_session *session)
{
    char memory[256];
    struct arena arena;
    const struct purse *purse = &session->purse;
    arena_init(&arena, memory, sizeof(memory));
    const char *pages = session->pages == 1 ? "page" : "pages";
    if (session->paid_pages > 0)
        say_line("%" PRId64 " %s, %" PRId64 " paid, %s in all", session->pages, pages, session->paid_pages,
                 purse_text(&arena, purse->currency, purse->paid_micros));
    else
        say_line("%" PRId64 " %s, none paid", session->pages, pages);
    if (purse->doubt_micros > 0)
        say_line("in doubt: %s was committed to without a receipt",
                 purse_text(&arena, purse->currency, purse->doubt_micros));
    if (session->failed > 0)
        say_line("%" PRId64 " not fetched or not in order", session->failed);
}

static int fetch_all(const struct options *options, struct visit_session *session, char **urls)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    session->store = store_open(options->out);
    session->client = session->store ? client_new(&options->client) : NULL;
    bool ready = session->client != NULL;
    if (ready) {
        /* The first signal lets the commitment under way end with its receipt; a second one does not. */
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        for (; *urls && !stop; urls++)
            visit_url(session, *urls);
        for (; *urls; urls++)
            session->failed++;
        summarise(session);
    }
    client_free(session->client);
    store_close(session->store);
    return ready && session->failed == 0 && fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
}

int fetch_main(int argc, char **argv)
{
    struct options options = {
        .out = "out",
        .timeout = 60,
        .max_bytes = INT64_C(64) << 20,
        .client = {.user_agent = "crawltab-crawler/" CRAWLTAB_VERSION},
    };
    struct visit_session session = {.stop = &stop};
    struct key key;
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    if (!set_purse(&options, &session.purse) || !check_fields(&options))
        return COMMANDS_USAGE;
    options.client.timeout_seconds = (long)options.timeout;
    options.client.max_bytes = (size_t)options.max_bytes;
    clock_set_offset_ms(options.clock_offset * 1000);
    if (!key_load(options.key, &key))
        return COMMANDS_FAILED;
    session.key = &key;
    session.agent = options.agent;
    session.folder = options.out;
    status = fetch_all(&options, &session, argv + optind);
    key_forget(&key);
    return status;
}
