/* The configuration's table as data: shared by the parser, the checks and the writer of the example. */
#ifndef LEDGER_BASE_CONFIG_TABLE_H
#define LEDGER_BASE_CONFIG_TABLE_H

#include "ledger/base/config.h"

enum config_kind {
    CONFIG_IS_TEXT,
    CONFIG_IS_PATH,
    CONFIG_IS_NUMBER,
    CONFIG_IS_FLAG,
    CONFIG_IS_AMOUNT,
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

struct config_table {
    const struct config_field *fields;
    size_t count;
};

/* The three levels: the gate, a site, a rule. */
extern const struct config_table config_gate_table;
extern const struct config_table config_site_table;
extern const struct config_table config_rule_table;

/* Lines on which things stand, for the checks' messages. */
struct config_lines {
    size_t *site_lines;
    size_t **rule_lines; /* per site, per rule */
};

/* Where problems are told: "file:line: what, why, hint". */
struct config_report {
    const char *file;
    FILE *errors;
    FILE *warnings;
    size_t error_count;
};

void config_error(struct config_report *report, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_warning(struct config_report *report, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What types cannot say: hosts that stand twice, prices without charge, unknown zones and currencies. */
void config_check(const struct config *config, const struct config_lines *lines,
                  struct config_report *report);

#endif
