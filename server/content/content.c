/* The kernel resolves the path below the folder and refuses every way out of it, links and dots included:
 * no check of ours stands between a name and what it opens, which is where such checks are beaten. Size and
 * time are those of the opened file, so that what is described is what is sent. */
#define _GNU_SOURCE /* O_PATH */
#include "server/content/content.h"

#include "ledger/base/instant.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/text/text.h"
#include "server/content/content_type.h"
#include "server/content/precondition.h"
#include "server/content/range.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALL_BYTES   8192
#define RESERVE_BYTES 4096 /* of the arena, for the receipt */

#define ROOT_MAGIC 0xb3e6714du

struct content_root {
    uint32_t magic;
    char folder[];
};

static bool without_descriptors(void)
{
    return errno == EMFILE || errno == ENFILE;
}

/* -1 with errno, after logging what is not a lack of descriptors. */
static int open_top(const struct content_root *root)
{
    OBJECT_CHECK(root, ROOT_MAGIC);
    int top = open(root->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0 && !without_descriptors())
        LOG(ERROR, "root_refused", {"root", root->folder}, {"detail", strerror(errno)});
    return top;
}

struct content_root *content_root_open(const char *folder)
{
    struct content_root *root = malloc(sizeof(*root) + strlen(folder) + 1);
    if (!root)
        return NULL;
    OBJECT_MAKE(root, ROOT_MAGIC);
    memcpy(root->folder, folder, strlen(folder) + 1);
    int top = open_top(root);
    if (top < 0) {
        content_root_close(root);
        return NULL;
    }
    close(top);
    return root;
}

void content_root_close(struct content_root *root)
{
    if (!root)
        return;
    OBJECT_END(root, ROOT_MAGIC);
    free(root);
}

/* The view's folder, which it keeps; -1 as open_top. */
static int look(struct content_view *view, const struct content_root *root)
{
    OBJECT_CHECK(root, ROOT_MAGIC);
    if (view->root == root)
        return view->top;
    content_view_end(view);
    int top = open_top(root);
    if (top >= 0)
        *view = (struct content_view){root, top};
    return top;
}

void content_view_end(struct content_view *view)
{
    if (view->root)
        close(view->top);
    *view = (struct content_view){NULL, -1};
}

/* Opens below the top; the kernel refuses every way out of it. -1 when there is none. */
static int open_below(int top, const char *relative, uint64_t flags, uint64_t resolve)
{
    assert(relative[0] == '.' &&
           (relative[1] == '/' || relative[1] == '\0')); /* absolute, RESOLVE_BENEATH would refuse it */
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = resolve | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, top, relative, &how, sizeof(how));
}

static void describe(struct content *content, const struct stat *status)
{
    content->device = (uint64_t)status->st_dev;
    content->inode = (uint64_t)status->st_ino;
    content->modified_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
    content->changed_ns = (int64_t)status->st_ctim.tv_sec * 1000000000 + status->st_ctim.tv_nsec;
    content->size = (uint64_t)status->st_size;
    content->modified = (int64_t)status->st_mtim.tv_sec;
    /* Size and time to the nanosecond: a strong tag, as long as nobody changes a page within one of them. */
    int len =
        snprintf(content->etag, sizeof(content->etag), "\"%" PRIx64 "-%" PRIx64 "%08lx\"", content->size,
                 (uint64_t)status->st_mtim.tv_sec, (unsigned long)status->st_mtim.tv_nsec);
    assert(len > 2 && len < CONTENT_ETAG_MAX);
}

static bool is_folder(struct slice path)
{
    assert(path.len > 0);
    return path.data[path.len - 1] == '/';
}

static const char *relative_to_root(struct arena *arena, struct slice path)
{
    return arena_format(arena, ".%.*s%s", (int)path.len, path.data, is_folder(path) ? "index.html" : "").data;
}

/* The kernel's name for what is open. */
static bool name_of(int fd, char *out, size_t room)
{
    char link[40];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, room);
    if (len <= 0 || (size_t)len >= room)
        return false;
    out[len] = '\0';
    return true;
}

