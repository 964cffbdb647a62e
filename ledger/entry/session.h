/* A gate's session with the ledger: connected, the schema checked, the sites known, days and partitions made.
 */
#ifndef LEDGER_ENTRY_SESSION_H
#define LEDGER_ENTRY_SESSION_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

#define SESSION_MAGIC 0x0d92b7e6u

struct session {
    uint32_t magic;
    struct pg *pg;
    int64_t *site_ids;            /* by index in config->sites */
    uint8_t writer_id[UUID_SIZE]; /* drawn for this session: whose batches they are */
    int64_t sequence;             /* of the last batch; they are committed in the order of their numbers */
    int64_t careful_until_ms;     /* monotonic: until then batches may hold ids that are there already */
    int64_t made_at_ms;           /* wall clock at which days and partitions were made */
    bool counted;                 /* among the connections that metrics tell of */
    int64_t make_after_ms;        /* monotonic: not to be tried before, after it failed */
};

/* Opens a session with the gate's role. NULL after a failure, or if it is not open at `deadline_ms`
 * (clock_monotonic_ms; 0: the configuration's time limits alone). */
struct session *session_open(const struct config *config, int64_t deadline_ms) MUST_USE;
void session_close(struct session *session);

/* Makes days and partitions ahead when the clock has moved on by an hour, or was set. A failure is logged and
 * tried again in a minute: there are days enough ahead. */
void session_keep(struct session *session, const struct config *config);

#endif
