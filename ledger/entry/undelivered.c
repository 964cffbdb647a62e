/* The database decides, in one statement and under its own lock, whether there is such a charge, and whether
 * it was told before: a front repeats itself when it gets no answer. */
#include "ledger/entry/undelivered.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "sql/rows/entry.h"

#include <assert.h>
#include <string.h>

static enum undelivered_outcome outcome_of(const char *text)
{
    static const char *const names[] = {
        [UNDELIVERED_RECORDED] = "recorded", [UNDELIVERED_KNOWN] = "known",
        [UNDELIVERED_DIFFERS] = "differs",   [UNDELIVERED_NO_CHARGE] = "no-charge",
        [UNDELIVERED_SEALED] = "sealed",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], text) == 0)
            return (enum undelivered_outcome)i;
    assert(!"a sixth outcome of note_undelivered");
    return UNDELIVERED_SEALED;
}

static enum err record(struct pg *pg, const struct undelivered *fact, const uint8_t writer_id[UUID_SIZE],
                       int64_t sequence, enum undelivered_outcome *outcome)
{
    assert(fact->sent_bytes >= 0 && fact->length_bytes >= -1 && fact->final_micros >= 0 && fact->told_by &&
           sequence > 0);
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_bytes(&params, slice_bytes(fact->payment_id, UUID_SIZE));
    pg_params_number(&params, (int64_t)fact->status);
    pg_params_number(&params, fact->sent_bytes);
    pg_params_number(&params, fact->length_bytes);
    pg_params_text(&params, fact->told_by);
    pg_params_bytes(&params, slice_bytes(writer_id, UUID_SIZE));
    pg_params_number(&params, sequence);
    pg_params_number(&params, fact->final_micros);
    TRY(pg_run(pg, "undelivered_insert", &params, &rows));
    assert(rows.count == 1);
    *outcome = outcome_of(undelivered_insert_row(&rows, 0).outcome);
out:
    pg_rows_free(&rows);
    return err;
}

enum err undelivered_record(struct session *session, const struct undelivered *fact,
                            enum undelivered_outcome *outcome)
{
    /* A number of its own, in the order of commits: gates read the credit that it gives back as they read
     * what batches spend. */
    return record(session->pg, fact, session->writer_id, ++session->sequence, outcome);
}

enum err undelivered_record_alone(struct pg *pg, const struct undelivered *fact,
                                  enum undelivered_outcome *outcome)
{
    uint8_t chance[10], writer_id[UUID_SIZE];
    /* A writer of its own, of one batch: the operator's command has no session, and gates follow it alike. */
    random_bytes(chance, sizeof(chance));
    uuid_make(clock_now_ms(), chance, writer_id);
    return record(pg, fact, writer_id, 1, outcome);
}
