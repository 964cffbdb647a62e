/* The `root` delivery style: files of a folder, with types, ranges, entity tags and conditions (RFC 9110
 * sections 8, 13 and 14). */
#ifndef SERVER_CONTENT_CONTENT_H
#define SERVER_CONTENT_CONTENT_H

#include "ledger/base/http/exchange.h"

/* A folder that files are served from. */
struct content_root;

/* NULL after logging why. */
struct content_root *content_root_open(const char *folder);
void content_root_close(struct content_root *root);

/* Opens the file for `path` (as rules_path made it) and fills the reply: status 200, 206, 301, 304 or 416 and
 * its fields. Nothing outside the folder can be reached, by symbolic links either. ERR_NOT_FOUND when there
 * is no such file. */
enum err content_open(const struct content_root *root, struct exchange *exchange, struct slice path) MUST_USE;

/* Takes the content back out of the reply. */
void content_discard(struct exchange_reply *reply);

/* True if the reply gives content away, so that it is paid for. */
bool content_is_given(const struct exchange_reply *reply);

#endif
