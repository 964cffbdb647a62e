/* What is asked of the console: a request taken apart. */
#ifndef SERVER_CONSOLE_BASE_ASKED_H
#define SERVER_CONSOLE_BASE_ASKED_H

#include "ledger/base/http/exchange.h"

#include <jansson.h>

enum asked_format { ASKED_HTML, ASKED_JSON, ASKED_CSV };

struct asked {
    struct exchange *exchange;
    bool api;    /* under /api/v1: programs, whose answers and problems are JSON */
    bool write;  /* POST or PUT */
    bool stated; /* the address itself says the format */
    enum asked_format format;
    const char *path;  /* without /api/v1 and without .json or .csv, NUL-terminated in the arena */
    json_t *given;     /* parameters of the query, or of the body: texts by name */
    json_t *query;     /* those of the query alone */
    struct slice file; /* of a form; its name is among those given. data NULL: there is none */
    const char *fault; /* what cannot be read, a sentence; NULL: all could */
    unsigned status;   /* for the fault */
};

#define ASKED_BODY_MAX  65536
#define ASKED_VALUE_MAX 16384
#define ASKED_FILE_MAX  1048576

/* Takes the request apart. Free with asked_free. */
void asked_read(struct exchange *exchange, struct asked *ask);
void asked_free(struct asked *ask);

/* A parameter, or NULL where it is missing or empty. */
const char *asked_text(const struct asked *ask, const char *name);

/* A field of the request's head in the arena, trimmed; NULL where it is missing. */
const char *asked_field(const struct asked *ask, struct slice name);

/* The value of a cookie in the arena, or NULL. */
const char *asked_cookie(const struct asked *ask, struct slice name);

/* Writes the text as it stands in a query. */
void asked_escape(FILE *out, const char *text);

#endif
