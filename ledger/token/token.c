#include "ledger/token/token.h"

#include "ledger/base/crypto/random.h"
#include "ledger/base/text/encoding.h"
#include "sql/rows/token.h"

#include <assert.h>
#include <string.h>

#define CHANCE 32

/* By which a key is known for one wherever it turns up, such as in a log or a repository. */
static const char prefix[] = "ctab_";
_Static_assert(sizeof(prefix) + ENCODING_BASE64URL_LEN(CHANCE) <= TOKEN_TEXT_MAX, "a key has room");

const char *token_make(char text[TOKEN_TEXT_MAX])
{
    uint8_t chance[CHANCE];
    random_bytes(chance, sizeof(chance));
    memcpy(text, prefix, sizeof(prefix) - 1);
    text[sizeof(prefix) - 1 + encoding_base64url(chance, sizeof(chance), text + sizeof(prefix) - 1)] = '\0';
    return text;
}

void token_digest(struct slice text, uint8_t digest[DIGEST_SIZE])
{
    digest_sha256(&text, 1, digest);
}

bool token_name_fits(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && len <= 64 && !name[len] && strchr(letters, name[0]);
}

static enum token_outcome outcome_of(const char *text)
{
    if (strcmp(text, "made") == 0 || strcmp(text, "revoked") == 0)
        return TOKEN_DONE;
    if (strcmp(text, "full") == 0)
        return TOKEN_FULL;
    return strcmp(text, "none") == 0 ? TOKEN_NONE : TOKEN_TAKEN;
}

enum err token_record(struct pg *pg, const struct token_order *order, const char *text, int64_t now_ms,
                      enum token_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    uint8_t digest[DIGEST_SIZE];
    enum err err;
    assert(token_name_fits(order->name) && order->site_id > 0);
    token_digest(slice_of(text), digest);
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->name);
    pg_params_text(&params, order->role);
    pg_params_bytes(&params, slice_bytes(digest, sizeof(digest)));
    pg_params_number(&params, now_ms);
    if (order->expires_ms > 0)
        pg_params_number(&params, order->expires_ms);
    else
        pg_params_text(&params, NULL);
    pg_params_text(&params, order->actor);
    TRY(pg_run(pg, "token_insert", &params, &rows));
    *outcome = outcome_of(token_insert_row(&rows, 0).outcome);
out:
    pg_rows_free(&rows);
    return err;
}

enum err token_revoke(struct pg *pg, int64_t site_id, const char *name, const char *actor, int64_t now_ms,
                      enum token_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_text(&params, name);
    pg_params_number(&params, now_ms);
    pg_params_text(&params, actor);
    TRY(pg_run(pg, "token_revoke", &params, &rows));
    *outcome = outcome_of(token_revoke_row(&rows, 0).outcome);
out:
    pg_rows_free(&rows);
    return err;
}
