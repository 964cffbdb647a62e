/* A payment of x402 version 2 by a signed commitment (JWS), as PAYMENT-SIGNATURE has it and as a server
 * brings it to the facilitator. */
#ifndef TESTS_BENCH_COMMITMENT_H
#define TESTS_BENCH_COMMITMENT_H

#include "ledger/base/text/encoding.h"
#include "ledger/verify/jwk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COMMITMENT_MAX 2048
#define ACCEPTED                                                                                             \
    "{\"scheme\":\"deferred\",\"network\":\"example:402\",\"amount\":\"50000\",\"asset\":\"USD\","           \
    "\"payTo\":\"merchant\",\"maxTimeoutSeconds\":300,\"extra\":{\"id\":\"%.64s\"}}"

/* What is to be signed, by whom, and of what page. */
struct commitment_order {
    const uint8_t *seed, *thumbprint;
    const char *agent, *host, *target, *id;
};

/* The JSON of the payment; its length. */
static inline size_t commitment_write(const struct commitment_order *order, char *out)
{
    char keyid[64] = "", header[256], claims[768], jws[1536] = "";
    uint8_t raw[64];
    long long now = (long long)time(NULL);
    encoding_base64url(order->thumbprint, DIGEST_SIZE, keyid);
    int header_len = snprintf(header, sizeof(header),
                              "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"x402-deferred+jws\"}", keyid);
    int claims_len =
        snprintf(claims, sizeof(claims),
                 "{\"iss\":\"%s\",\"id\":\"%.64s\",\"network\":\"example:402\",\"amount\":\"50000\","
                 "\"asset\":\"USD\",\"aud\":\"%s\",\"resource\":\"https://%s%s\",\"iat\":%lld,"
                 "\"exp\":%lld}",
                 order->agent, order->id, order->host, order->host, order->target, now, now + 300);
    size_t len = encoding_base64url(header, (size_t)header_len, jws);
    jws[len++] = '.';
    len += encoding_base64url(claims, (size_t)claims_len, jws + len);
    if (!signature_sign_ed25519(order->seed, slice_bytes(jws, len), raw))
        abort();
    jws[len++] = '.';
    len += encoding_base64url(raw, sizeof(raw), jws + len);
    jws[len] = '\0';
    return (size_t)snprintf(
        out, COMMITMENT_MAX,
        "{\"x402Version\":2,\"resource\":{\"url\":\"https://%s%s\"},\"accepted\":" ACCEPTED
        ",\"payload\":{\"commitment\":\"%s\"}}",
        order->host, order->target, order->id, jws);
}

/* The whole request: to the gate, or with `settle` to the facilitator. `field` is a line of its own. */
static inline size_t commitment_request(const struct commitment_order *order, bool settle, const char *field,
                                        char *out, size_t room)
{
    char json[COMMITMENT_MAX], body[2 * COMMITMENT_MAX];
    size_t len = commitment_write(order, json);
    if (!settle) {
        encoding_base64(json, len, body);
        body[ENCODING_BASE64_LEN(len)] = '\0';
        return (size_t)snprintf(out, room, "GET %s HTTP/1.1\r\nHost: %s\r\nPAYMENT-SIGNATURE: %s\r\n%s\r\n",
                                order->target, order->host, body, field);
    }
    int body_len = snprintf(body, sizeof(body),
                            "{\"x402Version\":2,\"paymentPayload\":%s,\"paymentRequirements\":" ACCEPTED "}",
                            json, order->id);
    return (size_t)snprintf(out, room, "POST /settle HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n%s\r\n%s",
                            order->host, body_len, field, body);
}

#endif
