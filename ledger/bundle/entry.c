/* An entry is judged as the night does, by what of the ledger stands in the bundle; but for the MAC of its
 * id, which takes the publisher's secret. */
#include "ledger/bundle/claims.h"

#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/bundle/json.h"
#include "ledger/evidence/judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TTL_MAX_SECONDS 3600                     /* no configuration lets an offer hold longer */
#define LATE_MS         (15 * 60000)             /* nor a gate take longer to record what it took */
#define RECORDED_MAX_MS INT64_C(253402300799999) /* the last of the year 9999 */
#define ROW_ID          1                        /* the one crawler and site of this trial */

const char *bundle_money(int64_t micros, const char *currency, char out[BUNDLE_MONEY_MAX])
{
    char amount[AMOUNT_TEXT_MAX];
    snprintf(out, BUNDLE_MONEY_MAX, "%s %.8s", amount_format(micros, amount), currency);
    return out;
}

/* --- what stands there --- */

static bool read_texts(const json_t *json, struct bundle_entry *entry)
{
    const char *id = bundle_text(json, "payment_id");
    entry->site = bundle_text(json, "site");
    entry->network = bundle_text(json, "network");
    entry->agent = bundle_text(json, "agent");
    entry->rule = bundle_text(json, "rule");
    entry->resource = bundle_text(json, "resource");
    entry->public_key = bundle_text(json, "public_key");
    if (!bundle_uuid(id, entry->id))
        return false;
    uuid_format(entry->id, entry->id_text);
    return entry->site && entry->network && entry->agent && entry->rule && entry->resource &&
           entry->public_key;
}

static bool read_entry(struct bundle_trial *trial)
{
    const json_t *json = json_object_get(trial->bundle, "entry");
    struct bundle_entry *entry = &trial->entry;
    const char *thumbprint = bundle_text(json, "thumbprint");
    size_t len = 0;
    entry->signature = bundle_bytes(&trial->arena, json, "signature");
    entry->signature_base = bundle_bytes(&trial->arena, json, "signature_base");
    bool whole = BUNDLE_HAS(json, "payment_id", "site", "network", "agent", "rule", "resource",
                            "amount_micros", "recorded_ms", "agreement_version", "thumbprint", "signature",
                            "signature_base", "public_key") &&
                 read_texts(json, entry) && bundle_number(json, "amount_micros", &entry->amount_micros) &&
                 bundle_number(json, "recorded_ms", &entry->recorded_ms) &&
                 bundle_number(json, "agreement_version", &entry->agreement_version) &&
                 entry->agreement_version <= UINT32_MAX && entry->recorded_ms <= RECORDED_MAX_MS &&
                 thumbprint &&
                 encoding_unbase64url(slice_of(thumbprint), entry->thumbprint, DIGEST_SIZE, &len) &&
                 len == DIGEST_SIZE && entry->signature.data && entry->signature_base.data;
    return whole || bundle_wrong(trial->report, "the entry in the file cannot be read");
}

/* --- its place --- */

static bool is_of_day(const uint8_t id[UUID_SIZE], const struct bundle_day *day)
{
    char at[INSTANT_TEXT_MAX];
    int64_t ms = uuid_ms(id);
    /* All three are spelled alike, so that their order is that of their letters. */
    return ms <= RECORDED_MAX_MS && strcmp(instant_format(ms, at), day->starts) >= 0 &&
           strcmp(at, day->ends) < 0;
}

