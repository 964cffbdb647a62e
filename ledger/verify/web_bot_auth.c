/* Cheap checks come before dear ones, and what is the crawler's mistake before what may be ours; the
 * signature itself is last of all and done by who has the key. Every check is told under its name, because
 * "the signature is invalid" helps nobody who has built one. */
#include "ledger/verify/web_bot_auth.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"
#include "ledger/verify/content_digest.h"
#include "ledger/verify/jwk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define SIGNATURES_MAX 8
#define DETAIL_MAX     384
#define QUOTED_MAX     160

static const char *const check_names[] = {
#define CHECK_ROW(check, name) name,
    WEB_BOT_AUTH_CHECKS(CHECK_ROW)
#undef CHECK_ROW
};

const char *web_bot_auth_check_name(enum web_bot_auth_check check)
{
    return check < CHECK_COUNT ? check_names[check] : "";
}

bool web_bot_auth_tell(const struct web_bot_auth_policy *policy, struct arena *arena,
                       const struct web_bot_auth_checked *checked, const char *format, ...)
{
    assert(checked->check < CHECK_COUNT);
    struct web_bot_auth_trace *trace = policy->trace;
    if (trace && !checked->ok)
        trace->failed = checked->check;
    if (!trace || trace->count >= trace->room)
        return checked->ok;
    char detail[DETAIL_MAX];
    va_list values;
    va_start(values, format);
    vsnprintf(detail, sizeof(detail), format, values);
    va_end(values);
    trace->checked[trace->count] = *checked;
    trace->checked[trace->count++].detail = slice_of(arena_copy(arena, slice_of(detail)));
    return checked->ok;
}

/* A payment id says for which URL it is, and the signature covers it. Nothing else does so for a page that is
 * free. */
static enum web_bot_auth_target target_of(const struct config_site *site, bool paying)
{
    if (site->require_path || (!paying && site->require_target))
        return WEB_BOT_AUTH_URL;
    return paying && !site->require_target ? WEB_BOT_AUTH_NO_TARGET : WEB_BOT_AUTH_AUTHORITY;
}

struct web_bot_auth_policy web_bot_auth_policy(const struct config *config, const struct config_site *site,
                                               struct slice commitment)
{
    assert(config->signature_algorithms.count > 0 && config->signature_max_lifetime_seconds > 0);
    return (struct web_bot_auth_policy){
        .clock_skew = config->signature_clock_skew_seconds,
        .max_lifetime = config->signature_max_lifetime_seconds,
        .max_age = commitment.len > 0 ? 0 : config->signature_identity_seconds,
        .changes_taken = site->methods.count > 0,
        .commitment = commitment,
        .target = target_of(site, commitment.len > 0),
        .allow_test_keys = config->signature_allow_test_keys,
        .algorithms = &config->signature_algorithms,
        .insecure_hosts = &config->directory_insecure_hosts,
    };
}

/* What one signature is judged with. */
struct trial {
    struct arena *arena;
    const struct message *message;
    const struct web_bot_auth_policy *policy;
    const struct signature_agent *agents;
    const struct sf_list *inputs;
    const struct sf_list *signatures;
    const struct sf_member *input; /* of the signature under trial */
};

/* Tells a check of the signature under trial. */
#define TELL(trial, which, good, ...)                                                                        \
    web_bot_auth_tell(                                                                                       \
        (trial)->policy, (trial)->arena,                                                                     \
        &(struct web_bot_auth_checked){.check = (which), .label = (trial)->input->key, .ok = (good)},        \
        __VA_ARGS__)

/* A slice as two arguments of printf's "%.*s", no longer than a line's worth. */
#define TEXT(slice) (slice).len<QUOTED_MAX ? (int)(slice).len : QUOTED_MAX, (slice).len> 0 ? (slice).data : ""

/* A fault as the arguments of "%s%s%.*s": what is wrong, and the text that it is about. */
#define FAULT(fault) (fault).why, (fault).text.len > 0 ? ": " : "", TEXT((fault).text)

