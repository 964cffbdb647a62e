/* What a role may do in the console: one table. */
#ifndef SERVER_CONSOLE_BASE_ROLE_H
#define SERVER_CONSOLE_BASE_ROLE_H

#include <stdbool.h>

/* What an operation asks for, as bits. */
enum role_right {
    RIGHT_TRAFFIC = 1, /* see who takes what */
    RIGHT_BOOKS = 2,   /* see accounts, agreements, invoices, disputes, entries and their proofs */
    RIGHT_RECORDS = 4, /* see the ledger's own records: days, checkpoints, operators' deeds, settings, keys */
    RIGHT_MONEY = 8,   /* change what is billed: invoices, payments, credits, disputes */
    RIGHT_TERMS = 16,  /* change what is agreed: agreements, suspension */
    RIGHT_KEYS = 32,   /* make and revoke keys of the console */
};

/* "owner", "finance", "auditor" and "reader"; any other may nothing. */
bool role_may(const char *role, enum role_right right);

/* The name of a right, for messages and the API's description. */
const char *role_right_name(enum role_right right);

#endif
