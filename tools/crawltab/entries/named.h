/* What `crawltab lookup` answers about words that are no payment ids: numbers of invoices and credit notes,
 * and thumbprints of keys. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_NAMED_H
#define TOOLS_CRAWLTAB_ENTRIES_NAMED_H

#include "tools/crawltab/frame/command.h"

#define NAMED_MAX 80 /* bytes of such a word, with its NUL */

/* The word without the spaces and quotes around it. False for what is longer than any such word. */
bool named_read(const char *word, char text[NAMED_MAX]) MUST_USE;

/* Tells what the word names, or what it may have meant. EXIT_DONE if it names something. */
enum exit_status named_look_up(struct pg *pg, const char *word, bool json);

#endif