static const struct sf_bare *parameter_of(const struct sf_member *input, struct slice name, enum sf_kind kind)
{
    const struct sf_parameter *parameter = sf_parameter(input, name);
    return parameter && parameter->value.kind == kind ? &parameter->value : NULL;
}

/* Only the parameters that RFC 9421 section 2.3 registers, of their types. */
static bool parameter_known(const struct sf_parameter *parameter)
{
    static const struct {
        struct slice name;
        enum sf_kind kind;
    } known[] = {{SLICE("created"), SF_INTEGER}, {SLICE("expires"), SF_INTEGER}, {SLICE("nonce"), SF_STRING},
                 {SLICE("alg"), SF_STRING},      {SLICE("keyid"), SF_STRING},    {SLICE("tag"), SF_STRING}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_eq(parameter->key, known[i].name))
            return parameter->value.kind == known[i].kind;
    return false;
}

static enum err check_parameters(const struct trial *trial)
{
    const struct sf_member *input = trial->input;
    const struct sf_parameter *wrong = input->parameters;
    while (wrong && parameter_known(wrong))
        wrong = wrong->next;
    bool good = !wrong && !input->parameter_repeated;
    return TELL(trial, CHECK_PARAMETERS, good, "%.*s%s", TEXT(wrong ? wrong->key : SLICE("")),
                wrong  ? " is not known, or not of its type"
                : good ? "known ones, each once"
                       : "one stands twice")
               ? ERR_OK
               : ERR_MALFORMED_SIGNATURE;
}

static bool takes(const struct web_bot_auth_policy *policy, struct slice algorithm)
{
    /* By name, and before any key is looked for: an algorithm that is off costs nothing. */
    if (!policy->algorithms)
        return slice_eq(algorithm, SLICE("ed25519"));
    for (size_t i = 0; i < policy->algorithms->count; i++)
        if (slice_eq(algorithm, slice_of(policy->algorithms->items[i])))
            return true;
    return false;
}

/* Tells a check of what a signature says of itself. */
#define TELL_SAID(which, good, ...)                                                                          \
    web_bot_auth_tell(policy, arena,                                                                         \
                      &(struct web_bot_auth_checked){.check = (which), .label = said->label, .ok = (good)},  \
                      __VA_ARGS__)

static enum err check_key(struct arena *arena, const struct web_bot_auth_policy *policy,
                          const struct web_bot_auth_said *said, struct web_bot_auth_candidate *candidate)
{
    size_t len;
    bool thumbprint = said->keyid.data &&
                      encoding_unbase64url(said->keyid, candidate->thumbprint, DIGEST_SIZE, &len) &&
                      len == DIGEST_SIZE;
    candidate->alg = said->alg;
    candidate->nonce = said->nonce;
    if (!TELL_SAID(CHECK_ALG, !said->alg.data || takes(policy, said->alg), "%.*s",
                   TEXT(said->alg.data ? said->alg : SLICE("not given"))) ||
        !TELL_SAID(CHECK_KEYID, thumbprint, "%.*s%s", TEXT(said->keyid.data ? said->keyid : SLICE("missing")),
                   thumbprint || !said->keyid.data ? "" : " is not the base64url of a SHA-256"))
        return ERR_SIGNATURE_INVALID;
    bool test_key = jwk_is_published_test_key(candidate->thumbprint);
    if (!TELL_SAID(CHECK_TEST_KEY, !test_key || policy->allow_test_keys, "%s",
                   test_key ? "everybody has the private half of this key" : "not one of the published ones"))
        return ERR_SIGNATURE_INVALID;
    return ERR_OK;
}

