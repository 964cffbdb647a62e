/* Asks a web server for a page, as whoever one likes. The only user of libcurl in this room. */
#ifndef TOOLS_CRAWLTAB_FRONT_ASK_H
#define TOOLS_CRAWLTAB_FRONT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#define ASK_BODY_MAX   8192
#define ASK_DETAIL_MAX 256
#define ASK_PRICE_MAX  64

struct ask;

struct ask_answer {
    long status;                 /* 0: none came, see detail */
    char detail[ASK_DETAIL_MAX]; /* why, or "" */
    char price[ASK_PRICE_MAX];   /* of crawler-price, or "" */
    char code[ASK_PRICE_MAX];    /* of crawler-error, or "" */
    char body[ASK_BODY_MAX];     /* the beginning of it, as a text */
    size_t body_len;
};

/* Where: the URL's own host, or the server at "address:port" (`at`, may be NULL). NULL without memory. */
struct ask *ask_new(const char *at);

/* NULL is fine. */
void ask_free(struct ask *ask);

/* One GET within 15 seconds; redirects are not followed. `field`: another header line, "name: value", or
 * NULL. */
void ask_get(struct ask *ask, const char *url, const char *user_agent, const char *field,
             struct ask_answer *answer);

#endif
