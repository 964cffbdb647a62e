/* The formats of an invoice: each a pure function from the document to the bytes of a file. Invoices and
 * credit notes are rendered alike. */
#ifndef LEDGER_FORMAT_BILL_RENDERING_H
#define LEDGER_FORMAT_BILL_RENDERING_H

#include "ledger/format/document.h"
#include "ledger/format/format.h"

typedef bool rendering_function(const struct document *document, struct format_output *out);

struct rendering {
    const char *name;      /* "ubl" */
    const char *extension; /* "xml" */
    rendering_function *render;
};

/* Ends with a NULL name. */
extern const struct rendering renderings[];

const struct rendering *rendering_called(const char *name);

/* The document itself. */
rendering_function json_render;

/* RFC 4180: a row for each line, then one for each sum, so that the column "amount" says everything. */
rendering_function csv_render;

/* One page in one file: style, logo and chart are in it, no script; prints well. */
rendering_function html_render;

/* The same content on paper: A4, or letter in North America. The creation date is the invoice's. */
rendering_function pdf_render;

/* UBL 2.1 as EN 16931 and Peppol BIS Billing 3.0 want it. */
rendering_function ubl_render;

/* A transaction in the journal format that hledger and ledger share. */
rendering_function hledger_render;
rendering_function ledger_render;

/* A transaction for beancount. */
rendering_function beancount_render;

#endif
