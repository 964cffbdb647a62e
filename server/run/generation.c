/* What may be shared with the generation before is shared because two of it would be wrong (two counts of
 * one crawler's credit) or rude (every directory fetched again at each reload); all else is built anew, so
 * that a reload is a start with the door open. */
#include "server/run/generation.h"

#include "ledger/account/reader.h"
#include "ledger/credit/refresh.h"
#include "ledger/delivery/journal.h"
#include "ledger/delivery/reporter.h"
#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/entry/writer.h"
#include "server/agent/directory.h"
#include "server/decisions/decisions.h"
#include "server/facilitator/facilitator.h"
#include "server/gate/gate.h"
#include "server/monitor/monitor.h"
#include "server/run/shared.h"

#include <stdlib.h>
#include <string.h>

/* Signatures with a nonce that open free pages, within signature.identity_seconds: 6 MB where all are in use.
 */
#define NONCES_MAX (1 << 18)

#define GENERATION_MAGIC 0xf18c4609u
#define AGENTS_MAGIC     0xbc03f572u

/* The key directories. */
struct agents {
    uint32_t magic;
    struct file_stamp authorities; /* of directory.ca_file */
    struct fetch *fetch;
    struct directory *directory;
};

/* Started in this order, stopped in the other. What is shared lives on in the next generation as long as
 * nothing changes for it: a reload must not make the gate fetch all key directories again, and what one
 * generation holds reserved of a crawler's credit the other must count. */
struct generation {
    uint32_t magic;
    struct shared *config;
    struct shared *accounts; /* struct refresh */
    struct writer *writer;
    struct reader *reader;
    struct shared *agents; /* struct agents */
    struct shared *nonces;
    struct shared *reporter;
    struct shared *calls;   /* struct calls; NULL: no site has tools */
    struct shared *traffic; /* struct recorder */
    struct shared *journal;
    struct gate *gate;
    struct decisions *decisions;
    struct facilitator *facilitator;
    struct monitor *monitor;
    struct exchange_handler handler, decisions_handler, facilitator_handler, monitor_handler;
};

static void end_config(void *config)
{
    config_free(config);
}

static void end_accounts(void *accounts)
{
    refresh_stop(accounts);
}

static void end_traffic(void *traffic)
{
    recorder_stop(traffic);
}

static void end_journal(void *journal)
{
    journal_stop(journal);
}

static void end_nonces(void *nonces)
{
    nonces_free(nonces);
}

static void end_reporter(void *reporter)
{
    reporter_free(reporter);
}

static void end_calls(void *calls)
{
    calls_free(calls);
}

static void end_agents(void *thing)
{
    struct agents *agents = thing;
    OBJECT_END(agents, AGENTS_MAGIC);
    /* The fetches before what they fill: each of them answers into the directory. */
    fetch_stop(agents->fetch);
    directory_stop(agents->directory);
    free(agents);
}

/* The configuration that something shared was made of. */
static const struct config *config_of(const struct shared *shared)
{
    return shared_thing(shared_under(shared));
}

static struct agents *start_agents(const struct config *config)
{
    struct agents *agents = calloc(1, sizeof(*agents));
    if (!agents)
        return NULL;
    OBJECT_MAKE(agents, AGENTS_MAGIC);
    agents->authorities = file_stamp(config->directory_ca_file);
    agents->fetch = fetch_start(config);
    agents->directory = agents->fetch ? directory_start(config, agents->fetch) : NULL;
    if (agents->directory)
        return agents;
    end_agents(agents);
    return NULL;
}

static void note_agents_key(void *context, const char *key)
{
    bool *differ = context;
    if (strncmp(key, "directory.", 10) == 0 || strncmp(key, "signature.", 10) == 0)
        *differ = true;
}

static bool agents_fit(const struct shared *former, const struct config *config)
{
    struct agents *agents = shared_thing(former);
    OBJECT_CHECK(agents, AGENTS_MAGIC);
    struct file_stamp stamp = file_stamp(config->directory_ca_file);
    bool differ = !file_same(&stamp, &agents->authorities);
    config_compare(config_of(former), config, note_agents_key, &differ);
    return !differ;
}

static struct shared *agents_for(struct shared *config, struct shared *former)
{
    if (former && agents_fit(former, shared_thing(config)))
        return shared_take(former);
    return shared_new(start_agents(shared_thing(config)), end_agents, config);
}

static void note_ledger_key(void *context, const char *key)
{
    static const char *const keys[] = {"ledger.connection", "ledger.pooler", "ledger.password_file",
                                       "ledger.gate_role"};
    bool *differ = context;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strcmp(key, keys[i]) == 0)
            *differ = true;
}

/* It may not be another ledger. */
static bool same_ledger(const struct shared *former, const struct config *config)
{
    bool differ = false;
    config_compare(config_of(former), config, note_ledger_key, &differ);
    return !differ;
}

/* Those of before, unless they may be of another ledger: times change in place, once the generation serves.
 */
static struct shared *accounts_for(struct shared *config, struct shared *former)
{
    if (former && same_ledger(former, shared_thing(config)))
        return shared_take(former);
    return shared_new(refresh_start(shared_thing(config)), end_accounts, config);
}

static struct shared *traffic_for(struct shared *config, struct shared *former)
{
    if (former && same_ledger(former, shared_thing(config)))
        return shared_take(former);
    return shared_new(recorder_start(shared_thing(config)), end_traffic, config);
}

static struct shared *journal_for(struct shared *config, struct shared *former)
{
    if (former && same_ledger(former, shared_thing(config)))
        return shared_take(former);
    return shared_new(journal_start(shared_thing(config)), end_journal, config);
}

