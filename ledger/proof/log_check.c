/* Three questions in this order: is the log whole, do signed changes lead from each key to the next, and is
 * the key that the checker trusts one of them. A log that somebody has made anew with a key of his own passes
 * the first two. */
#include "ledger/proof/log_check.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/key_change.h"
#include "ledger/proof/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void found(struct checkpoint_finding *finding, const char *problem, const char *date)
{
    assert(!finding->problem); /* the first one is told */
    finding->problem = problem;
    snprintf(finding->date, sizeof(finding->date), "%s", date);
}

static enum err check_missing(struct pg *pg, int64_t site_id, struct checkpoint_finding *finding)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    TRY(pg_run(pg, "checkpoint_missing", &params, &rows));
    if (rows.count > 0)
        found(finding, "a closed day is missing from the log", checkpoint_missing_row(&rows, 0).local_date);
out:
    pg_rows_free(&rows);
    return err;
}

/* What is wrong with one row of the log, or NULL. */
static const char *check_row(const struct checkpoint_log_row *row, const char *origin,
                             struct merkle_tree *log, struct key_chain *chain)
{
    const struct merkle_tree before = *log;
    char expected[NOTE_MAX];
    struct slice text;
    if (!log_add(log, row))
        return "a day of the log is not what was signed";
    const char *problem = key_chain_follow(chain, &before, row->verifier_key);
    if (problem)
        return problem;
    if (!note_open(slice_of(row->note), row->verifier_key, chain->verifies, &text))
        return "a checkpoint's signature is not good";
    return log_text(origin, log, expected, sizeof(expected)) && slice_eq(text, slice_of(expected))
               ? NULL
               : "a checkpoint says something else than the log";
}

/* The verifier key given by hand is for one log, by its name. */
static bool names(const char *verifier, const char *origin)
{
    size_t len = strlen(origin);
    return verifier && strncmp(verifier, origin, len) == 0 && verifier[len] == '+';
}

/* Of a chain that was followed to its end. */
static const char *check_trust(const struct key_chain *chain, const char *origin,
                               const struct log_trust *trust)
{
    char verifier[NOTE_VERIFIER_MAX];
    bool by_hand = names(trust->verifier, origin);
    if (!by_hand && trust->key_count == 0)
        return "there is no key to check the log by: ledger.checkpoint_key_file is missing, and no --vkey is "
               "given";
    if (by_hand)
        snprintf(verifier, sizeof(verifier), "%s", trust->verifier);
    else if (!note_verifier(origin, trust->keys[0], verifier))
        return "the log has no name that a key could have";
    enum key_chain_holds holds = key_chain_holds(chain, verifier);
    if (holds == KEY_CHAIN_HOLDS)
        return NULL;
    if (holds == KEY_CHAIN_BROKEN_OFF)
        return "it is signed by a later key, which the trusted one has not signed for: it was said to be "
               "lost";
    if (by_hand)
        return "the log is signed by another key than the given one, and no signed change leads to that";
    for (size_t i = 1; i < trust->key_count; i++)
        if (note_verifier(origin, trust->keys[i], verifier) && strcmp(verifier, chain->key) == 0)
            return "the log is signed by an older key of ledger.checkpoint_key_file: the change to the "
                   "newest "
                   "is not recorded";
    return "the log is signed by another key than the configured one, and no signed change leads to that";
}

enum err log_check(struct pg *pg, int64_t site_id, const struct log_trust *trust,
                   struct checkpoint_finding *finding)
{
    struct merkle_tree log = {.size = 0};
    struct key_chain chain = {.verifies = trust->verifies};
    char origin[LEAF_ORIGIN_MAX];
    struct pg_rows rows = {0};
    enum err err;
    *finding = (struct checkpoint_finding){.tile = -1};
    TRY(log_origin(pg, site_id, origin));
    TRY(key_chain_read(pg, site_id, &chain));
    TRY(log_read(pg, site_id, &rows));
    for (int i = 0; i < rows.count && !finding->problem; i++) {
        const struct checkpoint_log_row row = checkpoint_log_row(&rows, i);
        const char *problem = check_row(&row, origin, &log, &chain);
        if (problem)
            found(finding, problem, row.local_date);
    }
    if (!finding->problem && rows.count > 0) {
        const char *problem = key_chain_follow(&chain, &log, NULL);
        problem = problem ? problem : check_trust(&chain, origin, trust);
        if (problem)
            found(finding, problem, checkpoint_log_row(&rows, rows.count - 1).local_date);
    }
    if (!finding->problem)
        TRY(check_missing(pg, site_id, finding));
out:
    key_chain_free(&chain);
    pg_rows_free(&rows);
    return err;
}

/* --- what was kept elsewhere --- */

static bool cut_line(struct slice *rest, struct slice *line)
{
    size_t len = slice_find(*rest, '\n');
    if (len == rest->len)
        return false;
    *line = (struct slice){rest->data, len};
    *rest = (struct slice){rest->data + len + 1, rest->len - len - 1};
    return true;
}

