/* What was signed, read back: the bytes that an entry keeps say by themselves what they are. A signature base
 * of RFC 9421 begins with a quotation mark, the signing input of a JWS with "eyJ". Pure. */
#ifndef LEDGER_EVIDENCE_SIGNED_H
#define LEDGER_EVIDENCE_SIGNED_H

#include "ledger/dialect/claims.h"
#include "ledger/verify/signature_agent.h"

#define SIGNED_LINES_MAX 32 /* covered components; the gate takes fewer */

/* How it commits to pay. */
enum signed_kind {
    SIGNED_PAYMENT, /* the Payment field, or its id: all is read at once */
    SIGNED_FIELD,   /* a field of another dialect */
    SIGNED_CLAIMS   /* a JWS */
};

struct signed_text {
    const char *problem; /* it cannot be read: what is wrong, static. NULL: all that follows holds */
    enum signed_kind kind;
    struct slice bytes;
    const struct claims *claims; /* with SIGNED_CLAIMS, when they have been recalled */
    int64_t amount_micros;       /* the most that is signed beside the id; -1: the id alone says it */
    struct slice id;             /* of the payment, as its field says; empty: none is signed */
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

/* Reads what it commits to at this place, if that is not known yet: id, amount and, of claims, the rest.
 * False when it commits to no payment there: for another network, currency or URL, or it cannot be read. */
bool signed_read_commitment(struct arena *arena, const struct dialect_place *place,
                            struct signed_text *text) MUST_USE;

/* True if it names the host that it is for. */
bool signed_names_host(const struct signed_text *text) MUST_USE;

/* True if what it says of the URL is what a request for `url` ("scheme://authority/target") has: its
 * @authority, @target-uri, @path and so on, as far as they are covered. */
bool signed_is_for(struct arena *arena, const struct signed_text *text, struct slice url) MUST_USE;

/* Takes "scheme://authority/target" apart. False for anything else. */
bool signed_split_url(struct slice url, struct message *message) MUST_USE;

/* The hosts that may be this account's without https: which are allowed is for who takes a request, and may
 * have changed since. `list` must have room for one. False when the arena is full. */
bool signed_hosts_of(struct arena *arena, struct slice agent, const char *list[1],
                     struct config_list *hosts) MUST_USE;

/* True if the issuer of its claims, or a Signature-Agent that is covered, is this account. */
bool signed_names_agent(struct arena *arena, const struct signed_text *text, struct slice agent) MUST_USE;

#endif
