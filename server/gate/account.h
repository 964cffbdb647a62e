/* A crawler's own account (WIRE.md section 8): who may ask, how often, and the reply. What is in it is read
 * by ledger/account. */
#ifndef SERVER_GATE_ACCOUNT_H
#define SERVER_GATE_ACCOUNT_H

#include "server/gate/crawl.h"

/* How often each crawler, and each client network, may ask. NULL without memory. */
struct account_limits *account_limits_new(const struct config *config) MUST_USE;
void account_limits_free(struct account_limits *limits);

/* In which somebody who has asked too often may ask once more. */
long long account_retry_seconds(const struct config *config);

/* True if the request, whose site is known, is about an account, and this gate shows any. */
bool account_asked(const struct crawl *crawl);

/* Reads the inquiry into crawl->inquiry. */
enum err account_arrive(struct crawl *crawl) MUST_USE;

/* What its signature must satisfy: that a crawl's does not, as it has another tag, and this one is for no
 * payment. */
struct web_bot_auth_policy account_policy(struct crawl *crawl);

/* The signatures that may prove whose account it is. */
enum err account_identify(struct crawl *crawl) MUST_USE;

/* Once a signature holds: hands the question to the reader, which resumes the exchange; it may have done so
 * already. Otherwise it is not handed in. */
enum err account_hand_in(struct crawl *crawl) MUST_USE;

/* What came of it. ERR_OK: the reply is there. */
enum err account_reply(struct crawl *crawl) MUST_USE;

/* Gives back what the reading holds, if there is one. */
void account_finish(struct crawl *crawl);

/* The failure as it is told about an account. */
enum err account_failure(const struct crawl *crawl, enum err err);

/* For Allow. */
const char *account_methods(const struct crawl *crawl);

#endif