static bool read_size(struct slice line, uint64_t *size)
{
    *size = 0;
    if (line.len == 0 || line.len > 18 || (line.data[0] == '0' && line.len > 1))
        return false;
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return false;
        *size = *size * 10 + (uint64_t)(line.data[i] - '0');
    }
    return *size > 0;
}

const char *log_kept_read(struct slice note, struct log_kept *kept)
{
    struct slice rest = note, origin, size, root;
    size_t len = 0;
    *kept = (struct log_kept){.note = note};
    if (!cut_line(&rest, &origin) || !cut_line(&rest, &size) || !cut_line(&rest, &root))
        return "it is no checkpoint: a name, a size and a root, each on a line, and signatures";
    if (origin.len == 0 || origin.len >= sizeof(kept->origin))
        return "its first line is no name of a log";
    if (!read_size(size, &kept->size))
        return "its second line is not the size of a log";
    if (!encoding_unbase64(root, false, kept->root, sizeof(kept->root), &len) || len != sizeof(kept->root))
        return "its third line is not the root of a log";
    snprintf(kept->origin, sizeof(kept->origin), "%.*s", (int)origin.len, origin.data);
    return NULL;
}

/* By whichever key of the log: the newest counts no more than the others. Of a log that was emptied only the
 * checker's own keys are left. */
static bool is_signed(const struct key_chain *chain, const struct log_kept *kept,
                      const struct log_trust *trust)
{
    char verifier[NOTE_VERIFIER_MAX];
    struct slice text;
    for (int i = 0; chain->first[0] && i <= chain->rows.count; i++)
        if (note_open(kept->note, key_chain_key(chain, i), trust->verifies, &text))
            return true;
    for (size_t i = 0; i < trust->key_count; i++)
        if (note_verifier(kept->origin, trust->keys[i], verifier) &&
            note_open(kept->note, verifier, trust->verifies, &text))
            return true;
    return names(trust->verifier, kept->origin) &&
           note_open(kept->note, trust->verifier, trust->verifies, &text);
}

static void compare(const struct pg_rows *rows, const uint8_t (*hashes)[DIGEST_SIZE],
                    const struct log_kept *kept, struct log_kept_result *result)
{
    struct merkle_tree log = {.size = 0};
    uint8_t root[DIGEST_SIZE];
    uint64_t size = (uint64_t)rows->count;
    char *problem = result->problem;
    if (kept->size > size) {
        snprintf(problem, sizeof(result->problem),
                 "has %" PRIu64 " days, the ledger's log has %" PRIu64
                 ": an old state was restored, or days were dropped",
                 kept->size, size);
        return;
    }
    for (uint64_t i = 0; i < size; i++)
        merkle_add(&log, hashes[i]);
    merkle_root(&log, root);
    result->steps = merkle_consistency(hashes, size, kept->size, result->proof);
    const struct merkle_growth growth = {kept->size, size, result->proof, result->steps};
    if (merkle_grew(&growth, kept->root, root))
        return;
    const char *date = checkpoint_log_row(rows, (int)kept->size - 1).local_date;
    if (kept->size == size)
        snprintf(problem, sizeof(result->problem),
                 "is of as many days, up to %s, with another root: a night was run again over other rows",
                 date);
    else
        snprintf(problem, sizeof(result->problem),
                 "is no beginning of the ledger's log: a day up to %s was dropped, added or closed again",
                 date);
}

enum err log_kept_check(struct pg *pg, int64_t site_id, const struct log_trust *trust,
                        const struct log_kept *kept, struct log_kept_result *result)
{
    struct key_chain chain = {.verifies = trust->verifies};
    struct pg_rows rows = {0};
    uint8_t(*hashes)[DIGEST_SIZE] = NULL;
    enum err err;
    assert(kept->size > 0); /* log_kept_read takes no other */
    *result = (struct log_kept_result){.steps = 0};
    TRY(key_chain_read(pg, site_id, &chain));
    TRY(log_read(pg, site_id, &rows));
    result->size = (uint64_t)rows.count;
    hashes = calloc((size_t)rows.count + 1, sizeof(*hashes));
    TRY(hashes ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows.count; i++) {
        const struct checkpoint_log_row row = checkpoint_log_row(&rows, i);
        uint8_t leaf[LEAF_DAY_MAX];
        size_t len = pg_hex_bytes(row.leaf, leaf, sizeof(leaf));
        merkle_leaf(slice_bytes(leaf, len <= sizeof(leaf) ? len : 0), hashes[i]);
        if (i == 0)
            key_chain_begin(&chain, row.verifier_key);
    }
    if (!is_signed(&chain, kept, trust))
        snprintf(result->problem, sizeof(result->problem), "is not signed by a key of this log");
    else
        compare(&rows, (const uint8_t(*)[DIGEST_SIZE])hashes, kept, result);
out:
    free(hashes);
    key_chain_free(&chain);
    pg_rows_free(&rows);
    return err;
}
