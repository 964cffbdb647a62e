/* What the configuration's types cannot say. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/amount.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (const char *c = text; *c; c++)
        if (!strchr(alnum, *c) && !strchr(extra, *c))
            return false;
    return *text != '\0';
}

static bool zone_known(const char *zone)
{
    char path[512];
    int len = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
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

static void check_rule(const struct config_rule *rule, size_t line, struct config_report *report)
{
    static const char *const actions[] = {"allow", "charge", "block", NULL};
    if (!one_of(rule->action, actions))
        config_error(report, line, "action: \"%s\" is unknown, use allow, charge or block", rule->action);
    bool charge = strcmp(rule->action, "charge") == 0;
    if (charge && rule->price <= 0)
        config_error(report, line, "price is missing: charge needs one above zero; use allow for free pages");
    if (!charge && rule->price >= 0)
        config_error(report, line, "price: only with action charge, remove it or change the action");
    if (rule->paths.count == 0)
        config_error(report, line,
                     "paths: the list is empty, so the rule never applies; leave paths out for all");
    for (size_t i = 0; i < rule->paths.count; i++)
        if (rule->paths.items[i][0] != '/')
            config_error(report, line, "paths: \"%s\" must start with a slash", rule->paths.items[i]);
    for (size_t i = 0; i < rule->user_agents.count; i++)
        if (rule->user_agents.items[i][0] == '\0')
            config_error(report, line, "user_agents: an empty word would match every visitor, remove it");
    check_agents("agents", &rule->agents, line, report);
}

static void check_network(const struct config_site *site, size_t line, struct config_report *report)
{
    if (!made_of(site->network, "-_:.") || strlen(site->network) > 64)
        config_error(report, line, "network: \"%s\" is not namespace:reference, e.g. \"example:402\"",
                     site->network);
    else if (!strchr(site->network, ':'))
        config_warning(report, line,
                       "network: \"%s\" has no colon, so x402 clients cannot read the offer and "
                       "PAYMENT-REQUIRED is left out; use namespace:reference, e.g. \"%s:402\"",
                       site->network, site->network);
}

/* Text that goes into header fields and JSON as it stands. */
static void check_printable(const char *key, const char *text, size_t line, struct config_report *report)
{
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\' || *c == '<' || *c == '>') {
            config_error(report, line, "%s: \"%s\" has a character that cannot stand in a header field", key,
                         text);
            return;
        }
}

/* Who may pay at all. */
static void check_admission(const struct config_site *site, size_t line, struct config_report *report)
{
    static const char *const words[] = {"charge", "refuse", NULL};
    check_agents("agents.allow", &site->agents_allow, line, report);
    check_agents("agents.deny", &site->agents_deny, line, report);
    for (size_t i = 0; i < site->agents_shared_origins.count; i++)
        if (!is_origin(site->agents_shared_origins.items[i]))
            config_error(report, line,
                         "agents.shared_origins: \"%s\" is no origin, write it like https://hosting.example",
                         site->agents_shared_origins.items[i]);
    if (!one_of(site->agents_unknown, words))
        config_error(report, line, "agents.unknown: \"%s\" is unknown, use charge or refuse",
                     site->agents_unknown);
    else if (site->agents_allow.count > 0 && strcmp(site->agents_unknown, "charge") == 0)
        config_warning(report, line,
                       "agents.allow: has no effect while every other crawler may pay too; set "
                       "agents.unknown: refuse, or leave the list out");
}

