#include "tools/crawltab/frame/trust.h"

#include "ledger/base/file/file.h"
#include "ledger/verify/signature.h"

#include <errno.h>
#include <stdlib.h>

/* Of the private keys only the public halves are kept. */
static bool load_keys(const struct config *config, struct trust *trust)
{
    struct checkpoint_keys keys;
    if (!checkpoint_keys_load(config, &keys))
        return false;
    for (size_t i = 0; i < keys.count; i++)
        memcpy(trust->keys[i], keys.items[i].public_key, NOTE_KEY_SIZE);
    trust->log.key_count = keys.count;
    checkpoint_keys_clear(&keys);
    return true;
}

static bool load_kept(const char *path, struct trust *trust)
{
    size_t len = 0;
    trust->note = file_read(path, NOTE_MAX, &len, NULL);
    const char *problem =
        trust->note ? log_kept_read((struct slice){trust->note, len}, &trust->kept) : strerror(errno);
    if (problem)
        LOG(ERROR, "the kept checkpoint cannot be read", {"file", path}, {"detail", problem},
            {"hint", "it is a file that crawltab checkpoint show has written, or seal.publish"});
    trust->kept_file = path;
    return !problem;
}

bool trust_given(const char *verifier, const char *kept_file, struct trust *trust)
{
    *trust = (struct trust){.log = {.verifies = signature_verify_ed25519, .verifier = verifier}};
    trust->log.keys = (const uint8_t(*)[NOTE_KEY_SIZE])trust->keys;
    if (verifier && !note_is_verifier(verifier)) {
        LOG(ERROR, "--vkey is no verifier key", {"value", verifier},
            {"hint", "it is a line of crawltab checkpoint key: NAME+ID+KEY"});
        return false;
    }
    return !kept_file || load_kept(kept_file, trust);
}

bool trust_load(const struct config *config, const char *verifier, const char *kept_file, struct trust *trust)
{
    return trust_given(verifier, kept_file, trust) && (verifier || load_keys(config, trust));
}

void trust_free(struct trust *trust)
{
    free(trust->note);
    trust->note = NULL;
}

const struct log_kept *trust_kept(const struct trust *trust)
{
    return trust->kept_file ? &trust->kept : NULL;
}
