/* What a closed day is billed: its lines beside crawls, the crawlers' links of the chain, invoices and credit
 * notes with numbers without gaps. Made in the transaction that closes the day, from nothing but rows of the
 * ledger and what the seller says of itself. */
#ifndef LEDGER_BILL_INVOICE_H
#define LEDGER_BILL_INVOICE_H

#include "ledger/pg/pg.h"

/* The seller as its configuration describes it. */
struct invoice_seller {
    char *party; /* JSON, the "seller" of ledger/format/document.h */
    char *logo;  /* what the file holds, or NULL */
    size_t logo_len;
    const char *logo_type;          /* media type */
    const char *number;             /* pattern of ledger/base/identifier/series.h */
    const char *credit_number;      /* of credit notes */
    const struct config_site *site; /* what the configuration says of it, or NULL */
};

/* Fills in what the configuration says of the site; one that it does not know gets the default patterns and
 * no party. `config` must outlive it. False, with a log line, when the logo cannot be read. */
bool invoice_seller_init(struct invoice_seller *seller, const struct config *config,
                         const char *site) MUST_USE;
void invoice_seller_free(struct invoice_seller *seller);

struct invoice_order {
    int64_t site_id;
    const char *date; /* the closed local day, the last one of what is billed */
    int64_t close_number;
    const struct invoice_seller *seller; /* party NULL: the name with which the site was registered */
    const char *actor;
    int64_t made_ms; /* the clock: what is made is issued at it */
};

/* Bills the day whose crawls stand in crawler_day_line. Inside the closing transaction. */
enum err invoice_make(struct pg *pg, const struct invoice_order *order) MUST_USE;

#endif
