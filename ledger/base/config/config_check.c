/* What the configuration's types cannot say. What is told here stops the start: a gate that starts with a
 * price that nobody reads, or with a host that two sites claim, charges the wrong way for days before anybody
 * looks. What only looks odd is a warning. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/config/ai_crawlers.h"
#include "ledger/base/text/amount.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECRAWL_MAX_MS (INT64_C(7) * 86400000)

/* The line of a setting, or another one when it is not given. A key that is in no table is a slip of ours:
 * the mistake would be told without its line. */
static size_t line_of(const struct config_table *table, const size_t *fields, size_t other, const char *key)
{
    size_t at = 0;
    assert(fields); /* what has no fields is not judged */
    while (at < table->count && strcmp(table->fields[at].key, key) != 0)
        at++;
    assert(at < table->count);
    return fields[at] > 0 ? fields[at] : other;
}

size_t config_gate_line(const struct config *config, const char *key)
{
    return line_of(&config_gate_table, config->where.fields, 0, key);
}

size_t config_site_line(const struct config_site *site, const char *key)
{
    return line_of(&config_site_table, site->where.fields, site->where.line, key);
}

static size_t rule_line(const struct config_rule *rule, const char *key)
{
    return line_of(&config_rule_table, rule->where.fields, rule->where.line, key);
}

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Letters, digits and the extra characters; not empty. */
static bool made_of(const char *text, const char *extra)
{
    /* Not isalnum, which a locale may change: what is a name here must be one on every machine. */
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (const char *c = text; *c; c++)
        if (!strchr(alnum, *c) && !strchr(extra, *c))
            return false;
    return *text != '\0';
}

bool config_zone_known(const char *zone)
{
    char path[512];
    int len = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
    /* No dots, or "../" would name any file. PostgreSQL decides what the zone means, and where no database of
     * zones is installed here, it alone is asked. */
    if (!made_of(zone, "_+-/") || zone[0] == '/' || len >= (int)sizeof(path))
        return false;
    return access("/usr/share/zoneinfo", F_OK) != 0 || access(path, F_OK) == 0;
}

static bool is_origin(const char *text)
{
    const char *host = strstr(text, "://");
    const char *rest = host ? strpbrk(host + 3, "/?#") : NULL;
    return (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) && host[3] &&
           (!rest || strcmp(rest, "/") == 0);
}

static void check_agents(const char *key, const struct config_list *agents, size_t line,
                         struct config_report *report)
{
    for (size_t i = 0; i < agents->count; i++)
        if (strncmp(agents->items[i], "https://", 8) != 0 && strncmp(agents->items[i], "http://", 7) != 0)
            config_error(report, line, "%s: \"%s\" must be a URL such as https://crawler.example", key,
                         agents->items[i]);
}

/* `empty`: it may be. */
static void check_mode(const char *mode, bool empty, size_t line, struct config_report *report)
{
    static const char *const modes[] = {"charge", "observe", NULL};
    if (!one_of(mode, modes) && !(empty && !*mode))
        config_error(report, line, "mode: \"%s\" is unknown, use charge or observe", mode);
}

/* A pattern of a query: no part of it may be without a name. */
static bool is_pattern(const char *pattern)
{
    for (const char *part = pattern;; part++) {
        if (*part == '\0' || *part == '&' || *part == '=')
            return false;
        part += strcspn(part, "&");
        if (!*part)
            return true;
    }
}

/* What a rule says of query and method. */
static void check_asked(const struct config_rule *rule, struct config_report *report)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
    for (size_t i = 0; i < rule->query.count; i++)
        if (!is_pattern(rule->query.items[i]))
            config_error(report, rule_line(rule, "query"),
                         "query: \"%s\" is no pattern, write name, name=value or a=1&b=2, without the \"?\"",
                         rule->query.items[i]);
        else if (rule->query.items[i][0] == '?')
            config_error(report, rule_line(rule, "query"), "query: \"%s\": leave out the question mark",
                         rule->query.items[i]);
    for (size_t i = 0; i < rule->methods.count; i++)
        if (!one_of(rule->methods.items[i], methods))
            config_error(report, rule_line(rule, "methods"),
                         "methods: \"%s\" is unknown, use GET, HEAD, POST, PUT, PATCH or DELETE",
                         rule->methods.items[i]);
}