static enum err check_times(struct arena *arena, const struct web_bot_auth_policy *policy,
                            const struct web_bot_auth_said *said, struct web_bot_auth_candidate *candidate)
{
    /* Both must be there (Web Bot Auth), or a signature that was copied once would hold for ever. */
    if (!said->created || !said->expires) {
        TELL_SAID(said->created ? CHECK_EXPIRES : CHECK_CREATED, false, "missing");
        return ERR_SIGNATURE_INVALID;
    }
    /* Of fifteen digits (RFC 9651 section 3.3.1): their difference cannot overflow. */
    const int64_t created = *said->created, expires = *said->expires, lifetime = expires - created;
    if (!TELL_SAID(CHECK_CREATED, created <= policy->now + policy->clock_skew,
                   "%" PRId64 ", %" PRId64 " s %s", created,
                   created > policy->now ? created - policy->now : policy->now - created,
                   created > policy->now ? "ahead of our clock" : "ago") ||
        !TELL_SAID(CHECK_EXPIRES, lifetime > 0, "%" PRId64 "%s", expires,
                   lifetime > 0 ? "" : ", not after created") ||
        !TELL_SAID(CHECK_LIFETIME, lifetime <= policy->max_lifetime, "%" PRId64 " s, at most %" PRId64 " s",
                   lifetime, policy->max_lifetime))
        return ERR_SIGNATURE_INVALID;
    int64_t age = policy->now - created;
    bool young = policy->max_age == 0 || age < policy->max_age;
    bool live = expires > policy->now || policy->expired_taken;
    candidate->created = created;
    candidate->until =
        policy->max_age == 0 || lifetime <= policy->max_age ? expires : created + policy->max_age;
    if (!TELL_SAID(CHECK_EXPIRED, live, "%" PRId64 " s %s",
                   expires > policy->now ? expires - policy->now : policy->now - expires,
                   expires > policy->now ? "left" : "too late") ||
        (policy->max_age > 0 && !TELL_SAID(CHECK_AGE, young, "%" PRId64 " s, at most %" PRId64 " s",
                                           age > 0 ? age : 0, policy->max_age)))
        return ERR_SIGNATURE_EXPIRED;
    return ERR_OK;
}

enum err web_bot_auth_judge(struct arena *arena, const struct web_bot_auth_policy *policy,
                            const struct web_bot_auth_said *said, struct web_bot_auth_candidate *candidate)
{
    enum err err;
    TRY(check_key(arena, policy, said, candidate));
    TRY(check_times(arena, policy, said, candidate));
out:
    return err;
}

static enum err judge_parameters(const struct trial *trial, struct web_bot_auth_candidate *candidate)
{
    const struct sf_bare *keyid = parameter_of(trial->input, SLICE("keyid"), SF_STRING);
    const struct sf_bare *alg = parameter_of(trial->input, SLICE("alg"), SF_STRING);
    const struct sf_bare *nonce = parameter_of(trial->input, SLICE("nonce"), SF_STRING);
    const struct sf_bare *created = parameter_of(trial->input, SLICE("created"), SF_INTEGER);
    const struct sf_bare *expires = parameter_of(trial->input, SLICE("expires"), SF_INTEGER);
    const struct slice none = {NULL, 0};
    const struct web_bot_auth_said said = {.label = trial->input->key,
                                           .keyid = keyid ? keyid->text : none,
                                           .alg = alg ? alg->text : none,
                                           .nonce = nonce ? nonce->text : none,
                                           .created = created ? &created->number : NULL,
                                           .expires = expires ? &expires->number : NULL};
    return web_bot_auth_judge(trial->arena, trial->policy, &said, candidate);
}

static const struct sf_member *covered(const struct sf_member *input, struct slice name)
{
    for (const struct sf_member *item = input->items; item; item = item->next)
        if (item->value.kind == SF_STRING && slice_eq(item->value.text, name))
            return item;
    return NULL;
}

/* True for the ways of writing it that leave no part of the field out: as it is, strictly serialised (;sf) or
 * byte by byte (;bs); and for the member of Payment that binds the rest. */
static bool binds_commitment(const struct sf_member *item, struct slice commitment)
{
    for (const struct sf_parameter *p = item->parameters; p; p = p->next)
        if (!slice_eq(p->key, SLICE("sf")) && !slice_eq(p->key, SLICE("bs")) &&
            !(slice_eq(commitment, SLICE("payment")) && slice_eq(p->key, SLICE("key")) &&
              p->value.kind == SF_STRING && slice_eq(p->value.text, SLICE("id"))))
            return false;
    return true;
}

