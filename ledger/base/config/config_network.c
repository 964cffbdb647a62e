/* Where the gate listens, and whom it believes. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/network.h"

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

/* Binds for a moment, as nobody else may have the port for itself. */
static void check_port_is_free(const struct config *config, const char *colon, struct config_report *report)
{
    char host[256];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV},
                    *found = NULL;
    const bool v6 = config->listen[0] == '[';
    snprintf(host, sizeof(host), "%.*s", (int)(colon - config->listen) - 2 * v6, config->listen + v6);
    if (strcmp(colon, ":0") == 0 || getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, found->ai_addr, found->ai_addrlen) != 0)
        config_warning(report, config_gate_line(config, "listen"),
                       errno == EADDRINUSE
                           ? "listen: \"%s\" is in use by another program; fine if that is this gate, else "
                             "take another port or stop it"
                           : "listen: \"%s\" is no address of this machine, or the port is for root alone",
                       config->listen);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
}

static void check_listen(const struct config *config, struct config_report *report)
{
    static const size_t path_max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    const char *colon = strrchr(config->listen, ':');
    if (strncmp(config->listen, "unix:", 5) == 0) {
        if (config->listen[5] != '/' || strlen(config->listen) - 5 > path_max)
            config_error(report, config_gate_line(config, "listen"),
                         "listen: \"%s\" must be unix: and an absolute path of at most %zu bytes",
                         config->listen, path_max);
        return;
    }
    if (!colon || !is_port(colon + 1))
        config_error(report, config_gate_line(config, "listen"),
                     "listen: \"%s\" is not address:port, e.g. 127.0.0.1:8402, nor unix:/path",
                     config->listen);
    else if (report->examining)
        check_port_is_free(config, colon, report);
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
        else if (strcmp(proxy, "unix") != 0 && network.bits == 0)
            config_error(report, config_gate_line(config, "trusted_proxies"),
                         "trusted_proxies: \"%s\" trusts everybody, so that a crawler could name any address "
                         "as its own; name the proxies",
                         proxy);
    }
}

void config_check_network(const struct config *config, struct config_report *report)
{
    check_listen(config, report);
    check_proxies(config, report);
}
