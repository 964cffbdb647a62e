/* What arithmetic can decide of a disputed crawl, whatever reason was given: rules that give back, each by
 * what the ledger knows. None of them rejects: what no rule gives back is for a person. */
#ifndef LEDGER_DISPUTE_RULES_H
#define LEDGER_DISPUTE_RULES_H

#include "ledger/base/config/config.h"
#include "ledger/evidence/book.h"
#include "sql/rows/dispute.h"

/* X(rule, its stable name, when it holds, what it gives back), in the order in which they are tried. */
#define DISPUTE_RULES(X)                                                                                     \
    X(DISPUTE_RULE_EVIDENCE, "evidence",                                                                     \
      "what was signed does not hold: signature, key, or the payment id in it", "all of it")                 \
    X(DISPUTE_RULE_PRICE, "price", "more was charged than the payment id names, which was signed",           \
      "what is more than that")                                                                              \
    X(DISPUTE_RULE_ORIGIN, "origin_error",                                                                   \
      "the site's own server answered with an error (5xx), or not at all", "all of it")                      \
    X(DISPUTE_RULE_UNDELIVERED, "undelivered",                                                               \
      "the page was not delivered whole, as gate, front or access log told", "all of it")                    \
    X(DISPUTE_RULE_REPEAT, "repeat",                                                                         \
      "the same page with the same ETag was paid before, within its free_recrawl", "all of it")

enum dispute_rule {
#define DISPUTE_ENUM(rule, name, when, what) rule,
    DISPUTE_RULES(DISPUTE_ENUM)
#undef DISPUTE_ENUM
        DISPUTE_RULE_NONE
};

const char *dispute_rule_name(enum dispute_rule rule);
/* When it holds; a sentence's part. */
const char *dispute_rule_when(enum dispute_rule rule);
/* What it gives back. */
const char *dispute_rule_what(enum dispute_rule rule);

/* What the rules go by. */
struct dispute_court {
    struct pg *pg;
    const struct config_site
        *site; /* free_recrawl of its rules; NULL: the site is not in the configuration */
    int64_t site_id, crawler_id;
    struct evidence_book *book; /* opened; NULL: nobody can look at what was signed */
};

/* The first rule that gives back, and how much: 0 is all that is left. Inside a transaction. */
enum err dispute_judge(const struct dispute_court *court, const struct dispute_crawls_row *crawl,
                       enum dispute_rule *rule, int64_t *amount_micros) MUST_USE;

#endif
