/* What a site says in public about who may crawl it and what that costs, made from its rules: RSL 1.0, the
 * draft listing of x402, TDMRep, and lines for robots.txt. Only rules that hold for every AI crawler's GET
 * are told: what is agreed with one is between him and the publisher. Rules that only observe are left out.
 */
#ifndef LEDGER_LICENCE_LICENCE_H
#define LEDGER_LICENCE_LICENCE_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/base/slice.h"

enum licence_form {
    LICENCE_RSL,    /* rsl.xml, https://rslstandard.org/rsl */
    LICENCE_X402,   /* /.well-known/x402.json (x402, well-known-discovery, a draft) */
    LICENCE_TDMREP, /* /.well-known/tdmrep.json (W3C community group report) */
    LICENCE_FORMS,
    LICENCE_ROBOTS = LICENCE_FORMS /* lines for a robots.txt that the publisher has: never served */
};

/* "rsl", "x402", "tdmrep", "robots". Static. */
const char *licence_name(enum licence_form form);

/* False when it is none of the names. */
bool licence_form_parse(const char *name, enum licence_form *form) MUST_USE;

/* Where the form is served, and as what. Static. Not for LICENCE_ROBOTS. */
const char *licence_path(enum licence_form form);
const char *licence_media_type(enum licence_form form);

/* Whether the site wants it served. Not for LICENCE_ROBOTS. */
bool licence_published(const struct config_site *site, enum licence_form form);

/* The document, NUL-terminated, which the caller frees; NULL without memory. `life_seconds`: how long an
 * offer holds; `now_ms`: when it was made, for the forms that say so. */
char *licence_write(enum licence_form form, const struct config_site *site, int64_t life_seconds,
                    int64_t now_ms);

#endif
