/* Where pages and receipts are kept: files below one folder, and receipts.jsonl in it. */
#ifndef TOOLS_CRAWLER_STORE_H
#define TOOLS_CRAWLER_STORE_H

#include "tools/crawler/target.h"

#define STORE_RECEIPTS "receipts.jsonl"

/* The name of a page's file below the folder: host[_port], then the path. Pure. It is relative, has no empty,
 * "." or ".." segment, and no byte but letters, digits and "-._~%+,=@!$'()"; a page that ends in a slash is
 * index.html, a query is part of the last segment, a segment that is too long ends in a digest. data is NULL
 * when the arena is full. */
struct slice store_name(struct arena *arena, const struct target *target);

/* The name to fall back on where the first one cannot be, because another page's file is in the way of a
 * folder or the other way round: host[_port]/%digest. */
struct slice store_fallback_name(struct arena *arena, const struct target *target);

struct store;

/* Makes the folder if need be and opens its receipts for appending, so that nothing is paid for that could
 * not be kept. NULL after saying why. */
struct store *store_open(const char *folder);
void store_close(struct store *store);

/* Writes a page, over an earlier copy of the same one; never through a symbolic link, so never outside the
 * folder. The name it got is in the arena. data is NULL after saying why. */
struct slice store_page(struct store *store, struct arena *arena, const struct target *target,
                        struct slice content);

/* Appends one line to the receipts and waits until it is on disk. False after saying why. */
bool store_receipt(struct store *store, const char *line);

#endif
