/* Versions are never changed, and a new one says all terms anew: what held at an instant is one row, and
 * not the sum of many changes. A version that is taken by somebody else meanwhile is seen by its number,
 * which is a key; single changes are then made to that version, while whole terms, which would silently
 * undo it, are not. */
#include "ledger/terms/agreement.h"

#include "ledger/base/clock.h"
#include "sql/rows/terms.h"

#include <assert.h>
#include <stdlib.h>

/* Others that record versions at the same time are people, too. */
#define ATTEMPTS_MAX 20

static enum err read_one(const struct agreement_read_row *row, struct agreement *agreement)
{
    json_t *json = json_loads(row->terms, 0, NULL);
    *agreement = (struct agreement){
        .agreement_id = row->agreement_id,
        .version = row->version,
        .valid_from_ms = row->valid_from_ms,
        .recorded_at_ms = row->recorded_ms,
        .valid_from = row->valid_from,
        .recorded_at = row->recorded_at,
        .actor = row->actor,
        .reason = row->reason,
        .terms = terms_from_json(json),
    };
    json_decref(json);
    if (agreement->terms)
        return ERR_OK;
    LOG(ERROR, "agreement_unreadable", {"agreement_id", LOG_NUMBER(row->agreement_id)},
        {"detail", "buyer or settlement hold what crawltab does not write"},
        {"hint", "was the row written by another program?"});
    return ERR_INTERNAL;
}

enum err agreement_read(struct pg *pg, int64_t site_id, int64_t crawler_id, struct agreement_list *list)
{
    struct pg_params params = {0};
    enum err err;
    *list = (struct agreement_list){0};
    pg_params_number(&params, site_id);
    pg_params_number(&params, crawler_id);
    TRY(pg_run(pg, "agreement_read", &params, &list->rows));
    list->items = calloc((size_t)list->rows.count + 1, sizeof(*list->items));
    if (!list->items)
        abort();
    for (int i = 0; i < list->rows.count; i++) {
        /* In ascending order: agreement_at looks from the last, which is the newest. */
        const struct agreement_read_row row = agreement_read_row(&list->rows, i);
        TRY(read_one(&row, &list->items[i]));
        list->count++;
        assert(i == 0 || list->items[i - 1].version <= list->items[i].version);
    }
out:
    if (err != ERR_OK)
        agreement_list_free(list);
    return err;
}

void agreement_list_free(struct agreement_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        terms_free(list->items[i].terms);
    free(list->items);
    pg_rows_free(&list->rows);
    *list = (struct agreement_list){0};
}

const struct agreement *agreement_at(const struct agreement_list *list, int64_t ms)
{
    /* The newest that has begun, also when an older one begins later: who recorded it last knew of that. */
    for (size_t i = list->count; i-- > 0;)
        if (list->items[i].valid_from_ms <= ms)
            return &list->items[i];
    return NULL;
}

bool agreement_is_pending(const struct agreement_list *list, size_t index, int64_t ms)
{
    assert(index < list->count);
    if (list->items[index].valid_from_ms <= ms)
        return false;
    /* One that a newer version overtakes before it begins will never hold. */
    for (size_t i = index + 1; i < list->count; i++)
        if (list->items[i].valid_from_ms <= list->items[index].valid_from_ms)
            return false;
    return true;
}

void agreement_result_free(struct agreement_result *result)
{
    terms_free(result->before);
    terms_free(result->after);
    *result = (struct agreement_result){0};
}

/* By way of JSON, as they come back from the ledger: what would not survive that is seen at once. */
static struct terms *copy(const struct terms *terms)
{
    json_t *json = terms_json(terms);
    struct terms *same = terms_from_json(json);
    json_decref(json);
    if (!same)
        abort();
    return same;
}

static bool same_terms(const struct terms *a, const struct terms *b)
{
    json_t *first = terms_json(a), *second = terms_json(b);
    bool same = json_equal(first, second) != 0;
    json_decref(first);
    json_decref(second);
    return same;
}

