/* Claims say everything that is paid for, since nothing else is signed: of `accepted`, which stands beside
 * them, only what they repeat is believed. */
#include "ledger/dialect/claims.h"

#include "ledger/base/text/amount.h"
#include "ledger/verify/jws.h"

#include <assert.h>

/* Whoever holds on to a commitment can send it until it expires: an offer lives about as long. */
#define LIFETIME_SECONDS_MAX 300
#define TIME_MAX             INT64_C(999999999999999) /* fifteen digits, as a signature's parameters have */
_Static_assert(TIME_MAX <= INT64_MAX / 1000, "whoever compares such times counts them in milliseconds");

struct named {
    const char *issuer, *id, *network, *amount, *asset, *audience, *resource, *scheme;
    json_int_t issued, expires;
};

/* An empty id is none that was ever offered; if it passed for one that is signed, nothing would bind the
 * unit. */
static bool read_members(json_t *members, struct named *named)
{
    *named = (struct named){.id = NULL};
    return json_unpack(members, "{s:s,s?s,s:s,s:s,s:s,s:s,s:s,s?s,s:I,s:I}", "iss", &named->issuer, "id",
                       &named->id, "network", &named->network, "amount", &named->amount, "asset",
                       &named->asset, "aud", &named->audience, "resource", &named->resource, "scheme",
                       &named->scheme, "iat", &named->issued, "exp", &named->expires) == 0 &&
           (!named->id || *named->id) && named->issued >= 0 && named->issued <= TIME_MAX &&
           named->expires >= 0 && named->expires <= TIME_MAX;
}

static bool is(const char *text, struct slice expected)
{
    return slice_eq(slice_of(text), expected);
}

static bool is_for(const struct named *named, const struct dialect_place *place)
{
    return is(named->network, place->network) && is(named->asset, place->currency) &&
           is(named->audience, place->authority) && is(named->resource, place->url);
}

/* An amount is in the unit of the scheme that is accepted, which must then be signed too: by itself, or in an
 * id, which says the price. Otherwise who hands a commitment on could make cents of its millionths. */
static enum err compare(const struct named *named, const struct dialect_place *place,
                        const struct commitment *commitment)
{
    int64_t amount;
    assert(commitment->unit_micros > 0 && commitment->amount_micros >= 0);
    bool scheme_signed = named->scheme || named->id || slice_eq(commitment->scheme, SLICE("deferred"));
    if ((commitment->id.len > 0 && !named->id) || !scheme_signed ||
        !dialect_amount(slice_of(named->amount), commitment->unit_micros, &amount))
        return ERR_MALFORMED_COMMITMENT;
    return (!named->id || is(named->id, commitment->id)) &&
                   (!named->scheme || is(named->scheme, commitment->scheme)) && is_for(named, place) &&
                   amount == commitment->amount_micros
               ? ERR_OK
               : ERR_OFFER_MISMATCH;
}

static enum err read_issuer(struct arena *arena, const struct named *named, const struct dialect_place *place,
                            struct claims *claims)
{
    char *issuer = arena_copy(arena, slice_of(named->issuer));
    if (!issuer)
        return ERR_REQUEST_TOO_LARGE;
    enum err err = signature_agent_locate(arena, slice_of(issuer), place->insecure_hosts, &claims->agent);
    return err == ERR_OK || err == ERR_REQUEST_TOO_LARGE ? err : ERR_MALFORMED_COMMITMENT;
}

static struct claims claims_of(const struct jws *jws, const struct named *named)
{
    assert(named->issued >= 0 && named->expires >= 0);
    assert(jws->input.len > 0 && jws->signature.len > 0);
    return (struct claims){.keyid = jws->keyid,
                           .algorithm = jws->algorithm,
                           .issued = named->issued,
                           .expires = named->expires,
                           .input = jws->input,
                           .signature = jws->signature};
}

