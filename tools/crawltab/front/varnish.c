/* Varnish. What crawlers get is passed, never kept: it has a receipt in it, or a price. */
#include "tools/crawltab/front/front.h"

#include "ledger/base/config/ai_crawlers.h"

#include <inttypes.h>
#include <string.h>

static void print_backend(const struct front_place *place, FILE *out)
{
    if (place->path)
        fprintf(out, "    .path = \"%s\";\n", place->path);
    else if (place->host[0] == '[') /* without its brackets */
        fprintf(out, "    .host = \"%.*s\";\n    .port = \"%s\";\n", (int)strlen(place->host) - 2,
                place->host + 1, place->port);
    else
        fprintf(out, "    .host = \"%s\";\n    .port = \"%s\";\n", place->host, place->port);
}

static void print_backends(const struct front *front, FILE *out)
{
    fputs("backend crawltab_gate {\n", out);
    print_backend(&front->gate, out);
    fprintf(out,
            "    .connect_timeout = 2s;\n"
            "    .first_byte_timeout = %" PRId64 "s;\n"
            "    .probe = { .url = \"/.well-known/crawltab/health\"; .interval = 1s; .timeout = 2s;\n"
            "               .window = 2; .threshold = 1; .initial = 1; }\n"
            "}\n",
            front->answer_seconds);
    for (size_t i = 0; i < front->config->site_count; i++) {
        const struct front_place place = front_site(front, &front->config->sites[i]);
        fprintf(out, "# %s%s\nbackend crawltab_site_%zu {\n", front->config->sites[i].name,
                place.tls ? ": put a TLS proxy in between, Varnish speaks plain HTTP only" : "", i + 1);
        print_backend(&place, out);
        fputs("}\n", out);
    }
}

static void print_hosts(const struct front *front, FILE *out)
{
    for (size_t i = 0; i < front->config->site_count; i++) {
        const struct config_list *hosts = &front->config->sites[i].hosts;
        fputs("    if (req.http.host ~ \"(?i)^(", out);
        for (size_t k = 0; k < hosts->count; k++) {
            struct slice host = front_host(hosts->items[k]);
            fputs(k > 0 ? "|" : "", out);
            for (size_t c = 0; c < host.len; c++)
                fprintf(out, host.data[c] == '.' || host.data[c] == '[' ? "[%c]" : "%c", host.data[c]);
        }
        fprintf(out, ")[.]?(:[0-9]+)?$\") { set req.backend_hint = crawltab_site_%zu; }\n", i + 1);
    }
}

static void print_signs(const struct front *front, FILE *out)
{
    fputs("    if (", out);
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        fprintf(out, "req.http.%s ||\n        ", *field);
    fputs("req.http.Authorization ~ \"(?i)" FRONT_LICENCE "\" ||\n        ", out);
    for (size_t at = 0; at < front->name_count;) {
        fputs(at > 0 ? " ||\n        req.http.User-Agent ~ \"(?i)" : "req.http.User-Agent ~ \"(?i)", out);
        front_pattern(front, &at, false, out);
        fputs("\"", out);
    }
    fputs(") {\n        set req.http.X-Crawltab-Route = \"gate\";\n    }\n", out);
}

static void print_receive(const struct front *front, FILE *out)
{
    fputs("sub vcl_recv {\n    # What only the gate may say about a request.\n", out);
    for (const char *const *field = front_own_fields; *field; field++)
        fprintf(out, "    unset req.http.%s;\n", *field);
    fputs("    unset req.http.X-Crawltab-Route;\n", out);
    print_hosts(front, out);
    print_signs(front, out);
    fputs("    # While the gate is down: as it stands crawlers are told to come back. To let them read free, "
          "make\n"
          "    # it `if (req.http.X-Crawltab-Route && std.healthy(crawltab_gate)) {`.\n"
          "    if (req.http.X-Crawltab-Route) {\n"
          "        set req.backend_hint = crawltab_gate;\n"
          "        set req.http.X-Forwarded-For = client.ip;\n"
          "        unset req.http.Forwarded;\n"
          "        return (pass);\n"
          "    }\n",
          out);
    for (const char *const *field = front_secret_fields; *field; field++)
        fprintf(out, "    unset req.http.%s;\n", *field);
    fputs("    unset req.http.X-Crawltab-Route;\n}\n", out);
}

void front_varnish(const struct front *front, FILE *out)
{
    fputs("vcl 4.1;\n"
          "# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front varnish`. A VCL that you have already includes this one at its start. "
          "Where\n"
          "# Varnish listens is said by its option -a.\n"
          "import std;\n\n",
          out);
    print_backends(front, out);
    print_receive(front, out);
    fputs("sub vcl_backend_error {\n"
          "    if (bereq.backend == crawltab_gate) {\n"
          "        set beresp.status = 503;\n"
          "        set beresp.http.Content-Type = \"application/problem+json\";\n"
          "        set beresp.http.Retry-After = \"" FRONT_CLOSED_SECONDS "\";\n"
          "        set beresp.http.Cache-Control = \"no-store\";\n"
          "        set beresp.http.crawler-error = \"gate_unavailable\";\n"
          "        set beresp.ttl = 0s;\n"
          "        synthetic({\"",
          out);
    front_closed_body(out);
    fputs("\"});\n        return (deliver);\n    }\n}\n", out);
}