/* `taken` if the version exists already. */
static enum err insert(struct pg *pg, const struct agreement_order *order, const struct agreement *agreement,
                       bool *taken)
{
    assert(order->actor && order->reason && agreement->version > 0);
    assert(agreement->valid_from_ms >= agreement->recorded_at_ms); /* nothing is agreed on for the past */
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *json = terms_json(agreement->terms);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    enum err err = ERR_INTERNAL;
    json_decref(json);
    if (!text)
        goto out;
    pg_params_number(&params, order->site_id);
    pg_params_number(&params, order->crawler_id);
    pg_params_number(&params, agreement->version);
    pg_params_number(&params, agreement->valid_from_ms);
    pg_params_number(&params, agreement->recorded_at_ms);
    pg_params_text(&params, order->actor);
    pg_params_text(&params, order->reason);
    pg_params_text(&params, text);
    TRY(pg_run(pg, "agreement_insert", &params, &rows));
    *taken = rows.count == 0;
out:
    pg_rows_free(&rows);
    free(text);
    return err;
}

/* --- One version --- */

/* What makes the terms of the new version. */
struct source {
    const struct terms *whole; /* or NULL: */
    const char *const *changes;
    size_t count;
};

/* Everything but writing it down. True if there is something to write. */
static bool prepare(const struct agreement_order *order, const struct source *source,
                    const struct agreement *newest, int64_t now_ms, struct agreement_result *result)
{
    assert(!source->whole || source->count == 0);
    *result = (struct agreement_result){.version = newest ? newest->version : 0,
                                        .valid_from_ms = newest ? newest->valid_from_ms : 0};
    /* Now, and not the start of a period: what was crawled so far was agreed on otherwise. */
    int64_t from_ms = order->from_ms ? order->from_ms : now_ms;
    result->before = newest ? copy(newest->terms) : terms_new();
    result->after = source->whole ? copy(source->whole)
                                  : terms_change(result->before, source->changes, source->count,
                                                 order->currency, order->errors);
    assert(result->before);
    if (!result->after)
        result->outcome = AGREEMENT_WRONG;
    else if (order->expect_version >= 0 && order->expect_version != result->version)
        result->outcome = AGREEMENT_OVERTAKEN;
    else if (from_ms < now_ms)
        result->outcome = AGREEMENT_PAST;
    else if (from_ms < result->valid_from_ms)
        result->outcome = AGREEMENT_EARLY;
    else if (newest && same_terms(result->before, result->after))
        result->outcome = AGREEMENT_UNCHANGED;
    else {
        result->outcome = AGREEMENT_RECORDED;
        result->version++;
        result->valid_from_ms = from_ms;
        assert(result->after && result->version > 0);
        return true;
    }
    return false;
}

/* `again` if somebody else was faster. */
static enum err attempt(struct pg *pg, const struct agreement_order *order, const struct source *source,
                        struct agreement_result *result, bool *again)
{
    struct agreement_list list = {0};
    enum err err;
    *again = false;
    assert(!result->before && !result->after);
    TRY(agreement_read(pg, order->site_id, order->crawler_id, &list));
    int64_t now_ms = clock_now_ms(); /* not before what others have just recorded */
    const struct agreement *newest = list.count > 0 ? &list.items[list.count - 1] : NULL;
    if (!prepare(order, source, newest, now_ms, result) || order->dry_run)
        goto out;
    const struct agreement agreement = {.version = result->version,
                                        .valid_from_ms = result->valid_from_ms,
                                        .recorded_at_ms = now_ms,
                                        .terms = result->after};
    TRY(insert(pg, order, &agreement, again));
out:
    agreement_list_free(&list);
    return err;
}

static enum err record(struct pg *pg, const struct agreement_order *order, const struct source *source,
                       struct agreement_result *result)
{
    assert(!result->before && !result->after);
    enum err err;
    bool again = false;
    for (int i = 0; i == 0 || (again && i < ATTEMPTS_MAX); i++) {
        /* What the last try has found is old: somebody has come between. */
        agreement_result_free(result);
        TRY(attempt(pg, order, source, result, &again));
        /* Whole terms say nothing of what somebody else has just changed: that must not be lost. */
        if (again && source->whole)
            break;
    }
    if (again)
        result->outcome = AGREEMENT_OVERTAKEN;
out:
    return err;
}

