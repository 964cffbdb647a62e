/* Envoy, by the HTTP service of ext_authz. Its regular expressions are limited to a size that the list of
 * crawlers exceeds, so that each name is a route of its own; a part of a word suffices there, and who is no
 * crawler after all hears yes from the gate. */
#include "tools/crawltab/front/front.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void print_lower(const char *name, FILE *out)
{
    for (; *name; name++)
        fputc(tolower((unsigned char)*name), out);
}

static void print_patterns(const char *const *names, FILE *out)
{
    for (; *names; names++) {
        fputs("              - {exact: '", out);
        print_lower(*names, out);
        fputs("', ignore_case: true}\n", out);
    }
}

/* Of a request only these are sent to the gate, so that nothing in them can contradict the path. */
static void print_filter(const struct front *front, FILE *out)
{
    static const char *const asked[] = {"User-Agent", "X-Forwarded-For", "Content-Digest", NULL};
    static const char *const said[] = {"X-Crawltab-Agent", "X-Crawltab-Payment", "X-Crawltab-Amount", NULL};
    static const char *const receipt[] = {"Payment-Response", "crawler-charged", NULL};
    fprintf(out,
            "http_filters:\n"
            "  - name: envoy.filters.http.ext_authz\n"
            "    typed_config:\n"
            "      '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz\n"
            "      transport_api_version: V3\n"
            "      # While the gate is down crawlers are told to come back. To let them read free, make it "
            "true.\n"
            "      failure_mode_allow: false\n"
            "      status_on_error: {code: ServiceUnavailable}\n"
            "      http_service:\n"
            "        server_uri: {uri: 'http://crawltab_gate', cluster: crawltab_gate, timeout: %" PRId64
            "s}\n"
            "        path_prefix: '%s'\n"
            "        authorization_request:\n"
            "          allowed_headers:\n"
            "            patterns:\n",
            front->answer_seconds, front->config->decisions_prefix);
    print_patterns(asked, out);
    print_patterns(front_secret_fields, out);
    fputs("        authorization_response:\n"
          "          allowed_upstream_headers:\n"
          "            patterns:\n",
          out);
    print_patterns(said, out);
    fputs("          allowed_client_headers_on_success:\n"
          "            patterns:\n",
          out);
    print_patterns(receipt, out);
    fputs("local_reply_config:\n"
          "  mappers:\n"
          "    - filter:\n"
          "        status_code_filter:\n"
          "          comparison: {op: EQ, value: {default_value: 503, runtime_key: crawltab.none}}\n"
          "      headers_to_add:\n"
          "        - {header: {key: retry-after, value: '" FRONT_CLOSED_SECONDS
          "'}, append_action: ADD_IF_ABSENT}\n"
          "use_remote_address: true\n"
          "common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}\n",
          out);
}

static void print_sign(const char *site, const char *field, const char *kind, const char *value, FILE *out)
{
    fputs("        - match: {prefix: '/', headers: [{name: ", out);
    print_lower(field, out);
    if (value)
        fprintf(out, ", string_match: {%s: '%s', ignore_case: true}", kind, value);
    else
        fputs(", present_match: true", out);
    fprintf(out, "}]}\n          route: {cluster: crawltab_site_%s}\n", site);
}

static void print_host(const struct front *front, const struct config_site *site, FILE *out)
{
    fprintf(out, "    - name: crawltab_%s\n      domains: [", site->name);
    for (size_t i = 0; i < site->hosts.count; i++) {
        struct slice host = front_host(site->hosts.items[i]);
        fprintf(out, "%s'%.*s', '%.*s:*'", i == 0 ? "" : ", ", (int)host.len, host.data, (int)host.len,
                host.data);
    }
    fputs("]\n      routes:\n", out);
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        print_sign(site->name, *field, NULL, NULL, out);
    print_sign(site->name, "Authorization", "prefix", AI_CRAWLERS_SCHEME, out);
    for (size_t i = 0; i < front->name_count; i++)
        print_sign(site->name, "User-Agent", "contains", front->names[i], out);
    fprintf(out,
            "        # Everybody else is not asked about.\n"
            "        - match: {prefix: '/'}\n"
            "          route: {cluster: crawltab_site_%s}\n"
            "          request_headers_to_remove: [x-crawltab-agent, x-crawltab-payment, x-crawltab-amount]\n"
            "          typed_per_filter_config:\n"
            "            envoy.filters.http.ext_authz:\n"
            "              '@type': "
            "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute\n"
            "              disabled: true\n",
            site->name);
}

static void print_cluster(const char *name, const char *site, const struct front_place *place, FILE *out)
{
    const char *host = place->host + (place->host[0] == '['); /* without its brackets */
    fprintf(out,
            "  - name: %s%s\n"
            "    type: %s\n"
            "    connect_timeout: 2s\n"
            "    load_assignment:\n"
            "      cluster_name: %s%s\n"
            "      endpoints: [{lb_endpoints: [{endpoint: {address: {",
            name, site, place->path ? "STATIC" : "STRICT_DNS", name, site);
    if (place->path)
        fprintf(out, "pipe: {path: '%s'}", place->path);
    else
        fprintf(out, "socket_address: {address: '%.*s', port_value: %s}", (int)strcspn(host, "]"), host,
                place->port);
    fputs("}}}]}]\n", out);
    if (place->tls)
        fprintf(out,
                "    transport_socket:\n"
                "      name: envoy.transport_sockets.tls\n"
                "      typed_config:\n"
                "        '@type': "
                "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n"
                "        sni: '%s'\n",
                place->host);
}

const char *front_envoy_asks(const struct front *front, FILE *out)
{
    const struct config *config = front->config;
    if (!*config->decisions_prefix)
        return "decisions.path_prefix is empty; Envoy puts one before the path, such as /decide";
    fputs("# For AI crawlers, and whoever signs or pays, the gate is asked first; the site answers.\n"
          "# Made by `crawltab front envoy`. What stands before `clusters` goes into your "
          "http_connection_manager,\n"
          "# with the filter before envoy.filters.http.router; the clusters go to static_resources.\n",
          out);
    print_filter(front, out);
    fputs("route_config:\n  virtual_hosts:\n", out);
    for (size_t i = 0; i < config->site_count; i++)
        print_host(front, &config->sites[i], out);
    fputs("clusters:\n", out);
    print_cluster("crawltab_gate", "", &front->decisions, out);
    for (size_t i = 0; i < config->site_count; i++) {
        const struct front_place place = front_site(front, &config->sites[i]);
        print_cluster("crawltab_site_", config->sites[i].name, &place, out);
    }
    return NULL;
}