static bool commitment_covered(const struct sf_member *input, struct slice commitment)
{
    assert(commitment.len > 0);
    for (const struct sf_member *item = input->items; item; item = item->next)
        if (item->value.kind == SF_STRING && slice_eq(item->value.text, commitment) &&
            binds_commitment(item, commitment))
            return true;
    return false;
}

static bool covers(const struct sf_member *input, const char *derived)
{
    const struct sf_member *item = covered(input, slice_of(derived));
    return item && !item->parameters;
}

static bool target_covered(const struct trial *trial)
{
    const struct sf_member *input = trial->input;
    if (trial->policy->target == WEB_BOT_AUTH_REQUEST && !covers(input, "@method"))
        return false;
    bool query = message_query(trial->message).len > 0;
    if (covers(input, "@target-uri"))
        return true;
    if (!covers(input, "@authority"))
        return false;
    return trial->policy->target == WEB_BOT_AUTH_AUTHORITY || covers(input, "@request-target") ||
           (covers(input, "@path") && (!query || covers(input, "@query")));
}

/* The key of a covered member of the field, `"signature-agent";key="…"`; data is NULL for other components.
 */
static struct slice member_key(const struct sf_member *item, struct slice field)
{
    assert(field.len > 0);
    const struct sf_parameter *key = sf_parameter(item, SLICE("key"));
    bool named = item->value.kind == SF_STRING && slice_eq(item->value.text, field) && key &&
                 key->value.kind == SF_STRING;
    return named ? key->value.text : (struct slice){NULL, 0};
}

static bool covers_member(const struct sf_member *input, struct slice field, struct slice key)
{
    for (const struct sf_member *item = input->items; item; item = item->next) {
        struct slice covered_key = member_key(item, field);
        if (covered_key.data && slice_eq(covered_key, key))
            return true;
    }
    return false;
}

/* True if the member of Signature-Agent is covered by a signature that this one encloses: it covers that
 * one's components only to bind them, and is not for its agent (Web Bot Auth, "Multiple Signatures"). */
static bool is_enclosed(const struct trial *trial, struct slice key)
{
    assert(trial->input && trial->inputs);
    for (const struct sf_member *item = trial->input->items; item; item = item->next) {
        struct slice label = member_key(item, SLICE("signature"));
        const struct sf_member *inner = label.data ? sf_find(trial->inputs, label) : NULL;
        if (inner && inner != trial->input && covers_member(inner, SLICE("signature-agent"), key))
            return true;
    }
    return false;
}

static bool covers_agent(const struct sf_member *input, struct slice key)
{
    const struct sf_member *item = covered(input, SLICE("signature-agent"));
    bool whole = false;
    for (; item && !whole; item = item->next)
        whole = item->value.kind == SF_STRING && slice_eq(item->value.text, SLICE("signature-agent")) &&
                !sf_parameter(item, SLICE("key"));
    return whole || covers_member(input, SLICE("signature-agent"), key);
}

/* The agent that the signature is for: of the members that it covers the one that is named like its label or,
 * if none is, the only one that no enclosed signature covers. A signature is never attributed to a member
 * that it does not cover. NULL with *why. */
static const struct signature_agent *agent_of(const struct trial *trial, const char **why)
{
    assert(trial->input);
    const struct signature_agent *found = NULL;
    size_t count = 0;
    for (const struct signature_agent *agent = trial->agents; agent; agent = agent->next) {
        if (!covers_agent(trial->input, agent->key))
            continue;
        if (agent->key.len > 0 && slice_eq(agent->key, trial->input->key))
            return agent;
        if (is_enclosed(trial, agent->key))
            continue;
        found = agent;
        count++;
    }
    *why = !trial->agents ? "there is no Signature-Agent"
           : count == 0   ? "the signature covers no member of Signature-Agent that is its own"
                          : "the signature covers several members of Signature-Agent, none named like it";
    return count == 1 ? found : NULL;
}

