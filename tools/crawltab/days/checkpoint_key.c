#include "tools/crawltab/days/checkpoint_key.h"

#include "ledger/base/encoding.h"
#include "ledger/base/file.h"
#include "ledger/base/log.h"
#include "ledger/base/random.h"
#include "server/verify/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX 256

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "checkpoint_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

static bool make_file(const char *path)
{
    uint8_t seed[NOTE_KEY_SIZE];
    char line[2 * NOTE_KEY_SIZE + 1];
    enum file_named named;
    random_bytes(seed, sizeof(seed));
    encoding_hex(seed, sizeof(seed), line);
    line[2 * NOTE_KEY_SIZE] = '\n';
    const char *problem = file_make(path, line, sizeof(line), &named);
    explicit_bzero(seed, sizeof(seed));
    explicit_bzero(line, sizeof(line));
    if (problem)
        return fail(path, problem, "the folder of ledger.checkpoint_key_file must exist and be writable");
    if (named == FILE_MADE)
        LOG(INFO, "checkpoint_key_made", {"file", path},
            {"hint", "crawltab checkpoint key shows its public half, to be given to who checks the log"});
    return true;
}

bool checkpoint_key_load(const struct config *config, bool make, struct note_key *key)
{
    const char *path = config->ledger_checkpoint_key_file;
    struct stat status;
    size_t len = 0;
    char *text = file_read(path, FILE_MAX, &len, &status);
    if (!text && errno == ENOENT && make) {
        if (!make_file(path))
            return false;
        text = file_read(path, FILE_MAX, &len, &status);
    }
    if (!text)
        return fail(path, strerror(errno), errno == ENOENT ? "the first crawltab nightly makes it" : NULL);
    struct slice line = {text, strcspn(text, "\r\n")};
    bool ok = file_is_exposed(&status) ? fail(path, FILE_EXPOSED, FILE_EXPOSED_HINT)
                                       : (encoding_unhex(line, key->seed, NOTE_KEY_SIZE) &&
                                          signature_public_ed25519(key->seed, key->public_key)) ||
                                             fail(path, "it is not one line of 64 hexadecimal digits",
                                                  "put a copy of the key back");
    key->signs = signature_sign_ed25519;
    explicit_bzero(text, len);
    free(text);
    return ok;
}

bool checkpoint_key_verifies(const uint8_t key[NOTE_KEY_SIZE], struct slice text,
                             const uint8_t signature[NOTE_SIGNATURE_SIZE])
{
    struct signature_key *public_key = signature_key_ed25519(key);
    bool good = public_key &&
                signature_verify(public_key, text, slice_bytes(signature, NOTE_SIGNATURE_SIZE)) == ERR_OK;
    signature_key_free(public_key);
    return good;
}
