/* One writer per shape of number: each family begins with its help and type, once, and all its samples
 * follow. Moments are told as such ("…_timestamp_seconds"), not as ages: an age would stand still when the
 * gate does, and Prometheus subtracts from time() by itself. */
#include "server/monitor/exposition.h"

#include "ledger/base/log_queue.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/version.h"
#include "ledger/pg/schema.h"
#include "ledger/traffic/counts.h"
#include "server/monitor/process.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define NANO 1000000000

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

_Static_assert(TRAFFIC_OUTCOME_COUNT <= METRICS_OUTCOMES_MAX, "what is told here is counted there");

static void head(FILE *out, const char *family, const char *type, const char *what)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", family, what, family, type);
}

static void single(FILE *out, const char *family, const char *type, const char *what, int64_t value)
{
    head(out, family, type, what);
    fprintf(out, "%s %" PRId64 "\n", family, value);
}

static void write_numbers(FILE *out, const struct metrics_sums *sums)
{
    static const struct {
        const char *family, *type, *labels, *what;
    } rows[] = {
#define ROW(name, kind, family, labels, what) {family, #kind, labels, what},
        METRICS(ROW)
#undef ROW
    };
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        bool first = i == 0 || strcmp(rows[i].family, rows[i - 1].family) != 0;
        assert(first == (*rows[i].what != '\0')); /* a family stands together, and is explained once */
        if (first)
            head(out, rows[i].family, rows[i].type, rows[i].what);
        const char *labels = rows[i].labels;
        /* Sheets are read one after the other: something may be taken out there that was not yet in here. */
        int64_t number = sums->numbers[i] > 0 ? sums->numbers[i] : 0;
        fprintf(out, *labels ? "%s{%s} %" PRId64 "\n" : "%s%s %" PRId64 "\n", rows[i].family, labels, number);
    }
}

/* Series that come to be with their first event would hide that event from rate(). */
static bool is_expected(enum traffic_outcome outcome, enum err err)
{
    switch (outcome) {
    case TRAFFIC_OFFERED:
        return err == ERR_PAYMENT_REQUIRED;
    case TRAFFIC_REFUSED:
        return err != ERR_OK && err != ERR_PAYMENT_REQUIRED;
    case TRAFFIC_OBSERVED:
        return err == ERR_OK || err == ERR_PAYMENT_REQUIRED;
    default:
        return err == ERR_OK;
    }
}

static void write_decisions(FILE *out, const struct metrics_sums *sums)
{
    const char *family = "crawltab_decisions_total";
    head(
        out, family, "counter",
        "Requests, by what came of them and the failure's code; of observed ones the code is what they would "
        "have got.");
    for (unsigned outcome = 0; outcome < TRAFFIC_OUTCOME_COUNT; outcome++)
        for (unsigned err = 0; err < ERR_COUNT; err++)
            if (sums->decisions[outcome][err] > 0 || is_expected(outcome, err))
                fprintf(out, "%s{outcome=\"%s\",code=\"%s\"} %" PRIu64 "\n", family,
                        traffic_outcome_name(outcome), err_code(err), sums->decisions[outcome][err]);
}

struct histogram_text {
    const char *family, *what;
    const char *const *bounds; /* as text */
    bool nanoseconds;
};

/* Prometheus's buckets are cumulative, ours are not: whoever observes adds to one counter, and not to all
 * that are above. So the count is the sum of what was read, and fits the buckets whatever came in between. */
static void write_histogram(FILE *out, const struct histogram_text *text, size_t bounds,
                            const struct metrics_histogram *histogram)
{
    uint64_t count = 0;
    assert(bounds < METRICS_BUCKETS_MAX);
    head(out, text->family, "histogram", text->what);
    for (size_t i = 0; i < bounds; i++) {
        count += histogram->buckets[i];
        fprintf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", text->family, text->bounds[i], count);
    }
    count += histogram->buckets[bounds];
    fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", text->family, count);
    if (text->nanoseconds)
        fprintf(out, "%s_sum %" PRIu64 ".%09" PRIu64 "\n", text->family, histogram->sum / NANO,
                histogram->sum % NANO);
    else
        fprintf(out, "%s_sum %" PRIu64 "\n", text->family, histogram->sum);
    fprintf(out, "%s_count %" PRIu64 "\n", text->family, count);
}

