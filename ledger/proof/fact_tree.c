#include "ledger/proof/fact_tree.h"

#include "sql/rows/proof.h"

#include <assert.h>

enum err fact_tree_seal(struct pg *pg, const struct day_tree_order *order)
{
    struct pg_params params = {0};
    assert(order->site_id > 0 && order->date);
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    return pg_run(pg, "day_facts_insert", &params, NULL);
}

static enum err read_fact(void *context, const struct pg_row *row)
{
    struct merkle_tree *tree = context;
    const struct day_facts_read_row fact = day_facts_read_row(row);
    uint8_t hash[DIGEST_SIZE] = {0};
    /* Of another length it is none that was sealed, and leads to no root that was signed. */
    if (fact.digest.len == DIGEST_SIZE)
        memcpy(hash, fact.digest.data, DIGEST_SIZE);
    merkle_add(tree, hash);
    return ERR_OK;
}

enum err fact_tree_read(struct pg *pg, const struct day_tree_order *order, struct fact_tree *tree)
{
    struct merkle_tree facts = {.size = 0};
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    TRY(pg_stream(pg, "day_facts_read", &params, read_fact, &facts));
    tree->facts = (int64_t)facts.size;
    merkle_root(&facts, tree->root);
out:
    return err;
}