static enum err check_agent(const struct trial *trial, struct web_bot_auth_candidate *candidate)
{
    struct fault fault = {NULL, SLICE("")};
    candidate->agent = agent_of(trial, &fault.why);
    if (candidate->agent && candidate->agent->err == ERR_OK) {
        TELL(trial, CHECK_AGENT_COVERED, true, "%.*s", TEXT(candidate->agent->account));
        return ERR_OK;
    }
    fault = candidate->agent ? candidate->agent->fault : fault;
    TELL(trial, CHECK_AGENT_COVERED, false, "%s%s%.*s", FAULT(fault));
    assert(fault.why);
    return candidate->agent ? candidate->agent->err : ERR_SIGNATURE_REQUIRED;
}

const char *web_bot_auth_tag(const struct web_bot_auth_policy *policy)
{
    return policy->tag ? policy->tag : "web-bot-auth";
}

bool web_bot_auth_changes(const struct message *message)
{
    return !slice_eq(message->method, SLICE("GET")) && !slice_eq(message->method, SLICE("HEAD"));
}

static enum err check_coverage(const struct trial *trial, struct web_bot_auth_candidate *candidate)
{
    assert(!candidate->agent);
    static const char *const targets[] = {
        [WEB_BOT_AUTH_AUTHORITY] = "@authority or @target-uri",
        [WEB_BOT_AUTH_URL] = "@target-uri, or @authority, @path and @query",
        [WEB_BOT_AUTH_REQUEST] = "@method, and @target-uri or @authority, @path and @query",
    };
    enum err err;
    const struct web_bot_auth_policy *policy = trial->policy;
    const struct sf_member *input = trial->input;
    bool paying = policy->commitment.len > 0;
    TRY(check_agent(trial, candidate));
    if (paying && !TELL(trial, CHECK_COMMITMENT_COVERED, commitment_covered(input, policy->commitment),
                        "%.*s", TEXT(policy->commitment)))
        return ERR_SIGNATURE_REQUIRED;
    if (policy->target != WEB_BOT_AUTH_NO_TARGET &&
        !TELL(trial, CHECK_TARGET_COVERED, target_covered(trial), "%s", targets[policy->target]))
        return ERR_SIGNATURE_REQUIRED;
    /* Without one the request could be sent once more by whoever has seen it. */
    if (policy->target == WEB_BOT_AUTH_REQUEST && !TELL(trial, CHECK_NONCE, candidate->nonce.len > 0, "%s",
                                                        candidate->nonce.len > 0 ? "given" : "missing"))
        return ERR_SIGNATURE_REQUIRED;
out:
    return err;
}

/* What changes something at the site is asked for by who signs, and not by who has seen the signature of a
 * page's request: that names no content. */
static enum err check_method(const struct trial *trial)
{
    if (!trial->policy->changes_taken || !web_bot_auth_changes(trial->message) ||
        covered(trial->input, SLICE("content-digest")))
        return ERR_OK;
    return TELL(trial, CHECK_TARGET_COVERED, covered(trial->input, SLICE("@method")), "%s",
                "@method or content-digest, for another method than GET and HEAD")
               ? ERR_OK
               : ERR_SIGNATURE_REQUIRED;
}

/* A signature over the digest of another body, or over none, says nothing about this one. */
static enum err check_digest(const struct trial *trial)
{
    bool digested = covered(trial->input, SLICE("content-digest"));
    bool wanted = trial->policy->changes_taken && trial->message->body.len > 0;
    if (trial->policy->body_elsewhere || (!digested && !wanted))
        return ERR_OK;
    if (!digested) {
        TELL(trial, CHECK_DIGEST, false, "the request has a body, and content-digest is not covered");
        return ERR_SIGNATURE_REQUIRED;
    }
    const char *refusal = content_digest_refusal(trial->arena, trial->message, trial->message->body);
    return TELL(trial, CHECK_DIGEST, !refusal, "%s", refusal ? refusal : "that of the body")
               ? ERR_OK
               : ERR_SIGNATURE_INVALID;
}

