#include "tools/crawltab/frame/checkpoint_key.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/crypto/random.h"
#include "ledger/proof/key_change.h"
#include "ledger/verify/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LINE_LEN (2 * NOTE_KEY_SIZE + 1) /* with the line feed */
#define FILE_MAX (CHECKPOINT_KEYS_MAX * LINE_LEN)

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "checkpoint_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

static bool read_key(struct slice line, struct note_key *key)
{
    key->signs = signature_sign_ed25519;
    return encoding_unhex(line, key->seed, NOTE_KEY_SIZE) &&
           signature_public_ed25519(key->seed, key->public_key);
}

static bool read_lines(const char *path, const char *text, struct checkpoint_keys *keys)
{
    while (*text) {
        struct slice line = {text, strcspn(text, "\r\n")};
        text += line.len;
        text += strspn(text, "\r\n");
        if (line.len == 0)
            continue;
        if (keys->count == CHECKPOINT_KEYS_MAX)
            return fail(path, "it has more than 8 keys", "remove the last lines: they sign nothing any more");
        if (!read_key(line, &keys->items[keys->count]))
            return fail(path, "a line is not 64 hexadecimal digits", "put a copy of the key back");
        keys->count++;
    }
    return keys->count > 0 || fail(path, "it is empty", "put a copy of the key back");
}

bool checkpoint_keys_load(const struct config *config, struct checkpoint_keys *keys)
{
    const char *path = config->ledger_checkpoint_key_file;
    struct stat status;
    size_t len = 0;
    char *text = file_read(path, FILE_MAX + 1, &len, &status);
    *keys = (struct checkpoint_keys){.count = 0};
    if (!text)
        return errno == ENOENT || fail(path, strerror(errno), "crawltab runs as the user who owns it");
    bool ok =
        file_is_exposed(&status) ? fail(path, FILE_EXPOSED, FILE_EXPOSED_HINT) : read_lines(path, text, keys);
    explicit_bzero(text, len);
    free(text);
    return ok;
}

void checkpoint_keys_clear(struct checkpoint_keys *keys)
{
    explicit_bzero(keys, sizeof(*keys));
}

static void write_lines(const struct checkpoint_keys *keys, char text[FILE_MAX])
{
    for (size_t i = 0; i < keys->count; i++) {
        char *line = text + i * LINE_LEN;
        encoding_hex(keys->items[i].seed, NOTE_KEY_SIZE, line);
        line[LINE_LEN - 1] = '\n';
    }
}

bool checkpoint_keys_add(const struct config *config, struct checkpoint_keys *keys)
{
    const char *path = config->ledger_checkpoint_key_file;
    char text[FILE_MAX];
    /* The last one goes: seven changes ago. */
    size_t kept = keys->count < CHECKPOINT_KEYS_MAX ? keys->count : CHECKPOINT_KEYS_MAX - 1;
    enum file_named named = FILE_MADE;
    memmove(keys->items + 1, keys->items, kept * sizeof(*keys->items));
    keys->count = kept + 1;
    keys->items[0] = (struct note_key){.signs = signature_sign_ed25519};
    random_bytes(keys->items[0].seed, NOTE_KEY_SIZE);
    if (!signature_public_ed25519(keys->items[0].seed, keys->items[0].public_key))
        return fail(path, "no public half can be made", NULL);
    write_lines(keys, text);
    size_t len = keys->count * LINE_LEN;
    /* The first must not replace what another run has made meanwhile. */
    const char *problem =
        kept == 0 ? file_make(path, text, len, &named) : file_replace(path, text, len, FILE_PRIVATE);
    explicit_bzero(text, sizeof(text));
    if (problem)
        return fail(path, problem, "the folder of ledger.checkpoint_key_file must exist and be writable");
    if (named != FILE_MADE)
        return checkpoint_keys_load(config, keys);
    LOG(INFO, "checkpoint_key_made", {"file", path},
        {"hint", "keep a copy elsewhere; crawltab checkpoint key shows its public half"});
    return true;
}

const struct note_key *checkpoint_keys_of_site(struct pg *pg, const struct checkpoint_keys *keys,
                                               int64_t site_id, const char *site)
{
    char current[NOTE_VERIFIER_MAX];
    if (key_change_current(pg, site_id, current) != ERR_OK)
        return NULL;
    if (!current[0] && keys->count > 0)
        return &keys->items[0];
    for (size_t i = 0; i < keys->count; i++)
        if (key_change_is(current, &keys->items[i]))
            return &keys->items[i];
    LOG(ERROR, "the key that signs this site's log is not here", {"site", site}, {"key", current},
        {"hint", "put a copy of ledger.checkpoint_key_file back; if there is none: crawltab checkpoint key "
                 "rotate --lost --reason WHY"});
    return NULL;
}

bool checkpoint_keys_make_first(struct pg *pg, const struct config *config, struct checkpoint_keys *keys)
{
    struct pg_params all = {0};
    struct pg_rows rows = {0};
    bool ok = false;
    if (keys->count > 0)
        return true;
    pg_params_text(&all, NULL);
    if (pg_run(pg, "key_list", &all, &rows) != ERR_OK)
        goto out;
    ok = rows.count == 0
             ? checkpoint_keys_add(config, keys)
             : fail(config->ledger_checkpoint_key_file,
                    "it is missing, and the ledger has checkpoints that were signed by a key",
                    "put a copy back; if there is none: crawltab checkpoint key rotate --lost --reason WHY");
out:
    pg_rows_free(&rows);
    return ok;
}
