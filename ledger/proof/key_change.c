/* The old key signs that it gives way to the new one, and both signatures stand in one note: whoever has
 * pinned the old key can follow without trusting the database. A lost key cannot do that, which is why its
 * change carries a reason and is told to whoever checks. */
#include "ledger/proof/key_change.h"

#include "ledger/base/text/encoding.h"
#include "sql/rows/proof.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The log's origin is the name of its key, up to the first plus. */
static void origin_of(const char *verifier, char origin[NOTE_NAME_MAX])
{
    snprintf(origin, NOTE_NAME_MAX, "%.*s", (int)strcspn(verifier, "+"), verifier);
}

bool key_change_is(const char *verifier, const struct note_key *key)
{
    char origin[NOTE_NAME_MAX], own[NOTE_VERIFIER_MAX];
    origin_of(verifier, origin);
    return note_verifier(origin, key->public_key, own) && strcmp(own, verifier) == 0;
}

static enum err read_current(struct pg *pg, int64_t site_id, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, site_id);
    return pg_run(pg, "key_current", &params, rows);
}

enum err key_change_current(struct pg *pg, int64_t site_id, char verifier[NOTE_VERIFIER_MAX])
{
    struct pg_rows rows = {0};
    enum err err = read_current(pg, site_id, &rows);
    snprintf(verifier, NOTE_VERIFIER_MAX, "%s",
             err == ERR_OK && rows.count > 0 ? key_current_row(&rows, 0).verifier_key : "");
    pg_rows_free(&rows);
    return err;
}

/* The text of the note, without its signatures. */
struct change_text {
    int64_t log_size;
    const uint8_t *root; /* DIGEST_SIZE */
    const char *old_key, *new_key;
};

