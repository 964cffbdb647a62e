/* Ages here and moments in /metrics: whoever reads this is a person or a balancer, who asks now. */
#include "server/monitor/readiness.h"

#include "ledger/base/clock.h"

#include <jansson.h>

/* What keeps it from being ready, asked for once: the answer's status and its text may not differ. */
struct hindrances {
    bool stopping, no_ledger, no_accounts;
};

static json_t *reasons_of(const struct hindrances *found)
{
    json_t *reasons = json_array();
    if (found->stopping)
        json_array_append_new(reasons, json_string("the gate is stopping: it finishes what is under way"));
    if (found->no_ledger)
        json_array_append_new(reasons, json_string("the database cannot be reached, or its schema is another:"
                                                   " payments get 503; the log says why"));
    if (found->no_accounts)
        json_array_append_new(
            reasons, json_string("agreements and limits of a site are not read yet: payments get 503"));
    return reasons;
}

/* Null: never yet. */
static json_t *seconds_since(int64_t ms)
{
    return ms > 0 ? json_integer((clock_now_ms() - ms) / 1000) : json_null();
}

static json_t *sites_of(const struct monitor_parts *parts)
{
    json_t *sites = json_array();
    for (size_t i = 0; i < parts->config->site_count; i++) {
        struct refresh_night night = {.sealed_ms = 0};
        const char *name = parts->config->sites[i].name;
        if (!refresh_night(parts->accounts, slice_of(name), &night))
            continue;
        json_array_append_new(sites, json_pack("{s:s,s:o,s:o}", "site", name, "newest_seal_age_seconds",
                                               seconds_since(night.sealed_ms), "last_night_age_seconds",
                                               seconds_since(night.closed_ms)));
    }
    return sites;
}

bool readiness_write(FILE *out, const struct monitor_parts *parts, bool stopping)
{
    const struct hindrances found = {.stopping = stopping,
                                     .no_ledger = !writer_ready(parts->writer),
                                     .no_accounts = !refresh_ready(parts->accounts, parts->config)};
    bool ready = !found.stopping && !found.no_ledger && !found.no_accounts;
    /* Not by the list of reasons: without memory that is empty, and the gate is not ready for that. */
    json_t *reasons = reasons_of(&found);
    json_t *whole =
        json_pack("{s:b,s:o,s:o}", "ready", (int)ready, "reasons", reasons, "sites", sites_of(parts));
    json_dumpf(whole, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(whole);
    return ready;
}
