/* The night adds to the history before it judges, so that a key is in it as soon as one night has seen it; a
 * key that came and went between two nights has to be put there by hand. The file is a line of 64 hexadecimal
 * digits for each key, as the gate's own is. */
#include "ledger/evidence/offer_keys.h"

#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 1048576
#define LINE     (2 * OFFER_KEY_SIZE + 1) /* where encoding_hex puts its NUL stands the line feed */

static bool has(const struct offer_keys *keys, const uint8_t key[OFFER_KEY_SIZE])
{
    for (size_t i = 0; i < keys->count; i++)
        if (memcmp(keys->items[i], key, OFFER_KEY_SIZE) == 0)
            return true;
    return false;
}

static bool add(struct offer_keys *keys, const uint8_t key[OFFER_KEY_SIZE])
{
    if (has(keys, key))
        return true;
    /* Moved by hand: realloc would leave a copy of the secrets behind. */
    uint8_t(*items)[OFFER_KEY_SIZE] = calloc(keys->count + 1, sizeof(*items));
    if (!items)
        return false;
    if (keys->count > 0) {
        memcpy(items, keys->items, keys->count * sizeof(*items));
        explicit_bzero(keys->items, keys->count * sizeof(*items));
    }
    free(keys->items);
    keys->items = items;
    memcpy(keys->items[keys->count++], key, OFFER_KEY_SIZE);
    return true;
}

static bool read_current(const struct config *config, struct offer_keys *keys)
{
    struct offer_key key;
    /* None is no problem: commands run on machines that have no gate, and the history may do. */
    if (access(config->offer_key_file, F_OK) != 0 && errno == ENOENT)
        return true;
    keys->problem = offer_key_read(config->offer_key_file, &key);
    keys->file = config->offer_key_file;
    bool ok = keys->problem || (add(keys, key.current) && (!key.has_previous || add(keys, key.previous)));
    explicit_bzero(&key, sizeof(key));
    return ok;
}

/* NULL, or what is wrong with a line. `ok` is false without memory. */
static const char *read_lines(char *text, struct offer_keys *keys, bool *ok)
{
    uint8_t key[OFFER_KEY_SIZE];
    const char *problem = NULL;
    *ok = true;
    for (char *at = text; *at && !problem && *ok;) {
        struct slice line = {at, strcspn(at, "\r\n")};
        at += line.len + strspn(at + line.len, "\r\n");
        if (line.len == 0)
            continue;
        if (!encoding_unhex(line, key, sizeof(key)))
            problem = "a line is not a key of 64 hexadecimal digits";
        else
            *ok = add(keys, key);
    }
    explicit_bzero(key, sizeof(key));
    return problem;
}

static bool read_history(const struct config *config, struct offer_keys *keys)
{
    struct stat status;
    struct offer_keys known = {.items = NULL};
    size_t len;
    bool ok = true;
    char *text = file_read(config->offer_history_file, FILE_MAX, &len, &status);
    if (!text && errno == ENOENT)
        return true;
    const char *problem = !text                      ? strerror(errno)
                          : file_is_exposed(&status) ? FILE_EXPOSED
                                                     : read_lines(text, &known, &ok);
    if (text)
        explicit_bzero(text, len);
    free(text);
    /* What was read before a bad line counts: more keys open more ids, and the problem is told anyway. */
    for (size_t i = 0; i < known.count && ok; i++)
        ok = add(keys, known.items[i]);
    keys->kept = known.count;
    assert(!ok || keys->kept <= keys->count); /* each of them once, and the gate's own beside them */
    offer_keys_free(&known);
    if (problem && !keys->problem) {
        keys->problem = problem;
        keys->file = config->offer_history_file;
    }
    return ok;
}

bool offer_keys_read(const struct config *config, struct offer_keys *keys)
{
    *keys = (struct offer_keys){.file = config->offer_key_file};
    return read_current(config, keys) && read_history(config, keys);
}

void offer_keys_free(struct offer_keys *keys)
{
    if (keys->items)
        explicit_bzero(keys->items, keys->count * sizeof(*keys->items));
    free(keys->items);
    keys->items = NULL;
    keys->count = keys->kept = 0;
}

/* The folder exists when there is a key file beside it; elsewhere it is the operator's to make. */
bool offer_keys_keep(const struct config *config, struct offer_keys *keys)
{
    assert(keys->kept <= keys->count && !keys->problem);
    if (keys->kept == keys->count)
        return true;
    char *text = malloc(keys->count * LINE + 1);
    if (!text)
        return false;
    for (size_t i = 0; i < keys->count; i++) {
        encoding_hex(keys->items[i], OFFER_KEY_SIZE, text + i * LINE);
        text[(i + 1) * LINE - 1] = '\n';
    }
    assert(text[keys->count * LINE - 1] == '\n');
    const char *problem = file_replace(config->offer_history_file, text, keys->count * LINE, FILE_PRIVATE);
    explicit_bzero(text, keys->count * LINE);
    free(text);
    if (problem)
        LOG(ERROR, "offer_key_not_kept", {"file", config->offer_history_file}, {"detail", problem},
            {"hint", "without it the ids of former offer keys could not be opened; nothing was closed"});
    else
        keys->kept = keys->count;
    return !problem;
}
