#include "tools/crawltab/front/front.h"

#include "ledger/base/config/ai_crawlers.h"
#include "ledger/base/err.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/front/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATTERN_LINE 84
#define HEAD_EXTRA   15 /* seconds for all but the site's own answer */

const char *const front_secret_fields[] = {"Payment",           "PAYMENT-SIGNATURE",   "X-PAYMENT",
                                           "Signature",         "Signature-Input",     "Signature-Agent",
                                           "crawler-max-price", "crawler-exact-price", NULL};

/* CGI and its heirs make one name of all these. */
#define SPELLINGS(name) "X-Crawltab-" name, "X_Crawltab_" name, "X-Crawltab_" name, "X_Crawltab-" name

const char *const front_own_fields[] = {SPELLINGS("Agent"), SPELLINGS("Payment"), SPELLINGS("Amount"), NULL};

const char *const front_question_fields[] = {"X-Original-URL", "X-Original-URI", "X-Original-Method",
                                             "X-Original-Host", NULL};

/* A quote and a brace behind each other would end the text in VCL. */
void front_closed_body(FILE *out)
{
    fprintf(out,
            "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\",\"detail\":\"%s\" }",
            err_phrase(ERR_GATE_UNAVAILABLE), err_status(ERR_GATE_UNAVAILABLE),
            err_code(ERR_GATE_UNAVAILABLE), err_sentence(ERR_GATE_UNAVAILABLE));
}

struct slice front_host(const char *host)
{
    const char *colon = strrchr(host, ':');
    bool port = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    return slice_bytes(host, port ? (size_t)(colon - host) : strlen(host));
}

/* "host:port", "host", "[::1]:port" */
static void take_host(struct front_place *place, const char *text, const char *default_port)
{
    struct slice host = front_host(text);
    const char *port = text[host.len] ? text + host.len + 1 : default_port;
    snprintf(place->host, sizeof(place->host), "%.*s", (int)host.len, host.data);
    snprintf(place->port, sizeof(place->port), "%s", port);
    place->host[strcspn(place->host, "/")] = '\0';
    place->port[strcspn(place->port, "/")] = '\0';
}

struct front_place front_site(const struct front *front, const struct config_site *site)
{
    struct front_place place = {.tls = strncmp(site->origin, "https://", 8) == 0};
    if (!*site->origin)
        return front->gate;
    if (strncmp(site->origin, "unix:", 5) == 0)
        place.path = site->origin + 5;
    else
        take_host(&place, strstr(site->origin, "://") + 3, place.tls ? "443" : "80");
    return place;
}

/* Where what listens there is reached from this machine. */
static struct front_place local_place(const char *listen)
{
    struct front_place place = {.path = NULL};
    if (strncmp(listen, "unix:", 5) == 0) {
        place.path = listen + 5;
        return place;
    }
    take_host(&place, listen, "");
    if (!*place.host || strcmp(place.host, "0.0.0.0") == 0 || strcmp(place.host, "localhost") == 0)
        snprintf(place.host, sizeof(place.host), "127.0.0.1");
    if (strcmp(place.host, "[::]") == 0)
        snprintf(place.host, sizeof(place.host), "[::1]");
    return place;
}

static bool has_name(const struct front *front, const char *name)
{
    for (size_t i = 0; i < front->name_count; i++)
        if (strcasecmp(front->names[i], name) == 0)
            return true;
    return false;
}

static void add_name(struct front *front, const char *name)
{
    if (!has_name(front, name))
        front->names[front->name_count++] = name;
}

/* A rule may name what the list does not: its crawlers must get to the gate as well. */
static bool collect_names(struct front *front)
{
    const struct config *config = front->config;
    struct slice name;
    size_t most = 0;
    for (size_t at = 0; ai_crawlers_next(config, &at, &name);)
        most++;
    for (size_t i = 0; i < config->site_count; i++)
        for (size_t k = 0; k < config->sites[i].rule_count; k++)
            most += config->sites[i].rules[k].user_agents.count;
    front->names = calloc(most + 1, sizeof(*front->names));
    if (!front->names)
        return false;
    for (size_t at = 0; ai_crawlers_next(config, &at, &name);)
        add_name(front, name.data);
    for (size_t i = 0; i < config->site_count; i++)
        for (size_t k = 0; k < config->sites[i].rule_count; k++)
            for (size_t n = 0; n < config->sites[i].rules[k].user_agents.count; n++)
                add_name(front, config->sites[i].rules[k].user_agents.items[n]);
    return true;
}

/* So that it means itself in all five languages, inside quotes too. */
static size_t write_name(const char *name, FILE *out)
{
    size_t len = 0;
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (isalnum(c) || c == '-' || c == '_')
            len += (size_t)fprintf(out, "%c", c);
        else if (c == ' ' || c == '.' || c == '/')
            len += (size_t)fprintf(out, "[%c]", c);
        else
            len += (size_t)fprintf(out, "\\x%02x", c);
    }
    return len;
}

bool front_pattern(const struct front *front, size_t *at, bool all, FILE *out)
{
    size_t len = 0;
    if (*at >= front->name_count)
        return false;
    fputs("(^|[^A-Za-z0-9_-])(", out); /* as ai_crawlers_word takes words */
    do {
        if (len > 0)
            fputc('|', out);
        len += write_name(front->names[(*at)++], out) + 1;
    } while (*at < front->name_count && (all || len + strlen(front->names[*at]) < PATTERN_LINE));
    fputs(")($|[^A-Za-z0-9_-])", out);
    return true;
}

/* NULL: not in this way. */
struct dialect {
    const char *name;
    void (*print)(const struct front *front, FILE *out);
    const char *(*asks)(const struct front *front, FILE *out);
};

