/* What was signed, read back: the bytes that an entry keeps say by themselves what they are. A signature base
 * of RFC 9421 begins with a quotation mark. (A JWS signing input begins with "eyJ"; none is read here yet.)
 * Pure. */
#ifndef LEDGER_EVIDENCE_SIGNED_H
#define LEDGER_EVIDENCE_SIGNED_H

#include "ledger/verify/signature_agent.h"

#define SIGNED_LINES_MAX 32 /* covered components; the gate takes fewer */

struct signed_text {
    const char *problem; /* it cannot be read: what is wrong, static. NULL: all that follows holds */
    struct slice id;     /* of the payment, as its field says; empty: none is signed */
    struct slice network;
    struct slice keyid;
    struct slice alg; /* empty: not signed */
    int64_t created_seconds, expires_seconds;
    /* What stands in it of the request: fields that are covered, put together again, and the lines of its
     * derived components. */
    struct message message;
    struct sf_member derived; /* inner list of those that follow from the URL, in order */
    struct slice derived_lines;
};

/* Reads it. The bytes must outlive *signed, which is in the arena. False when the arena is full. */
bool signed_read(struct arena *arena, struct slice bytes, struct signed_text *text) MUST_USE;

/* True if what it says of the URL is what a request for `url` ("scheme://authority/target") has: its
 * @authority, @target-uri, @path and so on, as far as they are covered. */
bool signed_is_for(struct arena *arena, const struct signed_text *text, struct slice url) MUST_USE;

/* Takes "scheme://authority/target" apart. False for anything else. */
bool signed_split_url(struct slice url, struct message *message) MUST_USE;

/* True if a Signature-Agent that is covered names this account. */
bool signed_names_agent(struct arena *arena, const struct signed_text *text, struct slice agent) MUST_USE;

#endif
