#include "server/gate/offer_key.h"

#include "ledger/base/encoding.h"
#include "ledger/base/file.h"
#include "ledger/base/log.h"
#include "ledger/base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "offer_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

/* Makes the folder of the file if it is missing; not its parents. */
static void make_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (slash && snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) < (int)sizeof(folder))
        mkdir(folder, 0700);
}

/* Written beside and linked into place, so that two gates starting at once end up with one key. */
static bool make(const char *path)
{
    char beside[4096];
    char line[2 * OFFER_KEY_SIZE + 2];
    uint8_t key[OFFER_KEY_SIZE];
    make_folder(path);
    int len = snprintf(beside, sizeof(beside), "%s.%ld", path, (long)getpid());
    int fd = len < (int)sizeof(beside) ? open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return fail(path, strerror(errno), "the folder of offer.key_file must exist and be writable");
    random_bytes(key, sizeof(key));
    encoding_hex(key, sizeof(key), line);
    line[2 * OFFER_KEY_SIZE] = '\n';
    bool ok = file_write_all(fd, line, sizeof(line) - 1) && fsync(fd) == 0;
    close(fd);
    ok = ok && (link(beside, path) == 0 || errno == EEXIST);
    int why = errno;
    unlink(beside);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(line, sizeof(line));
    if (!ok)
        return fail(path, strerror(why), NULL);
    LOG(INFO, "offer_key_made", {"file", path});
    return true;
}

static bool read_line(FILE *file, uint8_t key[OFFER_KEY_SIZE], bool *empty)
{
    char line[256];
    *empty = true;
    if (!fgets(line, sizeof(line), file))
        return true;
    struct slice text = {line, strcspn(line, "\r\n")};
    *empty = text.len == 0;
    bool ok = *empty || encoding_unhex(text, key, OFFER_KEY_SIZE);
    explicit_bzero(line, sizeof(line));
    return ok;
}

bool offer_key_load(const char *path, struct offer_key *key)
{
    bool empty;
    bool no_previous;
    if (access(path, F_OK) != 0 && errno == ENOENT && !make(path))
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return fail(path, strerror(errno), NULL);
    bool ok = read_line(file, key->current, &empty) && !empty && read_line(file, key->previous, &no_previous);
    fclose(file);
    key->has_previous = ok && !no_previous;
    if (!ok)
        return fail(path, "a line is not a key",
                    "each line is a key of 64 hexadecimal digits; the newest stands first");
    return true;
}
