/* Disputes as people read them. */
#ifndef TOOLS_CRAWLTAB_DISPUTES_DISPUTE_PAGE_H
#define TOOLS_CRAWLTAB_DISPUTES_DISPUTE_PAGE_H

#include "ledger/pg/pg.h"

#include <jansson.h>

/* A document of dispute_document. */
void dispute_page_print(const json_t *document);

/* The rows of dispute_list. */
void dispute_page_list(const struct pg_rows *rows);
json_t *dispute_page_list_json(const struct pg_rows *rows);

/* What `crawltab dispute rules` says. */
void dispute_page_rules(void);
json_t *dispute_page_rules_json(void);

#endif
