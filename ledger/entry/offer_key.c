/* Two keys, so that ids which were given out under the last one can be paid with after a change. A file
 * that others may read is refused, and not merely told about: whoever has the key can make offers at any
 * price. */
#include "ledger/entry/offer_key.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  4096
#define NOT_A_KEY "a line is not a key"

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "offer_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

/* Two gates that start at once end up with one key. */
static bool make(const char *path)
{
    char line[2 * OFFER_KEY_SIZE + 2];
    uint8_t key[OFFER_KEY_SIZE];
    enum file_named named;
    random_bytes(key, sizeof(key));
    encoding_hex(key, sizeof(key), line);
    line[2 * OFFER_KEY_SIZE] = '\n';
    const char *problem = file_make(path, line, sizeof(line) - 1, &named);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(line, sizeof(line));
    if (problem)
        return fail(path, problem, "the folder of offer.key_file must exist and be writable");
    if (named == FILE_MADE)
        LOG(INFO, "offer_key_made", {"file", path});
    return true;
}

/* The next line of the text; false if it is no key. `empty`: there is none, or nothing in it. */
static bool read_line(char **rest, uint8_t key[OFFER_KEY_SIZE], bool *empty)
{
    struct slice line = {*rest, strcspn(*rest, "\n")};
    *rest += line.len + (line.data[line.len] == '\n');
    line.len = strcspn(line.data, "\r\n");
    *empty = line.len == 0;
    return *empty || encoding_unhex(line, key, OFFER_KEY_SIZE);
}

const char *offer_key_read(const char *path, struct offer_key *key)
{
    bool empty, no_previous;
    struct stat status;
    size_t len;
    *key = (struct offer_key){.has_previous = false};
    char *text = file_read(path, FILE_MAX, &len, &status);
    if (!text)
        return strerror(errno);
    char *rest = text;
    /* Looked at before anything is used of it, and of what was opened, not of the name once more. */
    bool exposed = file_is_exposed(&status);
    bool ok = !exposed && read_line(&rest, key->current, &empty) && !empty &&
              read_line(&rest, key->previous, &no_previous);
    explicit_bzero(text, len);
    free(text);
    key->has_previous = ok && !no_previous;
    assert(!ok || !empty);
    if (ok)
        return NULL;
    explicit_bzero(key, sizeof(*key));
    return exposed ? FILE_EXPOSED : NOT_A_KEY;
}

bool offer_key_load(const char *path, struct offer_key *key)
{
    if (access(path, F_OK) != 0 && errno == ENOENT && !make(path))
        return false;
    const char *problem = offer_key_read(path, key);
    if (!problem)
        return true;
    const char *hint = NULL;
    if (strcmp(problem, FILE_EXPOSED) == 0)
        hint = FILE_EXPOSED_HINT;
    else if (strcmp(problem, NOT_A_KEY) == 0)
        hint = "each line is a key of 64 hexadecimal digits; the newest stands first";
    return fail(path, problem, hint);
}
