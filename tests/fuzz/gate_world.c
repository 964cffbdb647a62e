#include "tests/fuzz/gate_world.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/text/text.h"
#include "ledger/entry/payment_id.h"
#include "ledger/base/crypto/random.h"
#include "tests/fuzz/support.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

struct world world;

const uint8_t world_seed[SIGNATURE_ED25519_KEY_SIZE] = {3, 1, 4, 1, 5, 9, 2, 6};

int64_t clock_now_ms(void)
{
    return WORLD_NOW * 1000LL;
}

int64_t clock_monotonic_ms(void)
{
    return 1000;
}

int64_t clock_monotonic_ns(void)
{
    return 1000000000;
}

void clock_set_offset_ms(int64_t offset_ms)
{
    (void)offset_ms;
}

void random_bytes(void *out, size_t len)
{
    memset(out, 7, len);
}

enum directory_answer directory_find(struct directory *directory, struct slice url,
                                     const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms, bool waited,
                                     struct directory_key *key)
{
    (void)directory;
    HOLDS(now_ms == WORLD_NOW * 1000LL);
    HOLDS(slice_starts(url, SLICE("https://")));
    if (world.ask && !waited)
        return DIRECTORY_ASK;
    if (slice_starts(url, SLICE("https://down.example/")))
        return DIRECTORY_UNAVAILABLE;
    if (memcmp(thumbprint, world.thumbprint, DIGEST_SIZE) != 0)
        return DIRECTORY_NO_KEY;
    *key = (struct directory_key){.key = signature_key_share(world.key), .jwk = world.jwk};
    return DIRECTORY_KEY;
}

void directory_key_clear(struct directory_key *key)
{
    signature_key_free(key->key);
    *key = (struct directory_key){.key = NULL};
}

enum err directory_await(struct directory *directory, struct slice url, struct directory_wait *wait)
{
    (void)directory;
    (void)url;
    HOLDS(!world.waiting && !world.queued);
    if (world.overloaded)
        return ERR_OVERLOADED;
    world.waiting = wait;
    return ERR_OK;
}

bool writer_recall(struct writer *writer, const struct charge *charge, struct charge_outcome *outcome)
{
    (void)writer;
    (void)outcome;
    HOLDS(!world.waiting && !world.queued);
    HOLDS(charge->agent.len > 0 && charge->resource.len > 0 && uuid_is_v7(charge->payment_id));
    return false;
}

enum err writer_submit(struct writer *writer, struct submission *submission)
{
    const struct charge *charge = submission->charge;
    (void)writer;
    HOLDS(submission->magic == SUBMISSION_MAGIC && !submission->taken && submission->done);
    HOLDS(!world.waiting && !world.queued);
    HOLDS(charge->agent.len > 0 && charge->resource.len > 0 && charge->signature_base.len > 0);
    bool late = charge->unless_repeat == ERR_OFFER_EXPIRED || charge->unless_repeat == ERR_SIGNATURE_EXPIRED;
    HOLDS(!world.unread && (late || (charge->unless_repeat == ERR_CREDIT_LIMIT_REACHED) == world.limited));
    HOLDS(charge->signature.len == 64 && uuid_is_v7(charge->payment_id));
    if (world.overloaded)
        return ERR_OVERLOADED;
    world.submitted++;
    world.late = late;
    world.amount_micros = charge->amount_micros;
    world.queued = submission;
    submission->taken = true;
    return ERR_OK;
}

enum err writer_report(struct writer *writer, struct undelivered_report *report)
{
    (void)writer;
    /* Of what was recorded, and once; nothing is streamed here that could break off. */
    HOLDS(report->magic == REPORT_MAGIC && report->done && world.recorded == 1 && !world.reported);
    if (world.overloaded)
        return ERR_OVERLOADED;
    world.reports++;
    world.reported = report;
    return ERR_OK;
}

bool writer_ready(const struct writer *writer)
{
    (void)writer;
    return true;
}

enum err reader_submit(struct reader *reader, struct reading *reading)
{
    (void)reader;
    HOLDS(reading->magic == READING_MAGIC && reading->done && !reading->body);
    HOLDS(!world.waiting && !world.queued && !world.reading && !world.unread);
    HOLDS(reading->agent.len > 0 && reading->request.base.len > 0 && reading->request.signature.len == 64);
    if (world.overloaded)
        return ERR_OVERLOADED;
    world.read++;
    world.reading = reading;
    return ERR_OK;
}

struct agreements *refresh_take_agreements(struct refresh *book)
{
    (void)book;
    return world.unread ? NULL : (struct agreements *)(void *)&world; /* nobody looks into it */
}

void agreements_free(struct agreements *view)
{
    HOLDS(!view || view == (struct agreements *)(void *)&world);
}

const struct agreements_terms *agreements_terms(const struct agreements *view, struct slice site,
                                                struct slice agent, int64_t now_ms)
{
    static const struct agreements_terms terms = {.agreement_id = 5, .balance_limit_micros = -1};
    HOLDS(view && site.len > 0 && agent.len > 0 && now_ms == WORLD_NOW * 1000LL);
    return world.limited ? &terms : NULL;
}

struct tokens *refresh_take_tokens(struct refresh *book)
{
    (void)book;
    return world.unread ? NULL : (struct tokens *)(void *)&world;
}

void tokens_free(struct tokens *view)
{
    HOLDS(view == (struct tokens *)(void *)&world);
}

