#include "tools/crawler/store.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/text/text.h"
#include "tools/crawler/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_MAX 200 /* a file system's limit is 255 bytes */
#define NAME_MAX_IN 2000
#define HEX_CHARS   32

struct store {
    const char *folder;
    int fd;       /* the folder */
    int receipts; /* opened for appending */
};

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~%+,=@!$'()", c));
}

static void add_digest(struct text *name, struct slice of)
{
    uint8_t digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    digest_sha256(&of, 1, digest);
    text_char(name, '%');
    text_add(name, (struct slice){encoding_hex(digest, sizeof(digest), hex), HEX_CHARS});
}

static void add_escaped(struct text *name, struct slice part)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < part.len; i++) {
        unsigned char byte = (unsigned char)part.data[i];
        if (plain(part.data[i])) {
            text_char(name, part.data[i]);
        } else {
            text_char(name, '%');
            text_char(name, digits[byte >> 4]);
            text_char(name, digits[byte & 15]);
        }
    }
}

/* One segment. What stands for an empty one and for dots cannot come from a path in normal form. */
static void add_segment(struct text *name, struct slice segment)
{
    text_char(name, '/');
    if (segment.len == 0 || slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."))) {
        for (size_t i = 0; i < segment.len + 1; i++)
            text_char(name, '%');
        return;
    }
    size_t escaped = 0;
    for (size_t i = 0; i < segment.len; i++)
        escaped += plain(segment.data[i]) ? 1 : 3;
    if (escaped > SEGMENT_MAX) {
        add_escaped(name, (struct slice){segment.data, (SEGMENT_MAX - HEX_CHARS) / 3 - 1});
        add_digest(name, segment);
    } else {
        add_escaped(name, segment);
    }
}

static void add_host(struct text *name, const struct target *target)
{
    for (size_t i = 0; i < target->authority.len; i++) {
        char c = target->authority.data[i];
        bool kept = plain(c) && c != '%' && !(i == 0 && c == '.');
        text_char(name, kept ? c : '_');
    }
}

struct slice store_name(struct arena *arena, const struct target *target)
{
    struct slice path = target->url.path;
    struct slice query = target->url.query;
    struct text name = text_begin(arena);
    add_host(&name, target);
    for (size_t start = 1; start <= path.len;) {
        struct slice rest = {path.data + start, path.len - start};
        size_t end = slice_find(rest, '/');
        bool last = end == rest.len;
        /* Path and query stand beside each other in the request target. */
        struct slice segment = {rest.data, end};
        if (last && query.len > 0) {
            size_t at = target->request.len - query.len - end;
            segment = (struct slice){target->request.data + at, end + query.len};
        } else if (last && end == 0) {
            segment = SLICE("index.html");
        }
        add_segment(&name, segment);
        start += end + 1;
    }
    return text_end(&name);
}

struct slice store_fallback_name(struct arena *arena, const struct target *target)
{
    struct text name = text_begin(arena);
    add_host(&name, target);
    text_char(&name, '/');
    add_digest(&name, target->text);
    return text_end(&name);
}

struct store *store_open(const char *folder)
{
    struct store *store = malloc(sizeof(*store));
    if (!store)
        return NULL;
    *store = (struct store){.folder = folder, .fd = -1, .receipts = -1};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        say_problem("cannot make the folder \"%s\": %s", folder, strerror(errno));
        goto out;
    }
    store->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->fd < 0) {
        say_problem("cannot use the folder \"%s\": %s", folder, strerror(errno));
        goto out;
    }
    store->receipts = openat(store->fd, STORE_RECEIPTS,
                             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (store->receipts < 0)
        say_problem("cannot write \"%s/" STORE_RECEIPTS "\": %s", folder, strerror(errno));
out:
    if (store->receipts < 0) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->fd >= 0)
        close(store->fd);
    if (store->receipts >= 0)
        close(store->receipts);
    free(store);
}

/* Opens the folder that the last segment of `name` goes to, made on the way. -1 with errno. */
static int open_parent(const struct store *store, char *name, const char **last)
{
    int fd = dup(store->fd);
    for (char *slash; fd >= 0 && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        *slash = '\0';
        int inner = -1;
        bool made = mkdirat(fd, name, 0777) == 0;
        if (made)
            fsync(fd); /* or a crash takes the folder away, and the page with it */
        if (made || errno == EEXIST)
            inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int why = errno;
        close(fd);
        errno = why;
        fd = inner;
    }
    *last = name;
    return fd;
}

/* A symbolic link gives way to the page: it is never written through. */
static const char *write_in(int folder, const char *name, struct slice content)
{
    struct file_draft *draft;
    const char *problem = file_draft_begin(folder, name, FILE_PUBLIC, &draft);
    if (problem)
        return problem;
    file_draft_write(draft, content.data, content.len);
    return file_draft_replace(draft, true);
}

/* What is wrong, or NULL. Takes `name` apart. */
static const char *write_file(const struct store *store, char *name, struct slice content)
{
    const char *last;
    int folder = open_parent(store, name, &last);
    if (folder < 0)
        return strerror(errno);
    const char *problem = write_in(folder, last, content);
    close(folder);
    return problem;
}

struct slice store_page(struct store *store, struct arena *arena, const struct target *target,
                        struct slice content)
{
    struct slice name = store_name(arena, target);
    const char *problem = "";
    for (int i = 0; i < 2 && problem; i++) {
        if (i > 0 || !name.data || name.len > NAME_MAX_IN)
            name = store_fallback_name(arena, target);
        char *copy = name.data ? arena_copy(arena, name) : NULL;
        problem = copy ? write_file(store, copy, content) : strerror(ENOMEM);
    }
    if (!problem)
        return name;
    say_problem("cannot store %s below \"%s\": %s", target->text.data, store->folder, problem);
    return (struct slice){NULL, 0};
}

bool store_receipt(struct store *store, const char *line)
{
    if (file_write_all(store->receipts, line, strlen(line)) &&
        (fdatasync(store->receipts) == 0 || errno == EINVAL))
        return true;
    say_problem("cannot write a receipt to \"%s/" STORE_RECEIPTS "\": %s", store->folder, strerror(errno));
    say_problem("the receipt: %s", line);
    return false;
}
