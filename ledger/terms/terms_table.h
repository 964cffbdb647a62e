/* The tables of the terms as data: shared by the files that read, check and write them. */
#ifndef LEDGER_TERMS_TERMS_TABLE_H
#define LEDGER_TERMS_TERMS_TABLE_H

#include "ledger/base/config/config_table.h"
#include "ledger/terms/terms.h"

extern const struct config_table terms_table;
extern const struct config_table terms_price_table;
extern const struct config_table terms_tier_table;

/* False for an empty text or list, and a number that is -1. */
bool terms_given(const struct config_field *field, const void *structure);

/* What types cannot say: words, numbers of banks and countries, what belongs together. */
void terms_check(const struct terms *terms, const char *currency, struct config_report *report);

#endif
