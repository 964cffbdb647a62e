#include "tools/crawltab/entries/answer.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "sql/rows/archive.h"
#include "sql/rows/bill.h"

#include <stdlib.h>

static void set_bytes(json_t *json, const char *key, char *text)
{
    json_object_set_new(json, key, text ? json_string(text) : json_null());
    free(text);
}

static void set_instant(json_t *json, const char *key, const char *unix_key, int64_t ms)
{
    char text[SHOW_INSTANT_MAX];
    json_object_set_new(json, key, json_string(show_instant(ms, text)));
    json_object_set_new(json, unix_key, json_integer(ms / 1000));
}

static void set_amount(json_t *json, int64_t micros)
{
    char text[AMOUNT_TEXT_MAX];
    json_object_set_new(json, "amount", json_string(amount_format(micros, text)));
    json_object_set_new(json, "amount_micros", json_integer(micros));
}

static void set_agreement(json_t *json, int64_t version, bool none)
{
    json_object_set_new(json, "agreement_version", none ? json_null() : json_integer(version));
}

static json_t *conflict_json(const struct conflict_lookup_row *conflict)
{
    json_t *json = json_object();
    json_object_set_new(json, "site", json_string(conflict->site));
    json_object_set_new(json, "agent", json_string(conflict->agent));
    set_bytes(json, "thumbprint", show_base64url(conflict->thumbprint));
    set_amount(json, conflict->amount_micros);
    json_object_set_new(json, "currency", json_string(conflict->currency));
    json_object_set_new(json, "rule", json_string(conflict->rule));
    set_agreement(json, conflict->agreement_version, conflict->agreement_version_null);
    json_object_set_new(json, "resource", json_string(conflict->resource));
    set_instant(json, "received_at", "received_unix", conflict->recorded_ms);
    set_bytes(json, "signature", show_base64(conflict->signature));
    json_object_set_new(json, "signature_base", show_json_bytes(conflict->signature_base));
    return json;
}

static json_t *taken_json(const struct adjustment_lookup_row *taken)
{
    char at[SHOW_INSTANT_MAX];
    return json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s?}", "adjustment_id", taken->adjustment_id, "kind",
                     taken->kind, "amount_micros", taken->amount_micros, "reason", taken->reason, "actor",
                     taken->actor, "recorded_at", show_instant(taken->recorded_ms, at), "number",
                     taken->number);
}

static json_t *undelivered_json(const struct pg_rows *rows)
{
    char at[SHOW_INSTANT_MAX];
    if (rows->count == 0)
        return json_null();
    const struct undelivered_read_row lost = undelivered_read_row(rows, 0);
    return json_pack("{s:I,s:I,s:o,s:s,s:s,s:o}", "status", lost.status, "sent_bytes", lost.sent_bytes,
                     "length_bytes", lost.length_bytes_null ? json_null() : json_integer(lost.length_bytes),
                     "told_by", lost.told_by, "recorded_at", show_instant(lost.recorded_ms, at),
                     "final_micros", lost.final_micros_null ? json_null() : json_integer(lost.final_micros));
}

static json_t *entry_json(const struct charge_lookup_row *entry)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:s?,s:s?,s:s?}", "payment_id", entry->payment_id,
                  "site", entry->site, "network", entry->network, "resource", entry->resource, "rule",
                  entry->rule, "currency", entry->currency, "agent", entry->agent, "directory_url",
                  entry->directory_url, "public_key", entry->public_key, "day", entry->local_date, "invoice",
                  entry->invoice, "invoice_date", entry->invoice_date);
    set_amount(json, entry->amount_micros);
    set_agreement(json, entry->agreement_version, entry->agreement_version_null);
    set_instant(json, "offered_at", "offered_unix", entry->offered_ms);
    set_instant(json, "receipt_at", "receipt_unix", entry->recorded_ms);
    json_object_set_new(json, "unproven", show_json_text(entry->unproven));
    json_object_set_new(json, "day_closed", json_boolean(entry->closed));
    set_bytes(json, "thumbprint", show_base64url(entry->thumbprint));
    set_bytes(json, "signature", show_base64(entry->signature));
    json_object_set_new(json, "signature_base", show_json_bytes(entry->signature_base));
    return json;
}

