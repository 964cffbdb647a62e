/* Invoice documents for tests of formats. */
#ifndef TESTS_UNIT_SUPPORT_DOCUMENT_H
#define TESTS_UNIT_SUPPORT_DOCUMENT_H

#include "ledger/format/bill/rendering.h"

/* Adds the members that a document must have and this one lacks: empty texts, zeros, nulls and empty lists.
 * Returns the document. */
json_t *document_complete(json_t *document);

/* Opens what document_complete makes of a copy. */
void document_open_complete(const json_t *document, struct document *opened);

/* Renders it. */
bool document_render(const json_t *document, rendering_function *render, struct format_output *out);

#endif
