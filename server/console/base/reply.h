/* Answers of the console: bodies of any length, written whole before a byte is sent, and problems. */
#ifndef SERVER_CONSOLE_BASE_REPLY_H
#define SERVER_CONSOLE_BASE_REPLY_H

#include "server/console/base/asked.h"

#include <stdio.h>

/* A body on its way; ended by reply_send. `out` is NULL without memory. */
struct reply {
    FILE *out;
    char *text;
    size_t len;
};

void reply_begin(struct reply *reply);

/* Sends what was written, of this type. Frees it. */
void reply_send(struct reply *reply, struct exchange *exchange, unsigned status, const char *type);

/* Throws it away. */
void reply_drop(struct reply *reply);

/* Sends to another page of the console, which is fetched by GET. */
void reply_to(struct exchange *exchange, const char *address);

/* A problem: what failed, and what to do; `detail` and `hint` may be NULL. As problem+json (RFC 9457). */
struct reply_problem {
    unsigned status;
    const char *title;  /* what it is about, the same for each of its kind */
    const char *detail; /* what failed here */
    const char *hint;   /* what to do */
};
void reply_problem(struct exchange *exchange, const struct reply_problem *problem);

/* The fields that every answer has: nothing is cached, framed, or loaded from elsewhere. */
void reply_guard(struct exchange *exchange);

#endif
