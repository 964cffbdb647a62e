/* A directory's own signature shows that its keys are held by whoever published them. It is looked at for
 * what it covers, the host and the body, before anything is computed: a signature over less would be
 * another answer's. */
#include "server/agent/proof.h"

#include "ledger/verify/component.h"
#include "ledger/verify/content_digest.h"

#include <assert.h>

static bool read_dictionary(struct arena *arena, const struct message *response, struct slice name,
                            struct sf_list *dictionary)
{
    assert(name.len > 0);
    bool absent;
    struct slice field = component_field(arena, response, name, &absent);
    *dictionary = (struct sf_list){.first = NULL};
    return !absent && field.data && sf_parse_dictionary(arena, field, dictionary) &&
           !dictionary->key_repeated;
}

static bool covers(const struct sf_member *input, struct slice name, bool of_request)
{
    for (const struct sf_member *item = input->value.kind == SF_INNER ? input->items : NULL; item;
         item = item->next)
        if (item->value.kind == SF_STRING && slice_eq(item->value.text, name) &&
            (sf_parameter(item, SLICE("req")) != NULL) == of_request)
            return true;
    return false;
}

static bool says(const struct sf_member *input, struct slice parameter, struct slice text)
{
    const struct sf_parameter *found = sf_parameter(input, parameter);
    return found && found->value.kind == SF_STRING && slice_eq(found->value.text, text);
}

static bool read_second(const struct sf_member *input, struct slice parameter, int64_t *seconds)
{
    const struct sf_parameter *found = sf_parameter(input, parameter);
    if (!found || found->value.kind != SF_INTEGER)
        return false;
    *seconds = found->value.number;
    return true;
}

static bool algorithm_agrees(const struct sf_member *input, const struct jwk *jwk)
{
    return !sf_parameter(input, SLICE("alg")) ||
           says(input, SLICE("alg"), slice_of(signature_algorithm_name(jwk->algorithm)));
}

/* What is wrong with the parameters, or NULL. */
static const char *judge_parameters(const struct sf_member *input, const struct jwk *jwk, int64_t now,
                                    int64_t *expires)
{
    int64_t created;
    if (input->parameter_repeated || !read_second(input, SLICE("created"), &created) ||
        !read_second(input, SLICE("expires"), expires) || *expires <= created)
        return "created and expires are not there or make no sense";
    if (created > now + PROOF_SKEW_SECONDS)
        return "it was created in the future";
    if (*expires <= now)
        return "it has expired";
    if (!algorithm_agrees(input, jwk))
        return "its alg is not the key's";
    if (!covers(input, SLICE("@authority"), true) || !covers(input, SLICE("content-digest"), false))
        return "it does not cover \"@authority\";req and content-digest";
    return NULL;
}

static const char *judge(struct arena *arena, const struct proof_answer *answer, const struct jwk *jwk,
                         const struct signature_key *key, const struct sf_member *input, int64_t *expires)
{
    struct sf_list signatures;
    struct slice base;
    const struct message_response response = {.status = 200,
                                              .fields = answer->response->fields,
                                              .field_count = answer->response->field_count,
                                              .request = answer->request};
    assert(answer->request && answer->response);
    const char *failure = judge_parameters(input, jwk, answer->now, expires);
    if (failure)
        return failure;
    /* The digest is of what was sent (RFC 9530 section 2). Caches that pack what an origin has signed leave
     * it as it is: then it is of the content, which is what counts. */
    failure = content_digest_refusal(arena, answer->response, answer->body);
    if (failure && content_digest_refusal(arena, answer->response, answer->content))
        return failure;
    if (!read_dictionary(arena, answer->response, SLICE("signature"), &signatures))
        return "the Signature field does not parse";
    const struct sf_member *signature = sf_find(&signatures, input->key);
    if (!signature || signature->value.kind != SF_BYTES)
        return "its signature is missing";
    if (component_response_base(arena, &response, input, &base) != ERR_OK)
        return "its signature base cannot be built";
    return signature_verify(key, base, signature->value.text) == ERR_OK ? NULL : "it does not verify";
}

struct proof proof_of(struct arena *arena, const struct proof_answer *answer, const struct jwk *jwk,
                      const struct signature_key *key)
{
    struct sf_list inputs;
    struct proof proof = {.failure = "there is none"};
    char keyid[JWK_KEYID_CHARS];
    size_t used = arena->used;
    encoding_base64url(jwk->thumbprint, DIGEST_SIZE, keyid);
    if (!read_dictionary(arena, answer->response, SLICE("signature-input"), &inputs))
        inputs.first = NULL;
    for (const struct sf_member *input = inputs.first; input && !proof.good; input = input->next) {
        if (!says(input, SLICE("tag"), SLICE(PROOF_TAG)) ||
            !says(input, SLICE("keyid"), slice_bytes(keyid, sizeof(keyid))))
            continue;
        proof.present = true;
        proof.failure = judge(arena, answer, jwk, key, input, &proof.expires);
        proof.good = proof.failure == NULL;
    }
    /* The arena is given back: an answer may carry as many proofs as it has keys, and one is as large as all.
     */
    arena->used = used;
    assert(proof.good == (proof.present && !proof.failure));
    return proof;
}
