/* Kills a program at a statement's boundary: a relay in front of the server counts the statements that come
 * through it. */
#ifndef TESTS_PG_SUPPORT_CUT_H
#define TESTS_PG_SUPPORT_CUT_H

#include <stdbool.h>

/* Starts a relay in the folder "cut" beside the configuration (so `host=./cut` in ledger.connection). Whoever
 * sends the `number`th statement through it (from 1; 0: never) is killed after the server has done it and
 * before anybody is told: for the database the same as before the next statement. Preparing a statement
 * changes nothing and does not count. Returns the relay's pid. */
int cut_start(int number);

/* Ends the relay. True if it has killed somebody. */
bool cut_stop(int pid);

#endif
