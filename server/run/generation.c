#include "server/run/generation.h"

#include "ledger/credit/refresh.h"
#include "ledger/base/file.h"
#include "ledger/base/log.h"
#include "ledger/entry/writer.h"
#include "server/agent/directory.h"
#include "server/gate/gate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A configuration and how many hold it. */
struct settings {
    struct config *config;
    atomic_uint users;
};

/* The key directories, which generations share as long as nothing changes for them: a reload must not make
 * the gate fetch all of them again. */
struct agents {
    struct settings *settings;     /* that they were started with */
    struct file_stamp authorities; /* of directory.ca_file */
    struct fetch *fetch;
    struct directory *directory;
    atomic_uint users;
};

/* The accounts, which generations of the same ledger share: what one holds reserved the other must count. */
struct accounts {
    struct settings *settings; /* that they were started with */
    struct refresh *book;
    atomic_uint users;
};

/* Started in this order, stopped in the other. */
struct generation {
    struct settings *settings;
    struct accounts *accounts;
    struct writer *writer;
    struct agents *agents;
    struct gate *gate;
    struct exchange_handler handler;
};

static struct settings *settings_new(struct config *config)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (!settings) {
        config_free(config);
        return NULL;
    }
    settings->config = config;
    atomic_init(&settings->users, 1);
    return settings;
}

static struct settings *settings_share(struct settings *settings)
{
    atomic_fetch_add(&settings->users, 1);
    return settings;
}

static void settings_release(struct settings *settings)
{
    if (!settings || atomic_fetch_sub(&settings->users, 1) > 1)
        return;
    config_free(settings->config);
    free(settings);
}

static void agents_release(struct agents *agents)
{
    if (!agents || atomic_fetch_sub(&agents->users, 1) > 1)
        return;
    fetch_stop(agents->fetch);
    directory_stop(agents->directory);
    settings_release(agents->settings);
    free(agents);
}

static struct file_stamp stamp_authorities(const struct config *config)
{
    return file_stamp(config->directory_ca_file);
}

static struct agents *agents_new(struct settings *settings)
{
    const struct config *config = settings->config;
    struct agents *agents = calloc(1, sizeof(*agents));
    if (!agents)
        return NULL;
    agents->settings = settings_share(settings);
    atomic_init(&agents->users, 1);
    agents->authorities = stamp_authorities(config);
    agents->fetch = fetch_start(config);
    agents->directory = agents->fetch ? directory_start(config, agents->fetch) : NULL;
    if (agents->directory)
        return agents;
    agents_release(agents);
    return NULL;
}

static void note_agents_key(void *context, const char *key)
{
    bool *differ = context;
    if (strncmp(key, "directory.", 10) == 0 || strncmp(key, "signature.", 10) == 0)
        *differ = true;
}

static struct agents *agents_for(struct settings *settings, struct agents *former)
{
    bool differ = !former;
    if (former) {
        struct file_stamp stamp = stamp_authorities(settings->config);
        differ = !file_same(&stamp, &former->authorities);
        config_compare(former->settings->config, settings->config, note_agents_key, &differ);
    }
    if (differ)
        return agents_new(settings);
    atomic_fetch_add(&former->users, 1);
    return former;
}

static void accounts_release(struct accounts *accounts)
{
    if (!accounts || atomic_fetch_sub(&accounts->users, 1) > 1)
        return;
    refresh_stop(accounts->book);
    settings_release(accounts->settings);
    free(accounts);
}

static struct accounts *accounts_new(struct settings *settings)
{
    struct accounts *accounts = calloc(1, sizeof(*accounts));
    if (!accounts)
        return NULL;
    accounts->settings = settings_share(settings);
    atomic_init(&accounts->users, 1);
    accounts->book = refresh_start(settings->config);
    if (accounts->book)
        return accounts;
    accounts_release(accounts);
    return NULL;
}

static void note_accounts_key(void *context, const char *key)
{
    static const char *const keys[] = {"ledger.connection", "ledger.pooler", "ledger.gate_role"};
    bool *differ = context;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strcmp(key, keys[i]) == 0)
            *differ = true;
}

/* Those of before, unless they may be of another ledger: times change in place, once the generation serves.
 */
static struct accounts *accounts_for(struct settings *settings, struct accounts *former)
{
    bool differ = !former;
    if (former)
        config_compare(former->settings->config, settings->config, note_accounts_key, &differ);
    if (differ)
        return accounts_new(settings);
    atomic_fetch_add(&former->users, 1);
    return former;
}

struct generation *generation_start(struct config *config, struct generation *former)
{
    struct settings *settings = settings_new(config);
    struct generation *generation = settings ? calloc(1, sizeof(*generation)) : NULL;
    if (!generation) {
        settings_release(settings);
        return NULL;
    }
    generation->settings = settings;
    generation->accounts = accounts_for(settings, former ? former->accounts : NULL);
    generation->writer = writer_start(config);
    generation->agents = agents_for(settings, former ? former->agents : NULL);
    if (!generation->accounts || !generation->writer || !generation->agents) {
        LOG(ERROR, "start_failed", {"detail", "no memory or no threads"});
        goto fail;
    }
    struct gate_parts parts = {config, generation->agents->directory, generation->writer,
                               generation->accounts->book};
    generation->gate = gate_new(&parts);
    if (!generation->gate)
        goto fail;
    generation->handler = gate_handler(generation->gate);
    return generation;
fail:
    generation_stop(generation);
    return NULL;
}

const struct config *generation_config(const struct generation *generation)
{
    return generation->settings->config;
}

void generation_take_over(struct generation *generation)
{
    refresh_adopt(generation->accounts->book, generation->settings->config);
}

const struct exchange_handler *generation_handler(const struct generation *generation)
{
    return &generation->handler;
}

bool generation_ready(const struct generation *generation)
{
    return writer_ready(generation->writer) &&
           refresh_ready(generation->accounts->book, generation->settings->config);
}

void generation_stop(struct generation *generation)
{
    if (!generation)
        return;
    writer_stop(generation->writer);
    agents_release(generation->agents);
    gate_free(generation->gate);
    accounts_release(generation->accounts);
    settings_release(generation->settings);
    free(generation);
}
