/* Collecting what invoices come to: one batch per site and rail, a file or a call. An invoice is in one
 * batch, also when its crawler changes the rail, unless somebody says that an attempt has failed. Names and
 * bank particulars are those of the agreement in force now and of the configuration, not those that stood
 * when the invoice was made. */
#ifndef LEDGER_COLLECT_SETTLEMENT_H
#define LEDGER_COLLECT_SETTLEMENT_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/format/bank/banking_day.h"
#include "ledger/format/bank/settlement.h"
#include "ledger/pg/pg.h"

struct settlement_rail {
    const char *name;      /* as in agreements */
    const char *extension; /* of the file; NULL: a call, made by the outbox */
    settlement_render *render;
    enum banking_calendar calendar; /* of the days on which it moves money */
};

/* The rails, ending with a NULL name. */
extern const struct settlement_rail settlement_rails[];

struct settlement_order {
    int64_t site_id;
    const char *site;
    const struct settlement_rail *rail;
    const json_t *seller;   /* the publisher's party with bank particulars, as in invoice documents */
    const char *again;      /* this invoice alone, for another attempt; NULL: all that are in no batch */
    const char *collect_on; /* date, or the rail's next banking day after it */
    const char *actor;
    int64_t now_ms;
    bool dry_run; /* everything is done and then rolled back */
};

/* What was made. Start with {0}; settlement_made_free is right in any state. */
struct settlement_made {
    char batch_id[UUID_TEXT_MAX]; /* "" if there was nothing to collect */
    size_t invoices;
    int64_t total_minor;
    int64_t decimals;
    char currency[8];
    char collect_on[BANKING_DATE_MAX];
    char file[96]; /* a name for the file; "" for a call */
    struct format_output content;
    json_t *applied; /* credit that has paid invoices first: as of overpayment_apply */
};
void settlement_made_free(struct settlement_made *made);

/* Pays what is open with the crawlers' credit, and makes the batch over the rest, in one transaction: killed
 * anywhere, it is there as a whole or not at all. ERR_INTERNAL
 * with made->content.error when an invoice lacks what the rail needs: then nothing was changed. */
enum err settlement_make(struct pg *pg, const struct settlement_order *order,
                         struct settlement_made *made) MUST_USE;

#endif