int64_t config_recrawl_ms(const struct config_rule *rule)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    const char *digit = rule->free_recrawl;
    int64_t number = 0;
    if (!*digit)
        return 0;
    for (; *digit >= '0' && *digit <= '9' && number < 100000; digit++)
        number = number * 10 + (*digit - '0');
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (digit[0] == units[i].unit && digit[1] == '\0' && number > 0 &&
            number * units[i].ms <= RECRAWL_MAX_MS)
            return number * units[i].ms;
    return -1;
}

static void check_rule(const struct config_rule *rule, struct config_report *report)
{
    static const char *const actions[] = {"allow", "charge", "block", NULL};
    if (!one_of(rule->action, actions))
        config_error(report, rule_line(rule, "action"),
                     "action: \"%s\" is unknown, use allow, charge or block", rule->action);
    check_mode(rule->mode, true, rule_line(rule, "mode"), report);
    bool charge = strcmp(rule->action, "charge") == 0;
    if (charge && rule->price <= 0)
        config_error(report, rule_line(rule, "price"),
                     "price is missing: charge needs one above zero; use allow for free pages");
    if (!charge && rule->price >= 0)
        config_error(report, rule_line(rule, "price"),
                     "price: only with action charge, remove it or change the action");
    if (config_recrawl_ms(rule) < 0)
        config_error(report, rule_line(rule, "free_recrawl"),
                     "free_recrawl: \"%s\" is no time from 1m to 7d, write 24h", rule->free_recrawl);
    if (!charge && *rule->free_recrawl)
        config_error(report, rule_line(rule, "free_recrawl"),
                     "free_recrawl: only with action charge, remove it or change the action");
    if (rule->paths.count == 0)
        config_error(report, rule_line(rule, "paths"),
                     "paths: the list is empty, so the rule never applies; leave paths out for all");
    for (size_t i = 0; i < rule->paths.count; i++)
        if (rule->paths.items[i][0] != '/')
            config_error(report, rule_line(rule, "paths"), "paths: \"%s\" must start with a slash",
                         rule->paths.items[i]);
    check_asked(rule, report);
    for (size_t i = 0; i < rule->user_agents.count; i++)
        if (rule->user_agents.items[i][0] == '\0')
            config_error(report, rule_line(rule, "user_agents"),
                         "user_agents: an empty word would match every visitor, remove it");
    check_agents("agents", &rule->agents, rule_line(rule, "agents"), report);
}

static void check_network(const struct config_site *site, struct config_report *report)
{
    /* CAIP-2's form, which x402 has for networks; 64 is what a receipt has room for. */
    if (!made_of(site->network, "-_:.") || strlen(site->network) > 64)
        config_error(report, config_site_line(site, "network"),
                     "network: \"%s\" is not namespace:reference, e.g. \"example:402\"", site->network);
    else if (!strchr(site->network, ':'))
        config_warning(report, config_site_line(site, "network"),
                       "network: \"%s\" has no colon, so x402 clients cannot read the offer and "
                       "PAYMENT-REQUIRED is left out; use namespace:reference, e.g. \"%s:402\"",
                       site->network, site->network);
}

/* Text that goes into header fields and JSON as it stands. */
static void check_printable(const char *key, const char *text, size_t line, struct config_report *report)
{
    /* Quotes, backslashes and angle brackets, too: nothing is escaped where these texts are put in, and a
     * terminal or a page may show them. */
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\' || *c == '<' || *c == '>') {
            config_error(report, line, "%s: \"%s\" has a character that cannot stand in a header field", key,
                         text);
            return;
        }
}

/* Who may pay at all. */
static void check_admission(const struct config_site *site, struct config_report *report)
{
    static const char *const words[] = {"charge", "refuse", NULL};
    check_agents("agents.allow", &site->agents_allow, config_site_line(site, "agents.allow"), report);
    check_agents("agents.deny", &site->agents_deny, config_site_line(site, "agents.deny"), report);
    for (size_t i = 0; i < site->agents_shared_origins.count; i++)
        if (!is_origin(site->agents_shared_origins.items[i]))
            config_error(report, config_site_line(site, "agents.shared_origins"),
                         "agents.shared_origins: \"%s\" is no origin, write it like https://hosting.example",
                         site->agents_shared_origins.items[i]);
    if (!one_of(site->agents_unknown, words))
        config_error(report, config_site_line(site, "agents.unknown"),
                     "agents.unknown: \"%s\" is unknown, use charge or refuse", site->agents_unknown);
    else if (site->agents_allow.count > 0 && strcmp(site->agents_unknown, "charge") == 0)
        config_warning(report, config_site_line(site, "agents.allow"),
                       "agents.allow: has no effect while every other crawler may pay too; set "
                       "agents.unknown: refuse, or leave the list out");
}

