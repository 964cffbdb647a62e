/* The two claims that a bundle can make. */
#ifndef LEDGER_BUNDLE_CLAIMS_H
#define LEDGER_BUNDLE_CLAIMS_H

#include "ledger/bundle/facts.h"

/* An entry's own fields, bound by its place in the tree. */
struct bundle_entry {
    uint8_t id[UUID_SIZE], thumbprint[DIGEST_SIZE];
    char id_text[UUID_TEXT_MAX];
    const char *site, *network, *agent, *rule, *resource, *public_key;
    int64_t amount_micros, recorded_ms, agreement_version;
    struct slice signature, signature_base;
    struct bundle_place place;
};

/* What the checks of a bundle share. */
struct bundle_trial {
    struct arena arena;
    const json_t *bundle;
    const struct bundle_order *order;
    struct bundle_logs logs;
    struct bundle_facts facts;
    struct bundle_entry entry;
    struct jwk *jwk; /* the entry's key */
    struct signature_key *key;
    struct bundle_report *report;
};

/* The entry: its place in the log, who has signed what. False after telling what is wrong. */
bool bundle_check_entry(struct bundle_trial *trial) MUST_USE;

/* The rows about it: who the crawler is, his directory, adjustments, the invoice. */
bool bundle_check_rows(struct bundle_trial *trial) MUST_USE;

/* What was recorded of its delivery. */
bool bundle_check_deliveries(struct bundle_trial *trial) MUST_USE;

/* That no entry of the day has the id. */
bool bundle_check_absence(struct bundle_trial *trial) MUST_USE;

/* "0.0025 EUR" */
#define BUNDLE_MONEY_MAX 64
const char *bundle_money(int64_t micros, const char *currency, char out[BUNDLE_MONEY_MAX]);

#endif
