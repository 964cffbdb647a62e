/* What `crawltab lookup` answers about one payment id, for people and for programs. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_ANSWER_H
#define TOOLS_CRAWLTAB_ENTRIES_ANSWER_H

#include "tools/crawltab/entries/delivered.h"
#include "tools/crawltab/entries/entry_check.h"

#include <jansson.h>

/* X(status, its stable name, the sentence) */
#define ANSWER_STATUS(X)                                                                                     \
    X(ANSWER_PAID, "paid", "paid: this is the entry")                                                        \
    X(ANSWER_UNPROVEN, "unproven",                                                                           \
      "recorded and never billed: the night found that the entry is not what its signer signed")             \
    X(ANSWER_OFFERED, "offered", "offered and not paid yet: no entry has this payment id")                   \
    X(ANSWER_EXPIRED, "expired",                                                                             \
      "offered and never paid: no entry has this payment id, nothing was charged for it, and the offer "     \
      "has expired")                                                                                         \
    X(ANSWER_MISTYPED, "mistyped", "no entry has this payment id: it is mistyped")                           \
    X(ANSWER_FOREIGN, "foreign",                                                                             \
      "no entry has this payment id, and no offer key here made it: it is another ledger's, or more than "   \
      "one character is wrong, or its site's terms_url or the offer key changed since")                      \
    X(ANSWER_ARCHIVED, "archived", "the entries of this payment id's day are archived")                      \
    X(ANSWER_UNKNOWN, "unknown", "no entry has this payment id, nothing was charged for it")

enum answer_status {
#define ANSWER_ENUM(status, name, sentence) status,
    ANSWER_STATUS(ANSWER_ENUM)
#undef ANSWER_ENUM
};

struct answer {
    enum answer_status status;
    struct mistyped_given given;
    struct opener *opener;
    const struct log_trust *trust;
    struct entry_checks checks;
    /* of an entry */
    struct pg_rows entry, taken, delivered, undelivered, conflicts, counts;
    struct delivered_client client; /* that is asked about */
    /* of an offer that was not paid */
    const struct opener_site *site;
    char *url; /* NULL: not known */
    /* of others */
    struct pg_rows archived;
    struct mistyped_list meant;
};

/* True if the ledger has an entry of this id. */
static inline bool answer_has_entry(const struct answer *answer)
{
    return answer->status == ANSWER_PAID || answer->status == ANSWER_UNPROVEN;
}

/* What was delivered for the entry with this UUID. */
static inline struct delivered answer_delivered(const struct answer *answer, const char *payment_id)
{
    return (struct delivered){&answer->delivered, payment_id, answer->opener, &answer->client};
}

/* As text of at most 80 columns, on standard output. */
void answer_print(const struct answer *answer);

/* The same for programs: a new reference, NULL without memory. */
json_t *answer_json(const struct answer *answer);

/* Whether nothing speaks against what the answer says. */
bool answer_holds(const struct answer *answer);

#endif
