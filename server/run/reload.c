/* Built beside the present one and tried before it takes over: a reload that fails leaves everything as it
 * was. The old generation is stopped on a thread of its own, as its last entries may wait for the ledger
 * for seconds, during which signals must be heard. */
#include "server/run/reload.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS     10
#define CHANGES_MAX 1024

#define RETIREMENT_MAGIC 0x8b4de73fu

/* The end of a generation, on a thread of its own because the last entries may have to wait for the ledger.
 */
struct retirement {
    uint32_t magic;
    struct http *http, *decisions, *facilitator, *monitor;
    struct generation *generation;
    pthread_t thread;
    bool threaded;
    atomic_bool done;
};

void reload_log(const struct config *config)
{
    log_set_json(strcmp(config->log_format, "json") == 0);
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(config->log_level, names[i]) == 0)
            log_set_level((enum log_level)i);
}

const struct config_list reload_nobody = {.count = 0};

/* Ways to be on this machine. */
static const char *const near[] = {"unix", "127.0.0.0/8", "::1"};
#define NEAR_COUNT (sizeof(near) / sizeof(*near))

bool reload_fronts(const struct config *config, struct config_list *fronts)
{
    const struct config_list *proxies = &config->trusted_proxies;
    *fronts = (struct config_list){.items = calloc(proxies->count + NEAR_COUNT, sizeof(*fronts->items))};
    for (size_t i = 0; fronts->items && i < proxies->count; i++)
        fronts->items[fronts->count++] = proxies->items[i];
    for (size_t i = 0; fronts->items && i < NEAR_COUNT; i++)
        fronts->items[fronts->count++] = near[i];
    return fronts->items != NULL;
}

static int refuse(const struct served *served, const char *detail)
{
    LOG(ERROR, "reload_refused", {"file", served->file}, {"detail", detail},
        {"hint", "the configuration from before stays in force"});
    return 0;
}

/* Each line of the reader's report as an event, so that all of them are found in the log. */
static void log_lines(enum log_level level, const char *event, char *text)
{
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line && log_wanted(level))
            log_write(level, event, (const struct log_field[]){{"detail", line}, {NULL, NULL}});
}

/* NULL after logging every error. */
static struct config *load(const char *file)
{
    char *texts[2] = {NULL, NULL};
    size_t lengths[2];
    struct config *config = NULL;
    FILE *errors = open_memstream(&texts[0], &lengths[0]);
    FILE *warnings = open_memstream(&texts[1], &lengths[1]);
    if (errors && warnings)
        config = config_load(file, errors, warnings);
    if (errors && fclose(errors) == 0)
        log_lines(LOG_LEVEL_ERROR, "config_error", texts[0]);
    if (warnings && fclose(warnings) == 0)
        log_lines(LOG_LEVEL_WARN, "config_warning", texts[1]);
    free(texts[0]);
    free(texts[1]);
    return config;
}

struct changes {
    char taken[CHANGES_MAX];
    char waiting[CHANGES_MAX];
};

static void note_change(void *context, const char *key)
{
    struct changes *changes = context;
    bool waits = strcmp(key, "listen") == 0 || strcmp(key, "threads") == 0 || strncmp(key, "http.", 5) == 0 ||
                 strcmp(key, "decisions.listen") == 0 || strcmp(key, "facilitator.listen") == 0 ||
                 strcmp(key, "monitor.listen") == 0 || strcmp(key, "nightly.at") == 0 ||
                 strcmp(key, "seal.interim_minutes") == 0;
    char *list = waits ? changes->waiting : changes->taken;
    size_t len = strlen(list);
    assert(len < CHANGES_MAX);
    snprintf(list + len, CHANGES_MAX - len, "%s%s", len > 0 ? " " : "", key);
}

static bool has_left(const struct http *http)
{
    return !http || http_switched(http);
}

