/* A day's leaf is over what was sealed (instants, count, sum, root), and the log over all days: to change
 * one entry afterwards, without it being seen, the tiles, the day's root, the leaf and every later
 * checkpoint would have to be signed anew by a key that is not in the database. Before a day is added, all
 * earlier ones are hashed again, so that a log that was changed is not signed as if it were right. */
#include "ledger/proof/checkpoint.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/log.h"

#include <assert.h>
#include <stdio.h>

/* `facts` NULL: as days were signed before there were any. */
static enum err day_leaf(const struct day_tree_order *order, const struct day_tree *tree,
                         const struct fact_tree *facts, char origin[LEAF_ORIGIN_MAX], char out[LEAF_DAY_MAX])
{
    const struct day_tree_facts *known = &tree->facts;
    OBJECT_CHECK(tree, DAY_TREE_MAGIC);
    const struct leaf_day day = {.origin = origin,
                                 .date = order->date,
                                 .zone = known->zone,
                                 .currency = known->currency,
                                 .starts_ms = known->starts_ms,
                                 .ends_ms = known->ends_ms,
                                 .entries = tree->entries,
                                 .sum_micros = tree->sum_micros,
                                 .root = tree->root,
                                 .facts = facts ? facts->facts : 0,
                                 .facts_root = facts ? facts->root : NULL};
    if (leaf_origin(known->network, known->site, origin) && leaf_write_day(&day, out) > 0)
        return ERR_OK;
    LOG(ERROR, "checkpoint_not_made", {"site", known->site}, {"day", order->date},
        {"detail", "the names of the site, its network and its zone are too long for a log"});
    return ERR_INTERNAL;
}

