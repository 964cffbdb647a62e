#include "ledger/proof/log.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum err log_read(struct pg *pg, int64_t site_id, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, site_id);
    return pg_run(pg, "checkpoint_log", &params, rows);
}

enum err log_origin(struct pg *pg, int64_t site_id, char origin[LEAF_ORIGIN_MAX])
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    TRY(pg_run(pg, "log_origin", &params, &rows));
    bool known = rows.count == 1 &&
                 leaf_origin(log_origin_row(&rows, 0).network, log_origin_row(&rows, 0).name, origin);
    err = known ? ERR_OK : ERR_INTERNAL;
out:
    pg_rows_free(&rows);
    return err;
}

bool log_add(struct merkle_tree *log, const struct checkpoint_log_row *stored)
{
    uint8_t leaf[LEAF_DAY_MAX], hash[DIGEST_SIZE], root[DIGEST_SIZE];
    size_t len = pg_hex_bytes(stored->leaf, leaf, sizeof(leaf));
    if (len > sizeof(leaf) || pg_hex_bytes(stored->log_root, root, sizeof(root)) != sizeof(root))
        return false;
    /* The leaf's bytes are the stored ones, not made anew: what was signed counts, and a day whose entries
     * have changed since is another check's finding. */
    merkle_leaf(slice_bytes(leaf, len), hash);
    merkle_add(log, hash);
    merkle_root(log, hash);
    return stored->log_size == (int64_t)log->size && memcmp(hash, root, sizeof(hash)) == 0;
}

bool log_text(const char *origin, const struct merkle_tree *log, char *out, size_t room)
{
    uint8_t root[DIGEST_SIZE];
    char base64[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    assert(log->size > 0);
    merkle_root(log, root);
    base64[encoding_base64(root, sizeof(root), base64)] = '\0';
    int len = snprintf(out, room, "%s\n%" PRIu64 "\n%s\n", origin, log->size, base64);
    return len >= 0 && (size_t)len < room;
}
