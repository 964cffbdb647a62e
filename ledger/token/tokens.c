#include "ledger/token/tokens.h"

#include "ledger/base/object.h"
#include "sql/rows/token.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_MAGIC 0x70c4e19bu

struct item {
    struct tokens_grant grant;
    uint8_t digest[DIGEST_SIZE];
    int64_t expires_ms; /* INT64_MAX: never */
};

struct tokens {
    uint32_t magic;
    atomic_size_t owners;
    struct pg_rows rows; /* in which the texts are */
    struct item *items;
    size_t count;
};

enum err tokens_read(struct pg *pg, int64_t now_ms, struct tokens **view)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, now_ms);
    TRY(pg_run(pg, "token_live", &params, &rows));
    struct tokens *made = calloc(1, sizeof(*made));
    struct item *items = calloc((size_t)rows.count + 1, sizeof(*items));
    if (!made || !items) {
        free(made);
        free(items);
        pg_rows_free(&rows);
        return ERR_OVERLOADED;
    }
    OBJECT_MAKE(made, TOKENS_MAGIC);
    atomic_init(&made->owners, 1);
    made->rows = rows;
    made->items = items;
    for (int i = 0; i < rows.count; i++) {
        const struct token_live_row row = token_live_row(&rows, i);
        struct item *item = &items[made->count++];
        item->grant = (struct tokens_grant){row.site, row.name, strcmp(row.role, "settle") == 0};
        item->expires_ms = row.expires_ms_null ? INT64_MAX : row.expires_ms;
        pg_hex_bytes(row.digest, item->digest, sizeof(item->digest));
    }
    *view = made;
out:
    return err;
}

struct tokens *tokens_share(struct tokens *view)
{
    if (view) {
        OBJECT_CHECK(view, TOKENS_MAGIC);
        /* Relaxed: whoever shares it has it, and saw it made. */
        atomic_fetch_add_explicit(&view->owners, 1, memory_order_relaxed);
    }
    return view;
}

void tokens_free(struct tokens *view)
{
    if (!view)
        return;
    OBJECT_CHECK(view, TOKENS_MAGIC);
    size_t before = atomic_fetch_sub(&view->owners, 1);
    assert(before > 0);
    if (before > 1)
        return;
    OBJECT_END(view, TOKENS_MAGIC);
    pg_rows_free(&view->rows);
    free(view->items);
    free(view);
}

size_t tokens_count(const struct tokens *view)
{
    return view->count;
}

const struct tokens_grant *tokens_find(const struct tokens *view, struct slice text, int64_t now_ms)
{
    OBJECT_CHECK(view, TOKENS_MAGIC);
    const struct tokens_grant *found = NULL;
    uint8_t digest[DIGEST_SIZE];
    token_digest(text, digest);
    /* All of them, also behind the one that fits: when an answer comes says nothing about where it stands. */
    for (size_t i = 0; i < view->count; i++)
        if (digest_equal(view->items[i].digest, digest, sizeof(digest)) && now_ms < view->items[i].expires_ms)
            found = &view->items[i].grant;
    return found;
}