static void write_histograms(FILE *out, const struct metrics_sums *sums)
{
#define TEXT(bound, text) text,
    static const char *const seconds[] = {METRICS_SECONDS(TEXT)};
    static const char *const entries[] = {METRICS_ENTRIES(TEXT)};
#undef TEXT
#define SECONDS                       seconds, true
#define ENTRIES                       entries, false
#define ROW(name, unit, family, what) {family, what, unit},
    static const struct histogram_text texts[] = {METRICS_HISTOGRAMS(ROW)};
#undef ROW
#undef SECONDS
#undef ENTRIES
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        const int64_t *unused;
        size_t bounds = metrics_bounds(i, &unused);
        assert(bounds == (texts[i].nanoseconds ? LENGTH_OF(seconds) : LENGTH_OF(entries)));
        write_histogram(out, &texts[i], bounds, &sums->histograms[i]);
    }
}

enum moment { SEALED, CLOSED };

static void write_moments(FILE *out, const struct monitor_parts *parts, enum moment moment)
{
    const char *family =
        moment == SEALED ? "crawltab_newest_seal_timestamp_seconds" : "crawltab_last_night_timestamp_seconds";
    bool begun = false;
    for (size_t i = 0; i < parts->config->site_count; i++) {
        struct refresh_night night;
        const char *site = parts->config->sites[i].name; /* letters, digits and - _ . */
        if (!refresh_night(parts->accounts, slice_of(site), &night))
            continue;
        int64_t ms = moment == SEALED ? night.sealed_ms : night.closed_ms;
        /* A site without any is left out: 1970 would be an alarm, though nothing is late yet. */
        if (ms <= 0)
            continue;
        if (!begun)
            head(out, family, "gauge",
                 moment == SEALED ? "When the site's newest sealed day was sealed."
                                  : "When a night last closed a day of the site.");
        begun = true;
        fprintf(out, "%s{site=\"%s\"} %" PRId64 ".%03" PRId64 "\n", family, site, ms / 1000, ms % 1000);
    }
}

static void write_audit(FILE *out, const struct monitor_parts *parts)
{
    const char *family = "crawltab_last_audit_timestamp_seconds";
    struct refresh_audit audit = refresh_audit(parts->accounts);
    if (audit.happened_ms <= 0)
        return;
    head(out, family, "gauge", "When the ledger was audited last.");
    fprintf(out, "%s %" PRId64 ".%03" PRId64 "\n", family, audit.happened_ms / 1000,
            audit.happened_ms % 1000);
    single(out, "crawltab_last_audit_findings", "gauge",
           "How much that audit found; 0 if everything added up.", audit.findings);
}

void exposition_write(FILE *out, const struct monitor_parts *parts)
{
    const struct config *config = parts->config;
    struct metrics_sums sums;
    metrics_read(&sums); /* once: what is told in one answer is of one moment, as far as there is one */
    head(out, "crawltab_build_info", "gauge", "What runs; always 1.");
    fprintf(out, "crawltab_build_info{version=\"%s\",schema=\"%" PRId64 "\"} 1\n", CRAWLTAB_VERSION,
            schema_wanted());
    write_decisions(out, &sums);
    write_histograms(out, &sums);
    write_numbers(out, &sums);
    single(out, "crawltab_ledger_up", "gauge", "1 while entries can be written to the database.",
           writer_ready(parts->writer));
    single(out, "crawltab_accounts_ready", "gauge",
           "1 when prices and limits of all sites are known: without them no payment is taken.",
           refresh_ready(parts->accounts, config));
    single(out, "crawltab_ledger_queue_limit_entries", "gauge", "ledger.queue_entries.",
           config->ledger_queue_entries);
    single(out, "crawltab_directory_cache_limit_bytes", "gauge", "directory.cache_bytes.",
           config->directory_cache_bytes);
    single(out, "crawltab_log_lines_lost_total", "counter",
           "Lines of the log that its reader did not take in time.", log_queue_lost());
    write_moments(out, parts, SEALED);
    write_moments(out, parts, CLOSED);
    write_audit(out, parts);
    process_write(out);
}
