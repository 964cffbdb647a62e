/* JSON Web Key Sets: of crawlers' directories, and of our own key file. Input: the JSON. */
#include "tests/fuzz/support.h"

#include "server/agent/key_ring.h"

static void check_key(const struct jwk *jwk)
{
    uint8_t thumbprint[DIGEST_SIZE];
    struct slice canonical = slice_of(jwk->canonical);
    HOLDS(strnlen(jwk->canonical, JWK_TEXT_MAX) < JWK_TEXT_MAX);
    digest_sha256(&canonical, 1, thumbprint);
    HOLDS(digest_equal(thumbprint, jwk->thumbprint, DIGEST_SIZE));
    signature_key_free(signature_key_from_jwk(jwk));
}

static void check_ring(struct slice json)
{
    struct key_ring ring;
    struct key_ring again;
    if (key_ring_parse(json, &ring)) {
        HOLDS(ring.count == 0);
        return;
    }
    json_t *set = key_ring_private(&ring);
    char *text = json_dumps(set, JSON_COMPACT);
    HOLDS(text && !key_ring_parse(slice_of(text), &again));
    HOLDS(again.count == ring.count && memcmp(&again, &ring, sizeof(ring)) == 0);
    free(text);
    json_decref(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwk keys[JWK_SET_MAX];
    size_t count = 0;
    struct slice json = slice_bytes(data, size);
    enum err err = jwk_set_parse(json, keys, &count);
    HOLDS(err == ERR_OK || err == ERR_DIRECTORY_UNAVAILABLE);
    HOLDS(count <= JWK_SET_MAX);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        check_key(&keys[i]);
    check_ring(json);
    return 0;
}
