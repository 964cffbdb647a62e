/* The keys that are in force, as a gate has read them: a view that is never changed, shared by its owners. */
#ifndef LEDGER_TOKEN_TOKENS_H
#define LEDGER_TOKEN_TOKENS_H

#include "ledger/token/token.h"

struct tokens;

/* What a key opens. */
struct tokens_grant {
    const char *site; /* name */
    const char *name;
    bool may_settle; /* and not only verify */
};

/* Reads those that are in force at now_ms. */
enum err tokens_read(struct pg *pg, int64_t now_ms, struct tokens **view) MUST_USE;

/* One more owner of the view; NULL stays NULL. Each calls tokens_free. */
struct tokens *tokens_share(struct tokens *view);
void tokens_free(struct tokens *view);

size_t tokens_count(const struct tokens *view);

/* What a key opens at now_ms; NULL: nothing. As long as the view lives. Takes the same time whatever the text
 * is, found or not. */
const struct tokens_grant *tokens_find(const struct tokens *view, struct slice text, int64_t now_ms);

#endif
