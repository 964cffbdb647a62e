/* What an export is asked for: which rows, and how they are written. */
#ifndef TOOLS_CRAWLTAB_EXPORT_SELECTION_H
#define TOOLS_CRAWLTAB_EXPORT_SELECTION_H

#include "ledger/base/file/packing.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

/* What can be exported, and by what it can be chosen. */
struct export_kind {
    const char *name;
    const char *statement;
    bool by_day; /* of entries: a statement for each billing day */
    bool of_site, of_ids, of_invoice, of_path;
};

/* NULL if there is none of that name. */
const struct export_kind *export_kind_called(const char *name);
/* The names, ended by NULL. */
extern const char *const export_kinds[];

struct selection {
    const struct export_kind *kind;
    const char *from, *to;                                  /* "YYYY-MM-DD"; NULL: whatever there is */
    const char *site, *crawler, *path, *invoice, *ids_file; /* NULL: all */
    uint8_t (*ids)[UUID_SIZE];                              /* of ids_file, sorted, each once */
    size_t id_count;
    bool csv;
    enum packing packing;
    const char *out; /* NULL: standard output */
};

/* Reads the file of ids, one a line: 64 characters or a UUID. False after logging which line is none. Ended
 * by selection_free in any case. */
bool selection_read_ids(struct selection *selection) MUST_USE;
void selection_free(struct selection *selection);

/* Adds them as a parameter: NULL for all. `array` must live as long as `params`. */
bool selection_add_ids(const struct selection *selection, struct pg_array *array, struct pg_params *params);

/* Whether the row is of the path that is asked for. */
bool selection_has_path(const struct selection *selection, struct slice resource);

/* Writes what was chosen as lines of the manifest, in an order of their own. */
void selection_write(const struct selection *selection, FILE *out);

/* The same in a few words, for the record of operators' deeds. */
void selection_describe(const struct selection *selection, FILE *out);

#endif
