/* What is put together here is believed by nobody: whoever reads a bundle computes everything again from its
 * bytes. So a row that was changed since it was sealed makes a bundle that does not hold, and no error. */
#include "ledger/bundle/collect.h"

#include "ledger/base/text/encoding.h"
#include "ledger/bundle/bundle.h"
#include "ledger/delivery/day_deliveries.h"
#include "ledger/proof/inclusion.h"
#include "ledger/proof/log.h"
#include "sql/rows/bundle.h"
#include "sql/rows/delivery.h"
#include "sql/rows/proof.h"
#include "sql/rows/witness.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A log that the bundle speaks of. */
struct log {
    int64_t site_id;
    char origin[LEAF_ORIGIN_MAX];
    struct pg_rows rows; /* of checkpoint_log */
    json_t *json;        /* borrowed from the bundle */
};

struct collecting {
    struct pg *pg;
    json_t *bundle;
    struct log logs[BUNDLE_LOGS_MAX];
    size_t log_count;
    struct inclusion_facts facts; /* of the day that was asked last */
};

static json_t *base64_json(const void *bytes, size_t len)
{
    char *text = malloc(ENCODING_BASE64_LEN(len) + 1);
    json_t *json = text ? json_stringn(text, encoding_base64(bytes, len, text)) : NULL;
    free(text);
    return json;
}

static json_t *hex_json(struct pg_hex hex)
{
    size_t len = pg_hex_bytes(hex, NULL, 0);
    uint8_t *bytes = malloc(len + 1);
    json_t *json = NULL;
    if (bytes) {
        pg_hex_bytes(hex, bytes, len);
        json = base64_json(bytes, len);
    }
    free(bytes);
    return json;
}

/* --- logs --- */

static json_t *leaves_json(const struct pg_rows *rows)
{
    json_t *leaves = json_array();
    for (int i = 0; i < rows->count; i++) {
        uint8_t leaf[LEAF_DAY_MAX], hash[DIGEST_SIZE];
        size_t len = pg_hex_bytes(checkpoint_log_row(rows, i).leaf, leaf, sizeof(leaf));
        merkle_leaf(slice_bytes(leaf, len <= sizeof(leaf) ? len : 0), hash);
        json_array_append_new(leaves, base64_json(hash, sizeof(hash)));
    }
    return leaves;
}

static enum err add_changes(struct pg *pg, struct log *log)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *changes = json_array();
    enum err err;
    pg_params_number(&params, log->site_id);
    TRY(pg_run(pg, "key_changes", &params, &rows));
    for (int i = 0; i < rows.count; i++)
        json_array_append_new(changes, json_string(key_changes_row(&rows, i).note));
out:
    json_object_set_new(log->json, "key_changes", changes);
    pg_rows_free(&rows);
    return err;
}

/* None, no member: most logs have no witnesses. */
static enum err add_witnesses(struct pg *pg, struct log *log)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *witnesses = json_array();
    enum err err;
    pg_params_number(&params, log->site_id);
    TRY(pg_run(pg, "cosignature_held", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct cosignature_held_row row = cosignature_held_row(&rows, i);
        json_array_append_new(witnesses, json_pack("{s:s,s:s}", "key", row.witness, "checkpoint", row.note));
    }
    if (rows.count > 0)
        json_object_set(log->json, "witnesses", witnesses);
out:
    json_decref(witnesses);
    pg_rows_free(&rows);
    return err;
}

