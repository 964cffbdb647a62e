#include "tools/crawler/sign.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"

bool sign_request(struct arena *arena, const struct key *key, const struct message *message,
                  const struct sign_terms *terms, struct sign_fields *fields)
{
    char nonce[ENCODING_BASE64_LEN(SIGN_NONCE_SIZE) + 1];
    uint8_t signature[SIGNATURE_ED25519_SIZE];
    char text[ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + 1];
    struct sf_list dictionary;
    struct slice base;
    nonce[encoding_base64(terms->nonce, sizeof(terms->nonce), nonce)] = '\0';
    const char *payment = message_field(message, SLICE("payment")) ? " \"payment\"" : "";
    const char *digest = message_field(message, SLICE("content-digest")) ? " \"content-digest\"" : "";
    fields->input = arena_format(arena,
                                 "sig=(%s\"@authority\" \"@path\" \"@query\"%s%s \"signature-agent\");"
                                 "created=%lld;expires=%lld;keyid=\"%s\";nonce=\"%s\";tag=\"%s\"",
                                 terms->tag ? "\"@method\" " : "", payment, digest, (long long)terms->created,
                                 (long long)terms->created + SIGN_LIFETIME_SECONDS, key->keyid, nonce,
                                 terms->tag ? terms->tag : "web-bot-auth");
    if (!fields->input.data || !sf_parse_dictionary(arena, fields->input, &dictionary) ||
        component_base(arena, message, dictionary.first, &base, NULL) != ERR_OK ||
        !signature_sign_ed25519(key->seed, base, signature))
        return false;
    text[encoding_base64(signature, sizeof(signature), text)] = '\0';
    fields->signature = arena_format(arena, "sig=:%s:", text);
    return fields->signature.data != NULL;
}
