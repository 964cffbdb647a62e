/* The keys of resource servers: who may bill through the facilitator, and for which site. The ledger keeps
 * hashes; the key itself is shown once, to whoever made it. */
#ifndef LEDGER_TOKEN_TOKEN_H
#define LEDGER_TOKEN_TOKEN_H

#include "ledger/base/crypto/digest.h"
#include "ledger/pg/pg.h"

#define TOKEN_TEXT_MAX 64

/* A new key: "ctab_" and 256 bits of chance in base64url. Returns `text`. */
const char *token_make(char text[TOKEN_TEXT_MAX]);

/* What the ledger keeps of a key. */
void token_digest(struct slice text, uint8_t digest[DIGEST_SIZE]);

/* True for what may be a key's name: small letters, digits and . _ -, at most 64, the first none of these. */
bool token_name_fits(const char *name);

struct token_order {
    int64_t site_id;
    const char *name;
    const char *role;   /* "settle" or "verify" */
    int64_t expires_ms; /* 0: never */
    const char *actor;
};

enum token_outcome {
    TOKEN_DONE,
    TOKEN_TAKEN, /* there is, or was, a key of this name; it was revoked before */
    TOKEN_FULL,  /* there are as many as gates read */
    TOKEN_NONE,  /* there is no such key */
};

/* Records the key with this text, made at now_ms. */
enum err token_record(struct pg *pg, const struct token_order *order, const char *text, int64_t now_ms,
                      enum token_outcome *outcome) MUST_USE;

/* Revokes a key of the site. */
enum err token_revoke(struct pg *pg, int64_t site_id, const char *name, const char *actor, int64_t now_ms,
                      enum token_outcome *outcome) MUST_USE;

#endif