static enum err add_log(struct collecting *to, int64_t site_id, struct log **added)
{
    enum err err;
    if (to->log_count == BUNDLE_LOGS_MAX)
        return ERR_INTERNAL;
    struct log *log = &to->logs[to->log_count++];
    *log = (struct log){.site_id = site_id};
    TRY(log_origin(to->pg, site_id, log->origin));
    TRY(log_read(to->pg, site_id, &log->rows));
    TRY(log->rows.count > 0 ? ERR_OK : ERR_NOT_FOUND);
    const struct checkpoint_log_row newest = checkpoint_log_row(&log->rows, log->rows.count - 1);
    log->json = json_pack("{s:s,s:s,s:s,s:o,s:[]}", "origin", log->origin, "signed_by", newest.verifier_key,
                          "checkpoint", newest.note, "leaves", leaves_json(&log->rows), "days");
    TRY(json_array_append_new(json_object_get(to->bundle, "logs"), log->json) == 0 ? ERR_OK : ERR_OVERLOADED);
    TRY(add_changes(to->pg, log));
    TRY(add_witnesses(to->pg, log));
    *added = log;
out:
    return err;
}

static enum err log_of(struct collecting *to, int64_t site_id, struct log **log)
{
    for (size_t i = 0; i < to->log_count; i++)
        if (to->logs[i].site_id == site_id) {
            *log = &to->logs[i];
            return ERR_OK;
        }
    return add_log(to, site_id, log);
}

/* The day's leaf, once. ERR_NOT_FOUND: it was closed without a checkpoint. */
static enum err add_day(struct log *log, const char *date)
{
    json_t *days = json_object_get(log->json, "days"), *day;
    size_t at;
    int number = 0;
    while (number < log->rows.count && strcmp(checkpoint_log_row(&log->rows, number).local_date, date) != 0)
        number++;
    if (number == log->rows.count)
        return ERR_NOT_FOUND;
    json_array_foreach(days, at,
                       day) if (json_integer_value(json_object_get(day, "index")) == number) return ERR_OK;
    uint8_t leaf[LEAF_DAY_MAX];
    size_t len = pg_hex_bytes(checkpoint_log_row(&log->rows, number).leaf, leaf, sizeof(leaf));
    json_t *text = len <= sizeof(leaf) ? json_stringn((const char *)leaf, len) : NULL;
    /* What is no text is none that was signed. */
    day = json_pack("{s:i,s:o}", "index", number, "leaf", text ? text : json_string(""));
    return json_array_append_new(days, day) == 0 ? ERR_OK : ERR_OVERLOADED;
}

/* Sets where something is in a tree of the day: "log", "day", "index" and "path". */
static enum err set_place(struct collecting *to, json_t *of, int64_t site_id, const char *date,
                          const struct inclusion *at)
{
    struct log *log;
    json_t *path = json_array();
    enum err err;
    TRY(log_of(to, site_id, &log));
    TRY(add_day(log, date));
    for (size_t i = 0; i < at->steps; i++)
        json_array_append_new(path, base64_json(at->path[i], DIGEST_SIZE));
    json_object_set_new(of, "log", json_string(log->origin));
    json_object_set_new(of, "day", json_string(date));
    json_object_set_new(of, "index", json_integer((json_int_t)at->index));
    json_object_set(of, "path", path);
out:
    json_decref(path);
    return err;
}

/* --- facts --- */

static enum err add_fact(struct collecting *to, const struct bundle_facts_row *row)
{
    uint8_t hash[DIGEST_SIZE];
    struct inclusion at;
    json_t *fact = json_pack("{s:s,s:s,s:s}", "table", row->source, "key", row->key, "row", row->line);
    const char *list = "unsealed";
    enum err err = ERR_OK;
    if (!row->site_id_null && pg_hex_bytes(row->hash, hash, sizeof(hash)) == sizeof(hash)) {
        TRY(inclusion_facts_read(to->pg, row->site_id, row->local_date, &to->facts));
        /* A row that is no longer what was sealed is where it was, and its path leads nowhere. */
        if (!inclusion_fact(&to->facts, hash, &at))
            at = (struct inclusion){.steps = 0};
        TRY(set_place(to, fact, row->site_id, row->local_date, &at));
        list = "facts";
    }
    TRY(json_array_append(json_object_get(to->bundle, list), fact) == 0 ? ERR_OK : ERR_OVERLOADED);
out:
    json_decref(fact);
    return err;
}