/* In the order in which a signer would want to hear of it. */
static enum err judge(const struct trial *trial, struct web_bot_auth_candidate *candidate)
{
    enum err err;
    const struct sf_member *input = trial->input;
    const struct sf_bare *tag = parameter_of(input, SLICE("tag"), SF_STRING);
    const struct sf_member *signature = sf_find(trial->signatures, input->key);
    if (input->value.kind != SF_INNER) {
        TELL(trial, CHECK_INPUT, false, "not a list of components in parentheses");
        return ERR_MALFORMED_SIGNATURE;
    }
    if (!TELL(trial, CHECK_TAG, tag && slice_eq(tag->text, slice_of(web_bot_auth_tag(trial->policy))), "%.*s",
              TEXT(tag ? tag->text : SLICE("missing"))))
        return ERR_SIGNATURE_REQUIRED;
    TRY(check_parameters(trial));
    TRY(judge_parameters(trial, candidate));
    if (!TELL(trial, CHECK_VALUE, signature && signature->value.kind == SF_BYTES, "%s",
              !signature                          ? "Signature has no such label"
              : signature->value.kind != SF_BYTES ? "not a byte sequence"
                                                  : "a byte sequence"))
        return ERR_MALFORMED_SIGNATURE;
    TRY(check_coverage(trial, candidate));
    TRY(check_method(trial));
    TRY(check_digest(trial));
    assert(candidate->agent && candidate->agent->err == ERR_OK);
    candidate->label = input->key;
    candidate->signature = signature->value.text;
    struct fault fault = {"the request is too large", SLICE("")};
    err = component_base(trial->arena, trial->message, input, &candidate->base, &fault);
    if (err == ERR_OK)
        fault.why = "built";
    TELL(trial, CHECK_BASE, err == ERR_OK, "%s%s%.*s", FAULT(fault));
out:
    return err;
}

/* Which failure tells the signer most: one that got further wins. */
static int rank(enum err err)
{
    static const enum err order[] = {ERR_SIGNATURE_REQUIRED,  ERR_MALFORMED_SIGNATURE_AGENT,
                                     ERR_MALFORMED_SIGNATURE, ERR_SIGNATURE_INVALID,
                                     ERR_SIGNATURE_EXPIRED,   ERR_REQUEST_TOO_LARGE};
    const int places = sizeof(order) / sizeof(*order);
    int place = 0;
    while (place < places && order[place] != err)
        place++;
    return place;
}

/* Tells a check of the whole request. */
#define TELL_REQUEST(trial, which, good, ...)                                                                \
    web_bot_auth_tell((trial)->policy, (trial)->arena,                                                       \
                      &(struct web_bot_auth_checked){.check = (which), .ok = (good)}, __VA_ARGS__)

static enum err read_dictionary(const struct trial *trial, enum web_bot_auth_check check, struct slice name,
                                struct sf_list *dictionary)
{
    bool absent;
    struct slice field = component_field(trial->arena, trial->message, name, &absent);
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    bool parses = sf_parse_dictionary(trial->arena, field, dictionary);
    bool good =
        parses && !dictionary->key_repeated && dictionary->count > 0 && dictionary->count <= SIGNATURES_MAX;
    return TELL_REQUEST(trial, check, good, "%s",
                        !parses                    ? "not a dictionary (RFC 9651)"
                        : dictionary->key_repeated ? "a label stands twice"
                        : good                     ? "parses"
                                                   : "no signature, or more than are looked at")
               ? ERR_OK
               : ERR_MALFORMED_SIGNATURE;
}

static enum err take_agents(struct trial *trial, const struct signature_agents *agents)
{
    TELL_REQUEST(trial, CHECK_AGENT, agents->err == ERR_OK, "%s%s%.*s",
                 FAULT(agents->err != ERR_OK
                           ? agents->fault
                           : ((struct fault){agents->first ? "parses" : "not there", SLICE("")})));
    trial->agents = agents->first;
    return agents->err;
}