/* The log as it was signed last. */
static enum err last_log(struct pg *pg, const struct day_tree_order *order, struct merkle_tree *log)
{
    struct pg_rows rows = {0};
    enum err err;
    *log = (struct merkle_tree){.size = 0};
    TRY(log_read(pg, order->site_id, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct checkpoint_log_row stored = checkpoint_log_row(&rows, i);
        if (log_add(log, &stored))
            continue;
        LOG(ERROR, "checkpoint_not_made", {"day", order->date}, {"changed", stored.local_date},
            {"detail", "an earlier day of the log is not what was signed; the day stays open"},
            {"hint", "the ledger was changed by hand, or restored from parts: run crawltab audit"});
        err = ERR_INTERNAL;
        goto out;
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* What is stored for one day. */
struct made {
    char origin[LEAF_ORIGIN_MAX];
    char leaf[LEAF_DAY_MAX];
    char text[NOTE_MAX];
    char note[NOTE_MAX];
    char verifier[NOTE_VERIFIER_MAX];
};

static enum err insert(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree,
                       const struct merkle_tree *log, const struct made *made)
{
    struct pg_params params = {0};
    uint8_t root[DIGEST_SIZE];
    assert(log->size > 0 && made->note[0] && made->verifier[0]);
    merkle_root(log, root);
    pg_params_number(&params, order->site_id);
    pg_params_number(&params, (int64_t)log->size);
    pg_params_text(&params, order->date);
    pg_params_bytes(&params, slice_bytes(tree->root, DIGEST_SIZE));
    pg_params_bytes(&params, slice_of(made->leaf));
    pg_params_bytes(&params, slice_bytes(root, DIGEST_SIZE));
    pg_params_text(&params, made->note);
    pg_params_text(&params, made->verifier);
    return pg_run(pg, "checkpoint_insert", &params, NULL);
}

enum err checkpoint_add(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree,
                        const struct fact_tree *facts, const struct note_key *key)
{
    struct merkle_tree log;
    struct made made;
    uint8_t hash[DIGEST_SIZE];
    enum err err;
    TRY(last_log(pg, order, &log));
    TRY(day_leaf(order, tree, facts, made.origin, made.leaf));
    merkle_leaf(slice_of(made.leaf), hash);
    merkle_add(&log, hash);
    assert(log.size <= INT64_MAX);
    if (!log_text(made.origin, &log, made.text, sizeof(made.text)) ||
        !note_sign(made.text, made.origin, key, made.note) ||
        !note_verifier(made.origin, key->public_key, made.verifier)) {
        LOG(ERROR, "checkpoint_not_made", {"day", order->date}, {"detail", "the note cannot be signed"});
        err = ERR_INTERNAL;
        goto out;
    }
    TRY(insert(pg, order, tree, &log, &made));
out:
    return err;
}

/* --- checks --- */

static void found(struct checkpoint_finding *finding, const char *problem, const char *date)
{
    assert(!finding->problem); /* the first one is told */
    finding->problem = problem;
    snprintf(finding->date, sizeof(finding->date), "%s", date);
}

static void found_tile(struct checkpoint_finding *finding, const struct day_tree *tree, int64_t tile)
{
    if (tile < 0)
        return;
    finding->tile = tile;
    if (tile < (int64_t)tree->tile_count) /* beyond: the entries end before the tiles that were stored do */
        uuid_format(tree->tiles[tile].first_id, finding->first_id);
}

static bool bytes_are(struct pg_hex hex, struct slice expected)
{
    uint8_t stored[LEAF_DAY_MAX];
    size_t len = pg_hex_bytes(hex, stored, sizeof(stored));
    assert(expected.len > 0);
    return len <= sizeof(stored) && slice_eq(slice_bytes(stored, len), expected);
}

/* The leaf that was signed, as a text; "" if it is none. */
static void stored_leaf(const struct checkpoint_read_row *signed_day, char text[LEAF_DAY_MAX])
{
    uint8_t bytes[LEAF_DAY_MAX];
    size_t len = pg_hex_bytes(signed_day->leaf, bytes, sizeof(bytes));
    size_t whole = len < LEAF_DAY_MAX ? len : 0;
    memcpy(text, bytes, whole);
    text[whole] = '\0';
}

/* What is about facts begins here in the leaf, if it is of a version that has it; else where it ends. */
static size_t before_facts(const char *leaf)
{
    const char *facts = strncmp(leaf, "crawltab-day/1\n", 15) == 0 ? NULL : strstr(leaf, LEAF_FACTS);
    return facts ? (size_t)(facts - leaf) : strlen(leaf);
}

static enum err read_checkpoint(struct pg *pg, const struct day_tree_order *order, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    return pg_run(pg, "checkpoint_read", &params, rows);
}

enum err checkpoint_check_day(struct pg *pg, const struct day_tree_order *order,
                              struct checkpoint_finding *finding)
{
    char origin[LEAF_ORIGIN_MAX], leaf[LEAF_DAY_MAX], stored[LEAF_DAY_MAX];
    const struct fact_tree none = {.facts = 0}; /* they are another check's */
    struct pg_rows rows = {0};
    struct day_tree tree = {.entries = 0};
    int64_t tile = -1;
    enum err err;
    *finding = (struct checkpoint_finding){.tile = -1};
    TRY(read_checkpoint(pg, order, &rows));
    if (rows.count == 0) {
        found(finding, "the day has no checkpoint", order->date);
        goto out;
    }
    const struct checkpoint_read_row signed_day = checkpoint_read_row(&rows, 0);
    TRY(day_tree_read(pg, order, &tree));
    TRY(day_tree_compare(pg, order, &tree, &tile));
    stored_leaf(&signed_day, stored);
    size_t len = before_facts(stored);
    TRY(day_leaf(order, &tree, stored[len] ? &none : NULL, origin, leaf));
    if (tile >= 0 || !bytes_are(signed_day.day_root, slice_bytes(tree.root, DIGEST_SIZE))) {
        found(finding, "the entries are not those that were sealed", order->date);
        found_tile(finding, &tree, tile);
    } else if (len != before_facts(leaf) || memcmp(leaf, stored, len) != 0) {
        found(finding, "the day's instants, zone, count or sum are not what was signed", order->date);
    } else if (day_tree_mismatches(&tree) != 0) {
        found(finding, "the totals of the crawlers are not those of the entries", order->date);
    }
out:
    day_tree_free(&tree);
    pg_rows_free(&rows);
    return err;
}

enum err checkpoint_check_facts(struct pg *pg, const struct day_tree_order *order,
                                struct checkpoint_finding *finding, bool *sealed)
{
    static const uint8_t no_root[DIGEST_SIZE];
    char leaf[LEAF_DAY_MAX], expected[LEAF_DAY_MAX];
    struct pg_rows rows = {0};
    struct fact_tree facts;
    enum err err;
    *finding = (struct checkpoint_finding){.tile = -1};
    *sealed = false;
    TRY(read_checkpoint(pg, order, &rows));
    if (rows.count == 0)
        goto out; /* the check of the day says so */
    const struct checkpoint_read_row signed_day = checkpoint_read_row(&rows, 0);
    stored_leaf(&signed_day, leaf);
    size_t at = before_facts(leaf);
    *sealed = leaf[at] != '\0';
    TRY(fact_tree_read(pg, order, &facts));
    /* The end of a day's leaf is that of any with these facts. */
    const struct leaf_day day = {.origin = "",
                                 .date = "",
                                 .zone = "",
                                 .currency = "",
                                 .root = no_root,
                                 .facts = facts.facts,
                                 .facts_root = facts.root};
    size_t len = leaf_write_day(&day, expected);
    assert(len > 0); /* with names that short it fits */
    bool same = *sealed ? strcmp(leaf + at, expected + before_facts(expected)) == 0 : facts.facts == 0;
    if (!same)
        found(finding, "the rows beside the entries that were sealed with it are not those that were signed",
              order->date);
out:
    pg_rows_free(&rows);
    return err;
}