static bool write_text(const struct change_text *change, char text[NOTE_MAX])
{
    char origin[NOTE_NAME_MAX], base64[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    origin_of(change->old_key, origin);
    base64[encoding_base64(change->root, DIGEST_SIZE, base64)] = '\0';
    int len =
        snprintf(text, NOTE_MAX, "crawltab-key-change/1\nlog %s\nsize %" PRId64 "\nroot %s\nold %s\nnew %s\n",
                 origin, change->log_size, base64, change->old_key, change->new_key);
    return len > 0 && len < NOTE_MAX;
}

static enum err insert(struct pg *pg, const struct key_change *change, const struct key_current_row *current,
                       const char *new_verifier, const char *note)
{
    struct pg_params params = {0};
    assert(change->actor && change->reason);
    pg_params_number(&params, change->site_id);
    pg_params_number(&params, current->log_size);
    pg_params_text(&params, current->verifier_key);
    pg_params_text(&params, new_verifier);
    pg_params_text(&params, change->old_key ? "false" : "true");
    pg_params_number(&params, change->now_ms);
    pg_params_text(&params, change->actor);
    pg_params_text(&params, change->reason);
    pg_params_text(&params, note);
    return pg_run(pg, "key_change_insert", &params, NULL);
}

enum err key_change_record(struct pg *pg, const struct key_change *change)
{
    char origin[NOTE_NAME_MAX], verifier[NOTE_VERIFIER_MAX], text[NOTE_MAX], note[NOTE_MAX];
    uint8_t root[DIGEST_SIZE];
    struct pg_rows rows = {0};
    enum err err;
    assert(change->new_key);
    TRY(read_current(pg, change->site_id, &rows));
    if (rows.count == 0 || key_change_is(key_current_row(&rows, 0).verifier_key, change->new_key))
        goto out;
    const struct key_current_row current = key_current_row(&rows, 0);
    err = ERR_INTERNAL;
    if (change->old_key && !key_change_is(current.verifier_key, change->old_key)) {
        LOG(ERROR, "the old key is not the one that signs this log", {"key", current.verifier_key},
            {"hint", "put that key back; if it is lost: crawltab checkpoint key rotate --lost --reason WHY"});
        goto out;
    }
    origin_of(current.verifier_key, origin);
    const struct change_text written = {current.log_size, root, current.verifier_key, verifier};
    bool made = pg_hex_bytes(current.log_root, root, sizeof(root)) == sizeof(root) &&
                note_verifier(origin, change->new_key->public_key, verifier) && write_text(&written, text) &&
                note_sign(text, origin, change->new_key, note) &&
                (!change->old_key || note_cosign(origin, change->old_key, note));
    if (!made) {
        LOG(ERROR, "the change of the key cannot be signed", {"log", origin});
        goto out;
    }
    /* Both signatures stand in one note: who trusts the old key sees that it gave its place away itself. */
    err = insert(pg, change, &current, verifier, note);
out:
    pg_rows_free(&rows);
    return err;
}

enum err key_chain_read(struct pg *pg, int64_t site_id, struct key_chain *chain)
{
    struct pg_params params = {0};
    *chain = (struct key_chain){.verifies = chain->verifies};
    pg_params_number(&params, site_id);
    return pg_run(pg, "key_changes", &params, &chain->rows);
}

void key_chain_free(struct key_chain *chain)
{
    pg_rows_free(&chain->rows);
}

void key_chain_begin(struct key_chain *chain, const char *key)
{
    assert(chain->at == 0 && !chain->first[0]);
    snprintf(chain->first, sizeof(chain->first), "%s", key);
    snprintf(chain->key, sizeof(chain->key), "%s", key);
}

/* The note's own words count, not the columns beside it: the log as it was is in them, so that a change says
 * too what its signers had before them. */
static const char *follow_one(struct key_chain *chain, const struct merkle_tree *log)
{
    const struct key_changes_row change = key_changes_row(&chain->rows, chain->at);
    struct slice note = slice_of(change.note), text;
    char expected[NOTE_MAX];
    uint8_t root[DIGEST_SIZE];
    assert(chain->at < chain->rows.count);
    if (strcmp(change.old_key, chain->key) != 0)
        return "a change of the key is not from the key that signed until then";
    if (!note_open(note, change.new_key, chain->verifies, &text))
        return "a change of the key is not signed by the new key";
    if (!change.lost && !note_open(note, chain->key, chain->verifies, &text))
        return "a change of the key is not signed by the old key";
    merkle_root(log, root);
    const struct change_text said = {(int64_t)log->size, root, chain->key, change.new_key};
    if (!write_text(&said, expected) || !slice_eq(text, slice_of(expected)))
        return "a change of the key says something else than was signed";
    snprintf(chain->key, sizeof(chain->key), "%s", change.new_key);
    chain->at++;
    return NULL;
}

const char *key_chain_follow(struct key_chain *chain, const struct merkle_tree *log, const char *key)
{
    const char *problem = NULL;
    if (log->size == 0 && key)
        key_chain_begin(chain, key);
    while (!problem && chain->at < chain->rows.count &&
           (!key || key_changes_row(&chain->rows, chain->at).log_size <= (int64_t)log->size))
        problem = follow_one(chain, log);
    if (!problem && key && strcmp(chain->key, key) != 0)
        problem = "a checkpoint is signed by a key to which no change is recorded";
    assert(chain->at <= chain->rows.count);
    return problem;
}

const char *key_chain_key(const struct key_chain *chain, int changes)
{
    assert(changes >= 0 && changes <= chain->rows.count);
    return changes == 0 ? chain->first : key_changes_row(&chain->rows, changes - 1).new_key;
}

enum key_chain_holds key_chain_holds(const struct key_chain *chain, const char *trusted)
{
    int at = chain->rows.count;
    bool signed_for = true; /* of all changes from `at` on */
    while (at >= 0 && strcmp(key_chain_key(chain, at), trusted) != 0) {
        signed_for = signed_for && !(at > 0 && key_changes_row(&chain->rows, at - 1).lost);
        at--;
    }
    return at < 0 ? KEY_CHAIN_STRANGE : signed_for ? KEY_CHAIN_HOLDS : KEY_CHAIN_BROKEN_OFF;
}
