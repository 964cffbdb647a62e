#include "server/facilitator/answer.h"

#include <assert.h>

/* The codes are those of the specification (section 9) and of its bindings. What the gate calls it stands in
 * front of the sentence, so that nothing is lost by the translation. */
static const struct {
    enum err err;
    const char *code;
} codes[] = {
    {ERR_X402_VERSION, "invalid_x402_version"},
    {ERR_MALFORMED_PAYMENT_SIGNATURE, "invalid_payload"},
    {ERR_MALFORMED_COMMITMENT, "invalid_payload"},
    {ERR_SIGNATURE_REQUIRED, "invalid_payload"},
    {ERR_OFFER_EXPIRED, "invalid_payload"},
    {ERR_OFFER_MISMATCH, "invalid_payload"},
    {ERR_REQUEST_TOO_LARGE, "invalid_payload"},
    {ERR_PRICE_NOT_ACCEPTABLE, "price_not_acceptable"},
    {ERR_MISDIRECTED, "invalid_payment_requirements"},
    {ERR_SIGNATURE_INVALID, "invalid_signature"},
    {ERR_SIGNATURE_EXPIRED, "invalid_signature"},
    {ERR_MALFORMED_SIGNATURE_AGENT, "invalid_signature"},
    {ERR_KEY_UNKNOWN, "invalid_signature"},
    {ERR_AGENT_UNKNOWN, "signature_agent_unknown"},
    {ERR_AGENT_SUSPENDED, "blocked"},
    {ERR_BLOCKED, "blocked"},
    {ERR_CREDIT_LIMIT_REACHED, "insufficient_funds"},
    {ERR_PAYMENT_CONFLICT, "invalid_transaction_state"},
    {ERR_IDENTIFIER_CONFLICT, "invalid_transaction_state"},
    {ERR_PAYMENT_UNDELIVERED, "invalid_transaction_state"},
};

static const char *code_of(enum err err, enum call_kind kind)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (codes[i].err == err)
            return codes[i].code;
    /* What says nothing about the payment: the same call again may do it. */
    if (kind == CALL_SETTLE && (err_status(err) == 503 || err == ERR_RATE_LIMITED))
        return "settlement_pending";
    return kind == CALL_SETTLE ? "unexpected_settle_error" : "unexpected_verify_error";
}

struct refusal refusal_of(enum err err, enum call_kind kind)
{
    assert(err != ERR_OK);
    unsigned status = err_status(err);
    bool judged = status != 400 && status < 500 && status != 429;
    return (struct refusal){judged ? 200 : status, code_of(err, kind), err_sentence(err)};
}

/* For when there is no room for anything else. */
static const struct slice no_room = SLICE("{\"errorReason\":\"unexpected_error\"}\n");

void answer_json(struct exchange *exchange, unsigned status, json_t *value)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t len = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = len > 0 ? arena_bytes(&exchange->arena, len) : NULL;
    bool ok = text && json_dumpb(value, text, len, flags) == len &&
              exchange_header(exchange, "Content-Type", "application/json") &&
              exchange_header(exchange, "Cache-Control", "no-store") &&
              (status != 503 || exchange_header(exchange, "Retry-After", "1"));
    json_decref(value);
    exchange->reply.status = ok ? status : 500;
    exchange->reply.body = ok ? slice_bytes(text, len) : no_room;
}

void answer_problem(struct exchange *exchange, const struct refusal *refusal)
{
    answer_json(exchange, refusal->status,
                json_pack("{s:s,s:i,s:s,s:s}", "type", "about:blank", "status", (int)refusal->status, "code",
                          refusal->code, "detail", refusal->detail));
}
