/* Who is logged in with a browser, and who tries to be: sessions live in memory and end with the console, so
 * that nothing that opens it lies on a disk. */
#ifndef SERVER_CONSOLE_BASE_SESSION_H
#define SERVER_CONSOLE_BASE_SESSION_H

#include "ledger/base/http/exchange.h"
#include "ledger/token/console_token.h"

struct sessions;

/* NULL without memory. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

#define SESSION_SECRET_MAX 44
#define SESSION_MS         (12 * (int64_t)3600000) /* a working day */

/* What a browser has: `id` in its cookie, `csrf` in its forms. */
struct session {
    char id[SESSION_SECRET_MAX];
    char csrf[SESSION_SECRET_MAX];
    char name[CONSOLE_TOKEN_NAME_MAX]; /* of the key */
};

/* A new session for the key of that name; the oldest gives way where there are too many. */
void session_start(struct sessions *sessions, const char *name, int64_t now_ms, struct session *session);

/* The session of this cookie. False if there is none, or it is over. Takes the same time for any id. */
bool session_find(struct sessions *sessions, const char *id, int64_t now_ms, struct session *session);

void session_end(struct sessions *sessions, const char *id);

/* Chance, for what must be done only once. */
void session_once(char text[SESSION_SECRET_MAX]);

/* Whether the text is the session's own, in constant time. NULL is not. */
bool session_same(const char *csrf, const char *text);

/* How long this client has to wait until it may show a key again, because it has shown wrong ones: 0, or
 * milliseconds. A client is an IPv4 address or an IPv6 network of 64 bits. */
int64_t session_wait_ms(struct sessions *sessions, const struct exchange_client *client, int64_t now_ms);

/* It has shown a wrong one. */
void session_missed(struct sessions *sessions, const struct exchange_client *client, int64_t now_ms);

/* How many wrong keys a client may show within SESSION_MISS_MS. */
#define SESSION_MISSES  10
#define SESSION_MISS_MS (10 * (int64_t)60000)

#endif
