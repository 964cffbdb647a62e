#include "server/verify/web_bot_auth.h"

#include "ledger/base/encoding.h"
#include "server/verify/component.h"
#include "server/verify/jwk.h"

#define SIGNATURES_MAX 8

static const struct sf_bare *parameter_of(const struct sf_member *input, struct slice name, enum sf_kind kind)
{
    const struct sf_parameter *parameter = sf_parameter(input, name);
    return parameter && parameter->value.kind == kind ? &parameter->value : NULL;
}

static bool is_one_of(struct slice name, const char *const *names)
{
    for (; *names; names++)
        if (slice_eq(name, slice_of(*names)))
            return true;
    return false;
}

/* Only the parameters that RFC 9421 section 2.3 registers. */
static bool parameters_known(const struct sf_member *input)
{
    static const char *const known[] = {"created", "expires", "nonce", "alg", "keyid", "tag", NULL};
    for (const struct sf_parameter *p = input->parameters; p; p = p->next)
        if (!is_one_of(p->key, known))
            return false;
    return true;
}

static const struct sf_member *covered(const struct sf_member *input, struct slice name)
{
    for (const struct sf_member *item = input->items; item; item = item->next)
        if (item->value.kind == SF_STRING && slice_eq(item->value.text, name))
            return item;
    return NULL;
}

static enum err check_times(const struct sf_member *input, const struct web_bot_auth_policy *policy)
{
    const struct sf_bare *created = parameter_of(input, SLICE("created"), SF_INTEGER);
    const struct sf_bare *expires = parameter_of(input, SLICE("expires"), SF_INTEGER);
    if (!created || !expires || expires->number <= created->number ||
        expires->number - created->number > policy->max_lifetime ||
        created->number > policy->now + policy->clock_skew)
        return ERR_SIGNATURE_INVALID;
    return expires->number > policy->now ? ERR_OK : ERR_SIGNATURE_EXPIRED;
}

/* tag, keyid and alg, and the thumbprint that keyid is. */
static enum err check_parameters(const struct sf_member *input, const struct web_bot_auth_policy *policy,
                                 uint8_t thumbprint[DIGEST_SIZE])
{
    size_t len;
    const struct sf_bare *tag = parameter_of(input, SLICE("tag"), SF_STRING);
    const struct sf_bare *keyid = parameter_of(input, SLICE("keyid"), SF_STRING);
    const struct sf_bare *alg = parameter_of(input, SLICE("alg"), SF_STRING);
    if (!tag || !slice_eq(tag->text, SLICE("web-bot-auth")))
        return ERR_SIGNATURE_REQUIRED;
    if (input->parameter_repeated || !parameters_known(input))
        return ERR_MALFORMED_SIGNATURE;
    if (sf_parameter(input, SLICE("alg")) && (!alg || !slice_eq(alg->text, SLICE("ed25519"))))
        return ERR_SIGNATURE_INVALID;
    if (sf_parameter(input, SLICE("nonce")) && !parameter_of(input, SLICE("nonce"), SF_STRING))
        return ERR_MALFORMED_SIGNATURE;
    if (!keyid || !encoding_unbase64url(keyid->text, thumbprint, DIGEST_SIZE, &len) || len != DIGEST_SIZE)
        return ERR_SIGNATURE_INVALID;
    if (!policy->allow_test_keys && jwk_is_published_test_key(thumbprint))
        return ERR_SIGNATURE_INVALID;
    return check_times(input, policy);
}

/* The commitment as a whole, or the member that binds the rest of it. */
static bool commitment_covered(const struct sf_member *input, struct slice commitment)
{
    for (const struct sf_member *item = input->items; item; item = item->next) {
        if (item->value.kind != SF_STRING || !slice_eq(item->value.text, commitment))
            continue;
        const struct sf_parameter *key = sf_parameter(item, SLICE("key"));
        if (!item->parameters ||
            (key && key->value.kind == SF_STRING && slice_eq(key->value.text, SLICE("id"))))
            return true;
    }
    return false;
}

static bool coverage_enough(const struct sf_member *input, const struct web_bot_auth_policy *policy)
{
    bool target = covered(input, SLICE("@authority")) || covered(input, SLICE("@target-uri"));
    if (policy->commitment.len == 0)
        return target;
    return commitment_covered(input, policy->commitment) && (target || !policy->require_target);
}