static bool has_tools(const struct config *config)
{
    bool has = false;
    for (size_t i = 0; i < config->site_count; i++)
        has = has || config->sites[i].tool_count > 0;
    return has;
}

/* Those of before, also where no site has tools any more: some may still be under way. */
static bool take_calls(struct generation *generation, const struct config *config,
                       const struct generation *former)
{
    if (former && former->calls)
        generation->calls = shared_take(former->calls);
    else if (has_tools(config))
        generation->calls =
            shared_new(calls_new(config, shared_thing(generation->reporter)), end_calls, NULL);
    return generation->calls || !has_tools(config);
}

struct generation *generation_start(struct config *config, struct generation *former)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    struct shared *shared = shared_new(config, end_config, NULL);
    if (!generation || !shared) {
        shared_release(shared);
        free(generation);
        return NULL;
    }
    OBJECT_MAKE(generation, GENERATION_MAGIC);
    generation->config = shared;
    generation->accounts = accounts_for(shared, former ? former->accounts : NULL);
    generation->writer = writer_start(config);
    generation->reader = reader_start(config);
    generation->agents = agents_for(shared, former ? former->agents : NULL);
    generation->nonces =
        former ? shared_take(former->nonces) : shared_new(nonces_new(NONCES_MAX), end_nonces, NULL);
    generation->reporter =
        former ? shared_take(former->reporter) : shared_new(reporter_new(), end_reporter, NULL);
    generation->traffic = traffic_for(shared, former ? former->traffic : NULL);
    generation->journal = journal_for(shared, former ? former->journal : NULL);
    if (!generation->accounts || !generation->writer || !generation->reader || !generation->agents ||
        !generation->nonces || !generation->reporter || !generation->traffic || !generation->journal) {
        LOG(ERROR, "start_failed", {"detail", "no memory or no threads"});
        goto fail;
    }
    if (!take_calls(generation, config, former))
        goto fail;
    const struct agents *agents = shared_thing(generation->agents);
    struct gate_parts parts = {.config = config,
                               .directory = agents->directory,
                               .writer = generation->writer,
                               .accounts = shared_thing(generation->accounts),
                               .nonces = shared_thing(generation->nonces),
                               .reporter = shared_thing(generation->reporter),
                               .traffic = shared_thing(generation->traffic),
                               .reader = generation->reader,
                               .journal = config->delivery_record ? shared_thing(generation->journal) : NULL,
                               .calls = generation->calls ? shared_thing(generation->calls) : NULL};
    generation->gate = gate_new(&parts);
    if (!generation->gate)
        goto fail;
    generation->decisions = decisions_new(generation->gate, &parts);
    generation->facilitator = facilitator_new(generation->gate, &parts);
    generation->monitor = monitor_new(&(struct monitor_parts){config, generation->writer, parts.accounts});
    if (!generation->decisions || !generation->facilitator || !generation->monitor)
        goto fail;
    generation->handler = gate_handler(generation->gate);
    generation->decisions_handler = decisions_handler(generation->decisions);
    generation->facilitator_handler = facilitator_handler(generation->facilitator);
    generation->monitor_handler = monitor_handler(generation->monitor);
    return generation;
fail:
    generation_stop(generation);
    return NULL;
}

const struct config *generation_config(const struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    return shared_thing(generation->config);
}

void generation_take_over(struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    reporter_use(shared_thing(generation->reporter), generation->writer);
    if (generation->calls)
        calls_tell_left(shared_thing(generation->calls));
    refresh_adopt(shared_thing(generation->accounts), shared_thing(generation->config));
    recorder_adopt(shared_thing(generation->traffic), shared_thing(generation->config));
}

const struct exchange_handler *generation_handler(const struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    return &generation->handler;
}

const struct exchange_handler *generation_decisions(const struct generation *generation)
{
    return &generation->decisions_handler;
}

const struct exchange_handler *generation_facilitator(const struct generation *generation)
{
    return &generation->facilitator_handler;
}

const struct exchange_handler *generation_monitor(struct generation *generation, const struct http *http)
{
    monitor_watch(generation->monitor, http);
    return &generation->monitor_handler;
}

bool generation_ready(const struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    return writer_ready(generation->writer) &&
           refresh_ready(shared_thing(generation->accounts), shared_thing(generation->config));
}

bool generation_refused(const struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    return writer_refused(generation->writer);
}

bool generation_turned(const struct generation *generation)
{
    OBJECT_CHECK(generation, GENERATION_MAGIC);
    return writer_turned(generation->writer);
}

/* Before its writer stops. If no generation follows, the last results of calls are told by it, too. */
static void leave_reporter(struct generation *generation)
{
    struct reporter *reporter = generation->reporter ? shared_thing(generation->reporter) : NULL;
    if (!reporter || !generation->writer)
        return;
    if (generation->calls && reporter_uses(reporter, generation->writer))
        calls_end(shared_thing(generation->calls));
    reporter_leave(reporter, generation->writer);
}

void generation_stop(struct generation *generation)
{
    if (!generation)
        return;
    OBJECT_END(generation, GENERATION_MAGIC);
    monitor_free(generation->monitor);
    leave_reporter(generation);
    /* The writer first: its last answers are told to the gate and to the accounts. */
    writer_stop(generation->writer);
    reader_stop(generation->reader);
    shared_release(generation->agents);
    decisions_free(generation->decisions);
    facilitator_free(generation->facilitator);
    gate_free(generation->gate);
    shared_release(generation->nonces);
    shared_release(generation->calls);
    shared_release(generation->reporter);
    shared_release(generation->traffic);
    shared_release(generation->journal);
    shared_release(generation->accounts);
    shared_release(generation->config);
    free(generation);
}
