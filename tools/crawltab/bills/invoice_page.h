/* An invoice as a page of 80 columns. */
#ifndef TOOLS_CRAWLTAB_BILLS_INVOICE_PAGE_H
#define TOOLS_CRAWLTAB_BILLS_INVOICE_PAGE_H

#include <jansson.h>

/* Prints the document of ledger/bill/document.h. */
void invoice_page_print(const json_t *document);

#endif