static void *retire(void *context)
{
    OBJECT_CHECK((struct retirement *)context, RETIREMENT_MAGIC);
    struct retirement *retirement = context;
    while (!has_left(retirement->http) || !has_left(retirement->decisions) ||
           !has_left(retirement->facilitator) || !has_left(retirement->monitor))
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    generation_stop(retirement->generation);
    LOG(DEBUG, "retired", {"detail", "nothing is left of the former configuration"});
    atomic_store(&retirement->done, true);
    return NULL;
}

/* The next generation must be as able to write as the present one before it takes over. */
static bool wait_for_ledger(const struct served *served, const struct generation *next, int *ended_by)
{
    int64_t until_ms = clock_monotonic_ms() + generation_config(next)->ledger_timeout_seconds * 1000;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    while (generation_ready(served->generation) && !generation_ready(next)) {
        int signal = sigtimedwait(&ends, NULL, &(struct timespec){.tv_nsec = POLL_MS * 1000000L});
        *ended_by = signal > 0 ? signal : 0;
        if (signal > 0 || clock_monotonic_ms() >= until_ms)
            return false;
    }
    return true;
}

static void log_reloaded(const struct served *served, const struct generation *next)
{
    struct changes changes = {.taken = ""};
    config_compare(generation_config(served->generation), generation_config(next), note_change, &changes);
    LOG(INFO, "reloaded", {"file", served->file}, {"changed", *changes.taken ? changes.taken : "none"});
    if (*changes.waiting)
        LOG(WARN, "reload_ignored", {"keys", changes.waiting}, {"detail", "these change at the next start"});
}

/* The first listener has switched: what is asked for after that must not be refused for want of memory. */
static void switch_surely(struct http *http, const struct exchange_handler *handler,
                          const struct config_list *proxies)
{
    while (http && !http_switch(http, handler, proxies))
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
}

int reload(struct served *served)
{
    assert(!served->retirement); /* there are never more than two generations */
    int ended_by = 0;
    struct config *config = load(served->file);
    if (!config)
        return refuse(served, "the file has errors");
    struct generation *next = generation_start(config, served->generation);
    if (!next)
        return refuse(served, "the new configuration cannot be started");
    const char *detail = "no memory";
    struct config_list fronts = {.count = 0};
    struct retirement *retirement = calloc(1, sizeof(*retirement));
    if (!retirement || !reload_fronts(generation_config(next), &fronts))
        goto refused;
    if (!wait_for_ledger(served, next, &ended_by)) {
        detail =
            ended_by ? "the gate is stopping" : "the new configuration does not reach the ledger in time";
        goto refused;
    }
    if (!http_switch(served->http, generation_handler(next), &generation_config(next)->trusted_proxies))
        goto refused;
    *retirement = (struct retirement){.magic = RETIREMENT_MAGIC,
                                      .http = served->http,
                                      .decisions = served->decisions,
                                      .facilitator = served->facilitator,
                                      .monitor = served->monitor,
                                      .generation = served->generation};
    switch_surely(served->decisions, generation_decisions(next), &fronts);
    switch_surely(served->facilitator, generation_facilitator(next), &reload_nobody);
    switch_surely(served->monitor, generation_monitor(next, served->http), &reload_nobody);
    free(fronts.items);
    generation_take_over(next);
    log_reloaded(served, next);
    reload_log(generation_config(next));
    served->generation = next;
    served->retirement = retirement;
    retirement->threaded = pthread_create(&retirement->thread, NULL, retire, retirement) == 0;
    if (!retirement->threaded)
        retire(retirement);
    return 0;
refused:
    refuse(served, detail);
    free(fronts.items);
    free(retirement);
    generation_stop(next);
    return ended_by;
}

bool reload_retiring(struct served *served)
{
    if (served->retirement && atomic_load(&served->retirement->done))
        reload_finish(served);
    return served->retirement != NULL;
}

void reload_finish(struct served *served)
{
    if (!served->retirement)
        return;
    OBJECT_CHECK(served->retirement, RETIREMENT_MAGIC);
    if (served->retirement->threaded)
        pthread_join(served->retirement->thread, NULL);
    assert(atomic_load(&served->retirement->done));
    free(served->retirement);
    served->retirement = NULL;
}
