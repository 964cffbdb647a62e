/* Everything in a bundle is read, and everything that is read is bound: by a hash that leads to a checkpoint,
 * or by a signature. Members that no check has seen are refused, so that nobody reads them as if it had. */
#include "ledger/bundle/bundle.h"

#include "ledger/bundle/claims.h"
#include "ledger/bundle/json.h"

#include <assert.h>
#include <stdlib.h>

#define MEMORY_BYTES                                                                                         \
    (BUNDLE_BYTES_MAX + 4 * 1048576) /* what a file says, decoded, is shorter than the file */

static bool check(struct bundle_trial *trial)
{
    const char *format = bundle_text(trial->bundle, "format"), *claim = bundle_text(trial->bundle, "claim");
    if (!format || strcmp(format, BUNDLE_FORMAT) != 0)
        return bundle_wrong(trial->report, "the file is no proof of the format " BUNDLE_FORMAT);
    bool entry = claim && strcmp(claim, "entry") == 0;
    if (!entry && (!claim || strcmp(claim, "absence") != 0))
        return bundle_wrong(trial->report, "the file claims neither an entry nor that there is none");
    if (!bundle_logs_read(&trial->arena, json_object_get(trial->bundle, "logs"), trial->order, &trial->logs,
                          trial->report))
        return false;
    bool holds = entry
                     ? bundle_check_entry(trial) && bundle_check_rows(trial) && bundle_check_deliveries(trial)
                     : bundle_check_absence(trial);
    return holds && bundle_logs_signed(&trial->logs, trial->order, trial->report);
}

bool bundle_check(const json_t *bundle, const struct bundle_order *order, struct bundle_report *report)
{
    struct bundle_trial *trial = calloc(1, sizeof(*trial));
    char *memory = malloc(MEMORY_BYTES);
    assert(order->verifies && order->directory && report->count == 0);
    bool whole = trial && memory;
    if (whole) {
        *trial = (struct bundle_trial){.bundle = bundle, .order = order, .report = report};
        arena_init(&trial->arena, memory, MEMORY_BYTES);
        bool holds = check(trial);
        assert(holds == (report->wrong == 0));
        bundle_facts_free(&trial->facts);
        signature_key_free(trial->key);
        free(trial->jwk);
    }
    free(memory);
    free(trial);
    return whole && !report->full;
}
