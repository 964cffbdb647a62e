/* A session is made anew after every failure rather than mended: prepared statements, settings, known sites
 * and the writer's id all belong to one server process, and after a failover to one server. Days and
 * partitions are made days ahead, so that no entry ever waits for one. */
#include "ledger/entry/session.h"

#include "ledger/base/clock.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/base/crypto/random.h"
#include "ledger/pg/sandbox.h"
#include "ledger/pg/schema.h"
#include "ledger/site/site.h"

#include <assert.h>
#include <stdlib.h>

#define KEEP_EVERY_MS  3600000
#define KEEP_RETRY_MS  60000
#define CONNECT_MAX_MS 2000

/* The machine's clock: an offset is for demonstrations, and known to whoever gave it. */
static enum err report_clock(const struct session *session)
{
    struct pg_params params = {0};
    pg_params_bytes(&params, slice_bytes(session->writer_id, UUID_SIZE));
    pg_params_number(&params, clock_system_ms());
    return pg_run(session->pg, "gate_clock_insert", &params, NULL);
}

/* Partitions first: an entry without a day waits for its day, an entry without a partition is refused. */
static enum err make_ahead(struct session *session, const struct config *config)
{
    OBJECT_CHECK(session, SESSION_MAGIC);
    enum err err;
    int64_t now_ms = clock_now_ms();
    TRY(site_make_partitions(session->pg, now_ms));
    for (size_t i = 0; i < config->site_count; i++)
        TRY(site_make_days(session->pg, session->site_ids[i], now_ms));
    session->made_at_ms = now_ms;
    TRY(report_clock(session));
out:
    return err;
}

/* Before the first offer of this configuration is paid: who judges its entry must know what it was for. */
static enum err record_offers(struct session *session, const struct config *config, size_t index)
{
    struct pg_params params = {0};
    pg_params_number(&params, session->site_ids[index]);
    pg_params_text(&params, config->sites[index].terms_url);
    pg_params_number(&params, config->offer_ttl_seconds);
    pg_params_number(&params, clock_now_ms());
    return pg_run(session->pg, "offer_terms_insert", &params, NULL);
}

static enum err prepare(struct session *session, const struct config *config)
{
    assert(session->pg && config->site_count > 0);
    enum err err;
    int64_t now_ms = clock_now_ms();
    TRY(schema_check_gate(session->pg));
    TRY(sandbox_enter(session->pg, "crawltabd"));
    for (size_t i = 0; i < config->site_count; i++) {
        TRY(site_register(session->pg, &config->sites[i], now_ms, &session->site_ids[i]));
        TRY(record_offers(session, config, i));
    }
    TRY(make_ahead(session, config));
out:
    return err;
}

struct session *session_open(const struct config *config, int64_t deadline_ms)
{
    int64_t timeout_ms = config->ledger_timeout_seconds * 1000;
    struct session *session = calloc(1, sizeof(*session));
    enum err err = ERR_LEDGER_UNAVAILABLE;
    if (!session || !(session->site_ids = calloc(config->site_count + 1, sizeof(int64_t))))
        goto out;
    OBJECT_MAKE(session, SESSION_MAGIC);
    session->pg = pg_open(&(struct pg_options){
        .config = config,
        .role = config->ledger_gate_role,
        .application = "crawltabd",
        .connect_ms = timeout_ms < CONNECT_MAX_MS ? timeout_ms : CONNECT_MAX_MS,
        .deadline_ms = deadline_ms,
        .timeout_ms = timeout_ms,
        .limit_server = true,
    });
    uint8_t chance[10];
    random_bytes(chance, sizeof(chance));
    uuid_make(clock_now_ms(), chance, session->writer_id);
    if (session->pg)
        err = prepare(session, config);
out:
    if (err == ERR_OK) {
        pg_deadline(session->pg, 0);
        session->counted = true;
        metrics_add(METRIC_LEDGER_CONNECTIONS, 1);
    } else {
        session_close(session);
        session = NULL;
    }
    return session;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    if (session->magic)
        OBJECT_END(session, SESSION_MAGIC);
    metrics_add(METRIC_LEDGER_CONNECTIONS, session->counted ? -1 : 0);
    pg_close(session->pg);
    free(session->site_ids);
    free(session);
}

void session_keep(struct session *session, const struct config *config)
{
    OBJECT_CHECK(session, SESSION_MAGIC);
    if (llabs(clock_now_ms() - session->made_at_ms) < KEEP_EVERY_MS ||
        clock_monotonic_ms() < session->make_after_ms)
        return;
    session->make_after_ms = clock_monotonic_ms() + KEEP_RETRY_MS;
    pg_deadline(session->pg, 0);
    if (make_ahead(session, config) == ERR_OK)
        session->make_after_ms = 0;
    else
        LOG(WARN, "ledger_days_not_made", {"detail", "days and partitions ahead could not be made"},
            {"hint", "it is tried again every minute"});
}