static const struct dialect dialects[] = {
    {"nginx", front_nginx, front_nginx_asks},
    {"caddy", front_caddy, front_caddy_asks},
    {"haproxy", front_haproxy, front_haproxy_asks},
    {"apache", front_apache, NULL},
    {"varnish", front_varnish, NULL},
    {"traefik", NULL, front_traefik_asks},
    {"envoy", NULL, front_envoy_asks},
};

#define DIALECT_COUNT (sizeof(dialects) / sizeof(*dialects))

/* NULL, or what stands in the way of a front that delivers by itself. */
static const char *unfit(const struct dialect *dialect, const struct config *config)
{
    if (!dialect->asks)
        return "this front cannot ask; nginx, caddy, haproxy, traefik and envoy can";
    if (!*config->decisions_listen)
        return "decisions.listen is empty, so nobody can ask; set it";
    for (size_t i = 0; i < config->site_count; i++)
        if (!*config->sites[i].origin)
            return "a site has no origin, so the front would not know whose pages to deliver";
    return NULL;
}

static const char *print_asking(const struct dialect *dialect, const struct front *front)
{
    const char *fault = unfit(dialect, front->config);
    return fault ? fault : dialect->asks(front, stdout);
}

static enum exit_status print(const struct dialect *dialect, const struct config *config, const char *listen,
                              bool asks)
{
    const char *fault = NULL;
    struct front front = {.config = config,
                          .listen = listen,
                          .gate = local_place(config->listen),
                          .decisions = local_place(config->decisions_listen),
                          .answer_seconds = config->origin_connect_seconds + config->origin_head_seconds +
                                            config->directory_timeout_seconds + HEAD_EXTRA};
    if (strcmp(asks ? front.decisions.port : front.gate.port, "0") == 0) {
        fputs("crawltab: the gate listens on any free port, so nobody can be sent there; set one\n", stderr);
        return EXIT_FAILED;
    }
    if (!collect_names(&front))
        return EXIT_FAILED;
    if (!asks && config->trusted_proxies.count == 0)
        fprintf(
            stderr,
            "crawltab: trusted_proxies is empty, so all crawlers will be one client to the gate; set it to "
            "[%s]\n",
            front.gate.path ? "unix" : "127.0.0.1");
    if (asks)
        fault = print_asking(dialect, &front);
    else
        dialect->print(&front, stdout);
    if (fault)
        fprintf(stderr, "crawltab: %s\n", fault);
    free(front.names);
    return fault ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status run(const char *config_path, int argc, char **argv)
{
    const char *listen = "80", *check = NULL, *at = NULL;
    bool asks = false;
    const struct command_option options[] = {{"--listen", &listen, NULL},
                                             {"--check", &check, NULL},
                                             {"--at", &at, NULL},
                                             {"--decisions", NULL, &asks},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    const struct dialect *dialect = NULL;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    for (size_t i = 0; words.count == 1 && i < DIALECT_COUNT; i++)
        if (strcmp(words.items[0], dialects[i].name) == 0)
            dialect = &dialects[i];
    if (!dialect && (words.count > 0 || !check)) {
        const char *names[DIALECT_COUNT + 1] = {NULL};
        for (size_t i = 0; i < DIALECT_COUNT; i++)
            names[i] = dialects[i].name;
        return words.count == 1
                   ? command_unknown("unknown front", words.items[0], names, "see crawltab front --help")
                   : command_misused("name one front", NULL,
                                     "nginx, caddy, haproxy, apache, varnish, traefik or envoy");
    }
    struct config *config = command_config(config_path);
    enum exit_status status = EXIT_FAILED;
    if (config)
        status = check ? check_front(config, check, at, asks)
                       : print(dialect, config, listen, asks || !dialect->print);
    config_free(config);
    return status;
}

const struct command front_command = {
    "front", "print what sends crawlers to the gate, for a web server",
    "usage: crawltab front nginx|caddy|haproxy|apache|varnish [--listen ADDRESS:PORT]\n"
    "       crawltab front nginx|caddy|haproxy|traefik|envoy --decisions [--listen …]\n"
    "       crawltab front --check URL [--at ADDRESS:PORT] [--decisions]\n"
    "\n"
    "Prints the configuration of a web server in front of the gate: AI crawlers, and\n"
    "whoever signs or pays, go to the gate, everybody else goes straight to the site.\n"
    "Made from the gate's own list of crawlers: make it anew after an update of\n"
    "crawltab and a change of crawlers, rules or sites in the configuration.\n"
    "\n"
    "While the gate is down crawlers get 503 and Retry-After; one line, which is\n"
    "marked, lets them read free instead.\n"
    "\n"
    "With --decisions the front asks the gate first, at decisions.listen, and\n"
    "delivers by itself. The page is charged by the yes: what then did not arrive,\n"
    "somebody has to tell (see crawltab undelivered). nginx needs\n"
    "decisions.accel_redirect, Envoy decisions.path_prefix; HAProxy a script, which\n"
    "its configuration names. Traefik and Envoy get what goes into theirs, and listen\n"
    "where it says.\n"
    "\n"
    "--check asks a running front for a page that crawlers pay for, as a person and\n"
    "as each crawler, and says what is not as it should be. It pays nothing.\n"
    "\n"
    "options:\n"
    "  --listen ADDRESS:PORT  where the front listens (default: 80)\n"
    "  --decisions            ask the gate, and deliver by itself\n"
    "  --check URL            a page of a site, at a price, as crawlers know it\n"
    "  --at ADDRESS:PORT      the front is there, whatever the URL's host says\n"
    "  --config FILE          the configuration (default: config.yaml)\n",
    "  crawltab front nginx >crawltab.conf\n"
    "  crawltab front --check https://gazette.example/articles/one.html\n",
    run};