enum err agreement_change(struct pg *pg, const struct agreement_order *order, const char *const *changes,
                          size_t count, struct agreement_result *result)
{
    assert(changes || count == 0);
    *result = (struct agreement_result){0};
    return record(pg, order, &(struct source){NULL, changes, count}, result);
}

enum err agreement_replace(struct pg *pg, const struct agreement_order *order, const struct terms *terms,
                           struct agreement_result *result)
{
    assert(terms);
    *result = (struct agreement_result){0};
    return record(pg, order, &(struct source){terms, NULL, 0}, result);
}

/* --- Suspending --- */

/* Writes one version with the status, unless it was taken before. */
static enum err insert_status(struct pg *pg, const struct agreement_order *order, const struct terms *terms,
                              const char *status, struct agreement *next, bool *taken)
{
    assert(!next->terms);
    enum err err = ERR_OK;
    struct terms *changed = copy(terms);
    /* The text is static; what is freed are the others. */
    changed->status = status;
    next->terms = changed;
    if (!*taken)
        TRY(insert(pg, order, next, taken));
    next->version++;
out:
    terms_free(changed);
    next->terms = NULL;
    return err;
}

static enum err write_status(struct pg *pg, const struct agreement_order *order, const char *status,
                             const struct agreement_list *list, struct agreement_result *result)
{
    assert(result->before && result->after);
    struct agreement next = {.version = result->version + 1,
                             .valid_from_ms = result->valid_from_ms,
                             .recorded_at_ms = result->valid_from_ms};
    bool taken = false;
    enum err err;
    TRY(insert_status(pg, order, result->before, status, &next, &taken));
    /* Versions that have not begun yet would undo it on their day: each is said again, with the status. */
    for (size_t i = 0; i < list->count; i++) {
        if (!agreement_is_pending(list, i, result->valid_from_ms))
            continue;
        next.valid_from_ms = list->items[i].valid_from_ms;
        TRY(insert_status(pg, order, list->items[i].terms, status, &next, &taken));
    }
    assert(next.version - 1 > result->version);
    result->version = next.version - 1;
    result->outcome = taken ? AGREEMENT_OVERTAKEN : AGREEMENT_RECORDED;
out:
    return err;
}

static enum err attempt_status(struct pg *pg, const struct agreement_order *order, const char *status,
                               struct agreement_result *result)
{
    struct agreement_list list = {0};
    enum err err;
    TRY(agreement_read(pg, order->site_id, order->crawler_id, &list));
    int64_t now_ms = clock_now_ms();
    const struct agreement *now = agreement_at(&list, now_ms);
    *result = (struct agreement_result){
        .outcome = AGREEMENT_UNCHANGED,
        .version = list.count > 0 ? list.items[list.count - 1].version : 0,
        .valid_from_ms = now_ms,
        .before = now ? copy(now->terms) : terms_new(),
    };
    result->after = copy(result->before);
    result->after->status = status;
    if (strcmp(result->before->status, status) == 0)
        goto out;
    /* Several versions, all or none. */
    TRY(pg_begin(pg));
    TRY(write_status(pg, order, status, &list, result));
    if (order->dry_run || result->outcome == AGREEMENT_OVERTAKEN)
        pg_rollback(pg);
    else
        TRY(pg_commit(pg));
out:
    if (err != ERR_OK)
        pg_rollback(pg);
    agreement_list_free(&list);
    return err;
}

enum err agreement_set_status(struct pg *pg, const struct agreement_order *order, const char *status,
                              struct agreement_result *result)
{
    assert(strcmp(status, "active") == 0 || strcmp(status, "suspended") == 0);
    enum err err;
    *result = (struct agreement_result){0};
    for (int i = 0; i == 0 || (result->outcome == AGREEMENT_OVERTAKEN && i < ATTEMPTS_MAX); i++) {
        agreement_result_free(result);
        TRY(attempt_status(pg, order, status, result));
    }
out:
    return err;
}
