/* Before anything is billed, and in the transaction that bills: what is not proven and what is billed are
 * then the two parts of the day's entries, whenever the night is killed. */
#include "ledger/night/unproven.h"

#include "ledger/base/log.h"
#include "sql/rows/evidence.h"

#include <assert.h>
#include <stdio.h>

#define LOGGED_MAX     20
#define INSERT_AT_ONCE 4096

struct noting {
    struct pg *pg;
    const struct unproven_order *order;
    struct unproven_sum *sum;
    int64_t all;      /* entries of the day */
    int64_t *unknown; /* of them, those whose id no known offer key has made */
};

static void log_finding(const struct noting *noting, const struct evidence_finding *finding)
{
    char id[UUID_TEXT_MAX];
    uuid_format(finding->payment_id, id);
    if (finding->listed[0])
        LOG(ERROR, "entry_listed_before", {"day", noting->order->date}, {"payment_id", id},
            {"reason", finding->listed},
            {"detail", "somebody has put it among what is not proven; it is not billed, audit judges it"});
    else
        LOG(WARN, "entry_not_proven", {"site", noting->order->book->site->name}, {"day", noting->order->date},
            {"payment_id", id}, {"reason", evidence_check_name(finding->failed)},
            {"detail", evidence_check_sentence(finding->failed, false)});
}

/* But for those that are there: somebody with the rights for it may have been first. */
static enum err insert(const struct noting *noting, const struct evidence_finding *findings, size_t count)
{
    struct pg_params params = {0};
    struct pg_array ids = {0}, crawlers = {0}, amounts = {0}, reasons = {0};
    enum err err = ERR_OVERLOADED;
    assert(count <= INSERT_AT_ONCE);
    pg_array_begin(&ids, PG_TYPE_UUID);
    pg_array_begin(&crawlers, PG_TYPE_INT8);
    pg_array_begin(&amounts, PG_TYPE_INT8);
    pg_array_begin(&reasons, PG_TYPE_TEXT);
    for (size_t i = 0; i < count; i++) {
        if (findings[i].listed[0])
            continue;
        pg_array_bytes(&ids, slice_bytes(findings[i].payment_id, UUID_SIZE));
        pg_array_number(&crawlers, findings[i].crawler_id);
        pg_array_number(&amounts, findings[i].amount_micros);
        pg_array_bytes(&reasons, slice_of(evidence_check_name(findings[i].failed)));
    }
    pg_params_number(&params, noting->order->site_id);
    if (pg_params_array(&params, &ids) && pg_params_array(&params, &crawlers) &&
        pg_params_array(&params, &amounts) && pg_params_array(&params, &reasons))
        err = pg_run(noting->pg, "unproven_insert", &params, NULL);
    pg_array_free(&ids);
    pg_array_free(&crawlers);
    pg_array_free(&amounts);
    pg_array_free(&reasons);
    return err;
}

static enum err note(const struct noting *noting, const struct evidence_hearing *hearing)
{
    struct unproven_sum *sum = noting->sum;
    enum err err = ERR_OK;
    for (size_t i = 0; i < hearing->count; i++) {
        const struct evidence_finding *finding = &hearing->findings[i];
        assert(finding->failed < EVIDENCE_CHECKS || finding->listed[0]); /* or it would be billed */
        /* Some are enough to look into: a wrong key would make a line of each of a million. */
        if (sum->entries++ < LOGGED_MAX)
            log_finding(noting, finding);
        sum->micros += finding->amount_micros;
        *noting->unknown += finding->failed == EVIDENCE_OFFER;
    }
    for (size_t at = 0; at < hearing->count; at += INSERT_AT_ONCE) {
        size_t left = hearing->count - at;
        TRY(insert(noting, hearing->findings + at, left < INSERT_AT_ONCE ? left : INSERT_AT_ONCE));
    }
out:
    return err;
}

static void tell(void *context, int64_t entries)
{
    const struct noting *noting = context;
    noting->order->tell(noting->order->context, entries, noting->all);
}

static enum err judge(const struct noting *noting, const char *first_id, const char *end_id)
{
    const struct unproven_order *order = noting->order;
    struct evidence_order hear = {.book = order->book,
                                  .site_id = order->site_id,
                                  .first_id = first_id,
                                  .end_id = end_id,
                                  .tell = order->tell ? tell : NULL,
                                  .context = (void *)(uintptr_t)noting};
    struct evidence_hearing hearing = {.entries = 0};
    enum err err;
    TRY(evidence_book_read(noting->pg, order->book, order->site_id, first_id, end_id));
    do {
        TRY(evidence_hear(noting->pg, &hear, &hearing));
        TRY(note(noting, &hearing));
        hear.first_id = hearing.next_id;
    } while (hearing.more);
    assert(hearing.entries >= noting->sum->entries);
out:
    evidence_hearing_free(&hearing);
    return err;
}

static enum err refuse(const struct unproven_order *order)
{
    LOG(ERROR, "entries_not_judged", {"day", order->date}, {"file", order->book->offer_keys->file},
        {"detail", "there is no offer key here to open payment ids with; the day stays open"},
        {"hint", "run this where offer.key_file is, or copy it here"});
    return ERR_NOT_FOUND;
}

static enum err refuse_unknown(const struct noting *noting)
{
    char count[24];
    LOG(ERROR, "offer_key_is_another", {"day", noting->order->date},
        {"file", noting->order->book->offer_keys->file}, {"entries", log_number(noting->all, count)},
        {"detail", "no entry of the day has an id of an offer key that is known here; the day stays open"},
        {"hint",
         "put the gates' offer.key_file there; if all of these were forged: nightly --unknown-offers"});
    return ERR_NOT_FOUND;
}

enum err unproven_note(struct pg *pg, const struct unproven_order *order, struct unproven_sum *sum)
{
    int64_t unknown = 0;
    struct noting noting = {.pg = pg, .order = order, .sum = sum, .unknown = &unknown};
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    OBJECT_CHECK(order->book, EVIDENCE_BOOK_MAGIC);
    *sum = (struct unproven_sum){0};
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    TRY(pg_run(pg, "evidence_range", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_INTERNAL);
    const struct evidence_range_row range = evidence_range_row(&rows, 0);
    noting.all = range.entries;
    if (range.entries == 0)
        goto out;
    TRY(order->book->offer_keys->count > 0 ? ERR_OK : refuse(order));
    TRY(judge(&noting, range.first_id, range.end_id));
    assert(unknown <= sum->entries);
    /* After all were judged, as only then it is known that none is of a key: the caller rolls back what was
     * noted of them. */
    if (unknown >= noting.all && !order->unknown_offers)
        err = refuse_unknown(&noting);
out:
    pg_rows_free(&rows);
    return err;
}
