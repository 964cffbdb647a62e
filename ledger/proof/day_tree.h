/* The tree over a day's entries: one pass over them in the order of their ids, in memory that does not grow
 * with their number but for 50 bytes per 256 of them. */
#ifndef LEDGER_PROOF_DAY_TREE_H
#define LEDGER_PROOF_DAY_TREE_H

#include "ledger/base/object.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/proof/merkle.h"
#include "ledger/pg/pg.h"

/* Entries of a tile. */
#define DAY_TREE_TILE 256

/* Told from time to time how many entries have been read, of how many. */
typedef void day_tree_tell(void *context, int64_t done, int64_t all);

/* Told each entry's leaf in order; an error ends the reading. */
typedef enum err day_tree_leaf(void *context, const uint8_t *payment_id, struct slice leaf);

struct day_tree_order {
    int64_t site_id;
    const char *date;
    const char *first_id; /* only the day's entries from this id on; NULL: from its beginning */
    const char *end_id;   /* and before this one; NULL: to its end */
    day_tree_tell *tell;  /* NULL: nobody */
    day_tree_leaf *leaf;  /* NULL: nobody */
    void *context;
};

/* A crawler of the day. */
struct day_tree_account {
    int64_t crawler_id;
    char *agent;
    int64_t line_entries, line_micros; /* as the day's lines say */
    int64_t entries, sum_micros;       /* as the entries say */
};

/* What stands in the table day_tile. */
struct day_tree_tile {
    uint8_t first_id[UUID_SIZE];
    uint8_t hash[DIGEST_SIZE];
    size_t entries;
};

/* The day itself, from the tables day and site. */
struct day_tree_facts {
    char *site, *network, *currency, *zone;
    int64_t starts_ms, ends_ms;
    char first_id[UUID_TEXT_MAX], end_id[UUID_TEXT_MAX];
};

#define DAY_TREE_MAGIC 0x9c15e27bu

struct day_tree {
    uint32_t magic; /* since it has been read whole */
    struct day_tree_facts facts;
    int64_t entries;
    int64_t sum_micros;
    uint8_t root[DIGEST_SIZE];
    struct day_tree_account *accounts; /* by crawler_id */
    size_t account_count;
    struct day_tree_tile *tiles;
    size_t tile_count;
    int64_t strangers; /* entries of crawlers that have no line */
    int64_t unproven;  /* entries that are not billed, and in no line */
};

/* Reads the day's entries inside the open transaction, after the day's lines have been written. The caller
 * frees with day_tree_free, whatever comes back; start with {0}. Of a part of the day, totals and root are
 * the part's. */
enum err day_tree_read(struct pg *pg, const struct day_tree_order *order, struct day_tree *tree) MUST_USE;
void day_tree_free(struct day_tree *tree);

/* How many crawlers' entries and lines differ in number or sum. */
int64_t day_tree_mismatches(const struct day_tree *tree);

/* Stores the tiles. */
enum err day_tree_insert(struct pg *pg, const struct day_tree_order *order,
                         const struct day_tree *tree) MUST_USE;

/* Finds the first tile that differs from the stored one: `tile` is its number, or -1 if there is none. */
enum err day_tree_compare(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree,
                          int64_t *tile) MUST_USE;

#endif