static bool is_webhook(const char *url)
{
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

/* Where the content comes from. */
static void check_source(const struct config_site *site, size_t line, struct config_report *report)
{
    if (!*site->origin && !*site->root)
        config_error(report, line,
                     "origin: missing; name the site's own server, e.g. http://127.0.0.1:8080, or a folder "
                     "of files as root");
    if (*site->origin && !is_server(site->origin))
        config_error(report, line,
                     "origin: \"%s\" is no server, write it like http://127.0.0.1:8080 or "
                     "unix:/run/site.sock, without a path",
                     site->origin);
    if (*site->root && access(site->root, R_OK | X_OK) != 0)
        config_error(report, line, "root: the folder \"%s\" cannot be read", site->root);
}

static void check_site(const struct config_site *site, size_t line, struct config_report *report)
{
    static const char *const schemes[] = {"https", "http", NULL};
    if (!made_of(site->name, "-_.") || strlen(site->name) > 64)
        config_error(report, line, "name: \"%s\" may have letters, digits and - _ . only, at most 64",
                     site->name);
    if (site->hosts.count == 0)
        config_error(report, line, "hosts: the list is empty, name at least one host");
    if (!one_of(site->scheme, schemes))
        config_error(report, line, "scheme: \"%s\" is unknown, use https or http", site->scheme);
    if (amount_exponent(slice_of(site->currency)) < 0)
        config_error(report, line, "currency: \"%s\" is not an ISO 4217 code such as USD", site->currency);
    config_check_billing(site, report);
    if (!zone_known(site->time_zone))
        config_error(report, line, "time_zone: \"%s\" is not in the tz database, e.g. Europe/Paris",
                     site->time_zone);
    if (strncmp(site->terms_url, "https://", 8) != 0 && strncmp(site->terms_url, "http://", 7) != 0)
        config_error(report, line, "terms_url: \"%s\" is not a URL", site->terms_url);
    check_source(site, line, report);
    for (size_t i = 0; i < site->hosts.count; i++) {
        check_printable("hosts", site->hosts.items[i], line, report);
        if (strpbrk(site->hosts.items[i], "/@ "))
            config_error(report, line, "hosts: \"%s\" is not a host name, leave out the scheme and path",
                         site->hosts.items[i]);
    }
    check_printable("terms_url", site->terms_url, line, report);
    check_printable("registration_url", site->registration_url, line, report);
    check_printable("pay_to", site->pay_to, line, report);
    if (strlen(site->terms_url) > 200 || strlen(site->registration_url) > 200 || strlen(site->pay_to) > 100)
        config_error(report, line,
                     "terms_url, registration_url: at most 200 characters, pay_to: 100, "
                     "so that an offer stays under 2 KB");
    check_network(site, line, report);
    check_admission(site, line, report);
    if (*site->webhook_url && !is_webhook(site->webhook_url))
        config_error(report, line, "webhook.url: \"%s\" is no https URL; http is for loopback alone",
                     site->webhook_url);
}

static void check_twice(const struct config *config, size_t index, struct config_report *report)
{
    const struct config_site *site = &config->sites[index];
    for (size_t other = 0; other < index; other++) {
        if (strcmp(config->sites[other].name, site->name) == 0)
            config_error(report, site->where.line, "name: \"%s\" stands twice", site->name);
        for (size_t i = 0; i < site->hosts.count; i++)
            for (size_t k = 0; k < config->sites[other].hosts.count; k++)
                if (strcasecmp(config->sites[other].hosts.items[k], site->hosts.items[i]) == 0)
                    config_error(report, site->where.line, "hosts: \"%s\" belongs to the site \"%s\" already",
                                 site->hosts.items[i], config->sites[other].name);
    }
}

static void check_times(const struct config *config, struct config_report *report)
{
    if (config->nightly_at.count > CONFIG_TIMES_MAX)
        config_error(report, 0, "nightly.at: %zu times are too many, %d is the limit",
                     config->nightly_at.count, CONFIG_TIMES_MAX);
    for (size_t i = 0; i < config->nightly_at.count; i++) {
        const char *at = config->nightly_at.items[i];
        bool shaped = strlen(at) == 5 && strspn(at, "0123456789:") == 5 && at[2] == ':';
        if (!shaped || strchr(at, ':') != at + 2 || strchr(at + 3, ':') || strncmp(at, "23", 2) > 0 ||
            at[3] > '5')
            config_error(report, 0, "nightly.at: \"%s\" is no time of a day, write it as \"02:30\"", at);
    }
}

static void check_algorithms(const struct config *config, struct config_report *report)
{
    static const char *const known[] = {"ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", NULL};
    const struct config_list *algorithms = &config->signature_algorithms;
    if (algorithms->count == 0)
        config_error(report, 0, "signature.algorithms: the list is empty, so nobody could pay; leave it out");
    for (size_t i = 0; i < algorithms->count; i++)
        if (!one_of(algorithms->items[i], known))
            config_error(report, 0,
                         "signature.algorithms: \"%s\" is not taken, use ed25519, ecdsa-p256-sha256 or "
                         "rsa-pss-sha512",
                         algorithms->items[i]);
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

void config_check(const struct config *config, struct config_report *report)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
    static const char *const poolers[] = {"none", "transaction", NULL};
    const char *colon = strrchr(config->listen, ':');
    if (!colon || !is_port(colon + 1))
        config_error(report, 0, "listen: \"%s\" is not address:port, e.g. 127.0.0.1:8402", config->listen);
    if (!one_of(config->log_level, levels))
        config_error(report, 0, "log_level: \"%s\" is unknown, use debug, info, warn or error",
                     config->log_level);
    if (!one_of(config->ledger_pooler, poolers))
        config_error(report, 0, "ledger.pooler: \"%s\" is unknown, use none or transaction",
                     config->ledger_pooler);
    if (*config->directory_ca_file && access(config->directory_ca_file, R_OK) != 0)
        config_error(report, 0, "directory.ca_file: \"%s\" cannot be read", config->directory_ca_file);
    if (config->directory_cache_bytes < 4 * config->directory_max_bytes)
        config_error(report, 0, "directory.cache_bytes: must be at least four times directory.max_bytes");
    if (config->directory_min_fresh_seconds > config->directory_max_fresh_seconds)
        config_error(report, 0, "directory.min_fresh_seconds: is more than directory.max_fresh_seconds");
    check_algorithms(config, report);
    check_times(config, report);
    if (config->site_count == 0)
        config_error(report, config->where.line, "sites is missing: at least one site is needed");
    for (size_t i = 0; i < config->site_count; i++) {
        check_site(&config->sites[i], config->sites[i].where.line, report);
        check_twice(config, i, report);
        for (size_t k = 0; k < config->sites[i].rule_count; k++)
            check_rule(&config->sites[i].rules[k], config->sites[i].rules[k].where.line, report);
    }
}
