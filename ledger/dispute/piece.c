#include "ledger/dispute/piece.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/bill/adjustment.h"
#include "sql/rows/dispute.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

/* No control characters but those of lines: what has others is no text, whatever it is called. */
static bool is_text(struct slice content)
{
    for (size_t i = 0; i < content.len; i++) {
        unsigned char c = (unsigned char)content.data[i];
        if ((c < 0x20 && !strchr("\t\n\f\r", c)) || c == 0x7f || c == '\0')
            return false;
    }
    json_t *text = json_stringn(content.data, content.len); /* NULL if it is no UTF-8 */
    json_decref(text);
    return text != NULL;
}

const char *piece_media_type(struct slice content)
{
    if (slice_starts(content, SLICE("%PDF-")))
        return "application/pdf";
    if (slice_starts(content, SLICE("\x89PNG\r\n\x1a\n")))
        return "image/png";
    if (slice_starts(content, SLICE("\xff\xd8\xff")))
        return "image/jpeg";
    return content.len > 0 && is_text(content) ? "text/plain" : NULL;
}

struct look {
    enum piece_outcome outcome;
    int64_t site_id, pieces, known;
};

static enum err look_at(struct pg *pg, const struct piece *piece, struct slice digest, struct look *look)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *look = (struct look){.outcome = PIECE_NO_DISPUTE};
    pg_params_text(&params, piece->dispute_id);
    pg_params_bytes(&params, digest);
    TRY(pg_run(pg, "piece_look", &params, &rows));
    if (rows.count == 0)
        goto out;
    const struct piece_look_row row = piece_look_row(&rows, 0);
    look->site_id = row.site_id;
    look->pieces = row.pieces;
    look->known = row.known;
    look->outcome = row.known > 0              ? PIECE_KNOWN
                    : !row.open                ? PIECE_DECIDED
                    : row.pieces >= PIECES_MAX ? PIECE_TOO_MANY
                                               : PIECE_ADDED;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert(struct pg *pg, const struct piece *piece, struct slice digest, const struct look *look,
                       int64_t now_ms)
{
    struct pg_params params = {0};
    pg_params_text(&params, piece->dispute_id);
    pg_params_number(&params, look->site_id);
    pg_params_number(&params, look->pieces + 1);
    pg_params_text(&params, piece->name);
    pg_params_text(&params, piece->media_type);
    pg_params_bytes(&params, digest);
    pg_params_bytes(&params, piece->content);
    pg_params_text(&params, piece->note);
    pg_params_number(&params, now_ms);
    pg_params_text(&params, piece->actor);
    return pg_run(pg, "piece_insert", &params, NULL);
}

enum err piece_add(struct pg *pg, const struct piece *piece, int64_t now_ms, enum piece_outcome *outcome,
                   int64_t *number)
{
    assert(piece->name && piece->media_type && piece->note && piece->actor);
    assert(piece->content.len > 0 && piece->content.len <= PIECE_MAX);
    uint8_t bytes[DIGEST_SIZE];
    struct look look;
    enum err err;
    digest_sha256(&piece->content, 1, bytes);
    const struct slice digest = slice_bytes(bytes, sizeof(bytes));
    TRY(pg_begin(pg));
    TRY(look_at(pg, piece, digest, &look));
    if (look.outcome != PIECE_NO_DISPUTE) {
        TRY(adjustment_lock(pg, look.site_id));
        /* Once more under the lock: a decision, or this very file, may have come in between. */
        TRY(look_at(pg, piece, digest, &look));
    }
    if (look.outcome == PIECE_ADDED) {
        TRY(insert(pg, piece, digest, &look, now_ms));
        TRY(pg_commit(pg));
    }
    *outcome = look.outcome;
    *number = look.outcome == PIECE_ADDED ? look.pieces + 1 : look.known;
out:
    pg_rollback(pg);
    return err;
}
