/* Apache. Its rewriting works on a decoded path and would send another one, over which no signature holds:
 * what is sent on is taken from the request line as it came. The gate is the one member of a balancer, so
 * that another one may stand in for it. */
#include "tools/crawltab/front/front.h"

#include "ledger/base/config/ai_crawlers.h"

#include <inttypes.h>
#include <string.h>

static void print_place(const struct front_place *place, FILE *out)
{
    if (place->path)
        fprintf(out, "unix:%s|http://localhost", place->path);
    else
        fprintf(out, "http%s://%s:%s", place->tls ? "s" : "", place->host, place->port);
}

static void print_signs(const struct front *front, FILE *out)
{
    for (size_t at = 0; at < front->name_count;) {
        fputs("    SetEnvIfNoCase User-Agent \"", out);
        front_pattern(front, &at, false, out);
        fputs("\" crawltab\n", out);
    }
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        fprintf(out, "    SetEnvIf %s . crawltab\n", *field);
    fputs("    SetEnvIfNoCase Authorization \"" FRONT_LICENCE "\" crawltab\n", out);
}

static void print_balancer(const struct front *front, const struct config_site *site,
                           const struct front_place *place, FILE *out)
{
    fprintf(out, "<Proxy \"balancer://crawltab_%s\">\n    BalancerMember ", site->name);
    print_place(&front->gate, out);
    fprintf(out,
            " retry=1 connectiontimeout=2 timeout=%" PRId64 "\n"
            "    # While the gate is down: as it stands crawlers are told to come back. With the next line "
            "they read\n"
            "    # free, and the site sees what they pay with.\n"
            "    #BalancerMember ",
            front->answer_seconds);
    print_place(place, out);
    fputs(" status=+H\n</Proxy>\n", out);
}

static void print_gate(const struct config_site *site, FILE *out)
{
    fprintf(out,
            "    RewriteEngine On\n"
            "    RewriteCond %%{ENV:crawltab} .\n"
            "    RewriteCond %%{THE_REQUEST} \"^\\S+ (?:https?://[^/ ]*)?(/\\S*)\"\n"
            "    RewriteRule ^ balancer://crawltab_%s%%1 [P,NE,UnsafeAllow3F]\n"
            "    RequestHeader unset X-Forwarded-For env=crawltab\n"
            "    RequestHeader unset Forwarded env=crawltab\n",
            site->name);
}

/* What the gate refuses has a code; a 503 without one is Apache's own. */
static void print_closed(FILE *out)
{
    static const char when[] = "\"expr=%{REQUEST_STATUS} == 503 && -n reqenv('crawltab') && "
                               "-z resp('crawler-error')\"";
    fputs("    <If \"-n reqenv('crawltab')\">\n        ErrorDocument 503 '", out);
    front_closed_body(out);
    fputs("'\n    </If>\n", out);
    fprintf(out, "    Header always set Retry-After " FRONT_CLOSED_SECONDS " %s\n", when);
    fprintf(out, "    Header always set Cache-Control no-store %s\n", when);
    fprintf(out, "    Header always set Content-Type application/problem+json %s\n", when);
    /* The last one, by which the others know. */
    fprintf(out, "    Header always set crawler-error gate_unavailable %s\n", when);
}

static void print_site(const struct front *front, const struct config_site *site, FILE *out)
{
    const struct front_place place = front_site(front, site);
    print_balancer(front, site, &place, out);
    fprintf(out, "<VirtualHost %s%s>\n", strchr(front->listen, ':') ? "" : "*:", front->listen);
    for (size_t i = 0; i < site->hosts.count; i++) {
        struct slice host = front_host(site->hosts.items[i]);
        fprintf(out, "    Server%s %.*s\n", i == 0 ? "Name" : "Alias", (int)host.len, host.data);
    }
    fputs("    # What only the gate may say about a request.\n", out);
    for (const char *const *field = front_own_fields; *field; field++)
        fprintf(out, "    RequestHeader unset %s\n", *field);
    print_signs(front, out);
    print_gate(site, out);
    print_closed(out);
    fputs("    # Everybody else. A virtual host that you have already keeps its own lines instead.\n"
          "    AllowEncodedSlashes NoDecode\n"
          "    ProxyPreserveHost On\n"
          "    ProxyPass \"/\" \"",
          out);
    print_place(&place, out);
    fprintf(out, "/\" nocanon retry=1\n%s</VirtualHost>\n", place.tls ? "    SSLProxyEngine On\n" : "");
}

void front_apache(const struct front *front, FILE *out)
{
    fputs("# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front apache`. It needs\n"
          "#     a2enmod headers rewrite proxy proxy_http proxy_balancer lbmethod_byrequests\n",
          out);
    for (size_t i = 0; i < front->config->site_count; i++)
        print_site(front, &front->config->sites[i], out);
}
