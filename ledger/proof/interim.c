#include "ledger/proof/interim.h"

#include "ledger/base/instant.h"
#include "ledger/base/text/encoding.h"
#include "ledger/proof/log.h"
#include "sql/rows/proof.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The longest that a commit, and the clocks of gates and database, are waited for. */
#define SLACK_MS 120000

/* All that is signed. */
struct statement {
    const char *origin, *first_id, *end_id;
    int64_t number, entries, sum_micros, facts, made_ms; /* facts: -1 in version 1, which has none */
    uint8_t previous[DIGEST_SIZE], digest[DIGEST_SIZE], facts_digest[DIGEST_SIZE];
};

static void write_digest(const uint8_t digest[DIGEST_SIZE], char out[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1])
{
    out[encoding_base64(digest, DIGEST_SIZE, out)] = '\0';
}

static bool write_text(const struct statement *statement, char out[NOTE_MAX])
{
    char previous[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1], digest[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    char made[INSTANT_TEXT_MAX], all[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1], facts[128] = "";
    write_digest(statement->previous, previous);
    write_digest(statement->digest, digest);
    write_digest(statement->facts_digest, all);
    if (statement->facts >= 0)
        snprintf(facts, sizeof(facts), "facts %" PRId64 "\nfacts-digest %s\n", statement->facts, all);
    int len = snprintf(out, NOTE_MAX,
                       "crawltab-interim/%d\nlog %s\nnumber %" PRId64 "\nprevious %s\nfrom %s\nto %s\n"
                       "entries %" PRId64 "\nsum %" PRId64 "\ndigest %s\n%smade %s\n",
                       statement->facts >= 0 ? 2 : 1, statement->origin, statement->number, previous,
                       statement->first_id, statement->end_id, statement->entries, statement->sum_micros,
                       digest, facts, instant_format(statement->made_ms, made));
    return len > 0 && len < NOTE_MAX;
}

/* Of the text of a note: what stands before its last empty line. */
static void hash_text(const char *note, uint8_t out[DIGEST_SIZE])
{
    struct slice text = slice_of(note);
    while (text.len >= 2 && (text.data[text.len - 1] != '\n' || text.data[text.len - 2] != '\n'))
        text.len--;
    if (text.len > 0)
        text.len--;
    digest_sha256(&text, 1, out);
}

/* --- Making --- */

struct order {
    int64_t site_id, now_ms;
    const struct note_key *key;
};

static enum err store(struct pg *pg, int64_t site_id, const struct statement *statement,
                      const struct note_key *key)
{
    char text[NOTE_MAX], note[NOTE_MAX], verifier[NOTE_VERIFIER_MAX];
    struct pg_params params = {0};
    if (!write_text(statement, text) || !note_sign(text, statement->origin, key, note) ||
        !note_verifier(statement->origin, key->public_key, verifier)) {
        LOG(ERROR, "the interim checkpoint cannot be signed", {"log", statement->origin});
        return ERR_INTERNAL;
    }
    pg_params_number(&params, site_id);
    pg_params_number(&params, statement->number);
    pg_params_text(&params, statement->first_id);
    pg_params_text(&params, statement->end_id);
    pg_params_number(&params, statement->entries);
    pg_params_number(&params, statement->sum_micros);
    pg_params_bytes(&params, slice_bytes(statement->digest, DIGEST_SIZE));
    pg_params_number(&params, statement->made_ms);
    pg_params_text(&params, note);
    pg_params_text(&params, verifier);
    pg_params_number(&params, statement->facts);
    pg_params_bytes(&params, slice_bytes(statement->facts_digest, DIGEST_SIZE));
    return pg_run(pg, "interim_insert", &params, NULL);
}

/* Lists the facts that are in no tree and no list yet. */
static enum err list_facts(struct pg *pg, const struct order *order, struct statement *statement)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, order->site_id);
    pg_params_number(&params, statement->number);
    pg_params_text(&params, statement->first_id);
    TRY(pg_run(pg, "interim_facts_insert", &params, &rows));
    assert(rows.count == 1);
    const struct interim_facts_insert_row listed = interim_facts_insert_row(&rows, 0);
    statement->facts = listed.facts;
    pg_hex_bytes(listed.digest, statement->facts_digest, DIGEST_SIZE);
out:
    pg_rows_free(&rows);
    return err;
}

/* Inside a transaction, after session_plain. */
static enum err make_one(struct pg *pg, const struct order *order, struct statement *statement)
{
    struct pg_params params = {0}, day = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&day, statement->first_id);
    TRY(pg_run(pg, "interim_partitions", &day, NULL));
    pg_params_number(&params, order->site_id);
    pg_params_number(&params, statement->number);
    pg_params_text(&params, statement->first_id);
    pg_params_text(&params, statement->end_id);
    TRY(pg_run(pg, "interim_tiles_insert", &params, &rows));
    assert(rows.count == 1);
    const struct interim_tiles_insert_row listed = interim_tiles_insert_row(&rows, 0);
    statement->entries = listed.entries;
    statement->sum_micros = listed.sum_micros;
    pg_hex_bytes(listed.digest, statement->digest, DIGEST_SIZE);
    TRY(list_facts(pg, order, statement));
    TRY(store(pg, order->site_id, statement, order->key));
