/* What the process counts about itself, for whoever watches it. Each thread counts on a sheet of its own that
 * nobody else writes, so that counting takes no lock and no cache line from others; whoever asks adds the
 * sheets up. A sheet outlives its thread, and the next thread goes on with it: what was counted stays.
 * Like the log, it is the process's, and goes on through reloads. */
#ifndef LEDGER_BASE_METRICS_METRICS_H
#define LEDGER_BASE_METRICS_METRICS_H

#include "ledger/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* X(name, kind, family, labels, what it is): Prometheus's names, those of a family in a row. Labels are
 * written out here, so that none can ever be an id or a URL. */
#define METRICS(X)                                                                                           \
    X(CONNECTIONS_WAITING, gauge, "crawltab_http_connections", "state=\"waiting\"",                          \
      "Connections of clients: in wait for a request, answering one, or idle and put aside.")                \
    X(CONNECTIONS_ANSWERING, gauge, "crawltab_http_connections", "state=\"answering\"", "")                  \
    X(CONNECTIONS_IDLE, gauge, "crawltab_http_connections", "state=\"idle\"", "")                            \
    X(CONNECTIONS_TAKEN, counter, "crawltab_http_connections_taken_total", "",                               \
      "Connections that clients have made.")                                                                 \
    X(CONNECTIONS_TURNED_AWAY, counter, "crawltab_http_connections_turned_away_total", "",                   \
      "Connections above http.client_connections, which were closed at once.")                               \
    X(QUEUE_ENTRIES, gauge, "crawltab_ledger_queue_entries", "", "Entries that wait for the ledger.")        \
    X(LEDGER_CONNECTIONS, gauge, "crawltab_ledger_connections", "",                                          \
      "Connections to the database that can write entries, of ledger.writers.")                              \
    X(LEDGER_LOST, counter, "crawltab_ledger_connections_lost_total", "",                                    \
      "Connections to the database that broke or were given up.")                                            \
    X(COMMIT_FAILURES, counter, "crawltab_ledger_commit_failures_total", "",                                 \
      "Batches of entries that could not be committed as a whole.")                                          \
    X(REFRESHES_GOOD, counter, "crawltab_credit_refreshes_total", "result=\"good\"",                         \
      "Readings of agreements and of what crawlers have spent.")                                             \
    X(REFRESHES_FAILED, counter, "crawltab_credit_refreshes_total", "result=\"failed\"", "")                 \
    X(FETCHES_NEW, counter, "crawltab_directory_fetches_total", "result=\"new\"",                            \
      "Fetches of key directories.")                                                                         \
    X(FETCHES_UNCHANGED, counter, "crawltab_directory_fetches_total", "result=\"unchanged\"", "")            \
    X(FETCHES_FAILED, counter, "crawltab_directory_fetches_total", "result=\"failed\"", "")                  \
    X(DIRECTORIES, gauge, "crawltab_directory_cache_directories", "",                                        \
      "Key directories that are remembered.")                                                                \
    X(DIRECTORY_BYTES, gauge, "crawltab_directory_cache_bytes", "",                                          \
      "Memory that they take, of directory.cache_bytes.")                                                    \
    X(TRAFFIC_LOST, counter, "crawltab_traffic_lost_total", "",                                              \
      "Requests that crawltab traffic will never know of.")                                                  \
    X(DELIVERIES_LOST, counter, "crawltab_deliveries_lost_total", "",                                        \
      "Payments of which it will not be recorded what was delivered.")
#define METRICS_NAME(name, kind, family, labels, what) METRIC_##name,
enum metric { METRICS(METRICS_NAME) METRIC_COUNT };

/* X(name, unit, family, what it is). SECONDS are observed in nanoseconds. */
#define METRICS_HISTOGRAMS(X)                                                                                \
    X(VERIFY, SECONDS, "crawltab_verify_seconds", "How long the check of one signature takes.")              \
    X(COMMIT, SECONDS, "crawltab_ledger_commit_seconds", "How long the commit of a batch of entries takes.") \
    X(BATCH, ENTRIES, "crawltab_ledger_commit_entries", "How many entries one commit has.")
#define METRICS_HISTOGRAM_NAME(name, unit, family, what) HISTOGRAM_##name,
enum histogram { METRICS_HISTOGRAMS(METRICS_HISTOGRAM_NAME) HISTOGRAM_COUNT };

/* X(upper bound, the same as Prometheus's text): the last bucket has the rest. */
#define METRICS_SECONDS(X)                                                                                   \
    X(50000, "5e-05")                                                                                        \
    X(100000, "0.0001")                                                                                      \
    X(200000, "0.0002")                                                                                      \
    X(500000, "0.0005")                                                                                      \
    X(1000000, "0.001")                                                                                      \
    X(2000000, "0.002")                                                                                      \
    X(5000000, "0.005")                                                                                      \
    X(10000000, "0.01")                                                                                      \
    X(20000000, "0.02")                                                                                      \
    X(50000000, "0.05")                                                                                      \
    X(100000000, "0.1")                                                                                      \
    X(200000000, "0.2")                                                                                      \
    X(500000000, "0.5")                                                                                      \
    X(1000000000, "1")                                                                                       \
    X(2000000000, "2")                                                                                       \
    X(5000000000, "5")
#define METRICS_ENTRIES(X)                                                                                   \
    X(1, "1")                                                                                                \
    X(2, "2")                                                                                                \
    X(4, "4")                                                                                                \
    X(8, "8")                                                                                                \
    X(16, "16")                                                                                              \
    X(32, "32")                                                                                              \
    X(64, "64")                                                                                              \
    X(128, "128")                                                                                            \
    X(256, "256")                                                                                            \
    X(512, "512")                                                                                            \
    X(1024, "1024")                                                                                          \
    X(4096, "4096")
#define METRICS_BUCKETS_MAX 17 /* of the longer list, with the one for the rest */

#define METRICS_OUTCOMES_MAX 6 /* of a decision: the gate's, see ledger/traffic/counts.h */

struct metrics_histogram {
    uint64_t buckets[METRICS_BUCKETS_MAX];
    uint64_t sum;
};

/* All that was counted, added up. */
struct metrics_sums {
    int64_t numbers[METRIC_COUNT];
    uint64_t decisions[METRICS_OUTCOMES_MAX][ERR_COUNT];
    struct metrics_histogram histograms[HISTOGRAM_COUNT];
};

/* Counts on the calling thread's sheet; less than nothing takes back from a gauge. Without memory for the
 * sheet it is not counted. */
void metrics_add(enum metric metric, int64_t number);

/* This thread's share of a gauge is now `number`. */
void metrics_set(enum metric metric, int64_t number);

/* One decision of the gate: what came of it, and the failure, or ERR_OK. */
void metrics_decided(unsigned outcome, enum err err);

/* One more value, in nanoseconds or entries. */
void metrics_observe(enum histogram histogram, int64_t value);

/* Adds up all sheets. Threads go on counting meanwhile: what belongs together may differ by what came in
 * between. */
void metrics_read(struct metrics_sums *sums);

/* The upper bounds of a histogram's buckets; how many. The last bucket, without a bound, comes after them. */
size_t metrics_bounds(enum histogram histogram, const int64_t **bounds);

#endif
