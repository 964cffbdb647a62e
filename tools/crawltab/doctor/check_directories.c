/* Crawlers' key directories are asked with the gate's own means: its limits, its addresses, its reading. */
#include "tools/crawltab/doctor/checks.h"

#include "ledger/base/clock.h"
#include "server/agent/fetch.h"
#include "server/agent/listing.h"
#include "sql/rows/entry.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define ASKED_MAX 100 /* the newest; a few at a time, each with directory.timeout_seconds */
#define NAMED_MAX 10

struct visit {
    struct visits *all;
    const char *url;
    bool done, good;
    char why[128];
};

struct visits {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct config *config;
    struct visit items[ASKED_MAX];
    int count, waiting;
};

/* On the fetch thread. */
static void arrived(void *context, const struct fetch_answer *answer)
{
    struct visit *visit = context;
    const struct listing_terms terms = {clock_now_ms(), visit->all->config->directory_require_proof};
    const char *refusal = answer->failure;
    struct listing *listing =
        answer->failure ? NULL : listing_read(slice_of(visit->url), answer, &terms, &refusal);
    pthread_mutex_lock(&visit->all->lock);
    visit->done = true;
    visit->good = listing && listing->good > 0;
    snprintf(visit->why, sizeof(visit->why), "%s",
             listing   ? "it lists no key that may sign"
             : refusal ? refusal
                       : "there was no answer");
    visit->all->waiting--;
    pthread_cond_signal(&visit->all->changed);
    pthread_mutex_unlock(&visit->all->lock);
    listing_free(listing);
}

static void visit_all(struct visits *visits, struct fetch *fetch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 4 * visits->config->directory_timeout_seconds + 5;
    for (int i = 0; i < visits->count; i++) {
        struct visit *visit = &visits->items[i];
        const struct fetch_request request = {.url = slice_of(visit->url)};
        pthread_mutex_lock(&visits->lock);
        visits->waiting++;
        pthread_mutex_unlock(&visits->lock);
        if (fetch_get(fetch, &request, arrived, visit))
            continue;
        pthread_mutex_lock(&visits->lock);
        visits->waiting--;
        snprintf(visit->why, sizeof(visit->why), "too much is asked for at once");
        pthread_mutex_unlock(&visits->lock);
    }
    pthread_mutex_lock(&visits->lock);
    while (visits->waiting > 0 && pthread_cond_timedwait(&visits->changed, &visits->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&visits->lock);
}

static void tell(struct diagnosis *diagnosis, const struct visits *visits, int64_t crawlers)
{
    static const char check[] = "directories";
    int failed = 0;
    for (int i = 0; i < visits->count; i++) {
        const struct visit *visit = &visits->items[i];
        if (visit->good || ++failed > NAMED_MAX)
            continue;
        diagnosis_add(diagnosis, check, DIAGNOSIS_WARN,
                      failed == 1 ? "its crawler cannot pay when what the gate knows is too old "
                                    "(directory.stale_seconds); if many fail: DNS, a firewall, "
                                    "directory.ca_file?"
                                  : NULL,
                      "%s: %s", visit->url, visit->why);
    }
    if (failed > NAMED_MAX)
        diagnosis_add(diagnosis, check, DIAGNOSIS_WARN, NULL, "and %d more", failed - NAMED_MAX);
    if (failed == 0)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL,
                      "%d of %" PRId64 " crawlers' were asked, and all list a key", visits->count, crawlers);
}

void check_directories(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct visits *visits = calloc(1, sizeof(*visits));
    pthread_condattr_t monotonic;
    pg_params_number(&params, ASKED_MAX);
    diagnosis_listen(diagnosis);
    bool ok = visits && pg_run(pg, "crawler_directories", &params, &rows) == ERR_OK;
    diagnosis_hear(diagnosis, "directories", DIAGNOSIS_BAD);
    if (ok) {
        *visits = (struct visits){.config = config, .count = rows.count};
        pthread_mutex_init(&visits->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&visits->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        for (int i = 0; i < rows.count; i++)
            visits->items[i] = (struct visit){
                .all = visits, .url = crawler_directories_row(&rows, i).directory_url, .why = "not asked"};
        /* What is logged of each is in its reason, too. */
        FILE *aside = fopen("/dev/null", "w");
        log_to(aside);
        struct fetch *fetch = fetch_start(config);
        if (fetch)
            visit_all(visits, fetch);
        fetch_stop(fetch);
        log_to(NULL);
        if (aside)
            fclose(aside);
        tell(diagnosis, visits, rows.count > 0 ? crawler_directories_row(&rows, 0).crawlers : 0);
        pthread_cond_destroy(&visits->changed);
        pthread_mutex_destroy(&visits->lock);
    }
    pg_rows_free(&rows);
    free(visits);
}
