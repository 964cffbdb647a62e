/* A witness that says no says why by its status alone, and some of these mean that the log was tampered with:
 * so each has a sentence of its own. */
#include "ledger/witness/witness.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/log.h"
#include "sql/rows/witness.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *witness_parse(const char *text, struct witness *witness)
{
    size_t key = strcspn(text, " \t"), gap = strspn(text + key, " \t");
    const char *url = text + key + gap;
    size_t len = strlen(url);
    *witness = (struct witness){.name = ""};
    if (gap == 0 || key >= sizeof(witness->verifier))
        return "it is not a verifier key, a space and a URL";
    snprintf(witness->verifier, sizeof(witness->verifier), "%.*s", (int)key, text);
    if (!note_is_witness(witness->verifier))
        return "its key is no verifier key of a witness (NAME+ID+KEY, of type 4: c2sp.org/tlog-cosignature)";
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || strpbrk(url, " \t?#"))
        return "its URL does not begin with http:// or https://, or has a space, ? or # in it";
    while (len > 0 && url[len - 1] == '/')
        len--;
    int made = snprintf(witness->url, sizeof(witness->url), "%.*s/add-checkpoint", (int)len, url);
    if (made < 0 || (size_t)made >= sizeof(witness->url))
        return "its URL is too long";
    snprintf(witness->name, sizeof(witness->name), "%.*s", (int)strcspn(text, "+"), text);
    return NULL;
}

/* --- the log --- */

enum err witness_log_read(struct pg *pg, int64_t site_id, struct witness_log *log)
{
    enum err err;
    log->site_id = site_id;
    TRY(log_origin(pg, site_id, log->origin));
    TRY(log_read(pg, site_id, &log->rows));
    log->size = (uint64_t)log->rows.count;
    log->hashes = calloc(log->size + 1, sizeof(*log->hashes));
    TRY(log->hashes ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < log->rows.count; i++) {
        const struct checkpoint_log_row row = checkpoint_log_row(&log->rows, i);
        uint8_t leaf[LEAF_DAY_MAX];
        size_t len = pg_hex_bytes(row.leaf, leaf, sizeof(leaf));
        merkle_leaf(slice_bytes(leaf, len <= sizeof(leaf) ? len : 0), log->hashes[i]);
        log->note = row.note;
    }
out:
    return err;
}

void witness_log_free(struct witness_log *log)
{
    free(log->hashes);
    pg_rows_free(&log->rows);
    *log = (struct witness_log){.size = 0};
}

enum err witness_newest(struct pg *pg, int64_t site_id, const struct witness *witness, uint64_t *size)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_text(&params, witness->verifier);
    TRY(pg_run(pg, "cosignature_newest", &params, &rows));
    assert(rows.count == 1);
    *size = (uint64_t)cosignature_newest_row(&rows, 0).log_size;
out:
    pg_rows_free(&rows);
    return err;
}

/* --- what is asked --- */

char *witness_request(const struct witness_log *log, uint64_t old)
{
    uint8_t proof[MERKLE_HEIGHT_MAX][DIGEST_SIZE];
    size_t steps = 0;
    assert(log->size > 0 && old <= log->size);
    /* Of nothing, and of the same, there is none. */
    if (old > 0 && old < log->size)
        steps = merkle_consistency((const uint8_t(*)[DIGEST_SIZE])log->hashes, log->size, old, proof);
    size_t room = 64 + steps * (ENCODING_BASE64_LEN(DIGEST_SIZE) + 1) + strlen(log->note) + 1;
    char *body = malloc(room), *out = body;
    if (!body)
        return NULL;
    out += snprintf(out, room, "old %" PRIu64 "\n", old);
    for (size_t i = 0; i < steps; i++) {
        out += encoding_base64(proof[i], DIGEST_SIZE, out);
        *out++ = '\n';
    }
    snprintf(out, room - (size_t)(out - body), "\n%s", log->note);
    return body;
}

/* --- what is answered --- */

static enum witness_verdict refused(struct witness_answer *answer, const char *problem, const char *hint)
{
    snprintf(answer->problem, sizeof(answer->problem), "%s", problem);
    answer->hint = hint;
    return WITNESS_REFUSED;
}

static enum witness_verdict read_cosignature(const struct witness *witness, const struct witness_log *log,
                                             struct slice body, note_verifies *verifies,
                                             struct witness_answer *answer)
{
    static const char hint[] = "does seal.witnesses have the key of the witness at this URL?";
    char note[NOTE_MAX + NOTE_LINE_MAX];
    if (!note_line_by(body, witness->verifier, answer->line))
        return refused(answer, "it answers without a signature by the key that seal.witnesses has of it",
                       hint);
    int len = snprintf(note, sizeof(note), "%s%s", log->note, answer->line);
    if (len < 0 || (size_t)len >= sizeof(note) ||
        !note_witnessed(slice_of(note), witness->verifier, verifies, &answer->seconds))
        return refused(answer, "its signature is not good: it is not of this checkpoint, or not by its key",
                       hint);
    return WITNESS_COSIGNED;
}

