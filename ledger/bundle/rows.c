/* Rows are bound to the entry by what they say: a row that has nothing to do with it has no place in its
 * bundle, or what it says would be read as if it had. */
#define _GNU_SOURCE /* timegm */
#include "ledger/bundle/claims.h"

#include "ledger/bundle/json.h"
#include "ledger/verify/jwk_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Behind a sentence of what no day has sealed yet. */
static void tell(struct bundle_trial *trial, const struct bundle_fact *fact, const char *sentence)
{
    if (fact->day)
        bundle_proven(trial->report, "%s (sealed on %s).", sentence, fact->day->date);
    else
        bundle_unproven(trial->report, "%s: the publisher says so, and nothing seals it yet.", sentence);
}

static const char *money_of(const struct bundle_trial *trial, int64_t micros, char out[BUNDLE_MONEY_MAX])
{
    return bundle_money(micros, trial->entry.place.day->currency, out);
}

/* --- what a row is about --- */

static bool is(const struct bundle_fact *fact, const char *column, const char *value)
{
    return strcmp(bundle_fact_text(fact, column), value) == 0;
}

/* The same number in both rows, which must be there. */
static bool shares(const struct bundle_fact *fact, const struct bundle_fact *other, const char *column)
{
    return other && bundle_fact_number(other, column) >= 0 &&
           bundle_fact_number(fact, column) == bundle_fact_number(other, column);
}

static bool has_hash(const struct bundle_fact *fact, const char *column, const uint8_t hash[DIGEST_SIZE])
{
    char memory[DIGEST_SIZE + 1];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    struct slice bytes = bundle_hex(&arena, bundle_fact_text(fact, column));
    return slice_eq(bytes, slice_bytes(hash, DIGEST_SIZE));
}

/* Whether the row has to do with the entry, by its table. */
static bool belongs(const struct bundle_trial *trial, const struct bundle_fact *fact)
{
    const struct bundle_entry *entry = &trial->entry;
    const struct bundle_facts *facts = &trial->facts;
    const struct bundle_fact *site = bundle_fact_of(facts, "site"),
                             *crawler = bundle_fact_of(facts, "crawler"),
                             *source = bundle_fact_of(facts, "crawler_key_source"),
                             *invoice = bundle_fact_of(facts, "invoice");
    const char *table = fact->table;
    if (strcmp(table, "site") == 0)
        return is(fact, "name", entry->site) && is(fact, "network", entry->network) && fact == site;
    if (strcmp(table, "crawler") == 0)
        return is(fact, "agent", entry->agent) && fact == crawler;
    if (strcmp(table, "crawler_key") == 0)
        return shares(fact, crawler, "crawler_id") && is(fact, "public_key", entry->public_key) &&
               has_hash(fact, "thumbprint", entry->thumbprint);
    if (strcmp(table, "crawler_key_source") == 0)
        return shares(fact, crawler, "crawler_id") && has_hash(fact, "thumbprint", entry->thumbprint) &&
               fact == source;
    if (strcmp(table, "directory_snapshot") == 0)
        return source && is(fact, "url", bundle_fact_text(source, "url")) &&
               is(fact, "body_digest", bundle_fact_text(source, "body_digest")) &&
               fact == bundle_fact_of(facts, table);
    if (strcmp(table, "adjustment") == 0 || strcmp(table, "unproven") == 0 ||
        strcmp(table, "undelivered") == 0)
        return shares(fact, site, "site_id") && is(fact, "payment_id", entry->id_text);
    if (strcmp(table, "day_delivery") == 0)
        return shares(fact, site, "site_id") && is(fact, "local_date", entry->place.day->date) &&
               fact == bundle_fact_of(facts, table);
    if (strcmp(table, "invoice") == 0)
        return shares(fact, site, "site_id") && shares(fact, crawler, "crawler_id") && fact == invoice;
    return strcmp(table, "invoice_line") == 0 && invoice && shares(fact, invoice, "site_id") &&
           is(fact, "number", bundle_fact_text(invoice, "number")) && is(fact, "description", entry->rule) &&
           bundle_fact_number(fact, "unit_price_micros") == entry->amount_micros;
}

/* --- the directory --- */

/* "2026-11-20T11:07:16.5+00:00": PostgreSQL's timestamp, in UTC. */
static int64_t seconds_of(const char *text)
{
    struct tm at = {.tm_isdst = 0};
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &at.tm_year, &at.tm_mon, &at.tm_mday, &at.tm_hour, &at.tm_min,
               &at.tm_sec) != 6)
        return 0;
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    return timegm(&at);
}

static bool lists_key(struct slice body, const uint8_t thumbprint[DIGEST_SIZE])
{
    struct jwk_set *set = calloc(1, sizeof(*set));
    bool found = false;
    if (set && !jwk_set_parse(body, set))
        for (size_t i = 0; i < set->count; i++)
            found = found || (set->entries[i].verdict == JWK_MAY_SIGN &&
                              memcmp(set->entries[i].jwk.thumbprint, thumbprint, DIGEST_SIZE) == 0);
    free(set);
    return found;
}

