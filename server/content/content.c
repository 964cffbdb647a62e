#define _GNU_SOURCE /* O_PATH */
#include "server/content/content.h"

#include "ledger/base/instant.h"
#include "ledger/base/log.h"
#include "ledger/base/text.h"
#include "server/content/content_type.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALL_BYTES   8192
#define RESERVE_BYTES 4096 /* of the arena, for the receipt */

struct content_root {
    int fd;
};

struct content_root *content_root_open(const char *folder)
{
    struct content_root *root = malloc(sizeof(*root));
    int fd = root ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        LOG(ERROR, "root_refused", {"root", folder}, {"detail", strerror(errno)});
        free(root);
        return NULL;
    }
    root->fd = fd;
    return root;
}

void content_root_close(struct content_root *root)
{
    if (!root)
        return;
    close(root->fd);
    free(root);
}

/* Opens below the root; the kernel refuses every way out of it. -1 when there is none. */
static int open_below(const struct content_root *root, const char *relative)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root->fd, relative, &how, sizeof(how));
}

/* One file as it is on disk. */
struct file {
    int fd;
    uint64_t size;
    int64_t modified_ms;
    char etag[48];
};

static void describe(struct file *file, const struct stat *status)
{
    file->size = (uint64_t)status->st_size;
    file->modified_ms = (int64_t)status->st_mtim.tv_sec * 1000;
    snprintf(file->etag, sizeof(file->etag), "\"%" PRIx64 "-%" PRIx64 "%08lx\"", file->size,
             (uint64_t)status->st_mtim.tv_sec, (unsigned long)status->st_mtim.tv_nsec);
}

/* True if the tag, or a star, is in the list of If-None-Match; weak comparison (RFC 9110 section 13.1.2). */
static bool tag_listed(struct slice list, struct slice tag)
{
    while (list.len > 0) {
        size_t comma = slice_find(list, ',');
        struct slice one = slice_trim((struct slice){list.data, comma});
        if (slice_starts(one, SLICE("W/")))
            one = (struct slice){one.data + 2, one.len - 2};
        if (slice_eq(one, tag) || slice_eq(one, SLICE("*")))
            return true;
        size_t used = comma < list.len ? comma + 1 : list.len;
        list = (struct slice){list.data + used, list.len - used};
    }
    return false;
}

static bool not_modified(const struct message *message, const struct file *file)
{
    char modified[INSTANT_TEXT_MAX];
    const struct message_field *none_match = message_field(message, SLICE("if-none-match"));
    const struct message_field *since = message_field(message, SLICE("if-modified-since"));
    if (none_match)
        return tag_listed(none_match->value, slice_of(file->etag));
    return since &&
           slice_eq(slice_trim(since->value), slice_of(instant_format_http(file->modified_ms, modified)));
}

static bool read_digits(struct slice *text, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < text->len && text->data[digits] >= '0' && text->data[digits] <= '9' && digits < 18)
        *number = *number * 10 + (uint64_t)(text->data[digits++] - '0');
    *text = (struct slice){text->data + digits, text->len - digits};
    return digits > 0;
}

enum range { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE };

/* One range of bytes (RFC 9110 section 14.1.2). Several ranges, and what does not parse, are answered with
 * the whole file, as section 14.2 allows. */
