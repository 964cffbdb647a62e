/* What was delivered for a payment, as `crawltab lookup` shows it. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_DELIVERED_H
#define TOOLS_CRAWLTAB_ENTRIES_DELIVERED_H

#include "tools/crawltab/entries/opener.h"

#include "ledger/base/network.h"
#include "sql/rows/delivery.h"

#include <jansson.h>

/* Whether an address was the client's; asked by --client. */
struct delivered_client {
    const char *text; /* NULL: nobody asks */
    uint8_t address[NETWORK_ADDRESS_SIZE];
};

/* False after saying that it is no address. */
bool delivered_read_client(const char *text, struct delivered_client *client);

/* Rows of delivery_read, of the payment with this UUID. */
struct delivered {
    const struct pg_rows *rows;
    const char *payment_id;
    const struct opener *opener;
    const struct delivered_client *client;
};

void delivered_print(const struct delivered *delivered);
/* An array: a new reference. */
json_t *delivered_json(const struct delivered *delivered);

#endif
