/* A payment without its id: by the URL that was paid for, and about when. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_SEARCH_H
#define TOOLS_CRAWLTAB_ENTRIES_SEARCH_H

#include "ledger/base/config/config.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

struct search {
    const char *url;
    const char *at;      /* as for argument_instant */
    const char *crawler; /* NULL: any */
    const char *site;    /* NULL: the only one */
    bool json;           /* how to tell */
};

/* The id of the only payment that fits. False after telling that there is none, or which there are. */
bool search_payment(struct pg *pg, const struct config *config, const struct search *search,
                    char id[UUID_TEXT_MAX]);

#endif
