/* Members stand in the order of their names, as JCS (RFC 8785) wants them: whoever writes the payload again
 * gets the same bytes. */
#include "server/published/attest.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/verify/signature.h"

#include <assert.h>
#include <string.h>

#define URL_MAX     1024
#define WRITTEN_MAX 4096

static void add(struct text *text, const char *piece)
{
    text_add(text, slice_of(piece));
}

static void add_quoted(struct text *text, const char *name, struct slice value)
{
    add(text, name);
    text_char(text, '"');
    text_json(text, value);
    text_char(text, '"');
}

/* did:web has no colon of its own: that of a port is escaped. */
static void add_did(struct text *text, struct slice authority)
{
    add(text, "did:web:");
    for (size_t i = 0; i < authority.len; i++)
        if (authority.data[i] == ':')
            add(text, "%3A");
        else
            text_json(text, (struct slice){authority.data + i, 1});
}

static void add_base64url(struct text *text, struct slice bytes)
{
    char out[ENCODING_BASE64URL_LEN(WRITTEN_MAX) + 1];
    assert(bytes.len <= WRITTEN_MAX);
    size_t len = encoding_base64url((const uint8_t *)bytes.data, bytes.len, out);
    text_add(text, slice_bytes(out, len));
}

static struct slice header_of(struct arena *arena, struct slice authority, const char *keyid)
{
    struct text text = text_begin(arena);
    add(&text, "{\"alg\":\"EdDSA\",\"kid\":\"");
    add_did(&text, authority);
    text_char(&text, '#');
    add(&text, keyid);
    add(&text, "\"}");
    return text_end(&text);
}

static struct slice sign(struct own_directory *own, struct arena *arena, struct slice authority,
                         struct slice payload, int64_t now_ms)
{
    struct key_ring_key key;
    uint8_t raw[SIGNATURE_ED25519_SIZE];
    struct slice jws = SLICE("");
    if (!payload.data || payload.len > WRITTEN_MAX || !own_directory_key(own, now_ms, &key))
        return jws;
    struct slice header = header_of(arena, authority, key.keyid);
    struct text text = text_begin(arena);
    if (header.data && header.len <= WRITTEN_MAX) {
        add_base64url(&text, header);
        text_char(&text, '.');
        add_base64url(&text, payload);
        /* What is written so far is what is signed. */
        bool ok = !text.full &&
                  signature_sign_ed25519(key.seed, slice_bytes(arena->memory + text.start, text.len), raw);
        text_char(&text, '.');
        add_base64url(&text, slice_bytes(raw, sizeof(raw)));
        if (ok)
            jws = text_end(&text);
    }
    explicit_bzero(&key, sizeof(key));
    return jws.data ? jws : SLICE("");
}

struct slice attest_sign_offer(struct own_directory *own, struct arena *arena, struct slice authority,
                               const struct attest_offer *offer, int64_t now_ms)
{
    if (offer->url.len > URL_MAX)
        return SLICE("");
    struct text text = text_begin(arena);
    add(&text, "{\"amount\":\"");
    text_number(&text, offer->amount);
    add_quoted(&text, "\",\"asset\":", offer->asset);
    add_quoted(&text, ",\"network\":", offer->network);
    add_quoted(&text, ",\"payTo\":", offer->pay_to);
    add_quoted(&text, ",\"resourceUrl\":", offer->url);
    add_quoted(&text, ",\"scheme\":", slice_of(offer->scheme));
    add(&text, ",\"validUntil\":");
    text_number(&text, offer->valid_until);
    add(&text, ",\"version\":1}");
    return sign(own, arena, authority, text_end(&text), now_ms);
}

struct slice attest_sign_receipt(struct own_directory *own, struct arena *arena, struct slice authority,
                                 const struct attest_receipt *receipt, int64_t now_ms)
{
    if (receipt->url.len > URL_MAX)
        return SLICE("");
    struct text text = text_begin(arena);
    add(&text, "{\"issuedAt\":");
    text_number(&text, receipt->issued_at);
    add_quoted(&text, ",\"network\":", receipt->network);
    add_quoted(&text, ",\"payer\":", receipt->payer);
    add_quoted(&text, ",\"resourceUrl\":", receipt->url);
    add_quoted(&text, ",\"transaction\":", receipt->transaction);
    add(&text, ",\"version\":1}");
    return sign(own, arena, authority, text_end(&text), now_ms);
}

bool attest_is_at(struct slice path)
{
    return slice_eq(path, SLICE("/.well-known/did.json"));
}

/* --- The document --- */

static struct slice did_of(struct arena *arena, struct slice authority)
{
    struct text text = text_begin(arena);
    add_did(&text, authority);
    return text_end(&text);
}

/* All keys that are listed: what a former one has signed can still be checked until it expires. */
static json_t *methods_of(const char *did, json_t *keys, json_t *names)
{
    json_t *methods = json_array(), *key;
    size_t i;
    json_array_foreach(keys, i, key)
    {
        json_t *id = json_sprintf("%s#%s", did, json_string_value(json_object_get(key, "kid")));
        json_array_append(names, id);
        json_array_append_new(methods,
                              json_pack("{s:o,s:s,s:s,s:{s:O,s:O,s:O}}", "id", id, "type", "JsonWebKey2020",
                                        "controller", did, "publicKeyJwk", "kty", json_object_get(key, "kty"),
                                        "crv", json_object_get(key, "crv"), "x", json_object_get(key, "x")));
    }
    return methods;
}

enum err attest_reply(struct own_directory *own, struct exchange *exchange, int64_t now_ms)
{
    struct arena *arena = &exchange->arena;
    const char *did = did_of(arena, exchange->message.authority).data;
    json_t *set = did ? own_directory_keys(own, now_ms) : NULL, *names = json_array();
    json_t *methods = set ? methods_of(did, json_object_get(set, "keys"), names) : NULL;
    json_t *document = methods ? json_pack("{s:[s],s:s,s:o,s:O}", "@context", "https://www.w3.org/ns/did/v1",
                                           "id", did, "verificationMethod", methods, "assertionMethod", names)
                               : NULL;
    char *json = document ? json_dumps(document, JSON_COMPACT) : NULL;
    exchange->reply.status = 200;
    exchange->reply.fd = -1;
    exchange->reply.body = json ? slice_of(arena_copy(arena, slice_of(json))) : SLICE("");
    free(json);
    json_decref(document);
    json_decref(names);
    json_decref(set);
    return exchange->reply.body.len > 0 && exchange_header(exchange, "Cache-Control", "max-age=3600") &&
                   exchange_header(exchange, "Content-Type", "application/did+json")
               ? ERR_OK
               : ERR_REQUEST_TOO_LARGE;
}
