/* Tables of settings, and what is made from them: the parser, the checks and the writers. The configuration
 * is described so, and the terms of agreements. */
#ifndef LEDGER_BASE_CONFIG_CONFIG_TABLE_H
#define LEDGER_BASE_CONFIG_CONFIG_TABLE_H

#include "ledger/base/config/config.h"

enum config_kind {
    CONFIG_IS_TEXT,
    CONFIG_IS_CODE,
    CONFIG_IS_PATH,
    CONFIG_IS_NUMBER,
    CONFIG_IS_FLAG,
    CONFIG_IS_AMOUNT,
    CONFIG_IS_RATE,
    CONFIG_IS_LIST
};

struct config_field {
    const char *key; /* with dots for the levels */
    enum config_kind kind;
    size_t offset;       /* of the member in its structure */
    const char *initial; /* NULL: must be given */
    int64_t min, max;
    const char *what;
};

/* A path's default, with the longest folder of keys. */
#define CONFIG_INITIAL_MAX 512

/* The default as it could stand in a file, which may be in `text`. Only for fields that have one. */
const char *config_initial(const struct config_field *field, char text[CONFIG_INITIAL_MAX]);

struct config_table {
    const struct config_field *fields;
    size_t count;
    size_t where; /* offset of the structure's config_where */
    const struct config_children *children;
    size_t child_count;
};

/* A key that holds a list of structures, which have a table of their own. */
struct config_children {
    const char *key;
    const struct config_table *table;
    size_t size;         /* of one structure */
    size_t items, count; /* offsets, in the structure that holds the list, of pointer and size_t */
};

/* The levels: the gate, a site, and its rules and tools. */
extern const struct config_table config_gate_table;
extern const struct config_table config_site_table;
extern const struct config_table config_rule_table;
extern const struct config_table config_tool_table;

/* Where problems are told: "file:line: what, why, hint". */
struct config_report {
    const char *file;
    FILE *errors;
    FILE *warnings; /* NULL: dropped */
    size_t error_count;
    bool examining; /* also what may be otherwise when a gate starts, such as a port in use: warnings */
    bool checking;  /* what was read is now judged: what could not be read has been told */
    struct config_told *told;
};

/* The line of a setting of the gate; 0 where it is not given. */
size_t config_gate_line(const struct config *config, const char *key);

/* The line of a setting of the site, or the site's own where it is not given. */
size_t config_site_line(const struct config_site *site, const char *key);

void config_error(struct config_report *report, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Forgets what was told. */
void config_report_end(struct config_report *report);
void config_warning(struct config_report *report, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What reading needs beside the text: where problems are told, what relative paths are relative to, and the
 * memory of all that was read, freed together by config_reader_free. */
struct config_reader {
    struct config_report report;
    const char *folder;
    const char *lists_keys; /* what shows all keys, for the message about an unknown one */
    struct config_memory *memory;
};

/* Zeroed memory that lives until config_reader_free; never NULL. */
void *config_keep(struct config_reader *reader, size_t size);
char *config_keep_text(struct config_reader *reader, const char *text);
void config_reader_free(struct config_reader *reader);

/* Gives every member its default; children are an empty list. */
void config_read_initial(struct config_reader *reader, const struct config_table *table, void *structure);

/* The list of children of a structure: how many, each one, and a new list of zeroed ones. */
size_t config_child_count(const struct config_children *children, const void *structure);
void *config_child(const struct config_children *children, const void *structure, size_t index);
void config_child_make(struct config_reader *reader, const struct config_children *children, void *structure,
                       size_t count);

/* Reads YAML into the structure; what is not in the text gets its default. Every mistake is told, not only
 * the first. False when there is nothing that could be judged further: no YAML, or none at all. */
bool config_read(struct config_reader *reader, const struct config_table *table, void *structure, FILE *file);

/* Changes one setting, and leaves the rest. The text of a list is YAML, any other is taken as it is; an
 * empty one gives the default. */
void config_read_key(struct config_reader *reader, const struct config_table *table, void *structure,
                     const char *key, const char *text);

/* Longest word that is compared, with its NUL. */
#define CONFIG_WORD_MAX 65

/* How many characters have to be changed, added or removed (Levenshtein); CONFIG_WORD_MAX for long words. */
size_t config_distance(const char *a, const char *b);

/* The word of a list, which ends with NULL, that was probably meant; NULL: none is near. Static. */
const char *config_nearest(const char *word, const char *const *words);

/* Texts that are missing become empty ones, so that the rest can be judged. */
void config_read_fill(const struct config_table *table, void *structure);

/* What types cannot say: hosts that stand twice, prices without charge, unknown zones and currencies. */
void config_check(const struct config *config, struct config_report *report);

/* The part of it for a site's seller, and what its invoices are like. */
void config_check_billing(const struct config_site *site, struct config_report *report);
void config_check_tools(const struct config_site *site, struct config_report *report);
void config_check_network(const struct config *config, struct config_report *report);

/* A value that an example shows instead of the default, as YAML. Ends with a NULL key. */
struct config_sample {
    const char *key;
    const char *yaml;
};

/* Writes the table's keys with what they are, at `indent`; keys of a section one step deeper below its name.
 * Below the top level, keys without a sample are shown as comments. `first`, if not NULL, replaces the first
 * key's indent and comment, for items of a list. */
void config_write_table(FILE *out, const struct config_table *table, int indent,
                        const struct config_sample *samples, const char *first);

#endif
