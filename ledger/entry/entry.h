/* Entries on their way into the ledger: a sorted batch, inserted by one statement, and the comparison of what
 * was there already. Decides each entry's outcome; calls nobody back. */
#ifndef LEDGER_ENTRY_ENTRY_H
#define LEDGER_ENTRY_ENTRY_H

#include "ledger/entry/session.h"
#include "ledger/entry/writer.h"

/* No entry is recorded later than this after its id's time: the longest life of an offer and the longest time
 * that a commit may take. So a day can be closed this long after its end, and nothing comes late. */
#define ENTRY_LATEST_MS ((int64_t)(3600 + 60) * 1000)

/* Entries are summed up in the table "spend" by the quarter of an hour of their ids, as uuid_quarter does it
 * with its quarter_ms(). */
#define ENTRY_QUARTER_MS 900000

struct entry {
    struct submission *submission;
    int64_t site_id;
    int64_t crawler_id;
    size_t order;  /* of submission: of two with the same id the first wins */
    bool sent;     /* the first of its id that may be recorded: what was inserted, or was to be */
    bool handed;   /* its id was taken for it, by an earlier try perhaps */
    bool free;     /* a repeat at no price: it costs nothing, and not what the charge says */
    bool stale;    /* its id was used for a repeat at no price, of another copy of the page */
    bool decided;  /* the submission's outcome is set */
    bool conflict; /* not decided yet: a conflict row must be written first */
};

/* Arrays that are filled again and again. */
struct entry_arrays;
struct entry_arrays *entry_arrays_new(void) MUST_USE;
void entry_arrays_free(struct entry_arrays *arrays);

/* By id, then by order. */
void entry_sort(struct entry *entries, size_t count);

/* Inserts the undecided entries of the sorted batch that may be recorded, the first of each id, as recorded
 * at `now_ms`, and decides those that are new. Values that do not fit are found by halving; their entries get
 * ERR_INTERNAL. Other failures leave the rest undecided. */
enum err entry_insert(struct entry_arrays *arrays, struct session *session, int64_t now_ms,
                      struct entry *entries, size_t count) MUST_USE;

/* Takes the ids of undecided entries that are to be handed over, for those who come first, and reads what is
 * stored under all of them: equal entries are decided, others become
 * conflicts. Without one, those that may not be recorded are decided too. */
enum err entry_compare(struct entry_arrays *arrays, struct pg *pg, struct entry *entries,
                       size_t count) MUST_USE;

/* Writes the conflicts' rows and decides them. */
enum err entry_insert_conflicts(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                                size_t count) MUST_USE;

#endif
