/* The operator's console: what came in, who pays and who refuses, and what can be done about it, as pages for
 * people and as an API for programs, at the same addresses. A process of its own with the operator's role;
 * the gate's never has it. Who may come in has a key of `crawltab token`. */
#ifndef SERVER_CONSOLE_CONSOLE_H
#define SERVER_CONSOLE_CONSOLE_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"
#include "ledger/pg/pg.h"
#include "server/console/base/child.h"

struct console;

/* What it is made of; all of it outlives it. */
struct console_parts {
    const struct config *config;
    struct child_program program; /* the operator's command, for what it does by hand */
    const char *assets;           /* folder of style, script and charts */
    /* Connects as the operator; on the thread that will use it. NULL after a log line. */
    struct pg *(*open)(const struct config *config, const char *application);
};

/* NULL without memory. */
struct console *console_new(const struct console_parts *parts);
void console_free(struct console *console);

/* As the HTTP layer's handler. */
struct exchange_handler console_handler(struct console *console);

/* Ends the streams of live numbers, which would keep the server from stopping. */
void console_stopping(struct console *console);

#endif
