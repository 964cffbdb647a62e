/* What a front is told, whichever it is: where the gate and the sites are, and by what crawlers are known.
 * One file per front prints it in that front's language. */
#ifndef TOOLS_CRAWLTAB_FRONT_FRONT_H
#define TOOLS_CRAWLTAB_FRONT_FRONT_H

#include "ledger/base/config/ai_crawlers.h"

#include <stdio.h>

#define FRONT_HOST_MAX 256

/* A server: host and port, or the path of a unix socket. */
struct front_place {
    bool tls;
    const char *path; /* NULL: host and port */
    char host[FRONT_HOST_MAX];
    char port[8];
};

struct front {
    const struct config *config;
    const char *listen; /* of the front: "80", "127.0.0.1:8080" */
    struct front_place gate;
    struct front_place decisions; /* where it asks, if it delivers by itself */
    const char **names;           /* in User-Agent: the gate's list, and the words of rules */
    size_t name_count;
    int64_t answer_seconds; /* the longest that the gate may take to begin an answer */
};

/* The site's own server; the gate where it has none, since the gate has its files then. */
struct front_place front_site(const struct front *front, const struct config_site *site);

/* A host as in `hosts`, without its port. */
struct slice front_host(const char *host);

/* Writes a regular expression that finds the names from *at on as whole words, in any case if the front is
 * told so; as many as fit into a line, or with `all` every one. *at is behind them afterwards. False when
 * there was none left. */
bool front_pattern(const struct front *front, size_t *at, bool all, FILE *out);

/* A regular expression for an `Authorization` that crawlers alone send, in any case if the front is told so.
 */
#define FRONT_LICENCE "^" AI_CRAWLERS_SCHEME "( |$)"

/* What crawlers sign and pay with, and what only the gate may say, in all spellings; each ends with NULL. */
extern const char *const front_secret_fields[];
extern const char *const front_own_fields[];

/* What a front may say in a question, and its client must not; ends with NULL. */
extern const char *const front_question_fields[];

/* The answer while the gate is down: a problem document (RFC 9457) in one line, without quotes around it. */
#define FRONT_CLOSED_SECONDS "5"
void front_closed_body(FILE *out);

/* Crawlers are sent to the gate, which asks the site. */
void front_nginx(const struct front *front, FILE *out);
void front_caddy(const struct front *front, FILE *out);
void front_haproxy(const struct front *front, FILE *out);
void front_apache(const struct front *front, FILE *out);
void front_varnish(const struct front *front, FILE *out);

/* The front asks the gate whether it may, and delivers by itself. NULL, or what the configuration lacks for
 * that; then nothing is written. */
const char *front_nginx_asks(const struct front *front, FILE *out);
const char *front_caddy_asks(const struct front *front, FILE *out);
const char *front_haproxy_asks(const struct front *front, FILE *out);
const char *front_traefik_asks(const struct front *front, FILE *out);
const char *front_envoy_asks(const struct front *front, FILE *out);

#endif