static bool is_webhook(const char *url)
{
    /* Invoices would go in the clear. By the text: names are looked up only when a message is sent. */
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://127.", 11) == 0 ||
           strncmp(url, "http://localhost", 16) == 0 || strncmp(url, "http://[::1]", 12) == 0;
}

/* "http://host", "https://host", with a port or without, or "unix:/path". */
static bool is_server(const char *text)
{
    if (strncmp(text, "unix:", 5) == 0)
        return text[5] == '/';
    const char *rest = is_origin(text) ? strstr(text, "://") + 3 : NULL;
    return rest && !strpbrk(rest, "/?#@ ");
}

static void check_methods(const struct config_site *site, struct config_report *report)
{
    static const char *const known[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < site->methods.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
            is_known = is_known || strcmp(site->methods.items[i], known[k]) == 0;
        if (!is_known)
            config_error(
                report, config_site_line(site, "methods"),
                "methods: \"%s\" is none of POST, PUT, PATCH and DELETE; GET and HEAD are always taken",
                site->methods.items[i]);
    }
    if (site->methods.count > 0 && !*site->origin)
        config_error(report, config_site_line(site, "methods"),
                     "methods: only an origin takes them, and this site has none");
}

/* Where the content comes from. A site without it is for fronts that ask the decision
 * listener, and for resource servers. */
static void check_source(const struct config *config, const struct config_site *site,
                         struct config_report *report)
{
    check_methods(site, report);
    if (!*site->origin && !*site->root && !*config->decisions_listen && !*config->facilitator_listen)
        config_error(report, config_site_line(site, "origin"),
                     "origin: missing; name the site's own server, e.g. http://127.0.0.1:8080, or a folder "
                     "of files as root");
    if (*site->origin && !is_server(site->origin))
        config_error(report, config_site_line(site, "origin"),
                     "origin: \"%s\" is no server, write it like http://127.0.0.1:8080 or "
                     "unix:/run/site.sock, without a path",
                     site->origin);
    if (*site->root && access(site->root, R_OK | X_OK) != 0)
        config_error(report, config_site_line(site, "root"), "root: the folder \"%s\" cannot be read",
                     site->root);
}

