/* Caddy. It drops forwarded fields of clients and sets its own, by itself. */
#include "tools/crawltab/front/front.h"

#include "ledger/base/config/ai_crawlers.h"

#include <inttypes.h>

/* "127.0.0.1:8080", "https://…", "unix//path" */
static void print_place(const struct front_place *place, FILE *out)
{
    if (place->path)
        fprintf(out, "unix/%s", place->path);
    else
        fprintf(out, "%s%s:%s", place->tls ? "https://" : "", place->host, place->port);
}

static void print_snippets(const struct front *front, FILE *out)
{
    size_t at = 0;
    fputs("(crawltab_people) {\n\t@people {\n", out);
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        fprintf(out, "\t\tnot header %s *\n", *field);
    fputs("\t\tnot header_regexp Authorization `(?i)" FRONT_LICENCE "`\n"
          "\t\tnot header_regexp User-Agent `(?i)",
          out);
    front_pattern(front, &at, true, out);
    fputs("`\n\t}\n}\n"
          "(crawltab_closed) {\n"
          "\theader {\n"
          "\t\tContent-Type application/problem+json\n"
          "\t\tRetry-After " FRONT_CLOSED_SECONDS "\n"
          "\t\tCache-Control no-store\n"
          "\t\tcrawler-error gate_unavailable\n"
          "\t}\n"
          "\trespond `",
          out);
    front_closed_body(out);
    fputs("` 503\n}\n", out);
}

static void print_to_site(const struct front_place *place, const char *const *others, const char *indent,
                          FILE *out)
{
    fprintf(out, "%srequest_header -X-Crawltab*\n%srequest_header -X_Crawltab*\n", indent, indent);
    for (; others && *others; others++)
        fprintf(out, "%srequest_header -%s\n", indent, *others);
    fprintf(out, "%sreverse_proxy ", indent);
    print_place(place, out);
    if (place->tls)
        fprintf(out, " {\n%s\theader_up Host {http.request.host}\n%s}", indent, indent);
    fputc('\n', out);
}

static void print_address(const struct front *front, const char *name, bool first, FILE *out)
{
    const struct slice host = front_host(name), bind = front_host(front->listen);
    const bool both = front->listen[bind.len] == ':';
    fprintf(out, "%shttp://%.*s:%s", first ? "" : ", ", (int)host.len, host.data,
            both ? front->listen + bind.len + 1 : front->listen);
}

static void print_site(const struct front *front, const struct config_site *site, FILE *out)
{
    const struct front_place place = front_site(front, site);
    fprintf(out, "(crawltab_open_%s) {\n", site->name);
    print_to_site(&place, front_secret_fields, "\t", out);
    fputs("}\n\n# Without http:// and the port Caddy gets certificates for them by itself.\n", out);
    for (size_t i = 0; i < site->hosts.count; i++)
        print_address(front, site->hosts.items[i], i == 0, out);
    fputs(" {\n", out);
    if (front->listen[front_host(front->listen).len] == ':')
        fprintf(out, "\tbind %.*s\n", (int)front_host(front->listen).len, front->listen);
    fputs("\timport crawltab_people\n\thandle @people {\n", out);
    print_to_site(&place, NULL, "\t\t", out);
    fputs("\t}\n\thandle {\n\t\tvars crawltab gate\n\t\trequest_header -Forwarded\n\t\treverse_proxy ", out);
    print_place(&front->gate, out);
    fprintf(out,
            " {\n\t\t\ttransport http {\n\t\t\t\tdial_timeout 2s\n\t\t\t\tresponse_header_timeout %" PRId64
            "s\n\t\t\t}\n\t\t}\n\t}\n",
            front->answer_seconds);
    fprintf(
        out,
        "\thandle_errors {\n"
        "\t\t@crawltab vars {http.vars.crawltab} gate\n"
        "\t\thandle @crawltab {\n"
        "\t\t\t# While the gate is down: crawltab_closed, or crawltab_open_%s to let crawlers read free.\n"
        "\t\t\timport crawltab_closed\n"
        "\t\t}\n"
        "\t}\n"
        "}\n",
        site->name);
}

void front_caddy(const struct front *front, FILE *out)
{
    fputs("# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front caddy`. Import it into the Caddyfile. A site block that you have\n"
          "# already keeps its own lines, in `handle @people`.\n",
          out);
    print_snippets(front, out);
    for (size_t i = 0; i < front->config->site_count; i++)
        print_site(front, &front->config->sites[i], out);
}
