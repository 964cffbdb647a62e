/* What identifies a crawler: the account of the URL that its Signature-Agent names, and that URL's origin.
 * Pure. SQL's crawler_account says the same of accounts that the ledger had before. */
#ifndef LEDGER_BASE_HTTP_AGENT_H
#define LEDGER_BASE_HTTP_AGENT_H

#include "ledger/base/slice.h"

#define AGENT_WELL_KNOWN "/.well-known/http-message-signatures-directory"

/* The account of a normalised URL (ledger/verify/url.h): the URL without its query, of which anybody can make
 * as many as he likes (draft-ietf-webbotauth-httpsig-protocol-01 section 5.5); and the origin alone where the
 * path is the well-known one, or none. A part of the text. */
struct slice agent_account(struct slice url);

/* Scheme, host and port of a normalised URL: a part of the text. */
struct slice agent_origin(struct slice url);

#endif