out:
    pg_rows_free(&rows);
    return err;
}

/* The next one, if it is due: *more. */
static enum err make_next(struct pg *pg, const struct order *order, struct interim_made *made, bool *more,
                          bool *taken)
{
    char origin[LEAF_ORIGIN_MAX];
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    int64_t entries = 0, facts = 0;
    enum err err;
    *more = false;
    pg_params_number(&params, order->site_id);
    pg_params_number(&params, order->now_ms);
    pg_params_number(&params, SLACK_MS);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "session_plain", NULL, NULL));
    TRY(log_origin(pg, order->site_id, origin));
    TRY(pg_run(pg, "interim_next", &params, &rows));
    assert(rows.count == 1);
    const struct interim_next_row next = interim_next_row(&rows, 0);
    if (next.due) {
        struct statement statement = {.origin = origin,
                                      .first_id = next.first_id,
                                      .end_id = next.end_id,
                                      .number = next.number,
                                      .made_ms = order->now_ms};
        hash_text(next.previous, statement.previous);
        TRY(make_one(pg, order, &statement));
        entries = statement.entries;
        facts = statement.facts;
        *more = true;
    }
    TRY(pg_commit(pg));
    made->checkpoints += *more;
    made->entries += entries;
    made->facts += facts;
out:
    *taken = err != ERR_OK && pg_failure(pg) == PG_DUPLICATE;
    *more = *more && err == ERR_OK;
    pg_rollback(pg);
    pg_rows_free(&rows);
    return err;
}

enum err interim_make(struct pg *pg, int64_t site_id, int64_t now_ms, const struct note_key *key,
                      struct interim_made *made)
{
    const struct order order = {site_id, now_ms, key};
    enum err err = ERR_OK;
    bool again = false;
    *made = (struct interim_made){.checkpoints = 0};
    for (bool more = true; more;) {
        bool taken = false;
        err = make_next(pg, &order, made, &more, &taken);
        /* Another run was faster: it is looked what is left. Taken twice means that nobody was: the list of a
         * checkpoint is there, and the checkpoint is not. */
        if (taken && !again)
            more = again = true;
        else if (taken)
            LOG(ERROR, "an interim checkpoint was removed", {"hint", "see crawltab audit"});
        else
            again = false;
    }
    return err;
}

/* --- Checking --- */

static bool is_trusted(const struct log_trust *trust, const char *origin, const struct interim_list_row *row)
{
    char verifier[NOTE_VERIFIER_MAX];
    if (row->known || (trust->verifier && strcmp(trust->verifier, row->verifier_key) == 0))
        return true;
    for (size_t i = 0; i < trust->key_count; i++)
        if (note_verifier(origin, trust->keys[i], verifier) && strcmp(verifier, row->verifier_key) == 0)
            return true;
    return false;
}

/* What is wrong with one, or NULL. */
static const char *check_one(const struct interim_list_row *row, const char *origin,
                             const struct log_trust *trust, const uint8_t previous[DIGEST_SIZE])
{
    char expected[NOTE_MAX];
    struct slice text;
    struct statement statement = {.origin = origin,
                                  .first_id = row->first_id,
                                  .end_id = row->end_id,
                                  .number = row->number,
                                  .entries = row->entries,
                                  .sum_micros = row->sum_micros,
                                  .facts = row->facts_null ? -1 : row->facts,
                                  .made_ms = row->made_ms};
    memcpy(statement.previous, previous, DIGEST_SIZE);
    pg_hex_bytes(row->digest, statement.digest, DIGEST_SIZE);
    if (!row->facts_null)
        pg_hex_bytes(row->facts_digest, statement.facts_digest, DIGEST_SIZE);
    bool any_key = trust->verifier || trust->key_count > 0;
    if (any_key && !is_trusted(trust, origin, row))
        return "is signed by a key that is not trusted";
    if (!note_open(slice_of(row->note), row->verifier_key, trust->verifies, &text))
        return "its signature is not good";
    return write_text(&statement, expected) && slice_eq(text, slice_of(expected))
               ? NULL
               : "is not what was signed, or the one before it is another one";
}

enum err interim_check(struct pg *pg, int64_t site_id, const struct log_trust *trust, interim_tell *tell,
                       void *context)
{
    char origin[LEAF_ORIGIN_MAX];
    uint8_t previous[DIGEST_SIZE];
    int64_t last = 0;
    enum err err;
    hash_text("", previous);
    TRY(log_origin(pg, site_id, origin));
    for (bool more = true; more;) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_number(&params, site_id);
        pg_params_number(&params, last);
        TRY(pg_run(pg, "interim_list", &params, &rows));
        for (int i = 0; i < rows.count; i++) {
            const struct interim_list_row row = interim_list_row(&rows, i);
            const char *problem = row.number != last + 1 ? "the one before it was removed"
                                                         : check_one(&row, origin, trust, previous);
            if (problem)
                tell(context, row.number, problem);
            hash_text(row.note, previous);
            last = row.number;
        }
        more = rows.count > 0;
        pg_rows_free(&rows);
    }
out:
    return err;
}
