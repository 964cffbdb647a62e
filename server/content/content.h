/* The `root` delivery style: files of a folder, with types, ranges, entity tags and conditions (RFC 9110
 * sections 8, 13 and 14). */
#ifndef SERVER_CONTENT_CONTENT_H
#define SERVER_CONTENT_CONTENT_H

#include "ledger/base/http/exchange.h"

#define CONTENT_ETAG_MAX 48

/* A folder that files are served from; where its name is a link, wherever that leads just now. */
struct content_root;

/* NULL after logging why. */
struct content_root *content_root_open(const char *folder);
void content_root_close(struct content_root *root);

/* A folder as it is when it is first looked at, kept open for the requests of one turn of a thread: a deploy
 * that switches a link is followed by the next turn, and each request sees one version. All zero: of none. */
struct content_view {
    const struct content_root *root; /* NULL: none */
    int top;
};

/* Lets go of it. Fine when there is none. */
void content_view_end(struct content_view *view);

/* One page as it is on disk. */
struct content {
    int fd;      /* its file, or -1 */
    bool folder; /* a folder that was asked for without its last slash */
    bool shared; /* set by whoever gives it away for nothing: a cache may keep it for others of the same kind
                  */
    uint64_t device, inode; /* of the file; both 0: there is none */
    uint64_t size;
    int64_t modified;                /* seconds since 1970 */
    int64_t modified_ns, changed_ns; /* nanoseconds: its bytes, and the file itself */
    char etag[CONTENT_ETAG_MAX];
};

/* Finds the page for `path` (as rules_path made it). Nothing outside the folder can be reached, by symbolic
 * links either. ERR_NOT_FOUND when there is none, ERR_OVERLOADED without descriptors, ERR_REQUEST_TOO_LARGE.
 * ERR_INTERNAL when the folder itself is gone (logged). After ERR_OK content_close is called once. */
enum err content_find(struct content_view *view, const struct content_root *root, struct arena *arena,
                      struct slice path, struct content *content) MUST_USE;

/* Where the page for `path` really is when a symbolic link below the folder stands on the way to it: its path
 * below the folder, in the arena. data is NULL where none does, or there is no such page. ERR_OVERLOADED
 * without descriptors, ERR_REQUEST_TOO_LARGE, ERR_INTERNAL (logged). */
enum err content_follow(struct content_view *view, const struct content_root *root, struct arena *arena,
                        struct slice path, struct slice *led) MUST_USE;

/* Closes the file unless the reply has it. Fine after a failure of content_find, and again. */
void content_close(struct content *content);

/* Fills the reply with the page, or what the request's conditions and range make of it: status 200, 206, 301
 * or 304. ERR_PRECONDITION_FAILED, ERR_RANGE_NOT_SATISFIABLE, ERR_REQUEST_TOO_LARGE. */
enum err content_answer(struct content *content, struct exchange *exchange, struct slice path,
                        int64_t now_ms) MUST_USE;

/* Takes the content back out of the reply. */
void content_discard(struct exchange_reply *reply);

/* True if the reply gives content away, so that it is paid for: an empty page is none. */
bool content_is_given(const struct exchange_reply *reply);

#endif
