/* HAProxy. Its health checks say whether the gate is up, so that the choice between closed and open is a
 * condition of the way that a request takes. */
#include "tools/crawltab/front/front.h"

#include "ledger/base/config/ai_crawlers.h"

#include <inttypes.h>
#include <string.h>

static void print_server(const char *name, const struct front_place *place, const char *more, FILE *out)
{
    if (place->path)
        fprintf(out, "    server %s unix@%s%s\n", name, place->path, more);
    else
        fprintf(out, "    server %s %s:%s%s%s\n", name, place->host, place->port,
                place->tls ? " ssl verify required ca-file @system-ca sni req.hdr(host)" : "", more);
}

static void print_acls(const struct front *front, FILE *out)
{
    for (size_t at = 0; at < front->name_count;) {
        fputs("    acl crawltab req.hdr(User-Agent) -i -m reg '", out);
        front_pattern(front, &at, false, out);
        fputs("'\n", out);
    }
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        fprintf(out, "    acl crawltab req.hdr(%s) -m found\n", *field);
    fputs("    acl crawltab req.fhdr(Authorization) -i -m reg '" FRONT_LICENCE "'\n", out);
}

static void print_route(FILE *out)
{
    fputs("    # While the gate is down: as it stands crawlers are told to come back. To let them read free, "
          "make\n"
          "    # it `if crawltab { nbsrv(crawltab_gate) gt 0 }`.\n"
          "    use_backend crawltab_gate if crawltab\n",
          out);
}

/* As Lua's HTTP client takes it. */
static void print_address(const struct front_place *place, FILE *out)
{
    if (place->path)
        fprintf(out, "unix@%s", place->path);
    else
        fprintf(out, "%s:%s", place->host, place->port);
}

static void print_question(const struct front *front, FILE *out)
{
    fputs("    http-request lua.crawltab_ask ", out);
    print_address(&front->decisions, out);
    fputs(
        " if crawltab\n"
        "    # While the gate is down crawlers are told to come back. Without the next line they read free.\n"
        "    http-request return status 503 content-type application/problem+json string '",
        out);
    front_closed_body(out);
    fputs("' hdr Retry-After " FRONT_CLOSED_SECONDS
          " hdr Cache-Control no-store hdr crawler-error gate_unavailable if { var(txn.crawltab_away) -m "
          "found }\n"
          "    http-response lua.crawltab_deliver ",
          out);
    print_address(&front->decisions, out);
    fputs("\n    # For `crawltab undelivered --log`: where HAProxy itself has answered in the site's place.\n"
          "    log-format \"crawltab=%[var(txn.crawltab_id)] status=%ST bytes=0 length=-\"\n",
          out);
}

static void print_frontend(const struct front *front, bool asks, FILE *out)
{
    const struct config *config = front->config;
    const bool place = strchr(front->listen, ':') != NULL;
    fprintf(out,
            "frontend crawltab\n"
            "    mode http\n"
            "    bind %s%s\n"
            "    # What only the gate may say about a request.\n"
            "    http-request del-header ^x[-_]crawltab[-_] -m reg\n",
            place ? "" : ":", front->listen);
    print_acls(front, out);
    if (asks)
        print_question(front, out);
    else
        print_route(out);
    for (size_t i = 0; i < config->site_count; i++) {
        fprintf(out, "    use_backend crawltab_site_%s if { req.hdr(host),host_only -i",
                config->sites[i].name);
        for (size_t k = 0; k < config->sites[i].hosts.count; k++) {
            struct slice host = front_host(config->sites[i].hosts.items[k]);
            fprintf(out, " %.*s", (int)host.len, host.data);
        }
        fputs(" }\n", out);
    }
}

static void print_gate(const struct front *front, FILE *out)
{
    fprintf(out,
            "\nbackend crawltab_gate\n"
            "    mode http\n"
            "    http-request set-header X-Forwarded-For %%[src]\n"
            "    http-request del-header Forwarded\n"
            "    timeout connect 2s\n"
            "    timeout server %" PRId64 "s\n"
            "    retries 1\n"
            "    option httpchk GET /.well-known/crawltab/health\n",
            front->answer_seconds);
    for (const char *const *status = (const char *const[]){"502", "503", "504", NULL}; *status; status++) {
        fprintf(out, "    http-error status %s content-type application/problem+json string '", *status);
        front_closed_body(out);
        fputs("' hdr Retry-After " FRONT_CLOSED_SECONDS
              " hdr Cache-Control no-store hdr crawler-error gate_unavailable\n",
              out);
    }
    print_server("gate", &front->gate,
                 " check inter 1s fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down", out);
}

static void print_sites(const struct front *front, FILE *out)
{
    for (size_t i = 0; i < front->config->site_count; i++) {
        const struct front_place place = front_site(front, &front->config->sites[i]);
        fprintf(out, "\nbackend crawltab_site_%s\n    mode http\n    option forwardfor\n",
                front->config->sites[i].name);
        for (const char *const *field = front_secret_fields; *field; field++)
            fprintf(out, "    http-request del-header %s\n", *field);
        print_server("site", &place, "", out);
    }
}

void front_haproxy(const struct front *front, FILE *out)
{
    fputs("# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front haproxy`. Put it behind the `defaults` of haproxy.cfg. A frontend that "
          "you\n"
          "# have already gets the acl lines, and use_backend crawltab_gate before its own.\n\n",
          out);
    print_frontend(front, false, out);
    print_gate(front, out);
    print_sites(front, out);
}

const char *front_haproxy_asks(const struct front *front, FILE *out)
{
    fputs(
        "# For AI crawlers, and whoever signs or pays, the gate is asked first; the site answers.\n"
        "# Made by `crawltab front haproxy --decisions`. Put it behind the `defaults` of haproxy.cfg, and "
        "the\n"
        "# script there, which came with crawltab as examples/haproxy.lua. A frontend that you have already "
        "gets\n"
        "# the lines from `del-header` to `log-format`.\n"
        "global\n"
        "    lua-load /etc/haproxy/crawltab.lua\n\n",
        out);
    print_frontend(front, true, out);
    print_sites(front, out);
    return NULL;
}
