/* Nothing in here decides by which key or algorithm is verified: header and claims are what their signer
 * says, and are believed when whoever has the key has seen that it signs them. */
#include "ledger/verify/jws.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/signature.h"

#define SIGNATURE_BYTES_MAX (SIGNATURE_RSA_MAX_BITS / 8)

/* JOSE's names (RFC 7518, 8037, 9864). Both sign the same bytes in the same form: ES256 is r and s, PS512 has
 * a salt as long as its hash. "none" and HMAC are none of them. */
static struct slice algorithm_of(const char *alg)
{
    static const struct {
        const char *jose;
        enum signature_algorithm algorithm;
    } known[] = {{"EdDSA", SIGNATURE_ED25519},
                 {"Ed25519", SIGNATURE_ED25519},
                 {"ES256", SIGNATURE_ECDSA_P256_SHA256},
                 {"PS512", SIGNATURE_RSA_PSS_SHA512}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(alg, known[i].jose) == 0)
            return slice_of(signature_algorithm_name(known[i].algorithm));
    return SLICE("");
}

/* The part up to the next dot, taken off the text together with it. */
static bool take_part(struct slice *text, struct slice *part)
{
    size_t dot = slice_find(*text, '.');
    if (dot == text->len)
        return false;
    *part = (struct slice){text->data, dot};
    *text = (struct slice){text->data + dot + 1, text->len - dot - 1};
    return true;
}

/* NULL for what is not the base64url of a JSON object. */
static json_t *object_of(struct arena *arena, struct slice part)
{
    size_t len;
    char *json = arena_bytes(arena, part.len + 1);
    if (!json || !encoding_unbase64url(part, (uint8_t *)json, part.len, &len))
        return NULL;
    json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static bool take_header(struct arena *arena, const json_t *header, struct jws *jws)
{
    const char *alg = json_string_value(json_object_get(header, "alg"));
    const char *kid = json_string_value(json_object_get(header, "kid"));
    const char *typ = json_string_value(json_object_get(header, "typ"));
    /* What is critical must be understood (section 4.1.11), and nothing is that is not said here. */
    if (!alg || !kid || !typ || json_object_get(header, "crit"))
        return false;
    jws->algorithm = algorithm_of(alg);
    jws->keyid = slice_of(arena_copy(arena, slice_of(kid)));
    jws->type = slice_of(arena_copy(arena, slice_of(typ)));
    return jws->keyid.data && jws->type.data;
}

bool jws_is_input(struct slice signed_text)
{
    return slice_starts(signed_text, SLICE("eyJ")); /* {" in base64url */
}

bool jws_parse(struct arena *arena, struct slice text, struct jws *jws)
{
    struct slice whole = text, header, payload;
    uint8_t *signature = arena_alloc(arena, SIGNATURE_BYTES_MAX);
    size_t len;
    *jws = (struct jws){.claims = NULL};
    if (!signature || !jws_is_input(text) || !take_part(&text, &header) || !take_part(&text, &payload) ||
        text.len == 0 || !encoding_unbase64url(text, signature, SIGNATURE_BYTES_MAX, &len))
        return false;
    jws->input = (struct slice){whole.data, header.len + 1 + payload.len};
    jws->signature = slice_bytes(signature, len);
    json_t *members = object_of(arena, header);
    bool good = members && take_header(arena, members, jws);
    json_decref(members);
    if (good)
        jws->claims = object_of(arena, payload);
    return jws->claims != NULL;
}

void jws_free(struct jws *jws)
{
    json_decref(jws->claims);
    jws->claims = NULL;
}
