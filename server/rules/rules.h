/* Sites and their rules: which site a request is for, and what the first rule that fits says about who asks.
 * Compiled from the configuration once; read only afterwards. */
#ifndef SERVER_RULES_RULES_H
#define SERVER_RULES_RULES_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/base/http/message.h"
#include "ledger/verify/signature_agent.h"

struct offer_form;
struct rules;

enum rules_action { RULES_ALLOW, RULES_CHARGE, RULES_BLOCK };

/* What the rules say about one request. */
struct rules_decision {
    enum rules_action action;
    int64_t price_micros; /* with RULES_CHARGE */
    int64_t recrawl_ms;   /* within so long a page that was paid costs nothing again; 0: never */
    const char *rule;     /* name; NULL: none fits */
    bool observed;        /* what is decided, but for allowing all, is not done: everybody gets the page */
    bool by_crawler;      /* a crawler asks, by what it says of itself */
    struct slice crawler; /* a word of User-Agent by which it is known; empty: none */
    const struct slice
        *account; /* the rule is for this account: it holds only if the signature proves it; or NULL */
};

/* NULL without memory, or when a rule's agent is no location (logged). `config` must outlive it. */
struct rules *rules_new(const struct config *config);
void rules_free(struct rules *rules);

/* The index of the site with this host in config->sites; false when there is none. `authority` is lower case;
 * *host becomes it without the site's default port. A dot behind the name (RFC 1034 section 3.1) says the
 * same host, and stays in *host: signatures and URLs are made with it. */
bool rules_find_site(const struct rules *rules, struct slice authority, size_t *index, struct slice *host);

/* Which host is meant by a request that names none: the first one of the only site; empty where there are
 * more sites. */
struct slice rules_only_host(const struct rules *rules);

/* What the offers of the site have in common. */
const struct offer_form *rules_offer_form(const struct rules *rules, size_t index);

/* The path as files and rules see it: percent-decoded, slashes merged, "." and ".." resolved, a last
 * "index.html" left out. *plain: it had no dots to resolve and holds no NUL; no file is served for any other,
 * but rules judge it all the same. ERR_MALFORMED_REQUEST for broken escapes. */
enum err rules_path(struct arena *arena, struct slice target_path, struct slice *path, bool *plain) MUST_USE;

/* True if the path, as rules_path gives it, fits the glob of a rule or of an agreement; a path that ends in a
 * slash also if it does with "index.html" behind it. */
bool rules_glob_fits(struct slice glob, struct slice path);

/* "/a/index.html" and "/a/" are the same page: the path as rules_path gives it, of a file's path. */
struct slice rules_page(struct slice path);

/* True for what is free for all, whatever the rules say. */
bool rules_free_for_all(struct slice path);

/* The first rule that fits. `agents` is who the request claims to be (may be NULL). People, and the paths
 * that are free for all, are allowed. */
struct rules_decision rules_decide(const struct rules *rules, size_t index, const struct message *message,
                                   struct slice path, const struct signature_agent *agents);

/* True if who asks says that he is a crawler, or signs or pays as they do: for requests that no rule was
 * asked about. *known: a word of User-Agent by which it is known; empty: none. */
bool rules_by_crawler(const struct rules *rules, const struct message *message, struct slice *known);

/* True if `a` gives less away than `b`: it blocks, asks for more, or for a proof of who it is. */
bool rules_dearer(const struct rules_decision *a, const struct rules_decision *b);

/* True if rule number `rule` of the site charges this account, or may, by what else a request says. */
bool rules_charges(const struct rules *rules, size_t index, size_t rule, struct slice account);

/* True if the account's origin is one of agents.shared_origins: each of its accounts is somebody else. */
bool rules_share_origin(const struct rules *rules, size_t index, struct slice account);

/* Whether the site takes payments from who the request claims to be: ERR_OK, ERR_AGENT_SUSPENDED or
 * ERR_AGENT_UNKNOWN. Decided before any key is fetched. */
enum err rules_admit(const struct rules *rules, size_t index, const struct signature_agent *agent) MUST_USE;

#endif