/* "17\n" */
static bool read_size(struct slice body, uint64_t *size)
{
    *size = 0;
    if (body.len > 0 && body.data[body.len - 1] == '\n')
        body.len--;
    if (body.len == 0 || body.len > 18)
        return false;
    for (size_t i = 0; i < body.len; i++) {
        if (body.data[i] < '0' || body.data[i] > '9')
            return false;
        *size = *size * 10 + (uint64_t)(body.data[i] - '0');
    }
    return true;
}

static const char audit[] = "ask the witness for that checkpoint, and crawltab audit --checkpoint FILE";

static enum witness_verdict other_log(struct witness_answer *answer)
{
    return refused(
        answer, "it has cosigned another log of as many days: a night was run again over other rows", audit);
}

static enum witness_verdict read_conflict(const struct witness_log *log, const struct witness_reply *reply,
                                          struct witness_answer *answer)
{
    /* Some say so without a size. */
    if (!read_size(reply->body, &answer->old) && reply->old == log->size)
        return other_log(answer);
    if (!read_size(reply->body, &answer->old))
        return refused(answer, "it says that it has seen another log than was said, and not of how many days",
                       "is it a witness at all? c2sp.org/tlog-witness");
    if (answer->old > log->size) {
        snprintf(answer->problem, sizeof(answer->problem),
                 "it has cosigned %" PRIu64 " days of this log, the ledger has %" PRIu64
                 ": an old state was restored, or days were dropped",
                 answer->old, log->size);
        answer->hint = audit;
        return WITNESS_REFUSED;
    }
    if (answer->old != reply->old)
        return WITNESS_ELSEWHERE;
    if (answer->old < log->size)
        return refused(answer, "it has seen this many days, and refuses to go on from there",
                       "is it a witness at all? c2sp.org/tlog-witness");
    return other_log(answer);
}

enum witness_verdict witness_judge(const struct witness *witness, const struct witness_log *log,
                                   const struct witness_reply *reply, note_verifies *verifies,
                                   struct witness_answer *answer)
{
    long status = reply->status;
    *answer = (struct witness_answer){.hint = NULL};
    if (status == 200)
        return read_cosignature(witness, log, reply->body, verifies, answer);
    if (status == 409)
        return read_conflict(log, reply, answer);
    if (status == 404)
        return refused(answer, "it does not know this log, or nothing is at this URL",
                       "give its operator a line of crawltab checkpoint key, and ask him for the URL");
    if (status == 403)
        return refused(answer, "it knows this log by another key than the one that has signed",
                       "after crawltab checkpoint key rotate, give its operator the new one: crawltab "
                       "checkpoint key");
    if (status == 422 && reply->old == log->size)
        return other_log(answer);
    if (status == 422) {
        snprintf(answer->problem, sizeof(answer->problem),
                 "it finds that the log has not grown from the %" PRIu64
                 " days that it has cosigned: a day was changed, dropped or closed again",
                 reply->old);
        answer->hint = audit;
        return WITNESS_REFUSED;
    }
    bool later = status == 429 || status >= 500;
    snprintf(answer->problem, sizeof(answer->problem), "it answers with status %ld", status);
    answer->hint = later ? "the next run asks again" : "is it a witness at all? c2sp.org/tlog-witness";
    return later ? WITNESS_LATER : WITNESS_REFUSED;
}

enum err witness_keep(struct pg *pg, const struct witness *witness, const struct witness_log *log,
                      const struct witness_answer *answer)
{
    struct pg_params params = {0};
    assert(answer->line[0] && answer->seconds > 0);
    pg_params_number(&params, log->site_id);
    pg_params_number(&params, (int64_t)log->size);
    pg_params_text(&params, witness->verifier);
    pg_params_text(&params, answer->line);
    pg_params_number(&params, answer->seconds * 1000);
    return pg_run(pg, "cosignature_insert", &params, NULL);
}

/* --- what was kept --- */

enum err witness_check(struct pg *pg, int64_t site_id, note_verifies *verifies, witness_tell *tell,
                       void *context)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    TRY(pg_run(pg, "cosignature_all", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct cosignature_all_row row = cosignature_all_row(&rows, i);
        char note[NOTE_MAX + NOTE_LINE_MAX], name[NOTE_NAME_MAX + 64];
        int64_t seconds = 0;
        int len = snprintf(note, sizeof(note), "%s%s", row.note, row.line);
        if (len > 0 && (size_t)len < sizeof(note) &&
            note_witnessed(slice_of(note), row.witness, verifies, &seconds) &&
            seconds * 1000 == row.cosigned_ms)
            continue;
        snprintf(name, sizeof(name), "cosignature of %" PRId64 " days by %.*s", row.log_size,
                 (int)strcspn(row.witness, "+"), row.witness);
        tell(context, name, "is not what the witness has signed, or the checkpoint is not");
    }
out:
    pg_rows_free(&rows);
    return err;
}