static bool check_place(struct bundle_trial *trial)
{
    struct bundle_entry *entry = &trial->entry;
    const json_t *place = json_object_get(trial->bundle, "place");
    const struct leaf facts = {.payment_id = entry->id,
                               .recorded_at_ms = entry->recorded_ms,
                               .amount_micros = entry->amount_micros,
                               .agreement_version = entry->agreement_version,
                               .thumbprint = entry->thumbprint,
                               .site = slice_of(entry->site),
                               .agent = slice_of(entry->agent),
                               .rule = slice_of(entry->rule),
                               .resource = slice_of(entry->resource),
                               .signature = entry->signature,
                               .signature_base = entry->signature_base};
    uint8_t *bytes = malloc(LEAF_MAX), hash[DIGEST_SIZE];
    char origin[LEAF_ORIGIN_MAX];
    if (!bytes)
        return bundle_wrong(trial->report, "there is no memory");
    merkle_leaf(slice_bytes(bytes, leaf_write(&facts, bytes)), hash);
    free(bytes);
    if (!BUNDLE_HAS(place, "log", "day", "index", "path") ||
        !bundle_place_read(&trial->logs, place, false, hash, &entry->place))
        return bundle_wrong(trial->report,
                            "the entry is not in the tree of its day: something of it was changed");
    const struct bundle_day *day = entry->place.day;
    if (!leaf_origin(entry->network, entry->site, origin) || strcmp(origin, day->log) != 0 ||
        !is_of_day(entry->id, day))
        return bundle_wrong(trial->report, "the entry is of another site or day than the log that has it");
    bundle_proven(trial->report,
                  "The log has payment %s as number %" PRIu64 " of the %" PRIu64 " entries of %s (%s).",
                  entry->id_text, entry->place.index + 1, day->entries, day->date, day->zone);
    return true;
}

/* --- who signed what --- */

static bool read_key(struct bundle_trial *trial)
{
    const struct bundle_entry *entry = &trial->entry;
    char why[JWK_WHY_MAX];
    json_t *json = json_loads(entry->public_key, JSON_REJECT_DUPLICATES, NULL);
    trial->jwk = calloc(1, sizeof(*trial->jwk));
    bool good = json && trial->jwk && jwk_read(json, trial->jwk, why) == JWK_MAY_SIGN &&
                strcmp(trial->jwk->canonical, entry->public_key) == 0 &&
                memcmp(trial->jwk->thumbprint, entry->thumbprint, DIGEST_SIZE) == 0;
    json_decref(json);
    trial->key = good ? signature_key_from_jwk(trial->jwk) : NULL;
    return trial->key ||
           bundle_wrong(trial->report, "the public key in the file is not the one that the entry names");
}

/* When the ledger began to rely on the directory's answer, as far as the judge asks: not after the entry,
 * give or take a day of a gate whose clock was set. */
static int64_t relied_ms(const struct bundle_trial *trial)
{
    const struct bundle_fact *source = bundle_fact_of(&trial->facts, "crawler_key_source");
    int64_t recorded_ms = trial->entry.recorded_ms;
    char latest[INSTANT_TEXT_MAX];
    instant_format(
        recorded_ms + INSTANT_DAY_MS <= RECORDED_MAX_MS ? recorded_ms + INSTANT_DAY_MS : recorded_ms, latest);
    bool before = source && strncmp(bundle_fact_text(source, "first_relied_at"), latest,
                                    sizeof("2026-11-20T11:07:16") - 1) <= 0;
    return before ? recorded_ms : INT64_MAX;
}

static bool judge(struct bundle_trial *trial, struct evidence_verdict *verdict)
{
    static const struct offer_keys no_keys = {.count = 0};
    struct bundle_entry *entry = &trial->entry;
    struct evidence_site site = {.site_id = ROW_ID,
                                 .name = entry->site,
                                 .network = entry->network,
                                 .currency = entry->place.day->currency,
                                 .ttl_seconds = TTL_MAX_SECONDS};
    char *agent = arena_copy(&trial->arena, slice_of(entry->agent));
    struct evidence_key key = {
        .crawler_id = ROW_ID, .agent = agent, .key = trial->key, .fits = true, .relied_ms = relied_ms(trial)};
    struct evidence_book book = {.offer_keys = &no_keys,
                                 .late_ms = LATE_MS,
                                 .sites = &site,
                                 .site_count = 1,
                                 .site = &site,
                                 .keys = &key,
                                 .key_count = 1};
    const struct evidence_entry facts = {.payment_id = entry->id,
                                         .thumbprint = entry->thumbprint,
                                         .crawler_id = ROW_ID,
                                         .amount_micros = entry->amount_micros,
                                         .recorded_ms = entry->recorded_ms,
                                         .resource = slice_of(entry->resource),
                                         .signature = entry->signature,
                                         .signature_base = entry->signature_base};
    memcpy(key.thumbprint, entry->thumbprint, DIGEST_SIZE);
    OBJECT_MAKE(&book, EVIDENCE_BOOK_MAGIC);
    struct evidence_judge *made = agent ? evidence_judge_new(&book) : NULL;
    if (made)
        evidence_judge(made, &facts, true, verdict);
    evidence_judge_free(made);
    return made || bundle_wrong(trial->report, "there is no memory");
}

