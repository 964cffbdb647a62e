/* Who is an AI crawler: who says so in User-Agent, by a list that is kept up to date by hand and what the
 * configuration adds to it and takes from it (`crawlers`), and who signs or pays, whatever User-Agent says.
 * The gate and what is put in front of it (`crawltab front`) have this from here. Pure. */
#ifndef LEDGER_BASE_CONFIG_AI_CRAWLERS_H
#define LEDGER_BASE_CONFIG_AI_CRAWLERS_H

#include "ledger/base/config/config.h"

/* Fields that crawlers alone send: by which they sign, or pay in any dialect. Ends with NULL. */
extern const char *const ai_crawlers_fields[];

/* The scheme of `Authorization` that crawlers alone send, with a licence bought elsewhere (RSL). In any case
 * (RFC 9110 section 11.1), and alone or before a space. */
#define AI_CRAWLERS_SCHEME "License"

/* The name of an AI crawler that stands in the User-Agent as a whole word, as the list has it; empty where
 * there is none. */
struct slice ai_crawlers_find(const struct config *config, struct slice user_agent);

/* True if `word` stands in the User-Agent as a whole word, compared without case. */
bool ai_crawlers_word(struct slice user_agent, struct slice word);

/* The next name that ai_crawlers_find looks for; *at begins at 0. False at the end. */
bool ai_crawlers_next(const struct config *config, size_t *at, struct slice *name);

/* True if the list itself has the name. */
bool ai_crawlers_listed(struct slice name);

#endif