/* The agent that the signature covers: the member it names, or the whole field if that has but one. A
 * signature is never attributed to a member that it does not cover. */
static const struct signature_agent *agent_of(const struct sf_member *input,
                                              const struct signature_agent *agents)
{
    const struct sf_member *item = covered(input, SLICE("signature-agent"));
    if (!item || !agents)
        return NULL;
    if (!item->parameters)
        return agents->next ? NULL : agents;
    const struct sf_parameter *key = sf_parameter(item, SLICE("key"));
    for (; key && key->value.kind == SF_STRING && agents; agents = agents->next)
        if (agents->key.len > 0 && slice_eq(agents->key, key->value.text))
            return agents;
    return NULL;
}

/* What one signature is judged with. */
struct trial {
    struct arena *arena;
    const struct message *message;
    const struct web_bot_auth_policy *policy;
    const struct signature_agent *agents;
    const struct sf_list *signatures;
};

static enum err judge(const struct trial *trial, const struct sf_member *input,
                      struct web_bot_auth_candidate *candidate)
{
    enum err err;
    const struct sf_member *signature = sf_find(trial->signatures, input->key);
    if (input->value.kind != SF_INNER)
        return ERR_MALFORMED_SIGNATURE;
    TRY(check_parameters(input, trial->policy, candidate->thumbprint));
    if (!signature || signature->value.kind != SF_BYTES)
        return ERR_MALFORMED_SIGNATURE;
    candidate->agent = agent_of(input, trial->agents);
    if (!candidate->agent || !coverage_enough(input, trial->policy))
        return ERR_SIGNATURE_REQUIRED;
    candidate->label = input->key;
    candidate->signature = signature->value.text;
    err = component_base(trial->arena, trial->message, input, &candidate->base);
out:
    return err;
}

/* Which failure tells the signer most: one that got further wins. */
static int rank(enum err err)
{
    static const enum err order[] = {ERR_SIGNATURE_REQUIRED, ERR_MALFORMED_SIGNATURE, ERR_SIGNATURE_INVALID,
                                     ERR_SIGNATURE_EXPIRED, ERR_REQUEST_TOO_LARGE};
    for (int i = 0; i < 5; i++)
        if (order[i] == err)
            return i;
    return 5;
}

static enum err read_dictionary(struct arena *arena, const struct message *message, struct slice name,
                                struct sf_list *dictionary)
{
    bool absent;
    struct slice field = component_field(arena, message, name, &absent);
    if (absent)
        return ERR_SIGNATURE_REQUIRED;
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    if (!sf_parse_dictionary(arena, field, dictionary) || dictionary->key_repeated ||
        dictionary->count > SIGNATURES_MAX)
        return ERR_MALFORMED_SIGNATURE;
    return ERR_OK;
}

enum err web_bot_auth_select(struct arena *arena, const struct message *message,
                             const struct web_bot_auth_policy *policy,
                             struct web_bot_auth_candidate **candidates)
{
    enum err err;
    enum err worst = ERR_SIGNATURE_REQUIRED;
    struct sf_list inputs;
    struct sf_list signatures;
    struct signature_agent *agents;
    struct web_bot_auth_candidate **tail = candidates;
    *candidates = NULL;
    TRY(read_dictionary(arena, message, SLICE("signature-input"), &inputs));
    TRY(read_dictionary(arena, message, SLICE("signature"), &signatures));
    TRY(signature_agent_parse(arena, message, policy->insecure_hosts, &agents));
    struct trial trial = {arena, message, policy, agents, &signatures};
    for (const struct sf_member *input = inputs.first; input; input = input->next) {
        struct web_bot_auth_candidate *candidate = arena_alloc(arena, sizeof(*candidate));
        if (!candidate)
            return ERR_REQUEST_TOO_LARGE;
        err = judge(&trial, input, candidate);
        if (err == ERR_OK) {
            *tail = candidate;
            tail = &candidate->next;
        } else if (rank(err) > rank(worst)) {
            worst = err;
        }
    }
    err = *candidates ? ERR_OK : worst;
out:
    return err;
}