/* What the id says of the offer; one that was not offered comes from the signature. */
static void tell_offer(struct bundle_trial *trial, const struct evidence_verdict *verdict)
{
    const struct bundle_entry *entry = &trial->entry;
    char at[INSTANT_TEXT_MAX], money[BUNDLE_MONEY_MAX];
    uint8_t raw[PAYMENT_ID_SIZE];
    instant_format(uuid_ms(entry->id), at);
    if (!payment_id_bytes(slice_of(verdict->id), raw)) {
        bundle_proven(trial->report,
                      "No offer was answered: the crawler named the price itself, and the id is made "
                      "of its signature of %s.",
                      at);
        return;
    }
    bundle_proven(trial->report, "The id that was signed, %s, names an offer of %s for %s, of %s.",
                  verdict->id, bundle_money(payment_id_price(raw), entry->place.day->currency, money),
                  entry->resource, at);
    bundle_unproven(trial->report,
                    "That the publisher's gate made this offer: only the publisher has the key "
                    "that shows it. The crawler has signed it.");
}

static bool check_signature(struct bundle_trial *trial)
{
    const struct bundle_entry *entry = &trial->entry;
    struct evidence_verdict verdict;
    char at[INSTANT_TEXT_MAX], money[BUNDLE_MONEY_MAX];
    if (!read_key(trial) || !judge(trial, &verdict))
        return false;
    if (verdict.failed != EVIDENCE_CHECKS) {
        for (int i = 0; i < EVIDENCE_CHECKS; i++)
            if (verdict.results[i] == EVIDENCE_BAD)
                (void)bundle_wrong(trial->report, "%s",
                                   evidence_check_sentence((enum evidence_check)i, false));
        return false;
    }
    bundle_proven(trial->report,
                  "The holder of the key %s, as %s, has signed to pay for %s by %s; %s is "
                  "charged (rule \"%s\").",
                  bundle_text(json_object_get(trial->bundle, "entry"), "thumbprint"), entry->agent,
                  entry->resource, signature_algorithm_name(trial->jwk->algorithm),
                  bundle_money(entry->amount_micros, entry->place.day->currency, money), entry->rule);
    tell_offer(trial, &verdict);
    bundle_unproven(trial->report,
                    "That it was recorded at %s: so says the publisher's clock. The log had it when "
                    "its day was sealed.",
                    instant_format(entry->recorded_ms, at));
    return true;
}

bool bundle_check_entry(struct bundle_trial *trial)
{
    bool delivered = json_object_get(trial->bundle, "deliveries") != NULL;
    if (!(delivered
              ? BUNDLE_HAS(trial->bundle, "format", "claim", "entry", "place", "facts", "unsealed", "logs",
                           "deliveries")
              : BUNDLE_HAS(trial->bundle, "format", "claim", "entry", "place", "facts", "unsealed", "logs")))
        return bundle_wrong(trial->report, "the file has not the members of a proof for an entry");
    return read_entry(trial) && check_place(trial) &&
           bundle_facts_read(trial->bundle, &trial->logs, &trial->facts, trial->report) &&
           check_signature(trial);
}
