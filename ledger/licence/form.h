/* What the writers of the forms share. */
#ifndef LEDGER_LICENCE_FORM_H
#define LEDGER_LICENCE_FORM_H

#include "ledger/licence/licence.h"

#include <jansson.h>

#define LICENCE_URL_MAX 2048

/* True for a rule that holds for everybody who crawls with GET, whatever the query. */
bool licence_tells(const struct config_site *site, const struct config_rule *rule);

/* A rule's glob as robots.txt (RFC 9309 section 2.2.3) has it, which RSL and TDMRep follow: there "*" runs
 * over slashes, and a pattern is a beginning unless it ends with "$". What stops at a slash here is therefore
 * told wider than it is. Returns `out`. */
const char *licence_pattern(const char *glob, char out[LICENCE_URL_MAX]);

/* Scheme and first host of the site, without a slash behind them. Returns `out`. */
const char *licence_origin(const struct config_site *site, char out[LICENCE_URL_MAX]);

/* What a rule with a price accepts, as x402 lists it, without an id: those come with the offer. NULL without
 * memory. */
json_t *licence_accepts(const struct config_site *site, const struct config_rule *rule, int64_t life_seconds);

/* The writers. */
char *licence_write_rsl(const struct config_site *site, int64_t life_seconds);
char *licence_write_x402(const struct config_site *site, int64_t life_seconds, int64_t now_ms);
char *licence_write_tdmrep(const struct config_site *site);
char *licence_write_robots(const struct config_site *site);

#endif
