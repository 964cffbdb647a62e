/* Key sets (RFC 7517 section 5) as directories publish them: read entry by entry, so that an odd one takes
 * nothing from the others. Pure. */
#ifndef LEDGER_VERIFY_JWK_SET_H
#define LEDGER_VERIFY_JWK_SET_H

#include "ledger/verify/jwk.h"

#define JWK_SET_MAX 64 /* entries of a directory that are looked at; a larger one is refused */

struct jwk_set_entry {
    struct jwk jwk; /* but for JWK_NO_KEY */
    enum jwk_verdict verdict;
    bool named;               /* its kid has the form of a thumbprint */
    uint8_t kid[DIGEST_SIZE]; /* which is this, whether or not it is the key's */
    char why[JWK_WHY_MAX];    /* why it may not sign; empty if it may */
};

struct jwk_set {
    size_t count;
    struct jwk_set_entry entries[JWK_SET_MAX]; /* in the order of the text */
};

/* Reads a key set, or one bare key. NULL; or, static, why the text is no key set at all: then it has no
 * entries. A key that stands in one entry with its private half is compromised in all. */
const char *jwk_set_parse(struct slice json, struct jwk_set *set) MUST_USE;

#endif