static json_t *checks_json(const struct entry_checks *checks)
{
    static const char *const results[] = {
        [ENTRY_GOOD] = "good", [ENTRY_BAD] = "bad", [ENTRY_UNKNOWN] = "unknown"};
    json_t *list = json_array();
    for (size_t i = 0; i < checks->count; i++) {
        const struct entry_check *check = &checks->items[i];
        json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "check", check->name, "result",
                                              results[check->result], "detail", check->detail));
    }
    return list;
}

static json_t *meant_json(const struct mistyped_list *meant)
{
    json_t *list = json_array();
    for (size_t i = 0; i < meant->count; i++) {
        const struct mistyped_meant *item = &meant->items[i];
        json_t *json = json_pack("{s:s?,s:s,s:b,s:s?,s:s?,s:s?}", "id", item->id[0] ? item->id : NULL,
                                 "payment_id", item->payment_id, "paid", item->paid, "site", item->site,
                                 "resource", item->resource, "currency", item->currency);
        set_amount(json, item->amount_micros);
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *whole_entry_json(const struct answer *answer)
{
    const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
    json_t *json = entry_json(&entry), *adjustments = json_array(), *conflicts = json_array(),
           *counts = json_array();
    for (int i = 0; i < answer->taken.count; i++) {
        const struct adjustment_lookup_row taken = adjustment_lookup_row(&answer->taken, i);
        json_array_append_new(adjustments, taken_json(&taken));
    }
    for (int i = 0; i < answer->conflicts.count; i++) {
        const struct conflict_lookup_row conflict = conflict_lookup_row(&answer->conflicts, i);
        json_array_append_new(conflicts, conflict_json(&conflict));
    }
    for (int i = 0; i < answer->counts.count; i++) {
        const struct conflict_counts_row count = conflict_counts_row(&answer->counts, i);
        json_array_append_new(counts, json_pack("{s:s,s:I,s:I}", "agent", count.agent, "attempts",
                                                count.attempts, "kept", count.kept));
    }
    const struct delivered delivered = answer_delivered(answer, entry.payment_id);
    json_object_set_new(json, "adjustments", adjustments);
    json_object_set_new(json, "repeats", show_json_text(entry.repeats));
    json_object_set_new(json, "undelivered", undelivered_json(&answer->undelivered));
    json_object_set_new(json, "delivered", delivered_json(&delivered));
    json_object_set_new(json, "conflicts", conflicts);
    json_object_set_new(json, "conflict_counts", counts);
    json_object_set_new(json, "id", show_json_text(answer->checks.id[0] ? answer->checks.id : NULL));
    json_object_set_new(json, "offered_micros",
                        answer->checks.id[0] ? json_integer(answer->checks.price_micros) : json_null());
    return json;
}

static json_t *offer_json(const struct answer *answer)
{
    char uuid[UUID_TEXT_MAX];
    const uint8_t *raw = answer->given.raw;
    int64_t offered_ms = uuid_ms(raw);
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?}", "id", answer->given.text, "payment_id",
                  uuid_format(raw, uuid), "site", answer->site->name, "network", answer->site->network,
                  "currency", answer->site->currency, "resource", answer->url);
    set_amount(json, payment_id_price(raw));
    set_instant(json, "offered_at", "offered_unix", offered_ms);
    set_instant(json, "expires_at", "expires_unix", offered_ms + answer->opener->ttl_seconds * 1000);
    return json;
}

static json_t *archive_json(const struct answer *answer)
{
    const struct archive_find_row file = archive_find_row(&answer->archived, 0);
    return json_pack("{s:s,s:s}", "file", file.file, "sha256", file.sha256);
}

json_t *answer_json(const struct answer *answer)
{
    static const char *const names[] = {
#define ANSWER_NAME(status, name, sentence) name,
        ANSWER_STATUS(ANSWER_NAME)
#undef ANSWER_NAME
    };
    json_t *json = answer_has_entry(answer) ? whole_entry_json(answer)
                   : answer->site           ? offer_json(answer)
                                            : json_object();
    json_object_set_new(json, "status", json_string(names[answer->status]));
    json_object_set_new(json, "given", json_string(answer->given.text));
    json_object_set_new(json, "holds", json_boolean(answer_holds(answer)));
    json_object_set_new(json, "checks", checks_json(&answer->checks));
    json_object_set_new(json, "may_mean", meant_json(&answer->meant));
    json_object_set_new(json, "offer_key_problem", show_json_text(answer->opener->problem));
    if (answer->status == ANSWER_ARCHIVED)
        json_object_set_new(json, "archive", archive_json(answer));
    return json;
}