static enum range read_range(struct slice value, uint64_t size, uint64_t *offset, uint64_t *length)
{
    uint64_t first = 0;
    uint64_t last = 0;
    value = slice_trim(value);
    if (!slice_starts(value, SLICE("bytes=")))
        return RANGE_NONE;
    value = (struct slice){value.data + 6, value.len - 6};
    bool has_first = read_digits(&value, &first);
    if (!slice_starts(value, SLICE("-")))
        return RANGE_NONE;
    value = (struct slice){value.data + 1, value.len - 1};
    bool has_last = read_digits(&value, &last);
    if (value.len > 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
        return RANGE_NONE;
    if (!has_first) {
        first = last < size ? size - last : 0;
        if (last == 0)
            return RANGE_OUTSIDE;
        last = size;
    }
    if (first >= size)
        return RANGE_OUTSIDE;
    *offset = first;
    *length = (has_last && last < size ? last + 1 : size) - first;
    return RANGE_PART;
}

static enum range range_of(const struct message *message, const struct file *file, uint64_t *offset,
                           uint64_t *length)
{
    const struct message_field *range = message_field(message, SLICE("range"));
    const struct message_field *if_range = message_field(message, SLICE("if-range"));
    if (!range || !slice_eq(message->method, SLICE("GET")))
        return RANGE_NONE;
    if (if_range && !slice_eq(slice_trim(if_range->value), slice_of(file->etag)))
        return RANGE_NONE;
    return read_range(range->value, file->size, offset, length);
}

static bool add_fields(struct exchange *exchange, const struct file *file, struct slice path)
{
    struct arena *arena = &exchange->arena;
    char modified[INSTANT_TEXT_MAX];
    instant_format_http(file->modified_ms, modified);
    const char *type =
        path.data[path.len - 1] == '/' ? content_type(SLICE("index.html")) : content_type(path);
    return exchange_header(exchange, "Content-Type", type) &&
           exchange_header(exchange, "Accept-Ranges", "bytes") &&
           exchange_header(exchange, "ETag", arena_copy(arena, slice_of(file->etag))) &&
           exchange_header(exchange, "Last-Modified", arena_copy(arena, slice_of(modified))) &&
           exchange_header(exchange, "X-Content-Type-Options", "nosniff") &&
           exchange_header(exchange, "Cache-Control", "private");
}

/* A short body is sent from memory: with its header in one packet, where a file takes a packet of its own. */
static bool read_small(struct exchange *exchange, int fd, uint64_t offset, uint64_t length)
{
    struct arena *arena = &exchange->arena;
    if (length > SMALL_BYTES || arena->size - arena->used < length + RESERVE_BYTES)
        return false;
    char *body = arena_bytes(arena, length);
    if (!body || pread(fd, body, length, (off_t)offset) != (ssize_t)length)
        return false;
    exchange->reply.body = (struct slice){body, length};
    return true;
}

static enum err answer(struct exchange *exchange, const struct file *file, struct slice path)
{
    struct exchange_reply *reply = &exchange->reply;
    uint64_t offset = 0;
    uint64_t length = file->size;
    const char *range = NULL;
    enum range kind = RANGE_NONE;
    if (!add_fields(exchange, file, path))
        return ERR_REQUEST_TOO_LARGE;
    reply->status = 200;
    if (not_modified(&exchange->message, file)) {
        reply->status = 304;
        return ERR_OK;
    }
    kind = range_of(&exchange->message, file, &offset, &length);
    if (kind == RANGE_OUTSIDE)
        range = arena_format(&exchange->arena, "bytes */%" PRIu64, file->size).data;
    if (kind == RANGE_PART)
        range = arena_format(&exchange->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset,
                             offset + length - 1, file->size)
                    .data;
    if (kind != RANGE_NONE && !exchange_header(exchange, "Content-Range", range))
        return ERR_REQUEST_TOO_LARGE;
    if (kind == RANGE_OUTSIDE) {
        reply->status = 416;
        return ERR_OK;
    }
    reply->status = kind == RANGE_PART ? 206 : 200;
    if (read_small(exchange, file->fd, offset, length))
        return ERR_OK;
    reply->fd = file->fd;
    reply->offset = offset;
    reply->length = length;
    return ERR_OK;
}

/* A folder without its last slash: the links of its page would lead astray. */
static enum err redirect(struct exchange *exchange)
{
    struct slice path = message_path(&exchange->message);
    struct slice query = message_query(&exchange->message);
    struct text text = text_begin(&exchange->arena);
    while (path.len > 1 && path.data[1] == '/') /* "//host" would name another host */
        path = (struct slice){path.data + 1, path.len - 1};
    text_add(&text, path);
    text_char(&text, '/');
    text_add(&text, query);
    exchange->reply.status = 301;
    return exchange_header(exchange, "Location", text_end(&text).data) ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

enum err content_open(const struct content_root *root, struct exchange *exchange, struct slice path)
{
    struct stat status;
    struct file file = {.fd = -1};
    bool folder = path.data[path.len - 1] == '/';
    const char *relative =
        arena_format(&exchange->arena, ".%.*s%s", (int)path.len, path.data, folder ? "index.html" : "").data;
    enum err err = ERR_NOT_FOUND;
    if (!relative)
        return ERR_REQUEST_TOO_LARGE;
    file.fd = open_below(root, relative);
    if (file.fd < 0 && (errno == EMFILE || errno == ENFILE))
        err = ERR_OVERLOADED; /* the page may well be there */
    if (file.fd < 0 || fstat(file.fd, &status) != 0)
        goto out;
    if (S_ISDIR(status.st_mode) && !folder)
        err = redirect(exchange);
    if (!S_ISREG(status.st_mode))
        goto out;
    describe(&file, &status);
    err = answer(exchange, &file, path);
out:
    if (file.fd >= 0 && exchange->reply.fd != file.fd)
        close(file.fd);
    return err;
}

void content_discard(struct exchange_reply *reply)
{
    if (reply->fd >= 0)
        close(reply->fd);
    reply->fd = -1;
    reply->body = (struct slice){NULL, 0};
}

bool content_is_given(const struct exchange_reply *reply)
{
    return reply->status == 200 || reply->status == 206;
}
