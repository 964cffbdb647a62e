/* The Signature-Agent field in every form in use (WIRE.md section 3): who claims to sign, and where the keys
 * are. Pure. */
#ifndef LEDGER_VERIFY_SIGNATURE_AGENT_H
#define LEDGER_VERIFY_SIGNATURE_AGENT_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "ledger/verify/fault.h"
#include "ledger/verify/sf.h"

/* One member of the field. */
struct signature_agent {
    struct slice key;           /* the dictionary member's key; empty for the forms without one */
    struct slice account;       /* ledger/base/http/agent.h */
    struct slice directory_url; /* where to fetch the keys: with the query, as it was sent */
    /* Why the member names nobody; its account is empty then. ERR_SIGNATURE_REQUIRED: it is of a type that is
     * not known here, ERR_MALFORMED_SIGNATURE_AGENT: its location is none that is taken. ERR_OK: it is good.
     */
    enum err err;
    struct fault fault;
    struct signature_agent *next;
};

/* The field of one request, read once. */
struct signature_agents {
    struct signature_agent *first; /* NULL when the field is absent */
    enum err err;                  /* what signature_agent_parse returned */
    struct fault fault;            /* why, unless err is ERR_OK */
};

/* Reads the field: its members one by one, those that name nobody among them, so that one bad member takes
 * nothing from a signature that covers another. ERR_MALFORMED_SIGNATURE_AGENT with agents->fault when it does
 * not parse, a member stands twice, or the members are all refused: only https to a host name on port 443 is
 * taken, but for the hosts in `insecure`. ERR_REQUEST_TOO_LARGE. The members are in the arena. */
enum err signature_agent_parse(struct arena *arena, const struct message *message,
                               const struct config_list *insecure, struct signature_agents *agents) MUST_USE;

/* The account and directory of one location, as `signature_agent_parse` does for a string: also for
 * configuration files. Returns agent->err, with agent->fault. */
enum err signature_agent_locate(struct arena *arena, struct slice location,
                                const struct config_list *insecure, struct signature_agent *agent) MUST_USE;

#endif