static enum err add_facts(struct collecting *to, const struct charge_lookup_row *entry)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, entry->payment_id);
    pg_params_text(&params, entry->invoice);
    TRY(pg_run(to->pg, "session_plain", NULL, NULL));
    TRY(pg_run(to->pg, "bundle_facts", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct bundle_facts_row row = bundle_facts_row(&rows, i);
        TRY(add_fact(to, &row));
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* --- deliveries --- */

static enum err add_delivery(struct collecting *to, int64_t site_id, const char *date,
                             const struct delivery_proofs_row *row)
{
    struct day_deliveries_path at;
    json_t *path = json_array(), *delivery = NULL;
    enum err err;
    TRY(day_deliveries_path(to->pg, site_id, date, (uint64_t)row->number, &at));
    for (size_t i = 0; i < at.steps; i++)
        json_array_append_new(path, base64_json(at.hashes[i], DIGEST_SIZE));
    delivery = json_pack("{s:s,s:o,s:I,s:O}", "row", row->line, "tile", hex_json(row->tile), "index",
                         (json_int_t)row->number, "path", path);
    if (!json_object_get(to->bundle, "deliveries"))
        json_object_set_new(to->bundle, "deliveries", json_array());
    TRY(json_array_append(json_object_get(to->bundle, "deliveries"), delivery) == 0 ? ERR_OK
                                                                                    : ERR_OVERLOADED);
out:
    free(at.hashes);
    json_decref(path);
    json_decref(delivery);
    return err;
}

/* After add_facts, whose session they share. */
static enum err add_deliveries(struct collecting *to, const struct charge_lookup_row *entry, const char *date)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, entry->payment_id);
    TRY(pg_run(to->pg, "delivery_proofs", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct delivery_proofs_row row = delivery_proofs_row(&rows, i);
        TRY(add_delivery(to, entry->site_id, date, &row));
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* --- the bundles --- */

static json_t *entry_json(const struct charge_lookup_row *entry)
{
    uint8_t thumbprint[DIGEST_SIZE];
    char base64url[ENCODING_BASE64URL_LEN(DIGEST_SIZE) + 1];
    if (pg_hex_bytes(entry->thumbprint, thumbprint, sizeof(thumbprint)) != sizeof(thumbprint))
        memset(thumbprint, 0, sizeof(thumbprint));
    base64url[encoding_base64url(thumbprint, sizeof(thumbprint), base64url)] = '\0';
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:o,s:o,s:s}", "payment_id", entry->payment_id,
                     "site", entry->site, "network", entry->network, "agent", entry->agent, "rule",
                     entry->rule, "resource", entry->resource, "amount_micros", entry->amount_micros,
                     "recorded_ms", entry->recorded_ms, "agreement_version", entry->agreement_version,
                     "thumbprint", base64url, "signature", hex_json(entry->signature), "signature_base",
                     hex_json(entry->signature_base), "public_key",
                     entry->public_key ? entry->public_key : "");
}

/* Whether the day can be proven; `made` says why not. */
static enum err closed_day(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE], char date[16],
                           struct bundle_made *made)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    TRY(pg_run(pg, "day_seal_state", &params, &rows));
    if (rows.count == 0) {
        made->problem = "the site has no such day yet";
        goto out;
    }
    const struct day_seal_state_row day = day_seal_state_row(&rows, 0);
    snprintf(date, 16, "%s", day.local_date);
    made->problem = !day.closed           ? "its day is not closed yet: until then nothing seals it"
                    : !day.has_checkpoint ? "its day was closed without a checkpoint"
                    : day.archived        ? "entries of its day are in a file: crawltab archive restore first"
                                          : NULL;
out:
    pg_rows_free(&rows);
    return err;
}

