/* The signature is over id, time and body together: a body alone could be sent again under another id, or a
 * year later. */
#include "ledger/outbox/webhook.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX     "whsec_"
#define FRESH_SIZE 32
#define FILE_MAX   4096

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "webhook_secret_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

static bool make(const char *path)
{
    char line[sizeof(PREFIX) + ENCODING_BASE64_LEN(FRESH_SIZE) + 1] = PREFIX;
    uint8_t fresh[FRESH_SIZE];
    enum file_named named;
    random_bytes(fresh, sizeof(fresh));
    /* 32 bytes, as much as the MAC has: more would be no stronger. */
    size_t len = strlen(PREFIX) + encoding_base64(fresh, sizeof(fresh), line + strlen(PREFIX));
    line[len++] = '\n';
    assert(len < sizeof(line));
    const char *problem = file_make(path, line, len, &named);
    /* Also after a failure: a secret is in the file, or nowhere. */
    explicit_bzero(fresh, sizeof(fresh));
    explicit_bzero(line, sizeof(line));
    return !problem || fail(path, problem, "the folder of webhook.secret_file must exist and be writable");
}

bool webhook_secret_parse(struct slice text, struct webhook_secret *secret)
{
    if (!slice_starts(text, SLICE(PREFIX)) || text.len >= sizeof(secret->text))
        return false;
    memcpy(secret->text, text.data, text.len);
    secret->text[text.len] = '\0';
    struct slice base64 = {text.data + strlen(PREFIX), text.len - strlen(PREFIX)};
    /* Standard Webhooks asks for 24 to 64 bytes: a shorter one could be found from one signed message. */
    return encoding_unbase64(base64, false, secret->bytes, sizeof(secret->bytes), &secret->len) &&
           secret->len >= 24;
}

bool webhook_secret_load(const char *path, struct webhook_secret *secret)
{
    struct stat status;
    size_t len;
    if (access(path, F_OK) != 0 && errno == ENOENT && !make(path))
        return false;
    char *text = file_read(path, FILE_MAX, &len, &status);
    if (!text)
        return fail(path, strerror(errno), NULL);
    bool ok =
        file_is_exposed(&status)
            ? fail(path, FILE_EXPOSED, FILE_EXPOSED_HINT)
            : webhook_secret_parse((struct slice){text, strcspn(text, "\r\n")}, secret) ||
                  fail(path, "the first line is no secret", "it is whsec_ and 24 to 64 bytes in base64");
    assert(!ok || (secret->len >= 24 && secret->text[0]));
    explicit_bzero(text, len);
    free(text);
    return ok;
}

bool webhook_sign(const struct webhook_secret *secret, const char *id, int64_t timestamp, struct slice body,
                  char out[WEBHOOK_SIGNATURE_MAX])
{
    _Static_assert(3 + ENCODING_BASE64_LEN(DIGEST_SIZE) < WEBHOOK_SIGNATURE_MAX, "room for the signature");
    assert(secret->len >= 24 && secret->len <= sizeof(secret->bytes));
    char stamp[32];
    uint8_t mac[DIGEST_SIZE];
    snprintf(stamp, sizeof(stamp), ".%" PRId64 ".", timestamp);
    const struct slice parts[] = {slice_of(id), slice_of(stamp), body};
    struct hmac *hmac = hmac_new(secret->bytes, secret->len);
    if (!hmac)
        return false;
    hmac_sha256(hmac, parts, 3, mac);
    hmac_free(hmac);
    memcpy(out, "v1,", 3);
    out[3 + encoding_base64(mac, sizeof(mac), out + 3)] = '\0';
    return true;
}

int64_t webhook_wait_ms(int64_t failed)
{
    /* Standard Webhooks' own schedule, more than three days: a weekend's outage loses nothing. */
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    size_t count = sizeof(seconds) / sizeof(*seconds);
    return failed >= 1 && (size_t)failed <= count ? seconds[failed - 1] * 1000 : -1;
}
