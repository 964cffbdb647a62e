/* The Web Bot Auth profile of HTTP Message Signatures (WIRE.md section 4): which of a request's signatures
 * may count, and everything about each that can be judged without its key. Pure. */
#ifndef LEDGER_VERIFY_WEB_BOT_AUTH_H
#define LEDGER_VERIFY_WEB_BOT_AUTH_H

#include "ledger/base/crypto/digest.h"
#include "ledger/verify/signature.h"
#include "ledger/verify/signature_agent.h"

/* The checks, by the names under which logs and `crawltab check-request` tell them. */
#define WEB_BOT_AUTH_CHECKS(X)                                                                               \
    /* of the request */                                                                                     \
    X(CHECK_FIELDS, "signature-fields") /* Signature-Input and Signature are there */                        \
    X(CHECK_INPUT, "signature-input")   /* parses, each label once */                                        \
    X(CHECK_SIGNATURES, "signature")    /* parses, each label once */                                        \
    X(CHECK_AGENT, "signature-agent")   /* parses, and names locations that are taken here */                \
    /* of one signature */                                                                                   \
    X(CHECK_TAG, "tag")               /* is "web-bot-auth", or what else the policy asks */                  \
    X(CHECK_PARAMETERS, "parameters") /* known ones, each once, of the right type */                         \
    X(CHECK_ALG, "alg")               /* absent, or one that is taken here */                                \
    X(CHECK_KEYID, "keyid")           /* is a JWK thumbprint */                                              \
    X(CHECK_TEST_KEY, "test-key")     /* is not a key whose private half is published */                     \
    X(CHECK_CREATED, "created")       /* is there, and not in the future */                                  \
    X(CHECK_EXPIRES, "expires")       /* is there, and after created */                                      \
    X(CHECK_LIFETIME, "lifetime")     /* is not too long */                                                  \
    X(CHECK_EXPIRED, "not-expired")                                                                          \
    X(CHECK_AGE, "age")               /* for a page that is free: not too long since created */              \
    X(CHECK_VALUE, "signature-value") /* the label has a byte sequence in Signature */                       \
    X(CHECK_AGENT_COVERED, "covers-signature-agent")                                                         \
    X(CHECK_COMMITMENT_COVERED, "covers-payment")                                                            \
    X(CHECK_TARGET_COVERED, "covers-target") /* as much of the target as the policy asks */                  \
    X(CHECK_DIGEST, "content-digest")        /* is that of the body, where it is covered */                  \
    X(CHECK_BASE, "signature-base")          /* every covered component has a value */                       \
    /* with the key, made by whoever has it */                                                               \
    X(CHECK_KEY, "key")               /* the directory lists it, and it is in force */                       \
    X(CHECK_KEY_ALG, "key-algorithm") /* agrees with alg, and is taken here */                               \
    X(CHECK_VERIFIES, "verifies")                                                                            \
    X(CHECK_NONCE, "nonce") /* for a page that is free: was not used before; made by the gate alone */

enum web_bot_auth_check {
#define CHECK_NAME(check, name) check,
    WEB_BOT_AUTH_CHECKS(CHECK_NAME)
#undef CHECK_NAME
        CHECK_COUNT
};

/* The name of a check; "" for CHECK_COUNT, which means none. Static. */
const char *web_bot_auth_check_name(enum web_bot_auth_check check);

/* A check as it was made. */
struct web_bot_auth_checked {
    enum web_bot_auth_check check;
    struct slice label; /* of the signature; empty for checks of the request */
    bool ok;
    struct slice detail; /* what was found, for a person */
};

/* Where checks are told. With room 0 only `failed` is kept, and no details are written. */
struct web_bot_auth_trace {
    enum web_bot_auth_check failed; /* the one behind the error that was returned; CHECK_COUNT: none */
    struct web_bot_auth_checked *checked;
    size_t room;
    size_t count;
};

/* What of a request's target must be covered, unless said otherwise the first. */
enum web_bot_auth_target {
    WEB_BOT_AUTH_AUTHORITY, /* @authority or @target-uri: the signature is for this site */
    WEB_BOT_AUTH_URL,       /* and for this URL: @target-uri, or @path and, where there is one, @query; the
                             * latter two are also in @request-target */
    WEB_BOT_AUTH_REQUEST,   /* and for this request of it alone: @method, and a nonce */
    WEB_BOT_AUTH_NO_TARGET,
};

