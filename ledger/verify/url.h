/* URLs of key directories: strict parsing and the normal form that identifies an account (RFC 3986 sections
 * 6.2.2 and 6.2.3). Pure. */
#ifndef LEDGER_VERIFY_URL_H
#define LEDGER_VERIFY_URL_H

#include "ledger/base/arena.h"

struct url {
    struct slice scheme; /* "https" or "http" */
    struct slice host;   /* lower case; a DNS name or an address */
    struct slice port;   /* empty for the scheme's own */
    struct slice path;   /* normalised, at least "/" */
    struct slice query;  /* with its '?', or empty; as sent */
    bool address;        /* the host is an IP literal */
    const char *why;     /* it is none: what is wrong, static */
};

/* Parses an absolute http or https URL. Refused: userinfo, a fragment, anything outside printable ASCII,
 * hosts that are neither DNS names nor addresses. False with url->why, also when the arena is full. */
bool url_parse(struct arena *arena, struct slice text, struct url *url);

/* "https://host[:port]". data is NULL when the arena is full. */
struct slice url_origin(struct arena *arena, const struct url *url);

/* "host[:port]", as in a list of hosts. data is NULL when the arena is full. */
struct slice url_host_port(struct arena *arena, const struct url *url);

#endif
