#include "server/gate/delivering.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELIVERING_MAGIC 0x5a0cf3e8u

/* --- What breaks off --- */

/* Not kept: somebody has to take it back by hand. */
static void tell_undelivered(const struct undelivered *fact, const char *lost)
{
    char id[UUID_TEXT_MAX];
    const struct log_field payment = {"payment", uuid_format(fact->payment_id, id)};
    const struct log_field bytes = {"bytes", LOG_NUMBER(fact->sent_bytes)};
    const struct log_field of = {"of", fact->length_bytes < 0 ? NULL : LOG_NUMBER(fact->length_bytes)};
    if (lost)
        LOG(ERROR, "undelivered", payment, bytes, of, {"detail", lost},
            {"hint", "it is not in the ledger: take it back with crawltab adjust"});
    else
        LOG(INFO, "undelivered", payment, bytes, of);
}

/* On a writer's thread. */
static void on_reported(struct undelivered_report *report)
{
    const char *lost = report->err == ERR_OK ? NULL : err_sentence(report->err);
    if (report->err == ERR_OK && report->outcome == UNDELIVERED_SEALED)
        lost = "the day of the payment is sealed";
    if (report->err == ERR_OK && report->outcome == UNDELIVERED_NO_CHARGE)
        lost = "the payment is in the ledger that was configured before";
    if (report->err == ERR_OK && report->outcome == UNDELIVERED_DIFFERS)
        lost = "the payment has a final amount";
    tell_undelivered(&report->fact, lost);
    OBJECT_END(report, REPORT_MAGIC);
    free(report);
}

/* The site's own server stopped in the middle of what is paid for already: nothing is billed for it, and its
 * payment id opens nothing any more. By now the crawl is over, and its gate may be gone with a reload; the
 * crawl's memory is the exchange's. */
static void on_broken(void *context, unsigned status, uint64_t sent, uint64_t length)
{
    const struct crawl *crawl = context;
    if (crawl->submission.outcome.repeated)
        return; /* the crawler may have had it before, and may ask once more */
    struct undelivered fact = {.status = status,
                               .sent_bytes = sent < INT64_MAX ? (int64_t)sent : INT64_MAX,
                               .length_bytes = length < INT64_MAX ? (int64_t)length : -1,
                               .told_by = "gate"};
    memcpy(fact.payment_id, crawl->id.uuid, UUID_SIZE);
    struct undelivered_report *report = malloc(sizeof(*report));
    if (report)
        *report = report_of(&fact, on_reported);
    enum err err = report ? reporter_report(crawl->reporter, report) : ERR_OVERLOADED;
    if (err == ERR_OK)
        return;
    tell_undelivered(&fact, err == ERR_OVERLOADED ? "too many wait for the ledger" : "the gate has ended");
    free(report);
}

void delivering_watch(struct crawl *crawl, struct origin_answer *answer)
{
    assert(crawl->redeeming && !answer->broken);
    crawl->reporter = crawl->gate->parts.reporter;
    answer->broken = on_broken;
    answer->broken_context = crawl;
}

/* --- What is delivered --- */

/* An answer on its way, in the exchange's arena: it may outlive the handler and its configuration, and so has
 * the journal and its texts. */
struct delivering {
    uint32_t magic;
    struct exchange_stream stream; /* what the HTTP layer reads, where the body is one */
    struct exchange_stream *body;
    struct digest *digest; /* of what was read; NULL: the body is no stream */
    bool broken;
    struct journal *journal;
    struct exchange_ended before; /* who else is told */
    struct delivery delivery;
};

static struct delivering *delivering_of(struct exchange_stream *stream)
{
    struct delivering *delivering =
        (struct delivering *)(void *)((char *)stream - offsetof(struct delivering, stream));
    OBJECT_CHECK(delivering, DELIVERING_MAGIC);
    return delivering;
}

static ptrdiff_t on_read(struct exchange_stream *stream, char *out, size_t room)
{
    struct delivering *delivering = delivering_of(stream);
    ptrdiff_t bytes = delivering->body->read(delivering->body, out, room);
    assert(bytes <= (ptrdiff_t)room);
    if (bytes > 0)
        digest_add(delivering->digest, (struct slice){out, (size_t)bytes});
    delivering->broken = delivering->broken || bytes == EXCHANGE_BROKEN;
    return bytes;
}

static void on_close(struct exchange_stream *stream)
{
    struct delivering *delivering = delivering_of(stream);
    OBJECT_END(delivering, DELIVERING_MAGIC);
    delivering->body->close(delivering->body);
}

/* Of what was cut off nobody knows how much of a buffer or file was sent, and so not its digest. */
static void complete(struct delivering *delivering, bool whole, int64_t bytes)
{
    struct delivery *delivery = &delivering->delivery;
    delivery->ended_ms = clock_now_ms();
    delivery->sent_bytes = bytes;
    delivery->end = whole ? DELIVERY_WHOLE : delivering->broken ? DELIVERY_BROKEN : DELIVERY_CUT;
    if (delivering->digest) {
        digest_end(delivering->digest, delivery->digest);
        delivery->digested = true;
    } else if (!whole) {
        delivery->digested = false;
        if (delivery->fd >= 0)
            close(delivery->fd);
        delivery->fd = -1;
    }
}

