#include "server/gate/offer_key.h"

#include "ledger/base/encoding.h"
#include "ledger/base/file.h"
#include "ledger/base/log.h"
#include "ledger/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

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
    bool made;
    random_bytes(key, sizeof(key));
    encoding_hex(key, sizeof(key), line);
    line[2 * OFFER_KEY_SIZE] = '\n';
    bool ok = file_make(path, line, sizeof(line) - 1, &made);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(line, sizeof(line));
    if (!ok)
        return fail(path, strerror(errno), "the folder of offer.key_file must exist and be writable");
    if (made)
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
