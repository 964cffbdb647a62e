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

static void print_gate(const struct front *front, FILE *out)
{
    fputs("\t\treverse_proxy ", out);
    print_place(&front->gate, out);
    fprintf(out,
            " {\n\t\t\ttransport http {\n\t\t\t\tdial_timeout 2s\n\t\t\t\tresponse_header_timeout %" PRId64
            "s\n\t\t\t}\n\t\t}\n",
            front->answer_seconds);
}

static void print_delivery(const struct front_place *site, bool paid, FILE *out)
{
    fprintf(out, "\t\t\treverse_proxy %s", paid ? "@paid " : "");
    print_place(site, out);
    fprintf(out,
            " {\n%s"
            "\t\t\t\theader_up -X-Crawltab-Receipt\n"
            "\t\t\t\theader_up -X-Crawltab-Charged\n"
            "\t\t\t\theader_down -Payment-Response\n"
            "\t\t\t\theader_down -Crawler-Charged\n"
            "%s\t\t\t}\n",
            site->tls ? "\t\t\t\theader_up Host {http.request.host}\n" : "",
            paid ? "\t\t\t\theader_down Cache-Control private\n" : "");
}

/* Behind the yes an error is the site's, and not that of a gate that is down. What copy_headers names is set
 * in any case, so that nothing of it can be the client's. */
static void print_question(const struct front *front, const struct front_place *site, FILE *out)
{
    fputs("\t\troute {\n"
          "\t\t\trequest_header -X-Crawltab*\n"
          "\t\t\trequest_header -X_Crawltab*\n"
          "\t\t\tforward_auth ",
          out);
    print_place(&front->decisions, out);
    fprintf(out,
            " {\n"
            "\t\t\t\turi /\n"
            "\t\t\t\theader_up -X-Original-*\n"
            "\t\t\t\tcopy_headers X-Crawltab-Agent X-Crawltab-Payment X-Crawltab-Amount "
            "Payment-Response>X-Crawltab-Receipt Crawler-Charged>X-Crawltab-Charged\n"
            "\t\t\t\ttransport http {\n\t\t\t\t\tdial_timeout 2s\n\t\t\t\t\tresponse_header_timeout %" PRId64
            "s\n\t\t\t\t}\n"
            "\t\t\t}\n"
            "\t\t\tvars crawltab site\n"
            "\t\t\t@paid header_regexp X-Crawltab-Charged .\n"
            "\t\t\theader @paid Crawler-Charged {http.request.header.X-Crawltab-Charged}\n"
            "\t\t\t@receipt header_regexp X-Crawltab-Receipt .\n"
            "\t\t\theader @receipt Payment-Response {http.request.header.X-Crawltab-Receipt}\n",
            front->answer_seconds);
    for (const char *const *field = front_secret_fields; *field; field++)
        fprintf(out, "\t\t\trequest_header -%s\n", *field);
    print_delivery(site, true, out);
    print_delivery(site, false, out);
    fputs("\t\t}\n", out);
}

static void print_address(const struct front *front, const char *name, bool first, FILE *out)
{
    const struct slice host = front_host(name), bind = front_host(front->listen);
    const bool both = front->listen[bind.len] == ':';
    fprintf(out, "%shttp://%.*s:%s", first ? "" : ", ", (int)host.len, host.data,
            both ? front->listen + bind.len + 1 : front->listen);
}

static void print_site(const struct front *front, const struct config_site *site, bool asks, FILE *out)
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
    fputs("\t}\n\thandle {\n\t\tvars crawltab gate\n\t\trequest_header -Forwarded\n", out);
    if (asks)
        print_question(front, &place, out);
    else
        print_gate(front, out);
    fprintf(
        out,
        "\t}\n"
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

static void print_all(const struct front *front, bool asks, FILE *out)
{
    fputs("# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front`. Import it into the Caddyfile. A site block that you have\n"
          "# already keeps its own lines, in `handle @people`.\n",
          out);
    print_snippets(front, out);
    for (size_t i = 0; i < front->config->site_count; i++)
        print_site(front, &front->config->sites[i], asks, out);
}

void front_caddy(const struct front *front, FILE *out)
{
    print_all(front, false, out);
}

const char *front_caddy_asks(const struct front *front, FILE *out)
{
    print_all(front, true, out);
    return NULL;
}
