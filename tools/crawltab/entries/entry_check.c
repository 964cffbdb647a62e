#include "tools/crawltab/entries/entry_check.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/proof/day_seal.h"

#include <assert.h>
#include <stdlib.h>

static void tell(struct entry_checks *checks, const char *name, enum entry_check_result result,
                 const char *detail)
{
    assert(checks->count < ENTRY_CHECKS_MAX);
    checks->items[checks->count++] = (struct entry_check){name, result, detail};
    checks->bad |= result == ENTRY_BAD;
}

/* --- the judgement --- */

/* Of a day that was closed when entries were not judged the keys and terms of its offers may be forgotten. */
static void tell_verdict(const struct opener *opener, const struct charge_lookup_row *entry,
                         const struct evidence_verdict *verdict, struct entry_checks *checks)
{
    uint8_t raw[PAYMENT_ID_SIZE];
    if (verdict->results[EVIDENCE_ID] == EVIDENCE_GOOD && payment_id_bytes(slice_of(verdict->id), raw)) {
        memcpy(checks->id, verdict->id, sizeof(checks->id));
        checks->price_micros = payment_id_price(raw);
    }
    for (int i = 0; i < EVIDENCE_CHECKS; i++) {
        enum evidence_check check = (enum evidence_check)i;
        enum evidence_result result = verdict->results[check];
        const char *name = evidence_check_name(check);
        if (check == EVIDENCE_OFFER && opener->problem)
            tell(checks, name, ENTRY_UNKNOWN, "no offer key is at hand");
        else if (check == EVIDENCE_OFFER && result == EVIDENCE_BAD && !entry->judged)
            tell(checks, name, ENTRY_UNKNOWN, "of an offer key or of terms that are no longer known");
        else if (result != EVIDENCE_NOT_SEEN)
            tell(checks, name, result == EVIDENCE_GOOD ? ENTRY_GOOD : ENTRY_BAD,
                 evidence_check_sentence(check, result == EVIDENCE_GOOD));
    }
}

/* What the row has in hexadecimal, in memory of its own. */
struct entry_bytes {
    char *base, *signature;
    size_t base_len, signature_len;
    uint8_t thumbprint[DIGEST_SIZE];
};

static enum err judge(struct pg *pg, struct opener *opener, const struct charge_lookup_row *entry,
                      const struct evidence_entry *facts, struct entry_checks *checks)
{
    uint8_t next[UUID_SIZE];
    char end_id[UUID_TEXT_MAX];
    struct evidence_verdict verdict;
    struct evidence_judge *made = NULL;
    enum err err;
    uuid_next(facts->payment_id, next);
    uuid_format(next, end_id);
    TRY(pg_begin(pg));
    TRY(evidence_book_read(pg, &opener->book, entry->site_id, entry->payment_id, end_id));
    made = evidence_judge_new(&opener->book);
    TRY(made ? ERR_OK : ERR_OVERLOADED);
    evidence_judge(made, facts, true, &verdict);
    tell_verdict(opener, entry, &verdict, checks);
out:
    evidence_judge_free(made);
    pg_rollback(pg); /* it was only read */
    return err;
}

/* --- the day --- */

static enum err check_seal(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                           const uint8_t uuid[UUID_SIZE], bool there, struct entry_checks *checks)
{
    struct day_seal seal;
    enum err err;
    TRY(day_seal_check(pg, site_id, uuid, trust, &seal));
    memcpy(checks->date, seal.date, sizeof(checks->date));
    switch (seal.state) {
    case DAY_SEAL_OPEN:
        tell(checks, "sealed", ENTRY_UNKNOWN, "its day is not closed yet, nothing is sealed");
        break;
    case DAY_SEAL_NONE:
        tell(checks, "sealed", ENTRY_UNKNOWN, "its day was closed without a checkpoint");
        break;
    case DAY_SEAL_AWAY:
        tell(checks, "sealed", ENTRY_UNKNOWN, "other entries of its day are archived");
        break;
    case DAY_SEAL_BY_WHOM:
        tell(checks, "sealed", ENTRY_UNKNOWN,
             "the sealed day agrees; the log's signature is not checked, its key is not at hand");
        break;
    case DAY_SEAL_HOLDS:
        tell(checks, "sealed", ENTRY_GOOD,
             there ? "the sealed day and its signed log have the entry" : "the sealed day has no such entry");
        break;
    case DAY_SEAL_BROKEN:
        tell(checks, "sealed", ENTRY_BAD, seal.problem);
        break;
    }
out:
    return err;
}

enum err entry_check_all(struct pg *pg, const struct log_trust *trust, struct opener *opener,
                         const struct charge_lookup_row *entry, struct entry_checks *checks)
{
    uint8_t uuid[UUID_SIZE];
    struct entry_bytes bytes = {.base = NULL};
    enum err err = ERR_INTERNAL;
    *checks = (struct entry_checks){.count = 0};
    bytes.base = show_raw(entry->signature_base, &bytes.base_len);
    bytes.signature = show_raw(entry->signature, &bytes.signature_len);
    pg_hex_bytes(entry->thumbprint, bytes.thumbprint, sizeof(bytes.thumbprint));
    if (!bytes.base || !bytes.signature || !uuid_parse(slice_of(entry->payment_id), uuid))
        goto out;
    const struct evidence_entry facts = {.payment_id = uuid,
                                         .thumbprint = bytes.thumbprint,
                                         .crawler_id = entry->crawler_id,
                                         .amount_micros = entry->amount_micros,
                                         .recorded_ms = entry->recorded_ms,
                                         .resource = slice_of(entry->resource),
                                         .signature = {bytes.signature, bytes.signature_len},
                                         .signature_base = {bytes.base, bytes.base_len}};
    TRY(judge(pg, opener, entry, &facts, checks));
    TRY(check_seal(pg, trust, entry->site_id, uuid, true, checks));
out:
    free(bytes.base);
    free(bytes.signature);
    return err;
}

enum err entry_check_absent(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                            const uint8_t uuid[UUID_SIZE], struct entry_checks *checks)
{
    *checks = (struct entry_checks){.count = 0};
    return check_seal(pg, trust, site_id, uuid, false, checks);
}
