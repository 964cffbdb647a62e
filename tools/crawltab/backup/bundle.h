/* A backup is a folder: the files that the configuration names, the database as pg_dump writes it, the newest
 * checkpoint of each site, and manifest.json, which names them all with their digests. The manifest is
 * written last: a folder without one is no backup. */
#ifndef TOOLS_CRAWLTAB_BACKUP_BUNDLE_H
#define TOOLS_CRAWLTAB_BACKUP_BUNDLE_H

#include "ledger/base/config/config.h"

#include <jansson.h>
#include <limits.h>

#define BUNDLE_MANIFEST      "manifest.json"
#define BUNDLE_CONFIGURATION "config.yaml"
#define BUNDLE_DATABASE      "ledger.dump"
#define BUNDLE_NAME_MAX      256

/* Told of a file: its name in the bundle, which is that of its key, "offer.key_file", and where the programs
 * look for it. False ends the round. */
typedef bool bundle_visit(void *context, const char *name, const char *path);

/* Tells of every file that the configuration names and that money depends on, whether it is there or not.
 * False if a visit was. */
bool bundle_each(const struct config *config, bundle_visit *visit, void *context);

/* "FOLDER/NAME"; false, after a log line, if that is too long or `name` leads out of the folder. */
bool bundle_path(const char *folder, const char *name, char path[PATH_MAX]);

/* {"name": NAME, "bytes": N, "sha256": HEX} of a file of the folder. The caller owns it; NULL after a log
 * line. */
json_t *bundle_describe(const char *folder, const char *name);

#endif
