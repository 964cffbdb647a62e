/* Traefik, by its ForwardAuth. What it adds to the site's answer it takes from no answer of ours, so that a
 * crawler gets no receipt this way. */
#include "tools/crawltab/front/front.h"

static void print_middlewares(const struct front *front, FILE *out)
{
    fputs("http:\n"
          "  middlewares:\n"
          "    # What only the gate may say about a request.\n"
          "    crawltab-clean:\n"
          "      headers:\n"
          "        customRequestHeaders:\n",
          out);
    for (const char *const *field = front_own_fields; *field; field++)
        fprintf(out, "          %s: \"\"\n", *field);
    for (const char *const *field = front_question_fields; *field; field++)
        fprintf(out, "          %s: \"\"\n", *field);
    fprintf(out,
            "    crawltab:\n"
            "      forwardAuth:\n"
            "        address: 'http://%s:%s/'\n"
            "        trustForwardHeader: false\n"
            "        authResponseHeaders: [X-Crawltab-Agent, X-Crawltab-Payment, X-Crawltab-Amount]\n",
            front->decisions.host, front->decisions.port);
}

static void print_hosts(const struct config_site *site, FILE *out)
{
    for (size_t i = 0; i < site->hosts.count; i++) {
        struct slice host = front_host(site->hosts.items[i]);
        fprintf(out, "%sHost(`%.*s`)", i == 0 ? "(" : " || ", (int)host.len, host.data);
    }
    fputc(')', out);
}

static void print_signs(const struct front *front, FILE *out)
{
    size_t at = 0;
    fputs("(HeaderRegexp(`User-Agent`, `(?i)", out);
    front_pattern(front, &at, true, out);
    fputs("`)", out);
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        fprintf(out, " || HeaderRegexp(`%s`, `.`)", *field);
    fputs(" || HeaderRegexp(`Authorization`, `(?i)" FRONT_LICENCE "`))", out);
}

static void print_routers(const struct front *front, const struct config_site *site, FILE *out)
{
    fprintf(out,
            "    crawltab-%s:\n"
            "      priority: 2000\n"
            "      service: crawltab-%s\n"
            "      # While the gate is down crawlers get 500. Without the word crawltab they read free.\n"
            "      middlewares: [crawltab-clean, crawltab]\n"
            "      rule: '",
            site->name, site->name);
    print_hosts(site, out);
    fputs(" && ", out);
    print_signs(front, out);
    fprintf(out,
            "'\n"
            "    crawltab-people-%s:\n"
            "      priority: 1000\n"
            "      service: crawltab-%s\n"
            "      middlewares: [crawltab-clean]\n"
            "      rule: '",
            site->name, site->name);
    print_hosts(site, out);
    fputs("'\n", out);
}

const char *front_traefik_asks(const struct front *front, FILE *out)
{
    const struct config *config = front->config;
    if (front->decisions.path)
        return "decisions.listen is a unix socket, at which Traefik cannot ask; use an address and port";
    for (size_t i = 0; i < config->site_count; i++)
        if (front_site(front, &config->sites[i]).path)
            return "a site's origin is a unix socket, which Traefik does not reach";
    fputs("# For AI crawlers, and whoever signs or pays, the gate is asked first; the site answers.\n"
          "# Made by `crawltab front traefik`, for the file provider of Traefik 3. Crawlers get no receipt "
          "this\n"
          "# way; they do where the service of their router is the gate itself, without forwardAuth.\n",
          out);
    print_middlewares(front, out);
    fputs("  routers:\n", out);
    for (size_t i = 0; i < config->site_count; i++)
        print_routers(front, &config->sites[i], out);
    fputs("  services:\n", out);
    for (size_t i = 0; i < config->site_count; i++) {
        const struct front_place site = front_site(front, &config->sites[i]);
        fprintf(out,
                "    crawltab-%s:\n"
                "      loadBalancer:\n"
                "        servers: [{url: 'http%s://%s:%s'}]\n",
                config->sites[i].name, site.tls ? "s" : "", site.host, site.port);
    }
    return NULL;
}
