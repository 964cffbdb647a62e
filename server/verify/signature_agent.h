/* The Signature-Agent field in every form in use (WIRE.md section 3): who claims to sign, and where the keys
 * are. Pure. */
#ifndef SERVER_VERIFY_SIGNATURE_AGENT_H
#define SERVER_VERIFY_SIGNATURE_AGENT_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "server/verify/sf.h"

#define SIGNATURE_AGENT_WELL_KNOWN "/.well-known/http-message-signatures-directory"

/* One member of the field. */
struct signature_agent {
    struct slice key;           /* the dictionary member's key; empty for the forms without one */
    struct slice account;       /* normalised origin for well-known directories, normalised URL otherwise */
    struct slice directory_url; /* where to fetch the keys */
    struct signature_agent *next;
};

/* Reads the field. *agents is NULL when the field is absent. Members of unknown types are left out.
 * ERR_MALFORMED_SIGNATURE_AGENT when it does not parse, a member stands twice or a location is refused: only
 * https to a host name on port 443, but for the hosts in `insecure`. */
enum err signature_agent_parse(struct arena *arena, const struct message *message,
                               const struct config_list *insecure, struct signature_agent **agents) MUST_USE;

/* The account and directory of one location, as `signature_agent_parse` does for a string: also for
 * configuration files. */
enum err signature_agent_locate(struct arena *arena, struct slice location,
                                const struct config_list *insecure, struct signature_agent *agent) MUST_USE;

#endif
