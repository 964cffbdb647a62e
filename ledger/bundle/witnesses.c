/* What witnesses have cosigned. A log that its publisher had rewritten would be signed as well as this one,
 * but a witness signs none that has not grown from what it has seen. */
#include "ledger/bundle/logs.h"

#include "ledger/base/instant.h"
#include "ledger/bundle/json.h"

#include <inttypes.h>
#include <stdio.h>

/* By whichever key of the log: it may have changed since the witness saw it. */
static bool is_of_log(struct slice note, note_verifies *verifies, const struct bundle_log *log)
{
    struct slice text;
    bool ours = note_open(note, log->signed_by, verifies, &text);
    for (size_t i = 0; !ours && i < log->change_count; i++)
        ours = note_open(note, log->changes[i].old_key, verifies, &text);
    return ours;
}

static bool read_witness(const json_t *json, note_verifies *verifies, const struct bundle_log *log,
                         struct bundle_witness *witness)
{
    const struct slice note = slice_of(bundle_text(json, "checkpoint"));
    struct log_kept said;
    uint8_t root[DIGEST_SIZE];
    witness->key = bundle_text(json, "key");
    if (!BUNDLE_HAS(json, "key", "checkpoint") || !witness->key || !note.data || log_kept_read(note, &said) ||
        strcmp(said.origin, log->origin) != 0 || said.size > log->size || !is_of_log(note, verifies, log) ||
        !note_witnessed(note, witness->key, verifies, &witness->seconds))
        return false;
    witness->size = said.size;
    bundle_log_root(log, said.size, root);
    return memcmp(root, said.root, DIGEST_SIZE) == 0;
}

bool bundle_witnesses_read(const json_t *list, note_verifies *verifies, struct bundle_log *log)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > BUNDLE_WITNESSES_MAX)
        return false;
    for (; log->witness_count < count; log->witness_count++) {
        struct bundle_witness *witness = &log->witnesses[log->witness_count];
        if (!read_witness(json_array_get(list, log->witness_count), verifies, log, witness))
            return false;
        for (size_t i = 0; i < log->witness_count; i++)
            if (strcmp(log->witnesses[i].key, witness->key) == 0)
                return false;
    }
    return true;
}

/* The first day that the file names and the witness has not seen, or NULL. */
static const char *unseen(const struct bundle_log *log, const struct bundle_witness *witness)
{
    for (size_t i = 0; i < log->day_count; i++)
        if (log->days[i].number >= witness->size)
            return log->days[i].date;
    return NULL;
}

static void tell(const struct bundle_log *log, const struct bundle_witness *witness, bool given,
                 struct bundle_report *report)
{
    char at[INSTANT_TEXT_MAX];
    bundle_proven(
        report,
        "The witness %.*s has cosigned %s%" PRIu64 " day%s of the log \"%s\", at %s by its own clock, "
        "with the key %s%s: it has seen the log only grow.",
        (int)strcspn(witness->key, "+"), witness->key, witness->size == log->size ? "all " : "the first ",
        witness->size, witness->size == 1 ? "" : "s", log->origin,
        instant_format(witness->seconds * 1000, at), witness->key, given ? ", which you gave" : "");
}

bool bundle_witnesses_tell(const struct bundle_log *log, const struct bundle_order *order,
                           struct bundle_report *report)
{
    bool seen = !order->witness;
    for (size_t i = 0; i < log->witness_count; i++) {
        const struct bundle_witness *witness = &log->witnesses[i];
        bool given = order->witness && strcmp(order->witness, witness->key) == 0;
        const char *date = given ? unseen(log, witness) : NULL;
        if (date)
            return bundle_wrong(report,
                                "the witness whose key you gave has cosigned %" PRIu64
                                " days of the log \"%s\", and not yet %s: ask for a newer proof",
                                witness->size, log->origin, date);
        seen = seen || given;
        tell(log, witness, given, report);
    }
    return seen || bundle_wrong(report, "the log \"%s\" is not cosigned by the witness whose key you gave",
                                log->origin);
}