static bool check_directory(struct bundle_trial *trial, const struct bundle_fact *snapshot)
{
    const char *url = bundle_fact_text(snapshot, "url"), *at = bundle_fact_text(snapshot, "fetched_at");
    const struct bundle_answer answer = {
        .url = slice_of(url),
        .body = bundle_hex(&trial->arena, bundle_fact_text(snapshot, "body")),
        .content_digest = slice_of(bundle_fact_text(snapshot, "content_digest")),
        .signature_input = slice_of(bundle_fact_text(snapshot, "signature_input")),
        .signature = slice_of(bundle_fact_text(snapshot, "signature")),
        .fetched_seconds = seconds_of(at)};
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(&answer.body, 1, digest);
    if (!answer.body.data || !has_hash(snapshot, "body_digest", digest) ||
        !lists_key(answer.body, trial->entry.thumbprint))
        return bundle_wrong(trial->report, "the answer of the directory %s does not list the key", url);
    bool proves = trial->order->directory(&answer, trial->jwk, trial->key);
    if (proves && snapshot->day)
        bundle_proven(trial->report,
                      "The directory %s listed this key when it was read at %.19sZ, and its answer is "
                      "signed by the key itself (sealed on %s).",
                      url, at, snapshot->day->date);
    else if (snapshot->day)
        bundle_unproven(trial->report,
                        "That the directory %s listed this key at %.19sZ: the publisher has kept that "
                        "answer, sealed on %s, but no signature shows where it came from. Who runs "
                        "the directory knows whether the key is theirs.",
                        url, at, snapshot->day->date);
    else
        bundle_unproven(trial->report,
                        "That the directory %s listed this key at %.19sZ: the publisher says so.", url, at);
    return true;
}

/* --- the money --- */

static void tell_row(struct bundle_trial *trial, const struct bundle_fact *fact)
{
    char sentence[1024], money[BUNDLE_MONEY_MAX];
    const char *table = fact->table;
    if (strcmp(table, "adjustment") == 0)
        snprintf(sentence, sizeof(sentence), "Adjusted at %.19sZ: %s of %s, because: %.600s",
                 bundle_fact_text(fact, "recorded_at"), bundle_fact_text(fact, "kind"),
                 money_of(trial, bundle_fact_number(fact, "amount_micros"), money),
                 bundle_fact_text(fact, "reason"));
    else if (strcmp(table, "invoice") == 0)
        snprintf(sentence, sizeof(sentence), "It is billed by invoice %.100s of %.10s",
                 bundle_fact_text(fact, "number"), bundle_fact_text(fact, "issue_date"));
    else if (strcmp(table, "invoice_line") == 0)
        snprintf(sentence, sizeof(sentence),
                 "On it, in line %" PRId64 ": %" PRId64 " crawls by the rule \"%.200s\" at %s",
                 bundle_fact_number(fact, "line"), bundle_fact_number(fact, "quantity"),
                 bundle_fact_text(fact, "description"),
                 money_of(trial, bundle_fact_number(fact, "unit_price_micros"), money));
    else if (strcmp(table, "undelivered") == 0 && bundle_fact_number(fact, "final_micros") > 0)
        snprintf(sentence, sizeof(sentence), "The page was delivered, at a final amount of %s",
                 money_of(trial, bundle_fact_number(fact, "final_micros"), money));
    else if (strcmp(table, "undelivered") == 0)
        snprintf(sentence, sizeof(sentence), "The page was not delivered whole: %" PRId64 " bytes were sent",
                 bundle_fact_number(fact, "sent_bytes"));
    else if (strcmp(table, "unproven") == 0)
        snprintf(sentence, sizeof(sentence), "The night has not billed it: %.100s",
                 bundle_fact_text(fact, "reason"));
    else
        return;
    tell(trial, fact, sentence);
}

bool bundle_check_rows(struct bundle_trial *trial)
{
    const struct bundle_facts *facts = &trial->facts;
    static const char *const needed[] = {"site", "crawler", "crawler_key_source", "directory_snapshot"};
    const struct bundle_fact *snapshot = bundle_fact_of(facts, "directory_snapshot");
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!bundle_fact_of(facts, needed[i]))
            return bundle_wrong(trial->report, "the file has no row of \"%s\"", needed[i]);
    for (size_t i = 0; i < facts->count; i++)
        if (!belongs(trial, &facts->items[i]))
            return bundle_wrong(trial->report,
                                "a row of \"%s\" in the file has nothing to do with this entry",
                                facts->items[i].table);
    if (!check_directory(trial, snapshot))
        return false;
    for (size_t i = 0; i < facts->count; i++)
        tell_row(trial, &facts->items[i]);
    if (!bundle_fact_of(facts, "invoice"))
        bundle_unproven(trial->report, "On which invoice it is: the file names none.");
    bundle_unproven(trial->report,
                    "That there are no other adjustments or invoices: the file has those that the "
                    "publisher has put into it.");
    bundle_unproven(trial->report,
                    "That anybody has read the page, or what it said: it was asked for with this "
                    "signature, which promises to pay.");
    return true;
}
