/* What stands above a page's tables: a sentence, its numbers and charts, and documents to download. */
#ifndef SERVER_CONSOLE_INTRO_H
#define SERVER_CONSOLE_INTRO_H

#include "server/console/page.h"

void intro_write(FILE *out, const struct seat *seat, const struct caller *caller, const struct asked *ask,
                 const struct page_content *content);

/* What a look-up has found, in a sentence. */
void intro_sentence(FILE *out, const json_t *object);

#endif