const struct tokens_grant *tokens_find(const struct tokens *view, struct slice text, int64_t now_ms)
{
    static const struct tokens_grant settles = {"example", "a", true}, verifies = {"example", "b", false},
                                     gone = {"gone", "c", true};
    HOLDS(view && now_ms == WORLD_NOW * 1000LL);
    return slice_eq(text, SLICE("settles"))    ? &settles
           : slice_eq(text, SLICE("verifies")) ? &verifies
           : slice_eq(text, SLICE("gone"))     ? &gone
                                               : NULL;
}

struct credit *refresh_credit(struct refresh *book)
{
    (void)book;
    return world.credit;
}

void refresh_press(struct refresh *book)
{
    (void)book;
    HOLDS(world.credit);
}

static void answer_reading(struct reading *reading)
{
    reading->err = world.ledger_down ? ERR_ACCOUNT_UNAVAILABLE
                   : world.conflict  ? ERR_ACCOUNT_UNKNOWN
                                     : ERR_OK;
    reading->body = reading->err == ERR_OK ? strdup("{}\n") : NULL;
    HOLDS(reading->err != ERR_OK || reading->body);
    reading->len = 3;
    reading->media_type = "application/json";
    reading->done(reading);
}

void world_turn(void)
{
    struct directory_wait *waiting = world.waiting;
    struct submission *submission = world.queued;
    struct reading *reading = world.reading;
    world.waiting = NULL;
    world.queued = NULL;
    struct undelivered_report *reported = world.reported;
    world.reading = NULL;
    world.reported = NULL;
    if (waiting)
        waiting->ready(waiting);
    if (reading)
        answer_reading(reading);
    if (reported) {
        reported->err = world.ledger_down ? ERR_LEDGER_UNAVAILABLE : ERR_OK;
        reported->outcome = UNDELIVERED_RECORDED;
        reported->done(reported);
    }
    if (!submission)
        return;
    submission->outcome.err = world.ledger_down ? ERR_LEDGER_UNAVAILABLE
                              : world.conflict  ? ERR_PAYMENT_CONFLICT
                              : world.limited   ? submission->charge->unless_repeat
                                                : ERR_OK;
    submission->outcome.repeated =
        submission->outcome.err == ERR_OK && submission->charge->unless_repeat != ERR_OK;
    submission->outcome.recorded_at_ms = WORLD_NOW * 1000LL;
    submission->outcome.amount_micros = submission->charge->amount_micros;
    if (submission->outcome.err == ERR_OK)
        world.recorded++;
    submission->taken = false;
    submission->done(submission);
}

/* --- What requests are made of --- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    HOLDS(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* In the checkout, where tools/dev/fuzz.sh runs. The keys are made by the fake chance, always the same. */
void world_start(const char *yaml)
{
    static const char *const folders[] = {"build-fuzz", "build-fuzz/world", "build-fuzz/world/site",
                                          "build-fuzz/world/site/articles"};
    const char *folder = folders[1];
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        HOLDS(mkdir(folders[i], 0700) == 0 || errno == EEXIST);
    write_file(folder, "config.yaml", yaml);
    write_file(folder, "site/index.html", "front");
    write_file(folder, "site/robot", "robot");
    write_file(folder, "site/articles/one", "one");
    snprintf(path, sizeof(path), "%s/config.yaml", folder);
    world.config = config_load(path, stderr, NULL);
    HOLDS(world.config);
    log_set_level(LOG_LEVEL_ERROR);
    HOLDS(signature_public_ed25519(world_seed, world.jwk.raw));
    jwk_complete(&world.jwk);
    memcpy(world.thumbprint, world.jwk.thumbprint, DIGEST_SIZE);
    world.key = signature_key_ed25519(world.jwk.raw);
    world.credit = credit_new();
    const struct credit_day day = {SLICE("example"), 0, INT64_MAX, 0, true, false};
    HOLDS(world.credit && credit_apply_days(world.credit, &day, 1) == ERR_OK);
    HOLDS(world.key);
}

struct slice world_replace(struct arena *arena, struct slice text, const char *name, struct slice value)
{
    for (size_t i = 0; i + strlen(name) <= text.len; i++) {
        if (memcmp(text.data + i, name, strlen(name)) != 0)
            continue;
        struct text out = text_begin(arena);
        text_add(&out, (struct slice){text.data, i});
        text_add(&out, value);
        text_add(&out, (struct slice){text.data + i + strlen(name), text.len - i - strlen(name)});
        struct slice whole = text_end(&out);
        HOLDS(whole.data);
        return whole;
    }
    return text;
}

struct slice world_id(struct arena *arena, struct slice authority, struct slice target, int64_t price,
                      int64_t ms)
{
    uint8_t key[DIGEST_SIZE];
    uint8_t random[10] = {1};
    struct payment_offer offer = {.site = SLICE("example"),
                                  .network = SLICE("example:402"),
                                  .terms_url = SLICE("https://shop.example/terms"),
                                  .authority = authority,
                                  .target = target};
    char *id = arena_bytes(arena, PAYMENT_ID_TEXT);
    memset(key, 7, sizeof(key)); /* as the fake chance made it */
    struct payment_keys keys = {.current = hmac_new(key, sizeof(key))};
    HOLDS(id && keys.current);
    payment_id_mint(&keys, &offer, ms, price, random, id);
    hmac_free(keys.current);
    return slice_bytes(id, PAYMENT_ID_TEXT);
}
