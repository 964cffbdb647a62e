/* JSON Web Key Sets: of crawlers' directories, and of our own key file. Input: the JSON. */
#include "tests/fuzz/support.h"

#include "server/agent/key_ring.h"
#include "ledger/verify/jwk_set.h"

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
    static struct jwk_set set;
    struct slice json = slice_bytes(data, size);
    const char *why = jwk_set_parse(json, &set);
    HOLDS(set.count <= JWK_SET_MAX && (!why || set.count == 0));
    for (size_t i = 0; i < set.count; i++) {
        const struct jwk_set_entry *entry = &set.entries[i];
        HOLDS(strnlen(entry->why, JWK_WHY_MAX) < JWK_WHY_MAX);
        HOLDS((entry->verdict == JWK_MAY_SIGN) == !*entry->why);
        if (entry->verdict != JWK_NO_KEY)
            check_key(&entry->jwk);
    }
    check_ring(json);
    return 0;
}
