/* The recorder: a thread that every few seconds collects what the HTTP threads have counted and adds it to
 * the ledger's table "traffic", by a connection of its own. No request ever waits for it. While the database
 * is away, counts are kept and written later, as long as there is room for them. */
#ifndef LEDGER_TRAFFIC_RECORDER_H
#define LEDGER_TRAFFIC_RECORDER_H

#include "ledger/base/config/config.h"
#include "ledger/traffic/tally.h"

struct recorder;

/* Starts the thread. A missing database is no error. `config` must outlive the recorder: its connection is
 * used. NULL without memory or thread. */
struct recorder *recorder_start(const struct config *config);

/* From now on as often as this configuration says: traffic.write_seconds. */
void recorder_adopt(struct recorder *recorder, const struct config *config);

/* A tally for one thread, who gives it back by tally_release. From any thread. NULL without memory. */
struct tally *recorder_tally(struct recorder *recorder);

/* Writes what has been counted, if the database is there and takes it within ledger.timeout_seconds; ends the
 * thread and frees. NULL is fine. */
void recorder_stop(struct recorder *recorder);

#endif
