#include "server/monitor/readiness.h"

#include "ledger/base/clock.h"

#include <jansson.h>

static json_t *reasons_of(const struct monitor_parts *parts, bool stopping)
{
    json_t *reasons = json_array();
    if (stopping)
        json_array_append_new(reasons, json_string("the gate is stopping: it finishes what is under way"));
    if (!writer_ready(parts->writer))
        json_array_append_new(reasons, json_string("the database cannot be reached, or its schema is another:"
                                                   " payments get 503; the log says why"));
    if (!refresh_ready(parts->accounts, parts->config))
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
    json_t *reasons = reasons_of(parts, stopping);
    bool ready = json_array_size(reasons) == 0;
    json_t *whole =
        json_pack("{s:b,s:o,s:o}", "ready", (int)ready, "reasons", reasons, "sites", sites_of(parts));
    json_dumpf(whole, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(whole);
    return ready;
}
