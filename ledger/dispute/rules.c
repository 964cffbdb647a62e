/* Whether an offer key made the id is not asked here: the keys that are known may have changed since, and
 * what was forged is found by the night, which bills none of it. */
#include "ledger/dispute/rules.h"

#include "ledger/evidence/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *when, *what;
} rules[] = {
#define DISPUTE_ROW(rule, name, when, what) {name, when, what},
    DISPUTE_RULES(DISPUTE_ROW)
#undef DISPUTE_ROW
};

const char *dispute_rule_name(enum dispute_rule rule)
{
    assert(rule < DISPUTE_RULE_NONE);
    return rules[rule].name;
}

const char *dispute_rule_when(enum dispute_rule rule)
{
    assert(rule < DISPUTE_RULE_NONE);
    return rules[rule].when;
}

const char *dispute_rule_what(enum dispute_rule rule)
{
    assert(rule < DISPUTE_RULE_NONE);
    return rules[rule].what;
}

/* A bytea in memory of its own. */
static bool take_bytes(struct pg_hex hex, struct slice *bytes)
{
    size_t len = pg_hex_bytes(hex, NULL, 0);
    uint8_t *copy = malloc(len + 1);
    if (copy)
        pg_hex_bytes(hex, copy, len);
    *bytes = (struct slice){(const char *)copy, copy ? len : 0};
    return copy != NULL;
}

static enum err judge_entry(const struct dispute_court *court, const struct evidence_entry *entry,
                            struct evidence_verdict *verdict)
{
    struct evidence_judge *judge = NULL;
    uint8_t next[UUID_SIZE];
    char first_id[UUID_TEXT_MAX], end_id[UUID_TEXT_MAX];
    enum err err;
    uuid_next(entry->payment_id, next);
    uuid_format(entry->payment_id, first_id);
    uuid_format(next, end_id);
    TRY(evidence_book_read(court->pg, court->book, court->site_id, first_id, end_id));
    judge = evidence_judge_new(court->book);
    TRY(judge ? ERR_OK : ERR_OVERLOADED);
    evidence_judge(judge, entry, true, verdict);
out:
    evidence_judge_free(judge);
    return err;
}

static void see_verdict(const struct evidence_verdict *verdict, int64_t charged_micros,
                        enum dispute_rule *rule, int64_t *amount_micros)
{
    uint8_t raw[PAYMENT_ID_SIZE];
    for (int i = 0; i < EVIDENCE_CHECKS; i++)
        if (i != EVIDENCE_OFFER && i != EVIDENCE_PRICE && verdict->results[i] == EVIDENCE_BAD)
            *rule = DISPUTE_RULE_EVIDENCE;
    if (*rule != DISPUTE_RULE_NONE || verdict->results[EVIDENCE_PRICE] != EVIDENCE_BAD)
        return;
    *rule = DISPUTE_RULE_PRICE;
    /* An id that names no price that can be read names none. */
    if (payment_id_bytes(slice_of(verdict->id), raw) && payment_id_price(raw) < charged_micros)
        *amount_micros = charged_micros - payment_id_price(raw);
}

static enum err judge_evidence(const struct dispute_court *court, const struct dispute_crawls_row *crawl,
                               enum dispute_rule *rule, int64_t *amount_micros)
{
    struct evidence_verdict verdict;
    struct slice signature = {NULL, 0}, base = {NULL, 0};
    uint8_t payment_id[UUID_SIZE], thumbprint[DIGEST_SIZE];
    enum err err = ERR_OVERLOADED;
    pg_hex_bytes(crawl->thumbprint, thumbprint, sizeof(thumbprint));
    bool taken = take_bytes(crawl->signature, &signature);
    if (take_bytes(crawl->signature_base, &base) && taken &&
        uuid_parse(slice_of(crawl->payment_id), payment_id)) {
        const struct evidence_entry entry = {.payment_id = payment_id,
                                             .thumbprint = thumbprint,
                                             .crawler_id = court->crawler_id,
                                             .amount_micros = crawl->amount_micros,
                                             .recorded_ms = crawl->recorded_ms,
                                             .resource = slice_of(crawl->resource),
                                             .signature = signature,
                                             .signature_base = base};
        err = judge_entry(court, &entry, &verdict);
    }
    if (err == ERR_OK)
        see_verdict(&verdict, crawl->amount_micros, rule, amount_micros);
    free((void *)(uintptr_t)signature.data);
    free((void *)(uintptr_t)base.data);
    return err;
}

/* How long the rule of this name gives the same page for nothing; 0: it does not. */
static int64_t free_ms(const struct config_site *site, const char *name)
{
    for (size_t i = 0; site && i < site->rule_count; i++)
        if (strcmp(site->rules[i].name, name) == 0)
            return config_recrawl_ms(&site->rules[i]);
    return 0;
}

enum err dispute_judge(const struct dispute_court *court, const struct dispute_crawls_row *crawl,
                       enum dispute_rule *rule, int64_t *amount_micros)
{
    enum err err = ERR_OK;
    *rule = DISPUTE_RULE_NONE;
    *amount_micros = 0;
    if (court->book)
        TRY(judge_evidence(court, crawl, rule, amount_micros));
    if (*rule != DISPUTE_RULE_NONE)
        goto out;
    /* Status 0: it gave no answer at all. */
    if (crawl->lost && (crawl->lost_status == 0 || crawl->lost_status >= 500))
        *rule = DISPUTE_RULE_ORIGIN;
    else if (crawl->lost)
        *rule = DISPUTE_RULE_UNDELIVERED;
    else if (crawl->repeats && crawl->repeats_ms <= free_ms(court->site, crawl->rule))
        *rule = DISPUTE_RULE_REPEAT;
out:
    return err;
}