static void check_site(const struct config_site *site, struct config_report *report)
{
    static const char *const schemes[] = {"https", "http", NULL};
    if (!made_of(site->name, "-_.") || strlen(site->name) > 64)
        config_error(report, config_site_line(site, "name"),
                     "name: \"%s\" may have letters, digits and - _ . only, at most 64", site->name);
    if (site->hosts.count == 0)
        config_error(report, config_site_line(site, "hosts"),
                     "hosts: the list is empty, name at least one host");
    check_mode(site->mode, false, config_site_line(site, "mode"), report);
    if (!one_of(site->scheme, schemes))
        config_error(report, config_site_line(site, "scheme"), "scheme: \"%s\" is unknown, use https or http",
                     site->scheme);
    if (amount_exponent(slice_of(site->currency)) < 0)
        config_error(report, config_site_line(site, "currency"),
                     "currency: \"%s\" is not an ISO 4217 code such as USD", site->currency);
    config_check_billing(site, report);
    if (!config_zone_known(site->time_zone))
        config_error(report, config_site_line(site, "time_zone"),
                     "time_zone: \"%s\" is not in the tz database, e.g. Europe/Paris", site->time_zone);
    if (strncmp(site->terms_url, "https://", 8) != 0 && strncmp(site->terms_url, "http://", 7) != 0)
        config_error(report, config_site_line(site, "terms_url"), "terms_url: \"%s\" is not a URL",
                     site->terms_url);
    for (size_t i = 0; i < site->hosts.count; i++) {
        check_printable("hosts", site->hosts.items[i], config_site_line(site, "hosts"), report);
        if (strpbrk(site->hosts.items[i], "/@ "))
            config_error(report, config_site_line(site, "hosts"),
                         "hosts: \"%s\" is not a host name, leave out the scheme and path",
                         site->hosts.items[i]);
    }
    check_printable("terms_url", site->terms_url, config_site_line(site, "terms_url"), report);
    check_printable("licence.content_usage", site->licence_content_usage,
                    config_site_line(site, "licence.content_usage"), report);
    if (strlen(site->licence_content_usage) > 200)
        config_error(report, config_site_line(site, "licence.content_usage"),
                     "licence.content_usage: at most 200 characters, it goes with every answer");
    check_printable("registration_url", site->registration_url, config_site_line(site, "registration_url"),
                    report);
    check_printable("pay_to", site->pay_to, config_site_line(site, "pay_to"), report);
    if (strlen(site->terms_url) > 200 || strlen(site->registration_url) > 200 || strlen(site->pay_to) > 100)
        config_error(report, config_site_line(site, "terms_url"),
                     "terms_url, registration_url: at most 200 characters, pay_to: 100, "
                     "so that an offer stays under 2 KB");
    check_network(site, report);
    check_admission(site, report);
    if (*site->webhook_url && !is_webhook(site->webhook_url))
        config_error(report, config_site_line(site, "webhook.url"),
                     "webhook.url: \"%s\" is no https URL; http is for loopback alone", site->webhook_url);
}

/* Without the port that requests leave out. */
static size_t host_length(const char *host)
{
    /* Either default port, whatever the scheme: a front may speak TLS to crawlers and HTTP to the gate. */
    size_t len = strlen(host);
    if (len > 3 && strcmp(host + len - 3, ":80") == 0)
        return len - 3;
    return len > 4 && strcmp(host + len - 4, ":443") == 0 ? len - 4 : len;
}

static bool same_host(const char *a, const char *b)
{
    return host_length(a) == host_length(b) && strncasecmp(a, b, host_length(a)) == 0;
}

static bool has_host(const struct config_site *site, size_t count, const char *host)
{
    assert(count <= site->hosts.count);
    for (size_t i = 0; i < count; i++)
        if (same_host(site->hosts.items[i], host))
            return true;
    return false;
}

/* Hosts that stand in an earlier site, or earlier in the same one. */
static void check_hosts_twice(const struct config *config, size_t index, struct config_report *report)
{
    const struct config_site *site = &config->sites[index];
    const size_t line = config_site_line(site, "hosts");
    for (size_t i = 0; i < site->hosts.count; i++) {
        const char *host = site->hosts.items[i];
        size_t other = 0;
        while (other < index && !has_host(&config->sites[other], config->sites[other].hosts.count, host))
            other++;
        if (other < index)
            config_error(report, line, "hosts: \"%s\" belongs to the site \"%s\" already", host,
                         config->sites[other].name);
        else if (has_host(site, i, host))
            config_error(report, line, "hosts: \"%s\" stands twice, remove one", host);
    }
}

static void check_twice(const struct config *config, size_t index, struct config_report *report)
{
    assert(index < config->site_count);
    const struct config_site *site = &config->sites[index];
    /* Only those before it, so that a pair is told once, at the later of the two. */
    for (size_t other = 0; other < index; other++)
        if (*site->name && strcmp(config->sites[other].name, site->name) == 0)
            config_error(report, config_site_line(site, "name"), "name: \"%s\" stands twice", site->name);
    check_hosts_twice(config, index, report);
}

static void check_times(const struct config *config, struct config_report *report)
{
    if (config->nightly_at.count > CONFIG_TIMES_MAX)
        config_error(report, config_gate_line(config, "nightly.at"),
                     "nightly.at: %zu times are too many, %d is the limit", config->nightly_at.count,
                     CONFIG_TIMES_MAX);
    /* As texts, which sort as the times do. Seconds would promise more than a timer keeps. */
    for (size_t i = 0; i < config->nightly_at.count; i++) {
        const char *at = config->nightly_at.items[i];
        bool shaped = strlen(at) == 5 && strspn(at, "0123456789:") == 5 && at[2] == ':';
        if (!shaped || strchr(at, ':') != at + 2 || strchr(at + 3, ':') || strncmp(at, "23", 2) > 0 ||
            at[3] > '5')
            config_error(report, config_gate_line(config, "nightly.at"),
                         "nightly.at: \"%s\" is no time of a day, write it as \"02:30\"", at);
    }
}