struct web_bot_auth_policy {
    int64_t now;             /* seconds */
    int64_t clock_skew;      /* seconds that `created` may lie ahead */
    int64_t max_lifetime;    /* seconds between created and expires */
    int64_t max_age;         /* seconds since created; 0: as long as it says itself */
    bool expired_taken;      /* whatever it says itself: for what can only be a repeat */
    struct slice commitment; /* the field that must be covered, e.g. "payment"; empty: identity alone */
    enum web_bot_auth_target target;
    const char *tag;                      /* what it is for; NULL: "web-bot-auth" */
    bool allow_test_keys;                 /* accept the key pairs printed in RFC 9421 and the drafts */
    const struct config_list *algorithms; /* RFC 9421 names that are taken; NULL: ed25519 alone */
    const struct config_list *insecure_hosts;
    const struct signature_agents *agents; /* the request's, if they are read already; NULL: not yet */
    struct web_bot_auth_trace *trace;      /* or NULL */
    bool changes_taken;                    /* other methods than GET and HEAD are: see web_bot_auth_changes */
    bool body_elsewhere; /* whoever has the body must look whether a covered content-digest is its own */
};

/* What the configuration says for a site, whose page is paid for by the field `commitment` or, where that is
 * empty, free for one crawler. Time and trace are the caller's. All of it must outlive the policy. */
struct web_bot_auth_policy web_bot_auth_policy(const struct config *config, const struct config_site *site,
                                               struct slice commitment);

/* The tag that the policy asks for. */
const char *web_bot_auth_tag(const struct web_bot_auth_policy *policy);

/* True for another method than GET and HEAD. Where these are taken, a signature must cover content-digest or,
 * where the request has no body, @method. */
bool web_bot_auth_changes(const struct message *message);

/* A signature that is good but for its key. */
struct web_bot_auth_candidate {
    struct slice label;
    const struct signature_agent *agent; /* a good one */
    uint8_t thumbprint[DIGEST_SIZE];     /* keyid, decoded */
    struct slice alg;                    /* the parameter; empty when absent */
    struct slice nonce;                  /* the parameter; empty when absent */
    int64_t created;                     /* seconds */
    int64_t until;                       /* seconds; it is refused from then on */
    struct slice signature;              /* raw bytes */
    struct slice base;
    struct web_bot_auth_candidate *next;
};

/* What a signature says of itself, as parameters or, signed by itself, as claims. */
struct web_bot_auth_said {
    struct slice label;
    struct slice keyid; /* data is NULL: not given; as for alg and nonce */
    struct slice alg;   /* RFC 9421's name */
    struct slice nonce;
    const int64_t *created; /* seconds, of fifteen digits; NULL: not given */
    const int64_t *expires;
};

/* The checks of algorithm, key and times, which fill in the candidate's alg, nonce, thumbprint, created and
 * until. ERR_OK, ERR_SIGNATURE_INVALID or ERR_SIGNATURE_EXPIRED. */
enum err web_bot_auth_judge(struct arena *arena, const struct web_bot_auth_policy *policy,
                            const struct web_bot_auth_said *said,
                            struct web_bot_auth_candidate *candidate) MUST_USE;

/* Judges every signature by itself. ERR_OK with at least one candidate, in the order of Signature-Input.
 * Otherwise the reason that the best of them failed: ERR_SIGNATURE_REQUIRED (none is there, or none covers
 * what the policy asks), ERR_SIGNATURE_EXPIRED, ERR_SIGNATURE_INVALID, ERR_MALFORMED_SIGNATURE,
 * ERR_MALFORMED_SIGNATURE_AGENT, ERR_REQUEST_TOO_LARGE. */
enum err web_bot_auth_select(struct arena *arena, const struct message *message,
                             const struct web_bot_auth_policy *policy,
                             struct web_bot_auth_candidate **candidates) MUST_USE;

/* The checks with the key: its algorithm is taken and agrees with alg, and the signature is its over the
 * base. ERR_OK or ERR_SIGNATURE_INVALID. */
enum err web_bot_auth_verify(struct arena *arena, const struct web_bot_auth_policy *policy,
                             const struct web_bot_auth_candidate *candidate,
                             const struct signature_key *key) MUST_USE;

/* Tells a check in the trace, also one that is made with the key. Returns `ok`. The detail, in printf's way,
 * is written only where there is room for it. */
bool web_bot_auth_tell(const struct web_bot_auth_policy *policy, struct arena *arena,
                       const struct web_bot_auth_checked *checked, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
