/* Writes the manifest of an export, signed under the names of the sites' logs by their keys. */
#ifndef TOOLS_CRAWLTAB_EXPORT_EXPORT_MANIFEST_H
#define TOOLS_CRAWLTAB_EXPORT_EXPORT_MANIFEST_H

#include "tools/crawltab/export/exporter.h"
#include "tools/crawltab/frame/checkpoint_key.h"

/* `keys` NULL: it is not signed. NULL after logging why it cannot be made; the caller frees. */
char *export_manifest_make(struct pg *pg, const struct selection *selection, const struct export_made *made,
                           const struct checkpoint_keys *keys) MUST_USE;

#endif
