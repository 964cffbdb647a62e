/* Keys are looked for among all that are in force, and not by their hash in the database: how long that takes
 * would tell how much of a guess is right. */
#include "ledger/token/console_token.h"

#include "sql/rows/token.h"

#include <assert.h>
#include <stdio.h>

static enum token_outcome outcome_of(const char *text)
{
    if (strcmp(text, "made") == 0 || strcmp(text, "revoked") == 0)
        return TOKEN_DONE;
    if (strcmp(text, "full") == 0)
        return TOKEN_FULL;
    return strcmp(text, "none") == 0 ? TOKEN_NONE : TOKEN_TAKEN;
}

enum err console_token_record(struct pg *pg, const struct token_order *order, const char *text,
                              int64_t now_ms, enum token_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    uint8_t digest[DIGEST_SIZE];
    enum err err;
    assert(token_name_fits(order->name));
    token_digest(slice_of(text), digest);
    pg_params_text(&params, order->name);
    pg_params_text(&params, order->role);
    pg_params_bytes(&params, slice_bytes(digest, sizeof(digest)));
    pg_params_number(&params, now_ms);
    if (order->expires_ms > 0)
        pg_params_number(&params, order->expires_ms);
    else
        pg_params_text(&params, NULL);
    pg_params_text(&params, order->actor);
    TRY(pg_run(pg, "console_token_insert", &params, &rows));
    *outcome = outcome_of(token_outcome_row(&rows, 0).outcome);
out:
    pg_rows_free(&rows);
    return err;
}

enum err console_token_revoke(struct pg *pg, const char *name, const char *actor, int64_t now_ms,
                              enum token_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, name);
    pg_params_number(&params, now_ms);
    pg_params_text(&params, actor);
    TRY(pg_run(pg, "console_token_revoke", &params, &rows));
    *outcome = outcome_of(token_outcome_row(&rows, 0).outcome);
out:
    pg_rows_free(&rows);
    return err;
}

static enum err find(struct pg *pg, const uint8_t *digest, const char *name, int64_t now_ms,
                     struct console_token *found)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *found = (struct console_token){.name = ""};
    pg_params_number(&params, now_ms);
    TRY(pg_run(pg, "console_token_live", &params, &rows));
    /* All of them, also behind the one that fits. */
    for (int i = 0; i < rows.count; i++) {
        const struct console_token_live_row row = console_token_live_row(&rows, i);
        uint8_t kept[DIGEST_SIZE];
        pg_hex_bytes(row.digest, kept, sizeof(kept));
        if (digest ? !digest_equal(kept, digest, sizeof(kept)) : strcmp(row.name, name) != 0)
            continue;
        snprintf(found->name, sizeof(found->name), "%s", row.name);
        snprintf(found->role, sizeof(found->role), "%s", row.role);
    }
out:
    pg_rows_free(&rows);
    return err;
}

enum err console_token_find(struct pg *pg, struct slice text, int64_t now_ms, struct console_token *found)
{
    uint8_t digest[DIGEST_SIZE];
    token_digest(text, digest);
    return find(pg, digest, NULL, now_ms, found);
}

enum err console_token_named(struct pg *pg, const char *name, int64_t now_ms, struct console_token *found)
{
    return find(pg, NULL, name, now_ms, found);
}

enum err console_token_used(struct pg *pg, const char *name, int64_t now_ms)
{
    struct pg_params params = {0};
    pg_params_text(&params, name);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "console_token_use", &params, NULL);
}
