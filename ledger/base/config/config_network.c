/* Where the gate listens, and whom it believes. Nothing here asks a name server: a check must say the same
 * on the machine where the file is written and where it is used. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/network.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

/* An address to listen on, of the key `key`. */
struct listening {
    const struct config *config;
    const char *key, *address;
};

/* Binds for a moment, as nobody else may have the port for itself. */
static void check_port_is_free(const struct listening *at, const char *colon, struct config_report *report)
{
    char host[256];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV},
                    *found = NULL;
    const bool v6 = at->address[0] == '[';
    /* The brackets of an IPv6 address are the URL's, not getaddrinfo's. A host that is too long is cut, and
     * then is no address either. */
    snprintf(host, sizeof(host), "%.*s", (int)(colon - at->address) - 2 * v6, at->address + v6);
    if (strcmp(colon, ":0") == 0 || getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* As the gate does: else a port whose connections linger in TIME_WAIT would be told as in use. */
    const int on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, found->ai_addr, found->ai_addrlen) != 0)
        config_warning(report, config_gate_line(at->config, at->key),
                       errno == EADDRINUSE
                           ? "%s: \"%s\" is in use by another program; fine if that is this gate, else "
                             "take another port or stop it"
                           : "%s: \"%s\" is no address of this machine, or the port is for root alone",
                       at->key, at->address);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
}

static void check_address(const struct listening *at, struct config_report *report)
{
    static const size_t path_max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    const char *colon = strrchr(at->address, ':');
    if (strncmp(at->address, "unix:", 5) == 0) {
        /* The kernel cuts a longer path silently, and fronts would look for a socket that is not there. */
        if (at->address[5] != '/' || strlen(at->address) - 5 > path_max)
            config_error(report, config_gate_line(at->config, at->key),
                         "%s: \"%s\" must be unix: and an absolute path of at most %zu bytes", at->key,
                         at->address, path_max);
        return;
    }
    if (!colon || !is_port(colon + 1))
        config_error(report, config_gate_line(at->config, at->key),
                     "%s: \"%s\" is not address:port, e.g. 127.0.0.1:8402, nor unix:/path", at->key,
                     at->address);
    else if (report->examining)
        check_port_is_free(at, colon, report);
}

static void check_listen(const struct config *config, struct config_report *report)
{
    check_address(&(struct listening){config, "listen", config->listen}, report);
    if (*config->facilitator_listen)
        check_address(&(struct listening){config, "facilitator.listen", config->facilitator_listen}, report);
    if (!*config->decisions_listen) {
        const char *given = *config->decisions_prefix ? "decisions.path_prefix" : "decisions.accel_redirect";
        if (*config->decisions_prefix || *config->decisions_accel)
            config_error(report, config_gate_line(config, given),
                         "decisions.listen: missing, so that nobody can ask; name an address or unix:/path");
        return;
    }
    check_address(&(struct listening){config, "decisions.listen", config->decisions_listen}, report);
    if (*config->decisions_prefix && config->decisions_prefix[0] != '/')
        config_error(report, config_gate_line(config, "decisions.path_prefix"),
                     "decisions.path_prefix: \"%s\" does not begin with a slash", config->decisions_prefix);
    if (strpbrk(config->decisions_accel, " \t\r\n"))
        config_error(report, config_gate_line(config, "decisions.accel_redirect"),
                     "decisions.accel_redirect: \"%s\" is no location, write it like @origin",
                     config->decisions_accel);
}

/* Whoever reaches it learns what the site earns by the hour. */
static void check_monitor(const struct config *config, struct config_report *report)
{
    static const char *const near[] = {"unix:", "127.", "localhost:", "[::1]:"};
    const char *address = config->monitor_listen;
    bool is_near = false;
    if (!*address)
        return;
    check_address(&(struct listening){config, "monitor.listen", address}, report);
    for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++)
        is_near = is_near || strncmp(address, near[i], strlen(near[i])) == 0;
    if (!is_near)
        config_warning(report, config_gate_line(config, "monitor.listen"),
                       "monitor.listen: \"%s\" can be reached from other machines, and there is no password; "
                       "let a firewall see to it, or write it like 127.0.0.1:9402",
                       address);
}

static void check_proxies(const struct config *config, struct config_report *report)
{
    struct network network;
    for (size_t i = 0; i < config->trusted_proxies.count; i++) {
        const char *proxy = config->trusted_proxies.items[i];
        const char *fault = strcmp(proxy, "unix") == 0 ? NULL : network_parse(slice_of(proxy), &network);
        if (fault)
            config_error(report, config_gate_line(config, "trusted_proxies"),
                         "trusted_proxies: \"%s\" %s, write it like 127.0.0.1, 10.0.0.0/8 or unix", proxy,
                         fault);
        /* Limits go by the client's address: whoever may choose it has none. */
        else if (strcmp(proxy, "unix") != 0 && network.bits == 0)
            config_error(report, config_gate_line(config, "trusted_proxies"),
                         "trusted_proxies: \"%s\" trusts everybody, so that a crawler could name any address "
                         "as its own; name the proxies",
                         proxy);
    }
}

static void check_tool(const struct config_tool *tool, struct config_report *report)
{
    size_t line = tool->where.line;
    int named = !!*tool->tool + !!*tool->resource + !!*tool->prompt;
    if (named != 1)
        config_error(report, line, "tools: say for what the price is, with one of tool, resource and prompt");
}

/* Calls are read in the bodies of requests, which only an origin has. */
void config_check_tools(const struct config_site *site, struct config_report *report)
{
    bool posts = false;
    for (size_t i = 0; i < site->methods.count; i++)
        posts = posts || strcmp(site->methods.items[i], "POST") == 0;
    if (site->tool_count > 0 && !(posts && *site->origin))
        config_error(report, config_site_line(site, "methods"),
                     "tools: an MCP server is an origin that takes POST: name it as origin, and write "
                     "methods: [POST, DELETE]");
    for (size_t i = 0; i < site->tool_count; i++)
        if (site->tools[i].where.fields)
            check_tool(&site->tools[i], report);
}

void config_check_network(const struct config *config, struct config_report *report)
{
    assert(report->checking); /* what could not be read is not told once more for its default */
    check_listen(config, report);
    check_monitor(config, report);
    check_proxies(config, report);
}
