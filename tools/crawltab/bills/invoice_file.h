/* Invoices as files: one in any format, or many into a folder. */
#ifndef TOOLS_CRAWLTAB_BILLS_INVOICE_FILE_H
#define TOOLS_CRAWLTAB_BILLS_INVOICE_FILE_H

#include "tools/crawltab/frame/command.h"

#include "ledger/format/document.h"

/* What the command line says. */
struct invoice_file {
    const char *format;
    const char *out;             /* a file, or the folder of an export; NULL: standard output */
    const char *entries_url;     /* where buyers see their crawls; {number} is the invoice's. NULL: nowhere */
    const char *mark, *mark_url; /* of the Greek tax authority, or NULL */
};

/* An invoice to export. */
struct invoice_file_name {
    const char *site;
    const char *number;
};

/* False after a message if there is no such format, or the mark is no number. */
bool invoice_file_check(const struct invoice_file *file);

/* Renders the document to the file. Adds entries_url and mark to it. */
enum exit_status invoice_file_show(struct document *document, const struct invoice_file *file);

/* Writes each of them into the folder as SITE-NUMBER.EXTENSION. One that lacks what the format needs is told,
 * and the rest is written. */
enum exit_status invoice_file_export(struct pg *pg, const struct invoice_file_name *names, size_t count,
                                     const struct invoice_file *file);

#endif
