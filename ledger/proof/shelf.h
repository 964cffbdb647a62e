/* The folder that a site's checkpoints are published in (`seal.publish_folder`): one file for each size of
 * the log, so that the newest tells what is there already. */
#ifndef LEDGER_PROOF_SHELF_H
#define LEDGER_PROOF_SHELF_H

#include "ledger/proof/leaf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct shelf {
    const char *folder;
    char name[3 * LEAF_ORIGIN_MAX]; /* of the log, without slashes */
};

/* For the log of this origin. `folder` must live as long. */
void shelf_begin(struct shelf *shelf, const char *folder, const char *origin);

/* "FOLDER/LOG.00000012.checkpoint"; false if it does not fit. */
bool shelf_path(const struct shelf *shelf, int64_t size, char path[PATH_MAX]);

/* True if there is one of this size, whatever is in it. */
bool shelf_has(const struct shelf *shelf, int64_t size);

#endif
