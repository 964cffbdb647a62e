/* The gate: the straight line that a request takes from its arrival to its reply (DESIGN.md section 3). */
#ifndef SERVER_GATE_GATE_H
#define SERVER_GATE_GATE_H

#include "ledger/account/reader.h"
#include "ledger/credit/refresh.h"
#include "ledger/base/config/config.h"
#include "ledger/delivery/journal.h"
#include "ledger/delivery/reporter.h"
#include "ledger/entry/writer.h"
#include "ledger/traffic/recorder.h"
#include "server/agent/directory.h"
#include "ledger/base/http/exchange.h"
#include "server/gate/nonces.h"
#include "server/mcp/calls.h"

struct gate;

/* What the gate works with; all of it must outlive the gate. */
struct gate_parts {
    const struct config *config;
    struct directory *directory;
    struct writer *writer;
    struct refresh *accounts;
    struct nonces *nonces;
    struct reporter *reporter; /* of what breaks off: it outlives the writer */
    struct recorder *traffic;  /* NULL: nothing is counted */
    struct reader *reader;     /* NULL: crawlers' accounts are not shown */
    struct journal *journal;   /* NULL: what is delivered is not recorded */
    struct calls *calls;       /* NULL: no site has tools */
};

/* NULL after logging why: a key file that cannot be read or made, a folder that is not there. */
struct gate *gate_new(const struct gate_parts *parts);
void gate_free(struct gate *gate);

/* The gate as the HTTP layer's handler. */
struct exchange_handler gate_handler(struct gate *gate);

/* The same for others who deliver, and ask whether they may: they hear yes, or the refusal. */
struct exchange_handler gate_deciding_handler(struct gate *gate);

/* The site whose host this is, an index of config->sites. False: there is none. */
bool gate_find_site(const struct gate *gate, struct slice authority, size_t *index);

#endif
