#include "tests/fuzz/gate_world.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "tests/fuzz/support.h"

struct world world;

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
    HOLDS(!world.unread && (charge->unless_repeat == ERR_CREDIT_LIMIT_REACHED) == world.limited);
    HOLDS(charge->signature.len == 64 && uuid_is_v7(charge->payment_id));
    if (world.overloaded)
        return ERR_OVERLOADED;
    world.submitted++;
    world.amount_micros = charge->amount_micros;
    world.queued = submission;
    submission->taken = true;
    return ERR_OK;
}

/* Nothing is streamed here that could break off. */
enum err writer_report(struct writer *writer, struct undelivered_report *report)
{
    (void)writer;
    HOLDS(report == NULL);
    return ERR_OVERLOADED;
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

struct credit *refresh_credit(struct refresh *book)
{
    (void)book;
    return world.credit;
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
    world.reading = NULL;
    if (waiting)
        waiting->ready(waiting);
    if (reading)
        answer_reading(reading);
    if (!submission)
        return;
    submission->outcome.err = world.ledger_down ? ERR_LEDGER_UNAVAILABLE
                              : world.conflict  ? ERR_PAYMENT_CONFLICT
                              : world.limited   ? ERR_CREDIT_LIMIT_REACHED
                                                : ERR_OK;
    submission->outcome.recorded_at_ms = WORLD_NOW * 1000LL;
    submission->outcome.amount_micros = submission->charge->amount_micros;
    if (submission->outcome.err == ERR_OK)
        world.recorded++;
    submission->taken = false;
    submission->done(submission);
}
