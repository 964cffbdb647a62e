#include "server/gate/breakage.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    if (report->err == ERR_OK && report->outcome == UNDELIVERED_DIFFERS)
        lost = "the payment has a final amount";
    tell_undelivered(&report->fact, lost);
    OBJECT_END(report, REPORT_MAGIC);
    free(report);
}

/* The site's own server stopped in the middle of what is paid for already: nothing is billed for it, and its
 * payment id opens nothing any more. By now the crawl is over, but its memory is the exchange's. */
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
    if (report && writer_report(crawl->gate->parts.writer, report) == ERR_OK)
        return;
    tell_undelivered(&fact, "too many wait for the ledger");
    free(report);
}

void breakage_follow(struct crawl *crawl, struct origin_answer *answer)
{
    assert(crawl->redeeming && !answer->broken);
    answer->broken = on_broken;
    answer->broken_context = crawl;
}
