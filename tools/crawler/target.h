/* What is asked for: a URL in its normal form, and the parts of it that go over the wire. Pure. */
#ifndef TOOLS_CRAWLER_TARGET_H
#define TOOLS_CRAWLER_TARGET_H

#include "ledger/verify/url.h"

struct target {
    struct url url;         /* its parts */
    struct slice text;      /* the whole, normalised, NUL-terminated: what is requested and offered */
    struct slice authority; /* host[:port] */
    struct slice request;   /* path and query: the request target */
};

/* Reads an absolute http or https URL; a fragment is dropped. Bytes outside printable ASCII must have been
 * percent-encoded. False when it is not such a URL or the arena is full. */
bool target_parse(struct arena *arena, struct slice text, struct target *target);

#endif