enum err claims_read(struct arena *arena, struct slice text, const struct dialect_place *place,
                     struct commitment *commitment)
{
    enum err err = ERR_MALFORMED_COMMITMENT;
    struct jws jws;
    struct named named;
    struct claims *claims = arena_alloc(arena, sizeof(*claims));
    if (!claims)
        return ERR_REQUEST_TOO_LARGE;
    if (!jws_parse(arena, text, &jws))
        return ERR_MALFORMED_COMMITMENT;
    if (!is(CLAIMS_TYPE, jws.type) || !read_members(jws.claims, &named))
        goto out;
    *claims = claims_of(&jws, &named);
    /* Without an id in what is accepted one that is signed counts, since it says itself what it is for. */
    if (commitment->id.len == 0 && named.id)
        commitment->id = slice_of(arena_copy(arena, slice_of(named.id)));
    TRY(read_issuer(arena, &named, place, claims));
    TRY(compare(&named, place, commitment));
    assert(claims->agent.account.len > 0); /* who pays */
    commitment->claims = claims;
out:
    jws_free(&jws);
    return err;
}

/* What claims say by themselves. An amount in a unit that is not signed says nothing; there is an id then. */
static bool say(struct arena *arena, const struct named *named, const struct dialect_place *place,
                struct commitment *commitment)
{
    const char *scheme = named->scheme ? named->scheme : "deferred";
    *commitment = (struct commitment){.scheme = slice_of(arena_copy(arena, slice_of(scheme))),
                                      .unit_micros = dialect_unit(scheme, place->currency),
                                      .amount_micros = -1};
    if (named->id)
        commitment->id = slice_of(arena_copy(arena, slice_of(named->id)));
    if (!commitment->scheme.data || commitment->unit_micros == 0 || (named->id && commitment->id.len == 0))
        return false;
    return (named->id && !named->scheme) ||
           dialect_amount(slice_of(named->amount), commitment->unit_micros, &commitment->amount_micros);
}

enum err claims_recall(struct arena *arena, struct slice input, const struct dialect_place *place,
                       struct commitment *commitment)
{
    enum err err = ERR_MALFORMED_COMMITMENT;
    struct jws jws;
    struct named named;
    struct claims *claims = arena_alloc(arena, sizeof(*claims));
    /* A signature of one byte, so that one parser reads both; it is taken away again below. */
    struct slice whole = arena_format(arena, "%.*s.AA", (int)input.len, input.data);
    if (!claims || !whole.data)
        return ERR_REQUEST_TOO_LARGE;
    if (!jws_parse(arena, whole, &jws))
        return ERR_MALFORMED_COMMITMENT;
    if (!is(CLAIMS_TYPE, jws.type) || !read_members(jws.claims, &named) ||
        !say(arena, &named, place, commitment))
        goto out;
    *claims = claims_of(&jws, &named);
    claims->signature = SLICE(""); /* it was none */
    TRY(read_issuer(arena, &named, place, claims));
    assert(commitment->id.len > 0 || commitment->amount_micros >= 0);
    commitment->claims = claims;
    err = is_for(&named, place) ? ERR_OK : ERR_OFFER_MISMATCH;
out:
    jws_free(&jws);
    return err;
}

enum err claims_select(struct arena *arena, const struct web_bot_auth_policy *policy,
                       const struct claims *claims, struct web_bot_auth_candidate **candidate)
{
    const struct web_bot_auth_said said = {.label = SLICE("commitment"),
                                           .keyid = claims->keyid,
                                           .alg = claims->algorithm,
                                           .created = &claims->issued,
                                           .expires = &claims->expires};
    struct web_bot_auth_policy brief = *policy;
    /* Recalled ones have no signature of theirs: they are judged, and never taken for a payment. */
    assert(claims->signature.len > 0 && claims->agent.err == ERR_OK);
    *candidate = arena_alloc(arena, sizeof(**candidate));
    if (!*candidate)
        return ERR_REQUEST_TOO_LARGE;
    /* The site's own limit may be shorter, and then holds. */
    if (brief.max_lifetime > LIFETIME_SECONDS_MAX)
        brief.max_lifetime = LIFETIME_SECONDS_MAX;
    **candidate = (struct web_bot_auth_candidate){
        .label = said.label, .agent = &claims->agent, .signature = claims->signature, .base = claims->input};
    return web_bot_auth_judge(arena, &brief, &said, *candidate);
}