/* Before the stream is closed. */
static void on_ended(void *context, bool whole, int64_t bytes)
{
    struct delivering *delivering = context;
    OBJECT_CHECK(delivering, DELIVERING_MAGIC);
    const struct exchange_ended *before = &delivering->before;
    complete(delivering, whole, bytes);
    /* Of a page that is given once more it says something only that all of it was. */
    if (!delivering->delivery.repeated || whole)
        journal_add(delivering->journal, &delivering->delivery);
    journal_release(delivering->journal);
    if (!delivering->digest)
        OBJECT_END(delivering, DELIVERING_MAGIC);
    if (before->tell)
        before->tell(before->context, whole, bytes);
}

/* Whatever a crawler sends is text for a database. */
static struct slice agent_of(struct exchange *exchange)
{
    const struct message_field *field = message_field(&exchange->message, SLICE("user-agent"));
    struct slice value = field ? slice_trim(field->value) : SLICE("");
    size_t len = value.len < DELIVERY_AGENT_MAX ? value.len : DELIVERY_AGENT_MAX;
    char *text = len > 0 ? arena_bytes(&exchange->arena, len) : NULL;
    for (size_t i = 0; text && i < len; i++)
        text[i] = value.data[i] >= ' ' && value.data[i] <= '~' ? value.data[i] : '?';
    return text ? (struct slice){text, len} : SLICE("");
}

/* Of a file it is known what its bytes are once anybody has read them; a long one is read by the journal. */
static void digest_file(const struct crawl *crawl, struct journal *journal, struct delivery *delivery)
{
    const struct exchange_reply *reply = &crawl->exchange->reply;
    const struct content *content = &crawl->content;
    delivery->file =
        (struct file_version){content->device,     content->inode, content->size, content->modified_ns,
                              content->changed_ns, reply->offset,  reply->length};
    delivery->digested = file_digests_find(journal_files(journal), &delivery->file, delivery->digest);
    if (delivery->digested)
        return;
    if (reply->fd >= 0) {
        delivery->fd = fcntl(reply->fd, F_DUPFD_CLOEXEC, 0);
        return;
    }
    digest_sha256(&reply->body, 1, delivery->digest);
    delivery->digested = true;
    file_digests_keep(journal_files(journal), &delivery->file, delivery->digest);
}

static void digest_body(const struct crawl *crawl, struct delivering *delivering)
{
    struct exchange_reply *reply = &crawl->exchange->reply;
    struct delivery *delivery = &delivering->delivery;
    if (crawl->content.inode != 0 && !crawl->asks) {
        digest_file(crawl, delivering->journal, delivery);
    } else if (reply->body.data || !reply->stream) {
        digest_sha256(&reply->body, 1, delivery->digest);
        delivery->digested = true;
    } else {
        delivering->digest = digest_begin();
        delivering->stream = (struct exchange_stream){on_read, on_close};
        delivering->body = reply->stream;
        reply->stream = &delivering->stream;
    }
}

static bool begin(struct crawl *crawl, struct delivery *delivery)
{
    struct exchange *exchange = crawl->exchange;
    const char *site = arena_copy(&exchange->arena, slice_of(crawl->site->name));
    *delivery = (struct delivery){.repeated = crawl->submission.outcome.repeated,
                                  .ended_ms = clock_now_ms(),
                                  .end = DELIVERY_HANDED,
                                  .sent_bytes = -1,
                                  .fd = -1,
                                  .site = site ? slice_of(site) : SLICE(""),
                                  .user_agent = agent_of(exchange)};
    memcpy(delivery->payment_id, crawl->id.uuid, UUID_SIZE);
    client_tag(crawl->thread->client_tags, crawl->id.uuid, exchange->client.address, delivery->client);
    return site;
}

void delivering_follow(struct crawl *crawl, enum err outcome)
{
    struct journal *journal = crawl->gate->parts.journal;
    struct exchange *exchange = crawl->exchange;
    struct delivery handed;
    /* A server that sells by itself delivers by itself, and its client is not the crawler. */
    if (outcome != ERR_OK || crawl->stage != CRAWL_RECORDING || crawl->settlement || !journal ||
        !crawl->thread->client_tags)
        return;
    if (crawl->thread->decides) {
        if (!crawl->submission.outcome.repeated && begin(crawl, &handed))
            journal_add(journal, &handed);
        return;
    }
    struct delivering *delivering = arena_alloc(&exchange->arena, sizeof(*delivering));
    if (!delivering || exchange->reply.status >= 300 || !begin(crawl, &delivering->delivery)) {
        metrics_add(METRIC_DELIVERIES_LOST, 1);
        return;
    }
    OBJECT_MAKE(delivering, DELIVERING_MAGIC);
    delivering->broken = false;
    delivering->digest = NULL;
    delivering->body = NULL;
    delivering->journal = journal_take(journal);
    delivering->delivery.status = exchange->reply.status;
    digest_body(crawl, delivering);
    delivering->before = exchange->ended;
    exchange->ended = (struct exchange_ended){on_ended, delivering};
}
