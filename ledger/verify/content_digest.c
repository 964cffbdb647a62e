/* A digest under an algorithm that is not known says nothing and is passed over (RFC 9530 section 2); of
 * those that are known none may be wrong. */
#include "ledger/verify/content_digest.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/verify/component.h"

/* How many of the two are there and right, or -1 when one is wrong. */
static int compare(const struct sf_list *digests, struct slice name, const void *digest, size_t size)
{
    const struct sf_member *stated = sf_find(digests, name);
    if (!stated)
        return 0;
    bool same = stated->value.kind == SF_BYTES && slice_eq(stated->value.text, slice_bytes(digest, size));
    return same ? 1 : -1;
}

const char *content_digest_refusal(struct arena *arena, const struct message *message, struct slice body)
{
    bool absent;
    struct sf_list digests;
    uint8_t sha256[DIGEST_SIZE];
    uint8_t sha512[DIGEST_SHA512_SIZE];
    struct slice field = component_field(arena, message, SLICE("content-digest"), &absent);
    if (absent)
        return "there is no Content-Digest";
    if (!field.data || !sf_parse_dictionary(arena, field, &digests) || digests.key_repeated)
        return "Content-Digest does not parse as a dictionary";
    digest_sha256(&body, 1, sha256);
    digest_sha512(body, sha512);
    int short_one = compare(&digests, SLICE("sha-256"), sha256, sizeof(sha256));
    int long_one = compare(&digests, SLICE("sha-512"), sha512, sizeof(sha512));
    if (short_one < 0 || long_one < 0)
        return "the body is not what its Content-Digest says";
    /* Of two, both must be right: a cache that changes the body and one of them is still seen. */
    return short_one + long_one > 0 ? NULL : "Content-Digest has neither sha-256 nor sha-512";
}
