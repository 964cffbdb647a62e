/* Whether an entry is what its signer signed: everything that can be computed from the row and from what the
 * ledger knows, for the night before it bills, for the audit after it and for who looks an entry up. Pure,
 * but for the judge's own memory. */
#ifndef LEDGER_EVIDENCE_JUDGE_H
#define LEDGER_EVIDENCE_JUDGE_H

#include "ledger/entry/payment_id.h"
#include "ledger/evidence/book.h"

/* X(check, its stable name, what is so if it holds, what is so if not), in the order in which the first that
 * fails is the reason. The dearest is last. */
#define EVIDENCE_CHECK_LIST(X)                                                                               \
    X(EVIDENCE_FORM, "form", "what was signed can be read",                                                  \
      "what was signed is no signature base, or none of Web Bot Auth")                                       \
    X(EVIDENCE_COMMITMENT, "commitment", "what was signed commits to pay at this place",                     \
      "what was signed commits to no payment here: to another network, currency or URL, or to none")         \
    X(EVIDENCE_ID, "id", "what was signed names this payment id, or it comes from the signature",            \
      "what was signed does not name this payment id, and it does not come from the signature")              \
    X(EVIDENCE_SITE, "site", "the id was made for this site", "the id was made for another site here")       \
    X(EVIDENCE_OFFER, "offer", "an offer key of this ledger made the id",                                    \
      "no offer key of this ledger that is known made the id for this site, network and terms")              \
    X(EVIDENCE_NETWORK, "network", "what was signed is for the site's network",                              \
      "what was signed is for another network than the site's")                                              \
    X(EVIDENCE_PRICE, "price", "the entry charges no more than the id names",                                \
      "the entry charges more than the price that the id names")                                             \
    X(EVIDENCE_URL, "url", "the id names the entry's site and URL",                                          \
      "the id names another site or URL than the entry")                                                     \
    X(EVIDENCE_TARGET, "target", "what was signed agrees with the entry's URL",                              \
      "what was signed is for another URL than the entry's")                                                 \
    X(EVIDENCE_OFFERED, "offered", "the offer held when the entry was recorded",                             \
      "the offer had expired when the entry was recorded, or was not made yet")                              \
    X(EVIDENCE_SIGNED, "signed", "the signature held when the entry was recorded",                           \
      "the signature had expired when the entry was recorded, or was not made yet")                          \
    X(EVIDENCE_KEY, "key", "the ledger has the crawler's public key",                                        \
      "the ledger has no such public key of this crawler")                                                   \
    X(EVIDENCE_THUMBPRINT, "thumbprint", "the public key has the entry's thumbprint",                        \
      "the public key does not have the entry's thumbprint")                                                 \
    X(EVIDENCE_KEYID, "keyid", "what was signed names this key", "what was signed names another key")        \
    X(EVIDENCE_ALG, "alg", "what was signed names no other algorithm than the key's",                        \
      "what was signed names another algorithm than the key's")                                              \
    X(EVIDENCE_TEST_KEY, "test_key", "its private half is not published",                                    \
      "everybody has the private half of this key: RFC 9421 prints it")                                      \
    X(EVIDENCE_AGENT, "agent", "the signer says to be the crawler that is charged",                          \
      "the signer says to be somebody else than the crawler that is charged")                                \
    X(EVIDENCE_DIRECTORY, "directory", "the crawler's directory had the key when it was relied on",          \
      "no directory of the crawler that was relied on by then has the key")                                  \
    X(EVIDENCE_SIGNATURE, "signature", "the signature is the key's over what was signed",                    \
      "the signature is not the key's over what was signed")

enum evidence_check {
#define EVIDENCE_ENUM(check, name, good, bad) check,
    EVIDENCE_CHECK_LIST(EVIDENCE_ENUM)
#undef EVIDENCE_ENUM
        EVIDENCE_CHECKS /* how many there are */
};

const char *evidence_check_name(enum evidence_check check);

/* What is so, as it came out. */
const char *evidence_check_sentence(enum evidence_check check, bool good);

/* The check of that name; EVIDENCE_CHECKS for none. */
enum evidence_check evidence_check_called(const char *name);

/* An entry, as the ledger has it. */
struct evidence_entry {
    const uint8_t *payment_id; /* UUID_SIZE */
    const uint8_t *thumbprint; /* DIGEST_SIZE */
    int64_t crawler_id;
    int64_t amount_micros;
    int64_t recorded_ms;
    struct slice resource, signature, signature_base;
};

enum evidence_result { EVIDENCE_NOT_SEEN, EVIDENCE_GOOD, EVIDENCE_BAD };

struct evidence_verdict {
    enum evidence_result results[EVIDENCE_CHECKS];
    enum evidence_check failed;   /* the first that did; EVIDENCE_CHECKS: none, the entry is proven */
    char id[PAYMENT_ID_TEXT + 1]; /* that was signed; "" if none can be read */
};

/* One thread's. */
struct evidence_judge;

/* The book is as it was until the judge is freed. NULL without memory. */
struct evidence_judge *evidence_judge_new(const struct evidence_book *book) MUST_USE;
void evidence_judge_free(struct evidence_judge *judge);

/* Judges an entry of the book's site. `all`: every check is made that can be; else none after the first that
 * fails. Where no offer key is known at all, who made the id is not seen. */
void evidence_judge(struct evidence_judge *judge, const struct evidence_entry *entry, bool all,
                    struct evidence_verdict *verdict);

#endif
