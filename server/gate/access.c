#include "server/gate/access.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/network.h"
#include "ledger/base/object.h"
#include "ledger/base/text/amount.h"

#include <stdio.h>

#define ACCESS_MAGIC 0x4cd93a17u
#define PATH_MAX_LOG                                                                                         \
    700 /* a line of the log is cut at 2 KiB, and what stands behind the path must be there */

struct access {
    uint32_t magic;
    enum log_level level;
    const char *site, *method, *path, *crawler, *identity, *rule, *currency, *why, *code;
    enum traffic_outcome what;
    bool answered;
    char client[NETWORK_TEXT_MAX];
    char payment[UUID_TEXT_MAX];
    char price[AMOUNT_TEXT_MAX];
    unsigned status;
    int64_t begun_ms;
};

/* What is refused before a rule is looked for is somebody's request all the same. */
static bool is_crawler(struct crawl *crawl)
{
    if (crawl->path.len == 0)
        crawl->decision.by_crawler =
            rules_by_crawler(crawl->gate->rules, &crawl->exchange->message, &crawl->decision.crawler);
    return crawl->decision.by_crawler;
}

/* A payer who came in vain, and may not come again. */
static bool is_lost(const struct crawl *crawl, enum err outcome)
{
    return err_status(outcome) == 503 && dialect_pays(&crawl->exchange->message);
}

/* The submission's outcome is the last that is known. */
static bool is_handed_in(const struct crawl *crawl)
{
    return crawl->stage == CRAWL_RECORDING || crawl->stage == CRAWL_CHECKING;
}

static const char *ledger_away(const struct crawl *crawl)
{
    if (is_handed_in(crawl))
        return crawl->submission.deadline_ms > 0
                   ? "the database did not commit it in time (ledger.timeout_seconds)"
                   : "there is no connection to the database";
    return crawl->view ? "its billing day is sealed, or what was spent is not added up yet (accounts_behind)"
                       : "agreements have not been read yet";
}

/* Of a 503: what the public sentence does not say. NULL: nothing. */
static const char *why_of(const struct crawl *crawl, enum err outcome)
{
    switch (outcome) {
    case ERR_DIRECTORY_UNAVAILABLE:
        return *crawl->key.why ? crawl->key.why : "its key directory could not be fetched";
    case ERR_LEDGER_UNAVAILABLE:
        return ledger_away(crawl);
    case ERR_OVERLOADED:
        return is_handed_in(crawl) ? "ledger.queue_entries wait for the database already"
                                   : "too many wait for key directories, or for the site's own server";
    default:
        return NULL;
    }
}

static const char *kept(struct arena *arena, struct slice text)
{
    return text.len > 0 ? arena_copy(arena, text) : NULL;
}

static const char *path_of(struct crawl *crawl)
{
    struct slice path = message_path(&crawl->exchange->message);
    if (path.len <= PATH_MAX_LOG)
        return arena_copy(&crawl->exchange->arena, path);
    return arena_format(&crawl->exchange->arena, "%.*s...", PATH_MAX_LOG, path.data).data;
}

static void write_line(const struct access *access, const char *ended, int64_t bytes)
{
    const struct log_field fields[] = {
        {"site", access->site},
        {"method", access->method},
        {"path", access->path},
        {"crawler", access->crawler},
        {"identity", access->identity ? access->identity : "none"},
        {"client", access->client},
        {"rule", access->rule},
        {"price", *access->price ? access->price : NULL},
        {"currency", access->currency},
        {"outcome", access->answered ? traffic_outcome_name(access->what) : "unanswered"},
        {"code", access->code},
        {"status", access->answered ? LOG_NUMBER(access->status) : NULL},
        {"payment", *access->payment ? access->payment : NULL},
        {"bytes", bytes >= 0 ? LOG_NUMBER(bytes) : NULL},
        {"ms", LOG_NUMBER(clock_monotonic_ms() - access->begun_ms)},
        {"ended", ended},
        {"why", access->why},
        {NULL, NULL},
    };
    log_write(access->level, "decision", fields);
}

/* The reply has been sent, or cut off. */
static void on_ended(void *context, bool whole, int64_t bytes)
{
    struct access *access = context;
    OBJECT_CHECK(access, ACCESS_MAGIC);
    write_line(access, whole ? NULL : "cut off", bytes);
    OBJECT_END(access, ACCESS_MAGIC);
}

/* What is paid, or would be. */
static int64_t price_of(const struct crawl *crawl)
{
    if (!is_handed_in(crawl))
        return crawl->decision.price_micros;
    const struct submission *submission = &crawl->submission;
    return submission->outcome.err == ERR_OK ? submission->outcome.amount_micros
                                             : crawl->charge.amount_micros;
}

static void fill(struct access *access, struct crawl *crawl, enum err outcome)
{
    struct arena *arena = &crawl->exchange->arena;
    bool verified = crawl->candidate && crawl->key.key;
    bool priced = crawl->decision.action == RULES_CHARGE || price_of(crawl) > 0;
    *access = (struct access){
        .level = is_lost(crawl, outcome) ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
        .site = crawl->site ? kept(arena, slice_of(crawl->site->name)) : NULL,
        .method = kept(arena, crawl->exchange->message.method),
        .path = path_of(crawl),
        .crawler = kept(arena, crawl->decision.crawler),
        .identity = verified ? kept(arena, crawl->candidate->agent->account) : NULL,
        .rule = crawl->decision.rule ? kept(arena, slice_of(crawl->decision.rule)) : NULL,
        .code = crawl->decision.observed ? err_code(crawl->observed) : err_code(outcome),
        .begun_ms = crawl->begun_ms,
        .status = crawl->exchange->reply.status,
    };
    const char *why = why_of(crawl, outcome);
    access->why = why ? arena_copy(arena, slice_of(why)) : NULL;
    network_format(crawl->exchange->client.address, access->client);
    if (priced) {
        amount_format(price_of(crawl), access->price);
        access->currency = kept(arena, slice_of(crawl->site->currency));
    }
    if (crawl->id_text.len > 0) /* it is genuine */
        uuid_format(crawl->id.uuid, access->payment);
}

static bool is_wanted(struct crawl *crawl, enum err outcome)
{
    if (is_lost(crawl, outcome))
        return log_wanted(LOG_LEVEL_WARN);
    return crawl->gate->parts.config->log_decisions && log_wanted(LOG_LEVEL_INFO) && is_crawler(crawl);
}

void access_note(struct crawl *crawl, enum traffic_outcome what, enum err outcome)
{
    struct exchange *exchange = crawl->exchange;
    assert(!crawl->noted);
    crawl->noted = true;
    if (!is_wanted(crawl, outcome))
        return;
    struct access small, *access = arena_alloc(&exchange->arena, sizeof(*access));
    fill(access ? access : &small, crawl, outcome);
    (access ? access : &small)->what = what;
    (access ? access : &small)->answered = true;
    if (!access) {
        write_line(&small, NULL, -1); /* the request has filled the arena: nobody will tell how it ended */
        return;
    }
    OBJECT_MAKE(access, ACCESS_MAGIC);
    exchange->ended = (struct exchange_ended){on_ended, access};
}

void access_gone(struct crawl *crawl)
{
    enum err outcome = is_handed_in(crawl) ? crawl->submission.outcome.err : crawl->outcome;
    struct access access;
    if (crawl->noted || !is_wanted(crawl, outcome))
        return;
    crawl->noted = true;
    fill(&access, crawl, outcome);
    if (crawl->stage != CRAWL_RECORDING && crawl->stage != CRAWL_DECIDED)
        access.code = NULL;
    write_line(&access, "the client has gone", 0);
}
