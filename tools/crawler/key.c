#include "tools/crawler/key.h"

#include "ledger/base/file/file.h"
#include "ledger/base/crypto/random.h"
#include "tools/crawler/say.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX 65536
#define JWK_MAX  512
#define X_CHARS  ENCODING_BASE64URL_LEN(SIGNATURE_ED25519_KEY_SIZE)

/* Fills the public half from the private one. */
static bool complete(struct key *key)
{
    key->jwk = (struct jwk){.expires = INT64_MAX};
    if (!signature_public_ed25519(key->seed, key->jwk.raw))
        return false;
    jwk_complete(&key->jwk);
    key->keyid[encoding_base64url(key->jwk.thumbprint, DIGEST_SIZE, key->keyid)] = '\0';
    return true;
}

/* The private JWK. Returns its length. */
static size_t write_private(const struct key *key, char text[JWK_MAX])
{
    char x[X_CHARS + 1];
    char d[X_CHARS + 1];
    x[encoding_base64url(key->jwk.raw, sizeof(key->jwk.raw), x)] = '\0';
    d[encoding_base64url(key->seed, sizeof(key->seed), d)] = '\0';
    int len =
        snprintf(text, JWK_MAX, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\",\"d\":\"%s\"}\n", x, d);
    explicit_bzero(d, sizeof(d));
    return (size_t)len;
}

bool key_make(const char *path, struct key *key)
{
    char text[JWK_MAX];
    enum file_named named;
    random_bytes(key->seed, sizeof(key->seed));
    if (!complete(key)) {
        say_problem("OpenSSL cannot make an Ed25519 key");
        return false;
    }
    const char *problem = file_make(path, text, write_private(key, text), &named);
    explicit_bzero(text, sizeof(text));
    if (problem)
        say_problem("cannot write the key to \"%s\": %s", path, problem);
    else if (named != FILE_MADE)
        say_problem("\"%s\" exists and is left as it is: a key that was overwritten is gone for ever", path);
    return !problem && named == FILE_MADE;
}

/* The whole file as text, or NULL after saying why. The caller wipes and frees. */
static char *read_file(const char *path, size_t *len)
{
    struct stat status;
    char *text = file_read(path, FILE_MAX, len, &status);
    if (!text)
        say_problem("cannot read the key \"%s\": %s%s", path, errno == EFBIG ? "too large" : strerror(errno),
                    errno == ENOENT ? "; `crawler keygen --key FILE` makes one" : "");
    else if ((status.st_mode & 077) != 0)
        say_problem("warning: others may read the private key \"%s\"; chmod 600 is due", path);
    return text;
}

static bool take_bytes(const json_t *object, const char *name, uint8_t out[SIGNATURE_ED25519_KEY_SIZE])
{
    size_t len;
    const char *text = json_string_value(json_object_get(object, name));
    return text && encoding_unbase64url(slice_of(text), out, SIGNATURE_ED25519_KEY_SIZE, &len) &&
           len == SIGNATURE_ED25519_KEY_SIZE;
}

static const char *or_none(const json_t *value)
{
    return json_is_string(value) ? json_string_value(value) : "none";
}

/* What is wrong with the JWK, or NULL when the key has been taken. */
static const char *take_key(const char *path, const json_t *object, struct key *key)
{
    uint8_t stated[SIGNATURE_ED25519_KEY_SIZE];
    const json_t *kty = json_object_get(object, "kty");
    const json_t *crv = json_object_get(object, "crv");
    if (!json_is_object(object))
        return "not a JSON Web Key";
    if (strcmp(or_none(kty), "OKP") != 0 || strcmp(or_none(crv), "Ed25519") != 0) {
        say_problem("\"%s\" has kty %s, crv %s", path, or_none(kty), or_none(crv));
        return "an Ed25519 key (kty OKP, crv Ed25519) is needed";
    }
    if (!json_object_get(object, "d"))
        return "only the public half is in it; the private one (d) is needed";
    if (!take_bytes(object, "d", key->seed) || !complete(key))
        return "its d is not 32 bytes in base64url";
    if (!take_bytes(object, "x", stated) || !digest_equal(stated, key->jwk.raw, sizeof(stated)))
        return "its x is not the public half of its d";
    if (jwk_is_published_test_key(key->jwk.thumbprint))
        say_problem("warning: \"%s\" is the test key of RFC 9421; everybody has it", path);
    return NULL;
}

bool key_load(const char *path, struct key *key)
{
    size_t len;
    char *text = read_file(path, &len);
    if (!text)
        return false;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *problem = take_key(path, object, key);
    if (problem)
        say_problem("the key \"%s\" cannot be used: %s", path, problem);
    json_decref(object);
    explicit_bzero(text, len);
    free(text);
    return problem == NULL;
}

char *key_directory(const struct key *key)
{
    char x[X_CHARS + 1];
    x[encoding_base64url(key->jwk.raw, sizeof(key->jwk.raw), x)] = '\0';
    json_t *set = json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "keys", "kty", "OKP", "crv", "Ed25519", "x", x,
                            "kid", key->keyid, "use", "sig");
    char *text = set ? json_dumps(set, JSON_COMPACT) : NULL;
    json_decref(set);
    return text;
}

void key_forget(struct key *key)
{
    explicit_bzero(key->seed, sizeof(key->seed));
}
