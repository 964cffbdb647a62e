/* By the code that the night judges by, from what the ledger has today: a key or a directory's body that was
 * changed since shows as an entry that is judged otherwise. */
#include "ledger/audit/judgement.h"

#include <assert.h>
#include <stdio.h>

#define TOLD_MAX 20

/* Of an entry that is not proven and listed for that very reason there is nothing to tell. */
static bool tell(const struct judgement_order *order, const struct evidence_finding *finding)
{
    char id[UUID_TEXT_MAX], row[64], problem[256];
    bool proven = finding->failed == EVIDENCE_CHECKS, listed = finding->listed[0] != '\0';
    int len;
    assert(!proven || listed); /* else there is nothing to find in it */
    uuid_format(finding->payment_id, id);
    snprintf(row, sizeof(row), "%s %s", listed ? "unproven" : "charge", id);
    if (proven)
        len = snprintf(problem, sizeof(problem), "says \"%s\" and is not billed, but it is proven",
                       finding->listed);
    else if (!listed)
        len = snprintf(problem, sizeof(problem), "is billed and is not proven: %s",
                       evidence_check_sentence(finding->failed, false));
    else if (strcmp(finding->listed, evidence_check_name(finding->failed)) != 0)
        len = snprintf(problem, sizeof(problem), "says \"%s\", it is \"%s\": %s", finding->listed,
                       evidence_check_name(finding->failed), evidence_check_sentence(finding->failed, false));
    else
        return false;
    assert(len > 0 && (size_t)len < sizeof(problem)); /* the longest sentence fits */
    order->tell(order->context, row, problem);
    return true;
}

enum err judgement_check(struct pg *pg, const struct judgement_order *order, int64_t *entries)
{
    struct evidence_order hear = {
        .book = order->book, .site_id = order->site_id, .first_id = order->first_id, .end_id = order->end_id};
    struct evidence_hearing hearing = {.entries = 0};
    size_t told = 0;
    enum err err;
    OBJECT_CHECK(order->book, EVIDENCE_BOOK_MAGIC);
    TRY(evidence_book_read(pg, order->book, order->site_id, order->first_id, order->end_id));
    do {
        TRY(evidence_hear(pg, &hear, &hearing));
        for (size_t i = 0; i < hearing.count && told < TOLD_MAX; i++)
            told += tell(order, &hearing.findings[i]);
        /* What was found is forgotten with the next hearing: memory does not grow with a spoilt day. */
        hear.first_id = hearing.next_id;
    } while (hearing.more && told < TOLD_MAX);
    *entries += hearing.entries;
out:
    evidence_hearing_free(&hearing);
    return err;
}