static void check_algorithms(const struct config *config, struct config_report *report)
{
    static const char *const known[] = {"ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", NULL};
    const struct config_list *algorithms = &config->signature_algorithms;
    if (algorithms->count == 0)
        config_error(report, config_gate_line(config, "signature.algorithms"),
                     "signature.algorithms: the list is empty, so nobody could pay; leave it out");
    for (size_t i = 0; i < algorithms->count; i++)
        if (!one_of(algorithms->items[i], known))
            config_error(report, config_gate_line(config, "signature.algorithms"),
                         "signature.algorithms: \"%s\" is not taken, use ed25519, ecdsa-p256-sha256 or "
                         "rsa-pss-sha512",
                         algorithms->items[i]);
}

/* What libpq 15 to 18 take, but for "user", which each program sets by itself. */
static const char *const connection_keys[] = {"host",
                                              "hostaddr",
                                              "port",
                                              "dbname",
                                              "password",
                                              "passfile",
                                              "require_auth",
                                              "channel_binding",
                                              "connect_timeout",
                                              "client_encoding",
                                              "options",
                                              "application_name",
                                              "fallback_application_name",
                                              "keepalives",
                                              "keepalives_idle",
                                              "keepalives_interval",
                                              "keepalives_count",
                                              "tcp_user_timeout",
                                              "replication",
                                              "gssencmode",
                                              "sslmode",
                                              "requiressl",
                                              "sslnegotiation",
                                              "sslcompression",
                                              "sslcert",
                                              "sslkey",
                                              "sslkeylogfile",
                                              "sslpassword",
                                              "sslcertmode",
                                              "sslrootcert",
                                              "sslcrl",
                                              "sslcrldir",
                                              "sslsni",
                                              "requirepeer",
                                              "ssl_min_protocol_version",
                                              "ssl_max_protocol_version",
                                              "min_protocol_version",
                                              "max_protocol_version",
                                              "krbsrvname",
                                              "gsslib",
                                              "gssdelegation",
                                              "scram_client_key",
                                              "scram_server_key",
                                              "oauth_issuer",
                                              "oauth_client_id",
                                              "oauth_client_secret",
                                              "oauth_scope",
                                              "service",
                                              "servicefile",
                                              "target_session_attrs",
                                              "load_balance_hosts",
                                              NULL};

static void check_connection_key(const struct config *config, struct slice key, struct config_report *report)
{
    char word[CONFIG_WORD_MAX];
    const size_t line = config_gate_line(config, "ledger.connection");
    snprintf(word, sizeof(word), "%.*s", (int)key.len, key.data);
    if (strcmp(word, "user") == 0) {
        config_error(report, line,
                     "ledger.connection: names a user, remove it: each program has a role of its own");
        return;
    }
    /* libpq would refuse it, too, but only when it connects, and without a line. */
    if (one_of(word, connection_keys))
        return;
    const char *near = config_nearest(word, connection_keys);
    if (near)
        config_error(report, line, "ledger.connection: \"%s\" is no keyword of libpq, did you mean \"%s\"?",
                     word, near);
    else
        config_error(report, line,
                     "ledger.connection: \"%s\" is no keyword of libpq, such as host and dbname", word);
}

/* Behind a value of "key=value key='a value'". */
static const char *skip_value(const char *at)
{
    /* libpq's rules: a backslash takes the next character as it is, also within quotes. */
    bool quoted = *at == '\'';
    for (at += quoted; *at && (quoted ? *at != '\'' : !strchr(" \t\n", *at)); at++)
        at += at[0] == '\\' && at[1];
    return at + (quoted && *at);
}

