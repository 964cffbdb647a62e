/* Packing what is written and unpacking what is read, piece by piece, in memory that does not grow: gzip (RFC
 * 1952) and Zstandard (RFC 8878). The same bytes pack to the same bytes, with one version of the library. */
#ifndef LEDGER_BASE_FILE_PACKING_H
#define LEDGER_BASE_FILE_PACKING_H

#include "ledger/base/err.h"
#include "ledger/base/slice.h"

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

/* "none", "gzip", "zstd". */
const char *packing_name(enum packing packing);
bool packing_named(struct slice name, enum packing *packing);

/* Takes what comes out; valid until it returns. */
typedef void packing_take(void *context, struct slice piece);

struct packer;

/* Packs into `take`, or with `unpacks` the other way round. NULL without memory. Ended by packer_free. */
struct packer *packer_new(enum packing packing, bool unpacks, packing_take *take, void *context) MUST_USE;

/* False if it is not packed so, or is damaged; then whatever comes after is lost. */
bool packer_add(struct packer *packer, struct slice piece) MUST_USE;

/* The rest. False if what was to be unpacked ends too early. */
bool packer_end(struct packer *packer) MUST_USE;
void packer_free(struct packer *packer);

#endif
