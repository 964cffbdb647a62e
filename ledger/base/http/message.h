/* An HTTP request as it came in, or a response to one: what a signature can cover. Read only; somebody else
 * owns every byte. */
#ifndef LEDGER_BASE_HTTP_MESSAGE_H
#define LEDGER_BASE_HTTP_MESSAGE_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"
#include "ledger/base/slice.h"

struct message_field {
    struct slice name;  /* lower case */
    struct slice value; /* one field line, as received, with white space around it */
};

struct message {
    struct slice method;    /* as sent */
    struct slice scheme;    /* "http" or "https", by configuration */
    struct slice authority; /* lower case, default port dropped */
    struct slice target;    /* request target as sent, with query; origin-form */
    const struct message_field *fields;
    size_t field_count;
    struct slice absolute_target; /* the target where it was sent in absolute-form; else data is NULL */
    struct slice body;            /* of a request; empty where there is none */
};

struct message_response {
    unsigned status; /* three digits */
    const struct message_field *fields;
    size_t field_count;
    const struct message *request; /* what was asked, for `;req`; or NULL */
};

/* The first of `count` field lines with the lower-case `name`, or NULL. */
const struct message_field *message_find(const struct message_field *fields, size_t count, struct slice name);

/* The first field line with the lower-case `name`, or NULL. */
const struct message_field *message_field(const struct message *message, struct slice name);

/* The next field line with the same name, or NULL. */
const struct message_field *message_field_next(const struct message *message,
                                               const struct message_field *after);

/* Takes the next member off a list of them with commas, trimmed; it may be empty (RFC 9110 section 5.6.1).
 * False at the end. For lists without quoted strings. */
bool message_list_next(struct slice *list, struct slice *member);

/* What is wrong with a field line (RFC 9110 section 5): its name is no token, or its value holds a control
 * byte other than a tab. NULL when nothing is. Static text. */
const char *message_field_fault(struct slice name, struct slice value);

/* Takes the target apart: sets `authority` from Host or, where the target is in absolute-form, from there
 * (RFC 9112 section 3.2.2), in lower case in the arena and with its port, and makes `target` origin-form.
 * Without either of them it is empty, which is for the caller to judge. NULL, or what is wrong with it.
 * Static text. */
const char *message_take_target(struct arena *arena, struct message *message) MUST_USE;

/* The length of the body that the fields announce, which is not read further than `most`: behind that its
 * size does not matter. NULL, or why there is no telling where such a request ends (RFC 9112 section 6.3). A
 * Transfer-Encoding gives `most`. */
const char *message_body_length(const struct message *message, size_t most, size_t *length) MUST_USE;

/* Path of the target: everything before '?', or "/" when there is nothing. */
struct slice message_path(const struct message *message);

/* Query of the target with its '?', or empty. */
struct slice message_query(const struct message *message);

#endif