/* Those that the policy has, or the request's own. */
static enum err read_agents(struct trial *trial)
{
    struct signature_agents agents;
    if (trial->policy->agents)
        return take_agents(trial, trial->policy->agents);
    enum err err =
        signature_agent_parse(trial->arena, trial->message, trial->policy->insecure_hosts, &agents);
    assert(err == agents.err);
    return take_agents(trial, &agents);
}

/* One of the two fields without the other is broken, not unsigned (RFC 9421 section 3.2 step 1). */
static enum err check_fields(const struct trial *trial)
{
    bool input = message_field(trial->message, SLICE("signature-input")) != NULL;
    bool value = message_field(trial->message, SLICE("signature")) != NULL;
    if (TELL_REQUEST(trial, CHECK_FIELDS, input && value, "%s",
                     input && value ? "Signature-Input and Signature"
                     : input        ? "Signature is missing"
                     : value        ? "Signature-Input is missing"
                                    : "not signed"))
        return ERR_OK;
    return input || value ? ERR_MALFORMED_SIGNATURE : ERR_SIGNATURE_REQUIRED;
}

enum err web_bot_auth_select(struct arena *arena, const struct message *message,
                             const struct web_bot_auth_policy *policy,
                             struct web_bot_auth_candidate **candidates)
{
    enum err err;
    enum err worst = ERR_OK;
    enum web_bot_auth_check failed = CHECK_COUNT;
    struct sf_list inputs;
    struct sf_list signatures;
    struct web_bot_auth_candidate **tail = candidates;
    struct trial trial = {
        .arena = arena, .message = message, .policy = policy, .inputs = &inputs, .signatures = &signatures};
    *candidates = NULL;
    TRY(check_fields(&trial));
    TRY(read_dictionary(&trial, CHECK_INPUT, SLICE("signature-input"), &inputs));
    TRY(read_dictionary(&trial, CHECK_SIGNATURES, SLICE("signature"), &signatures));
    TRY(read_agents(&trial));
    for (trial.input = inputs.first; trial.input; trial.input = trial.input->next) {
        struct web_bot_auth_candidate *candidate = arena_alloc(arena, sizeof(*candidate));
        if (!candidate)
            return ERR_REQUEST_TOO_LARGE;
        err = judge(&trial, candidate);
        if (err == ERR_OK) {
            *tail = candidate;
            tail = &candidate->next;
        } else if (worst == ERR_OK || rank(err) > rank(worst)) {
            worst = err;
            failed = policy->trace ? policy->trace->failed : CHECK_COUNT;
        }
    }
    assert(inputs.count > 0 && inputs.count <= SIGNATURES_MAX);
    assert(*candidates || worst != ERR_OK);
    err = *candidates ? ERR_OK : worst;
    if (policy->trace)
        policy->trace->failed = *candidates ? CHECK_COUNT : failed;
out:
    return err;
}

enum err web_bot_auth_verify(struct arena *arena, const struct web_bot_auth_policy *policy,
                             const struct web_bot_auth_candidate *candidate, const struct signature_key *key)
{
    assert(candidate->base.data && candidate->signature.data);
    struct slice algorithm = slice_of(signature_algorithm_name(signature_key_algorithm(key)));
    struct web_bot_auth_checked checked = {.check = CHECK_KEY_ALG, .label = candidate->label};
    checked.ok = takes(policy, algorithm) && (candidate->alg.len == 0 || slice_eq(candidate->alg, algorithm));
    if (!web_bot_auth_tell(policy, arena, &checked, "%.*s", TEXT(algorithm)))
        return ERR_SIGNATURE_INVALID;
    enum err err = signature_verify(key, candidate->base, candidate->signature);
    checked.check = CHECK_VERIFIES;
    checked.ok = err == ERR_OK;
    web_bot_auth_tell(policy, arena, &checked, "the signature is %sthe key's over the base",
                      checked.ok ? "" : "not ");
    return err;
}