static void end(struct collecting *to, enum err err, struct bundle_made *made)
{
    for (size_t i = 0; i < to->log_count; i++)
        pg_rows_free(&to->logs[i].rows);
    inclusion_facts_free(&to->facts);
    if (err == ERR_OK && !made->problem)
        made->bundle = to->bundle;
    else
        json_decref(to->bundle);
}

enum err bundle_of_entry(struct pg *pg, const struct charge_lookup_row *entry, struct bundle_made *made)
{
    struct collecting to = {.pg = pg};
    struct inclusion_day day = {.site_id = 0};
    struct inclusion_entry *found = calloc(1, sizeof(*found));
    uint8_t id[UUID_SIZE];
    char date[16];
    uint64_t index;
    enum err err = ERR_OVERLOADED;
    *made = (struct bundle_made){.bundle = NULL};
    TRY(found && uuid_parse(slice_of(entry->payment_id), id) ? ERR_OK : ERR_OVERLOADED);
    TRY(closed_day(pg, entry->site_id, id, date, made));
    if (made->problem)
        goto out;
    to.bundle = json_pack("{s:s,s:s,s:o,s:[],s:[],s:[]}", "format", BUNDLE_FORMAT, "claim", "entry", "entry",
                          entry_json(entry), "facts", "unsealed", "logs");
    TRY(to.bundle ? ERR_OK : ERR_OVERLOADED);
    TRY(inclusion_day_read(pg, entry->site_id, date, &day));
    TRY(inclusion_search(pg, &day, id, &index));
    if (index == day.entries) { /* put in since: where its leaf would be there is none */
        made->problem = "the day was sealed without this entry";
        goto out;
    }
    TRY(inclusion_entry_read(pg, &day, index, found));
    json_t *place = json_object();
    json_object_set_new(to.bundle, "place", place);
    TRY(set_place(&to, place, entry->site_id, date, &found->at));
    TRY(add_facts(&to, entry));
    TRY(add_deliveries(&to, entry, date));
out:
    inclusion_day_free(&day);
    free(found);
    end(&to, err, made);
    return err;
}

static enum err add_neighbour(struct collecting *to, const struct inclusion_day *day, uint64_t index)
{
    struct inclusion_entry *entry = calloc(1, sizeof(*entry));
    json_t *json = json_object();
    enum err err;
    TRY(entry ? ERR_OK : ERR_OVERLOADED);
    TRY(inclusion_entry_read(to->pg, day, index, entry));
    json_object_set_new(json, "leaf", base64_json(entry->leaf, entry->len));
    TRY(set_place(to, json, day->site_id, day->date, &entry->at));
    json_array_append(json_object_get(to->bundle, "neighbours"), json);
out:
    json_decref(json);
    free(entry);
    return err;
}

enum err bundle_of_absence(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE],
                           struct bundle_made *made)
{
    struct collecting to = {.pg = pg};
    struct inclusion_day day = {.site_id = 0};
    char date[16], text[UUID_TEXT_MAX];
    uint64_t index;
    struct log *log;
    enum err err;
    *made = (struct bundle_made){.bundle = NULL};
    TRY(closed_day(pg, site_id, id, date, made));
    if (made->problem)
        goto out;
    to.bundle = json_pack("{s:s,s:s,s:s,s:s,s:[],s:[]}", "format", BUNDLE_FORMAT, "claim", "absence",
                          "payment_id", uuid_format(id, text), "day", date, "neighbours", "logs");
    TRY(to.bundle ? ERR_OK : ERR_OVERLOADED);
    TRY(log_of(&to, site_id, &log));
    TRY(add_day(log, date));
    json_object_set_new(to.bundle, "log", json_string(log->origin));
    TRY(inclusion_day_read(pg, site_id, date, &day));
    TRY(inclusion_search(pg, &day, id, &index));
    if (index > 0)
        TRY(add_neighbour(&to, &day, index - 1));
    if (index < day.entries)
        TRY(add_neighbour(&to, &day, index));
out:
    inclusion_day_free(&day);
    end(&to, err, made);
    return err;
}
