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
          "# Made by `crawltab front`. Put it into /etc/nginx/conf.d/crawltab.conf. If a site has a\n"
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

/* "X-Crawltab-Agent" is $crawltab_agent once the gate has said so; in every other spelling nobody's. */
static void print_own(const char *const *fields, FILE *out)
{
    for (; *fields; fields++) {
        const char *name = strchr(*fields, '_') ? NULL : strrchr(*fields, '-') + 1;
        fprintf(out, "        proxy_set_header %s ", *fields);
        fputs(name ? "$crawltab_" : "\"\"", out);
        for (; name && *name; name++)
            fputc(tolower((unsigned char)*name), out);
        fputs(";\n", out);
    }
}

static void print_site_location(const struct front_place *place, const char *upstream, FILE *out)
{
    print_connection(upstream, place->tls, out);
    if (place->tls)
        fprintf(out, "        proxy_ssl_server_name on;\n        proxy_ssl_name %s;\n", place->host);
    fputs("        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n", out);
}

static void print_people(const struct front_place *place, const char *upstream, FILE *out)
{
    print_site_location(place, upstream, out);
    fputs("        # What only the gate may say about a request.\n", out);
    print_emptied(front_own_fields, out);
}

static void print_gate_pass(const struct front *front, FILE *out)
{
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
}

/* What the client may have made up of what a question says would contradict it, and is taken out. */
static void print_gate_question(const struct front *front, FILE *out)
{
    static const char *const made_up[] = {"X-Original-URL",
                                          "X-Original-Host",
                                          "X-Forwarded-Uri",
                                          "X-Forwarded-Method",
                                          "X-Forwarded-Host",
                                          "Forwarded",
                                          NULL};
    print_connection("crawltab_gate", false, out);
    fprintf(out,
            "        proxy_pass_request_body off;\n"
            "        proxy_set_header Content-Length \"\";\n"
            "        proxy_set_header X-Original-URI $request_uri;\n"
            "        proxy_set_header X-Original-Method $request_method;\n"
            "        proxy_set_header X-Forwarded-For $remote_addr;\n"
            "        proxy_connect_timeout 2s;\n"
            "        proxy_read_timeout %" PRId64 "s;\n"
            "        proxy_buffer_size 16k;\n"
            "        proxy_buffers 8 16k;\n",
            front->answer_seconds);
    print_emptied(made_up, out);
    fputs("    }\n", out);
}

/* Where the gate's yes leads to. What the gate has said is kept before the site answers in its place. */
static void print_delivery(const struct front *front, const struct front_place *place, const char *upstream,
                           FILE *out)
{
    fprintf(out,
            "    location %s {\n"
            "        set $crawltab_agent $upstream_http_x_crawltab_agent;\n"
            "        set $crawltab_payment $upstream_http_x_crawltab_payment;\n"
            "        set $crawltab_amount $upstream_http_x_crawltab_amount;\n"
            "        set $crawltab_receipt $upstream_http_payment_response;\n"
            "        set $crawltab_charged $upstream_http_crawler_charged;\n",
            front->config->decisions_accel);
    print_site_location(place, upstream, out);
    print_own(front_own_fields, out);
    print_emptied(front_secret_fields, out);
    fputs("        proxy_hide_header Cache-Control;\n"
          "        add_header Cache-Control $crawltab_cache;\n"
          "        add_header Payment-Response $crawltab_receipt always;\n"
          "        add_header crawler-charged $crawltab_charged always;\n"
          "    }\n",
          out);
}

static void print_gate_locations(const struct front *front, bool asks, FILE *out)
{
    fputs("    # crawltab\n"
          "    recursive_error_pages on;\n"
          "    error_page 418 = @crawltab;\n"
          "    if ($crawltab) { return 418; }\n"
          "    location @crawltab {\n"
          "        # While the gate is down: @crawltab_closed, or @crawltab_open to let crawlers read free.\n"
          "        error_page 502 504 = @crawltab_closed;\n",
          out);
    if (asks)
        print_gate_question(front, out);
    else
        print_gate_pass(front, out);
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

static void print_site(const struct front *front, const struct config_site *site, bool asks, FILE *out)
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
    print_gate_locations(front, asks, out);
    if (asks)
        print_delivery(front, &place, upstream, out);
    fputs("    location @crawltab_open {\n", out);
    print_people(&place, upstream, out);
    print_emptied(front_secret_fields, out);
    fputs("    }\n    # end of crawltab\n\n    location / {\n", out);
    print_people(&place, upstream, out);
    fputs("    }\n}\n", out);
}

static void print_all(const struct front *front, bool asks, FILE *out)
{
    fputs("upstream crawltab_gate {\n", out);
    print_server(asks ? &front->decisions : &front->gate, out);
    for (size_t i = 0; i < front->config->site_count; i++)
        print_site(front, &front->config->sites[i], asks, out);
}

void front_nginx(const struct front *front, FILE *out)
{
    print_head(out);
    print_maps(front, out);
    print_all(front, false, out);
}

const char *front_nginx_asks(const struct front *front, FILE *out)
{
    if (front->config->decisions_accel[0] != '@')
        return "decisions.accel_redirect names no location, such as @site; nginx needs one";
    print_head(out);
    print_maps(front, out);
    /* What was paid for is for nobody else. */
    fputs("map $crawltab_charged $crawltab_cache {\n"
          "    default private;\n"
          "    \"\" $upstream_http_cache_control;\n"
          "}\n"
          "# For `crawltab undelivered --log`, which tells the gate what did not arrive. Write it with\n"
          "# `access_log /var/log/nginx/crawltab.log crawltab;`.\n"
          "log_format crawltab 'crawltab=$crawltab_payment status=$status '\n"
          "                    'bytes=$body_bytes_sent length=$sent_http_content_length';\n",
          out);
    print_all(front, true, out);
    return NULL;
}
