/* The keys of the operator's console: who may come in, and in which role. The ledger keeps hashes; the key
 * itself is shown once, to whoever made it. */
#ifndef LEDGER_TOKEN_CONSOLE_TOKEN_H
#define LEDGER_TOKEN_CONSOLE_TOKEN_H

#include "ledger/token/token.h"

#define CONSOLE_TOKEN_NAME_MAX 65
#define CONSOLE_TOKEN_ROLE_MAX 16

/* Records the key with this text, made at now_ms; the order's site does not matter. */
enum err console_token_record(struct pg *pg, const struct token_order *order, const char *text,
                              int64_t now_ms, enum token_outcome *outcome) MUST_USE;

enum err console_token_revoke(struct pg *pg, const char *name, const char *actor, int64_t now_ms,
                              enum token_outcome *outcome) MUST_USE;

/* Whose key it is. */
struct console_token {
    char name[CONSOLE_TOKEN_NAME_MAX]; /* "": nobody's */
    char role[CONSOLE_TOKEN_ROLE_MAX];
};

/* Whose key `text` is at now_ms, if it is in force. Takes the same time whatever the text is. */
enum err console_token_find(struct pg *pg, struct slice text, int64_t now_ms,
                            struct console_token *found) MUST_USE;

/* The same by its name, for who has shown the key before. */
enum err console_token_named(struct pg *pg, const char *name, int64_t now_ms,
                             struct console_token *found) MUST_USE;

/* Notes that it is used, once within an hour. */
enum err console_token_used(struct pg *pg, const char *name, int64_t now_ms) MUST_USE;

#endif
