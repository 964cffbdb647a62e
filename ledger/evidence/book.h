/* What entries are judged by: the ledger's sites and the terms of their offers, the offer keys, and for a
 * range of entries the keys that signed them, with what the directories of that time said of these. Read once
 * and then shared by threads. */
#ifndef LEDGER_EVIDENCE_BOOK_H
#define LEDGER_EVIDENCE_BOOK_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/object.h"
#include "ledger/evidence/offer_keys.h"
#include "ledger/pg/pg.h"
#include "ledger/verify/signature.h"

#define EVIDENCE_BOOK_MAGIC 0x6fd1a2c3
#define EVIDENCE_TERMS_MAX  64 /* of a site, the newest: more have never been in use at once */

struct evidence_site {
    int64_t site_id;
    const char *name, *network, *currency;
    const char *terms[EVIDENCE_TERMS_MAX]; /* URLs, each once */
    size_t terms_count;
    int64_t ttl_seconds; /* the longest that its offers held */
};

/* A key by which entries of the range were signed. */
struct evidence_key {
    int64_t crawler_id;
    uint8_t thumbprint[DIGEST_SIZE]; /* as entries have it */
    char *agent;                     /* the crawler's account; NULL: the ledger has no such crawler */
    struct signature_key *key;       /* NULL: the ledger has no public key of it, or none that can be read */
    bool fits;                       /* that public key has the thumbprint */
    int64_t relied_ms;               /* since when a directory's body had it; INT64_MAX: none has */
};

struct evidence_book {
    uint32_t magic;
    const struct offer_keys *offer_keys;
    int64_t late_ms; /* how long after an offer or signature was taken its entry may be recorded */
    bool allow_test_keys;
    struct evidence_site *sites;
    size_t site_count;
    const struct evidence_site *site; /* whose entries are judged */
    struct evidence_key *keys;        /* by crawler and thumbprint */
    size_t key_count;
    size_t room;
    struct pg_rows rows; /* owns the sites' texts */
};

/* Starts one with the ledger's sites; *book starts as {0}. `config` and `offer_keys` must outlive it. Freed
 * with evidence_book_close, whatever comes back. */
enum err evidence_book_open(struct pg *pg, const struct config *config, const struct offer_keys *offer_keys,
                            struct evidence_book *book) MUST_USE;
void evidence_book_close(struct evidence_book *book);

/* Reads the keys of the site's entries from id `first_id` to before `end_id`, in place of those that it had.
 * Inside a transaction. ERR_NOT_FOUND: there is no such site. */
enum err evidence_book_read(struct pg *pg, struct evidence_book *book, int64_t site_id, const char *first_id,
                            const char *end_id) MUST_USE;

/* The key with the thumbprint, or NULL. */
const struct evidence_key *evidence_book_key(const struct evidence_book *book, int64_t crawler_id,
                                             const uint8_t thumbprint[DIGEST_SIZE]);

#endif
