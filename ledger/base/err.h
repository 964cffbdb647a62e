/* Failures: one table gives the name, the HTTP status, the stable code and the public sentence, so that
 * replies, logs and documentation cannot disagree (WIRE.md section 5). */
#ifndef LEDGER_BASE_ERR_H
#define LEDGER_BASE_ERR_H

#define ERR_LIST(X)                                                                                          \
    /* name, HTTP status, code, sentence */                                                                  \
    X(ERR_OK, 200, "ok", "ok")                                                                               \
    X(ERR_MALFORMED_REQUEST, 400, "malformed_request", "the request does not parse")                         \
    X(ERR_MALFORMED_PAYMENT, 400, "malformed_payment", "the Payment field does not parse")                   \
    X(ERR_MALFORMED_PAYMENT_SIGNATURE, 400, "malformed_payment_signature",                                   \
      "PAYMENT-SIGNATURE is not the base64 of an x402 payment: x402Version 2, accepted and payload")         \
    X(ERR_MALFORMED_COMMITMENT, 400, "malformed_commitment",                                                 \
      "payload.commitment is no compact JWS whose claims commit to this payment")                            \
    X(ERR_MALFORMED_X_PAYMENT, 400, "malformed_x_payment", "X-PAYMENT is not the base64 of an x402 payment") \
    X(ERR_MALFORMED_CRAWLER_PRICE, 400, "malformed_crawler_price",                                           \
      "crawler-exact-price or crawler-max-price is no currency and amount, such as USD 0.05")                \
    X(ERR_MALFORMED_SIGNATURE, 400, "malformed_signature", "Signature or Signature-Input does not parse")    \
    X(ERR_MALFORMED_SIGNATURE_AGENT, 400, "malformed_signature_agent",                                       \
      "the Signature-Agent field does not parse, or names a location that is not taken here")                \
    X(ERR_CONFLICTING_PAYMENT, 400, "conflicting_payment", "the request carries more than one commitment")   \
    X(ERR_PAYMENT_REQUIRED, 402, "payment_required", "this page is paid for; commit to the enclosed offer")  \
    X(ERR_OFFER_EXPIRED, 402, "offer_expired", "the offer has expired; a fresh one is enclosed")             \
    X(ERR_OFFER_MISMATCH, 402, "offer_mismatch",                                                             \
      "the payment id was not offered for this URL at this price; a fresh offer is enclosed")                \
    X(ERR_PAGE_CHANGED, 402, "page_changed",                                                                 \
      "this payment id was free for the page as it was; it has changed since, and an offer is enclosed")     \
    X(ERR_PRICE_NOT_ACCEPTABLE, 402, "price_not_acceptable",                                                 \
      "the page costs another amount than the commitment names; a fresh offer is enclosed")                  \
    X(ERR_X402_VERSION, 402, "x402_version_unsupported",                                                     \
      "version 1 of x402 is not taken here; accept the enclosed offer with version 2, in PAYMENT-SIGNATURE") \
    X(ERR_PAYMENT_UNDELIVERED, 402, "payment_undelivered",                                                   \
      "the page of this payment id was not delivered whole; it is not billed, a fresh offer is enclosed")    \
    X(ERR_CREDIT_LIMIT_REACHED, 402, "credit_limit_reached",                                                 \
      "your limit with this publisher is reached; nothing was charged, a fresh offer is enclosed for later") \
    X(ERR_SIGNATURE_REQUIRED, 403, "signature_required",                                                     \
      "the commitment needs a web-bot-auth signature that covers it and Signature-Agent")                    \
    X(ERR_SIGNATURE_INVALID, 403, "signature_invalid",                                                       \
      "the signature does not verify, or its created and expires are out of bounds")                         \
    X(ERR_SIGNATURE_EXPIRED, 403, "signature_expired",                                                       \
      "the signature has expired, or its nonce was used before")                                             \
    X(ERR_KEY_UNKNOWN, 403, "key_unknown", "the directory of the Signature-Agent does not list this key")    \
    X(ERR_AGENT_UNKNOWN, 403, "agent_unknown",                                                               \
      "this site takes payments only from crawlers that it knows; ask its publisher to be listed")           \
    X(ERR_AGENT_SUSPENDED, 403, "agent_suspended", "this site takes no payments from this crawler")          \
    X(ERR_BLOCKED, 403, "blocked", "crawlers may not have this page")                                        \
    X(ERR_NOT_FOUND, 404, "not_found", "there is no such page; nothing was charged")                         \
    X(ERR_METHOD_NOT_ALLOWED, 405, "method_not_allowed", "only GET and HEAD are served here")                \
    X(ERR_PAYMENT_CONFLICT, 409, "payment_conflict",                                                         \
      "this payment id was already used by another signer or for other content")                             \
    X(ERR_IDENTIFIER_CONFLICT, 409, "payment_identifier_conflict",                                           \
      "this payment-identifier came with another payment before; nothing was charged now")                   \
    X(ERR_REQUEST_REPEATED, 409, "request_repeated",                                                         \
      "this request changes something and was handed to the site before, or may have been: with this "       \
      "payment id it is not sent again")                                                                     \
    X(ERR_PRECONDITION_FAILED, 412, "precondition_failed",                                                   \
      "a condition of the request does not hold for the page as it is; nothing was charged")                 \
    X(ERR_LENGTH_REQUIRED, 411, "length_required",                                                           \
      "a body needs a Content-Length here; nothing was charged")                                             \
    X(ERR_BODY_REFUSED, 413, "body_refused",                                                                 \
      "GET and HEAD have no body here, and those of others are limited; nothing was charged")                \
    X(ERR_RANGE_NOT_SATISFIABLE, 416, "range_not_satisfiable",                                               \
      "the page does not reach as far as the range that was asked for; nothing was charged")                 \
    X(ERR_REQUEST_TOO_LARGE, 431, "request_too_large",                                                       \
      "the request's fields are larger than the gate reads")                                                 \
    X(ERR_MISDIRECTED, 421, "misdirected_request", "no site of this gate has this host name")                \
    X(ERR_RATE_LIMITED, 429, "rate_limited",                                                                 \
      "too much at once from your network; nothing was charged, try again later")                            \
    X(ERR_INTERNAL, 500, "internal_error", "the gate failed; nothing was charged")                           \
    X(ERR_ACCOUNT_SIGNATURE, 403, "account_signature_required",                                              \
      "your account is shown to a request that is signed for it: tag crawltab-account, over @method, "       \
      "@authority, @path, @query and signature-agent, with a nonce, for at most 60 seconds")                 \
    X(ERR_ACCOUNT_UNKNOWN, 404, "account_unknown",                                                           \
      "you have no account here yet: it begins with the first page that you pay for")                        \
    X(ERR_ACCOUNT_PATH_UNKNOWN, 404, "account_path_unknown", "an account has no such part")                  \
    X(ERR_ENTRY_UNKNOWN, 404, "entry_unknown", "your account has no entry with this payment id")             \
    X(ERR_ENTRY_ARCHIVED, 404, "entry_archived",                                                             \
      "entries of this day are in the publisher's archive; ask the publisher for what you need of them")     \
    X(ERR_PROOF_NOT_YET, 409, "proof_not_yet",                                                               \
      "the entry is yours, but its day is not closed yet, and until then nothing seals it")                  \
    X(ERR_PROOF_NONE, 409, "proof_none",                                                                     \
      "the entry is yours, but its day was closed without a checkpoint that holds it; ask the publisher")    \
    X(ERR_INVOICE_UNKNOWN, 404, "invoice_unknown",                                                           \
      "your account has no invoice or credit note with this number")                                         \
    X(ERR_INVOICE_ENTRIES, 404, "invoice_without_entries",                                                   \
      "a credit note has no entries of its own; its lines name the payments that it takes back")             \
    X(ERR_INVOICE_FORMAT, 404, "invoice_format_unavailable",                                                 \
      "this document lacks what the format asks for; try another one, such as json, pdf or html")            \
    X(ERR_DISPUTE_UNKNOWN, 404, "dispute_unknown", "your account has no dispute with this id")               \
    X(ERR_DISPUTE_REFUSED, 409, "dispute_refused",                                                           \
      "nothing is disputed, as something stands in the way of at least one subject")                         \
    X(ERR_MALFORMED_DISPUTE, 400, "malformed_dispute",                                                       \
      "a dispute is a JSON object of reason, payments or lines, and maybe a statement")                      \
    X(ERR_RANGE_TOO_LONG, 400, "range_too_long", "a statement is of 366 days at most; ask for it in parts")  \
    X(ERR_MALFORMED_QUERY, 400, "malformed_query",                                                           \
      "a parameter of the query is not known here, stands twice, or has a value that it cannot have")        \
    X(ERR_ACCOUNT_LIMITED, 429, "account_rate_limited",                                                      \
      "too many questions about your account, or from your network; try again later")                        \
    X(ERR_ACCOUNT_UNAVAILABLE, 503, "account_unavailable",                                                   \
      "your account cannot be read just now; try again later")                                               \
    X(ERR_ORIGIN_UNAVAILABLE, 502, "origin_unavailable",                                                     \
      "the site's own server did not answer; nothing was charged, try again, with the same payment id "      \
      "unless the request changes something")                                                                \
    X(ERR_ORIGIN_TIMEOUT, 504, "origin_timeout",                                                             \
      "the site's own server did not answer in time; nothing was charged, try again, with the same payment " \
      "id unless the request changes something")                                                             \
    X(ERR_DIRECTORY_UNAVAILABLE, 503, "directory_unavailable",                                               \
      "the key directory could not be read; nothing was charged, try again with the same payment id")        \
    X(ERR_LEDGER_UNAVAILABLE, 503, "ledger_unavailable",                                                     \
      "the ledger could not confirm the entry; try again with the same payment id, it is charged once")      \
    X(ERR_GATE_UNAVAILABLE, 503, "gate_unavailable", "the gate is down; nothing was charged, try again")     \
    X(ERR_OVERLOADED, 503, "overloaded", "too much at once; nothing was charged, try again")

enum err {
#define ERR_NAME(name, status, code, sentence) name,
    ERR_LIST(ERR_NAME)
#undef ERR_NAME
        ERR_COUNT
};

/* The HTTP status that stands for the failure. */
unsigned err_status(enum err err);

/* The stable machine-readable code, as sent in `crawler-error` and problem+json. Static. */
const char *err_code(enum err err);

/* The reason phrase of the failure's HTTP status (RFC 9110 section 15). Static. */
const char *err_phrase(enum err err);

/* One English sentence for the public. Static. */
const char *err_sentence(enum err err);

#define MUST_USE __attribute__((warn_unused_result))

/* In a function with `enum err err` and one label `out:`. */
#define TRY(expression)                                                                                      \
    do {                                                                                                     \
        if ((err = (expression)) != ERR_OK)                                                                  \
            goto out;                                                                                        \
    } while (0)

#endif
