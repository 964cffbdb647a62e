/* nginx. Named locations are reached by error_page from a status that nobody else uses, since proxy_pass
 * cannot stand in a server's `if`. A temporary file would take a whole answer from the gate, which then could
 * not tell what a crawler has got. */
#include "tools/crawltab/front/front.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void print_head(FILE *out)
{
    fputs("# AI crawlers, and whoever signs or pays, go to the gate; everybody else to the site.\n"
          "# Made by `crawltab front nginx`. Put it into /etc/nginx/conf.d/crawltab.conf. If a site has a\n"
          "# server block already, keep that one and put the lines from \"crawltab\" to \"end of crawltab\"\n"
          "# into it instead.\n\n",
          out);
}

static void print_server(const struct front_place *place, FILE *out)
{
    if (place->path)
        fprintf(out, "    server unix:%s;\n    keepalive 32;\n}\n", place->path);
    else
        fprintf(out, "    server %s:%s;\n    keepalive 32;\n}\n", place->host, place->port);
}

/* "Signature-Agent" is $http_signature_agent. */
static void print_variable(const char *field, FILE *out)
{
    fputs("$http_", out);
    for (; *field; field++)
        fputc(*field == '-' ? '_' : tolower((unsigned char)*field), out);
}

static void print_maps(const struct front *front, FILE *out)
{
    fputs("map $http_user_agent $crawltab_name {\n    default \"\";\n", out);
    for (size_t at = 0; at < front->name_count;) {
        fputs("    \"~*", out);
        front_pattern(front, &at, false, out);
        fputs("\" 1;\n", out);
    }
    fputs("}\nmap $http_authorization $crawltab_licence {\n    default \"\";\n    \"~*" FRONT_LICENCE
          "\" 1;\n"
          "}\nmap \"$crawltab_name$crawltab_licence",
          out);
    for (const char *const *field = ai_crawlers_fields; *field; field++)
        print_variable(*field, out);
    fputs("\" $crawltab {\n    default 1;\n    \"\" \"\";\n}\n", out);
}

static void print_emptied(const char *const *fields, FILE *out)
{
    for (; *fields; fields++)
        fprintf(out, "        proxy_set_header %s \"\";\n", *fields);
}

static void print_connection(const char *upstream, bool tls, FILE *out)
{
    fprintf(out,
            "        proxy_pass http%s://%s;\n"
            "        proxy_http_version 1.1;\n"
            "        proxy_set_header Connection \"\";\n"
            "        proxy_set_header Host $http_host;\n",
            tls ? "s" : "", upstream);
}

static void print_site_location(const struct front_place *place, const char *upstream, FILE *out)
{
    print_connection(upstream, place->tls, out);
    if (place->tls)
        fprintf(out, "        proxy_ssl_server_name on;\n        proxy_ssl_name %s;\n", place->host);
    fputs("        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
          "        # What only the gate may say about a request.\n",
          out);
    print_emptied(front_own_fields, out);
}

static void print_gate_locations(const struct front *front, FILE *out)
{
    fputs("    # crawltab\n"
          "    recursive_error_pages on;\n"
          "    error_page 418 = @crawltab;\n"
          "    if ($crawltab) { return 418; }\n"
          "    location @crawltab {\n"
          "        # While the gate is down: @crawltab_closed, or @crawltab_open to let crawlers read free.\n"
          "        error_page 502 504 = @crawltab_closed;\n",
          out);
    print_connection("crawltab_gate", false, out);
    fprintf(out,
            "        proxy_set_header X-Forwarded-For $remote_addr;\n"
            "        proxy_set_header Forwarded \"\";\n"
            "        proxy_connect_timeout 2s;\n"
            "        proxy_read_timeout %" PRId64 "s;\n"
            "        proxy_buffer_size 16k;\n"
            "        proxy_buffers 8 16k;\n"
            "        proxy_max_temp_file_size 0;\n"
            "    }\n",
            front->answer_seconds);
    fputs("    location @crawltab_closed {\n"
          "        types { }\n"
          "        default_type application/problem+json;\n"
          "        add_header Retry-After " FRONT_CLOSED_SECONDS " always;\n"
          "        add_header Cache-Control no-store always;\n"
          "        add_header crawler-error gate_unavailable always;\n"
          "        return 503 '",
          out);
    front_closed_body(out);
    fputs("';\n    }\n", out);
}

static void print_site(const struct front *front, const struct config_site *site, FILE *out)
{
    const struct front_place place = front_site(front, site);
    char upstream[FRONT_HOST_MAX];
    snprintf(upstream, sizeof(upstream), "crawltab_site_%s", site->name);
    fprintf(out, "\nupstream %s {\n", upstream);
    print_server(&place, out);
    fprintf(out, "server {\n    listen %s;\n    server_name", front->listen);
    for (size_t i = 0; i < site->hosts.count; i++) {
        struct slice host = front_host(site->hosts.items[i]);
        fprintf(out, " %.*s", (int)host.len, host.data);
    }
    fputs(";\n\n", out);
    print_gate_locations(front, out);
    fputs("    location @crawltab_open {\n", out);
    print_site_location(&place, upstream, out);
    print_emptied(front_secret_fields, out);
    fputs("    }\n    # end of crawltab\n\n    location / {\n", out);
    print_site_location(&place, upstream, out);
    fputs("    }\n}\n", out);
}

void front_nginx(const struct front *front, FILE *out)
{
    print_head(out);
    print_maps(front, out);
    fputs("upstream crawltab_gate {\n", out);
    print_server(&front->gate, out);
    for (size_t i = 0; i < front->config->site_count; i++)
        print_site(front, &front->config->sites[i], out);
}