static void check_connection(const struct config *config, struct config_report *report)
{
    const char *at = config->ledger_connection, *blank = " \t\n";
    const bool url = strncmp(at, "postgres://", 11) == 0 || strncmp(at, "postgresql://", 13) == 0;
    /* Only the keywords are looked at: whether host and database are right is seen when it connects. */
    if (url && !(at = strchr(at, '?')))
        return;
    for (at += url; *at;) {
        at += strspn(at, url ? "&" : blank);
        struct slice key = {at, strcspn(at, url ? "=&" : "= \t\n")};
        if (key.len == 0)
            return;
        at += key.len;
        at += url ? 0 : strspn(at, blank);
        if (*at != '=') {
            config_error(report, config_gate_line(config, "ledger.connection"),
                         "ledger.connection: a value is missing after \"%.*s\", write keyword=value",
                         (int)key.len, key.data);
            return;
        }
        check_connection_key(config, key, report);
        at++;
        at = url ? at + strcspn(at, "&") : skip_value(at + strspn(at, blank));
    }
}

static void check_crawlers(const struct config *config, struct config_report *report)
{
    for (size_t i = 0; i < config->crawlers_extra.count; i++)
        if (config->crawlers_extra.items[i][0] == '\0')
            config_error(report, config_gate_line(config, "crawlers.extra"),
                         "crawlers.extra: an empty word would match every visitor, remove it");
    for (size_t i = 0; i < config->crawlers_except.count; i++)
        if (!ai_crawlers_listed(slice_of(config->crawlers_except.items[i])))
            config_warning(report, config_gate_line(config, "crawlers.except"),
                           "crawlers.except: \"%s\" is not in the list, so nothing is taken from it",
                           config->crawlers_except.items[i]);
}

void config_check(const struct config *config, struct config_report *report)
{
    assert(report->checking && config->where.fields);
    static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
    static const char *const formats[] = {"logfmt", "json", NULL};
    static const char *const poolers[] = {"none", "transaction", NULL};
    static const char *const roles[] = {"operator", "auditor", NULL};
    static const char *const verified[] = {"all", "none", NULL};
    config_check_network(config, report);
    check_crawlers(config, report);
    if (!one_of(config->log_format, formats))
        config_error(report, config_gate_line(config, "log.format"),
                     "log.format: \"%s\" is unknown, use logfmt or json", config->log_format);
    if (!one_of(config->log_level, levels))
        config_error(report, config_gate_line(config, "log_level"),
                     "log_level: \"%s\" is unknown, use debug, info, warn or error", config->log_level);
    if (!one_of(config->ledger_pooler, poolers))
        config_error(report, config_gate_line(config, "ledger.pooler"),
                     "ledger.pooler: \"%s\" is unknown, use none or transaction", config->ledger_pooler);
    if (!one_of(config->ledger_command_role, roles))
        config_error(report, config_gate_line(config, "ledger.command_role"),
                     "ledger.command_role: \"%s\" is unknown, use operator or auditor",
                     config->ledger_command_role);
    if (!one_of(config->nightly_verify, verified))
        config_error(report, config_gate_line(config, "nightly.verify"),
                     "nightly.verify: \"%s\" is unknown, use all or none", config->nightly_verify);
    if (*config->directory_ca_file && access(config->directory_ca_file, R_OK) != 0)
        config_error(report, config_gate_line(config, "directory.ca_file"),
                     "directory.ca_file: \"%s\" cannot be read", config->directory_ca_file);
    if (config->directory_cache_bytes < 4 * config->directory_max_bytes)
        config_error(report, config_gate_line(config, "directory.cache_bytes"),
                     "directory.cache_bytes: must be at least four times directory.max_bytes");
    if (config->directory_min_fresh_seconds > config->directory_max_fresh_seconds)
        config_error(report, config_gate_line(config, "directory.min_fresh_seconds"),
                     "directory.min_fresh_seconds: is more than directory.max_fresh_seconds");
    check_connection(config, report);
    check_algorithms(config, report);
    check_times(config, report);
    if (config->site_count == 0)
        config_error(report, config->where.line, "sites is missing: at least one site is needed");
    for (size_t i = 0; i < config->site_count; i++) {
        const struct config_site *site = &config->sites[i];
        if (!site->where.fields)
            continue; /* what stands there is no site at all, which has been told */
        check_site(site, report);
        check_source(config, site, report);
        check_twice(config, i, report);
        for (size_t k = 0; k < site->rule_count; k++)
            if (site->rules[k].where.fields)
                check_rule(&site->rules[k], report);
        config_check_tools(site, report);
    }
}