/* What stands behind the top's name in that of the file. */
static enum err path_below(int top, struct arena *arena, int fd, struct slice *led)
{
    char above[PATH_MAX];
    char name[PATH_MAX];
    if (!name_of(top, above, sizeof(above)) || !name_of(fd, name, sizeof(name))) {
        LOG(ERROR, "link_not_followed", {"detail", strerror(errno)}, {"hint", "is /proc mounted?"});
        return ERR_INTERNAL;
    }
    size_t len = strcmp(above, "/") == 0 ? 0 : strlen(above);
    if (strncmp(name, above, len) != 0 || name[len] != '/') /* outside, or it was moved in between */
        return ERR_NOT_FOUND;
    *led = slice_of(arena_copy(arena, slice_of(name + len)));
    return led->data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

/* Where a path leads that has links in it. The kernel takes an absolute link for a way out, though it may
 * lead back in: then the link is followed without opening anything, and what counts is the name of what is
 * there. */
static enum err lead(int top, struct arena *arena, const char *relative, struct slice *led)
{
    int fd = open_below(top, relative, O_PATH, 0);
    if (fd < 0 && errno == EXDEV)
        fd = openat(top, relative, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return without_descriptors() ? ERR_OVERLOADED : ERR_NOT_FOUND;
    enum err err = path_below(top, arena, fd, led);
    close(fd);
    return err;
}

static enum err top_failure(void)
{
    return without_descriptors() ? ERR_OVERLOADED : ERR_INTERNAL;
}

enum err content_follow(struct content_view *view, const struct content_root *root, struct arena *arena,
                        struct slice path, struct slice *led)
{
    const char *relative = relative_to_root(arena, path);
    *led = (struct slice){NULL, 0};
    if (!relative)
        return ERR_REQUEST_TOO_LARGE;
    int top = look(view, root);
    if (top < 0)
        return top_failure();
    /* One call for nearly all requests: it fails by ELOOP where there is a link, and only then. What it opens
     * is not what is given away: that is opened once more, as it then is, by who has decided. */
    int fd = open_below(top, relative, O_PATH, RESOLVE_NO_SYMLINKS);
    enum err err = ERR_OK;
    if (fd < 0 && errno == ELOOP)
        err = lead(top, arena, relative, led);
    else if (fd < 0 && without_descriptors())
        err = ERR_OVERLOADED;
    if (fd >= 0)
        close(fd);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The page's file, by any link that does not lead out. What a link leads to is opened by its own path, in
 * which the kernel allows no link: whoever changes one meanwhile gains nothing. */
static enum err open_page(int top, struct arena *arena, const char *relative, int *fd)
{
    const uint64_t flags = O_RDONLY | O_NONBLOCK; /* a pipe in the folder must not stop the thread */
    struct slice led;
    *fd = open_below(top, relative, flags, 0);
    if (*fd < 0 && errno == EXDEV) {
        enum err err = lead(top, arena, relative, &led);
        const char *real = err == ERR_OK ? arena_format(arena, ".%s", led.data).data : NULL;
        if (!real)
            return err == ERR_OK ? ERR_REQUEST_TOO_LARGE : err;
        *fd = open_below(top, real, flags, RESOLVE_NO_SYMLINKS);
    }
    if (*fd >= 0)
        return ERR_OK;
    return without_descriptors() ? ERR_OVERLOADED : ERR_NOT_FOUND; /* without them it may well be there */
}

enum err content_find(struct content_view *view, const struct content_root *root, struct arena *arena,
                      struct slice path, struct content *content)
{
    assert(path.len > 0 && path.data[0] == '/');
    struct stat status;
    bool folder = is_folder(path);
    const char *relative = relative_to_root(arena, path);
    *content = (struct content){.fd = -1};
    if (!relative)
        return ERR_REQUEST_TOO_LARGE;
    int top = look(view, root);
    if (top < 0)
        return top_failure();
    enum err err = open_page(top, arena, relative, &content->fd);
    if (err != ERR_OK)
        return err;
    if (fstat(content->fd, &status) == 0 &&
        (S_ISREG(status.st_mode) || (S_ISDIR(status.st_mode) && !folder))) { /* no devices, pipes, sockets */
        content->folder = S_ISDIR(status.st_mode);
        describe(content, &status);
        return ERR_OK;
    }
    content_close(content);
    return ERR_NOT_FOUND;
}

void content_close(struct content *content)
{
    if (content->fd >= 0)
        close(content->fd);
    content->fd = -1;
}

/* The fields of a 200 that a 304 has too (section 15.4.5). */
static bool add_state(struct exchange *exchange, const struct content *content)
{
    return exchange_header(exchange, "ETag", arena_copy(&exchange->arena, slice_of(content->etag))) &&
           (content->shared ? exchange_header(exchange, "Vary", "User-Agent, Signature-Agent, Payment")
                            : exchange_header(exchange, "Cache-Control", "private"));
}

static bool add_fields(struct exchange *exchange, const struct content *content, struct slice path,
                       int64_t modified)
{
    assert(path.len > 0);
    struct arena *arena = &exchange->arena;
    char date[INSTANT_TEXT_MAX];
    instant_format_http(modified * 1000, date);
    const char *type =
        path.data[path.len - 1] == '/' ? content_type(SLICE("index.html")) : content_type(path);
    /* nosniff: a page that a crawler's operator shows in a browser is what its type says and nothing else. */
    return exchange_header(exchange, "Content-Type", type) &&
           exchange_header(exchange, "Accept-Ranges", "bytes") &&
           exchange_header(exchange, "Last-Modified", arena_copy(arena, slice_of(date))) &&
           exchange_header(exchange, "X-Content-Type-Options", "nosniff") && add_state(exchange, content);
}

/* A short body is sent from memory: with its header in one packet, where a file takes a packet of its own. */
static bool read_small(struct exchange *exchange, int fd, uint64_t offset, uint64_t length)
{
    struct arena *arena = &exchange->arena;
    if (length > SMALL_BYTES || arena->size - arena->used < length + RESERVE_BYTES)
        return false;
    /* One that has become shorter meanwhile is sent from the file, whose length libmicrohttpd then cannot
     * fill: the connection is closed, and the client sees that something is missing. */
    char *body = arena_bytes(arena, length);
    if (!body || pread(fd, body, length, (off_t)offset) != (ssize_t)length)
        return false;
    exchange->reply.body = (struct slice){body, length};
    return true;
}

static void send_part(struct content *content, struct exchange *exchange, uint64_t offset, uint64_t length)
{
    struct exchange_reply *reply = &exchange->reply;
    assert(offset <= content->size && length <= content->size - offset);
    assert(content->fd >= 0 && exchange->reply.fd < 0);
    reply->length = length;
    reply->offset = offset;
    if (read_small(exchange, content->fd, offset, length)) {
        assert(reply->body.len == length && content->fd >= 0); /* which is closed, as nobody reads it */
        return;
    }
    reply->fd = content->fd;
    content->fd = -1;
}

static bool add_content_range(struct exchange *exchange, uint64_t offset, uint64_t length, uint64_t size)
{
    assert(length > 0 && offset < size && length <= size - offset); /* "first-last" of nothing has no words */
    return exchange_header(exchange, "Content-Range",
                           arena_format(&exchange->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset,
                                        offset + length - 1, size)
                               .data);
}

static enum err answer_file(struct content *content, struct exchange *exchange, struct slice path,
                            int64_t now)
{
    assert(content->fd >= 0 && !content->folder);
    const struct message *message = &exchange->message;
    const struct message_field *range = message_field(message, SLICE("range"));
    uint64_t offset = 0;
    uint64_t length = content->size;
    /* A Last-Modified from the future is not sent (section 8.8.2.1). */
    struct precondition_page page = {.etag = slice_of(content->etag),
                                     .modified = content->modified < now ? content->modified : now,
                                     .now = now};
    switch (precondition_judge(message, &page)) {
    case PRECONDITION_FAILED:
        return ERR_PRECONDITION_FAILED;
    case PRECONDITION_NOT_MODIFIED:
        exchange->reply.status = 304;
        exchange->reply.length = content->size;
        return add_state(exchange, content) ? ERR_OK : ERR_REQUEST_TOO_LARGE;
    case PRECONDITION_MET:
        break;
    }
    if (!add_fields(exchange, content, path, page.modified))
        return ERR_REQUEST_TOO_LARGE;
    exchange->reply.status = 200;
    /* Range is for GET (section 14.2), and stands once. */
    if (range && slice_eq(message->method, SLICE("GET")) && !message_field_next(message, range) &&
        precondition_range_counts(message, &page)) {
        enum range kind = range_judge(range->value, content->size, &offset, &length);
        if (kind == RANGE_OUTSIDE)
            return ERR_RANGE_NOT_SATISFIABLE;
        if (kind == RANGE_PART) {
            exchange->reply.status = 206;
            if (!add_content_range(exchange, offset, length, content->size))
                return ERR_REQUEST_TOO_LARGE;
        }
    }
    assert(exchange->reply.status == 200 ? length == content->size : exchange->reply.status == 206);
    send_part(content, exchange, offset, length);
    return ERR_OK;
}

/* A folder without its last slash: the links of its page would lead astray. */
static enum err redirect(struct exchange *exchange)
{
    struct slice path = message_path(&exchange->message);
    struct slice query = message_query(&exchange->message);
    struct text text = text_begin(&exchange->arena);
    assert(slice_starts(path, SLICE("/")));     /* what is no path might be another site */
    while (path.len > 1 && path.data[1] == '/') /* "//host" would name another host */
        path = (struct slice){path.data + 1, path.len - 1};
    text_add(&text, path);
    text_char(&text, '/');
    text_add(&text, query);
    exchange->reply.status = 301;
    return exchange_header(exchange, "Location", text_end(&text).data) ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

enum err content_answer(struct content *content, struct exchange *exchange, struct slice path, int64_t now_ms)
{
    assert(exchange->reply.fd < 0); /* or a file would be left open */
    enum err err = content->folder ? redirect(exchange) : answer_file(content, exchange, path, now_ms / 1000);
    assert(err != ERR_OK || exchange->reply.status > 0);
    content_close(content);
    return err;
}

void content_discard(struct exchange_reply *reply)
{
    /* What was found is not given away: the reply that takes its place has its own body and status. */
    if (reply->fd >= 0)
        close(reply->fd);
    if (reply->stream)
        reply->stream->close(reply->stream);
    reply->stream = NULL;
    reply->fd = -1;
    reply->body = (struct slice){NULL, 0};
}

bool content_is_given(const struct exchange_reply *reply)
{
    uint64_t bytes = reply->fd >= 0 ? reply->length : reply->body.len;
    return (reply->status == 200 || reply->status == 206) && bytes > 0;
}
