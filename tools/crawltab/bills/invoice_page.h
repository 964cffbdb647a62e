/* An invoice as a page of 80 columns. */
#ifndef TOOLS_CRAWLTAB_BILLS_INVOICE_PAGE_H
#define TOOLS_CRAWLTAB_BILLS_INVOICE_PAGE_H

#include "ledger/format/document.h"

void invoice_page_print(const struct document *document);

#endif
