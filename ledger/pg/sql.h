/* The texts of sql/, compiled in by sql/embed.awk. Each table ends with a NULL name. */
#ifndef LEDGER_PG_SQL_H
#define LEDGER_PG_SQL_H

struct sql_file {
    const char *name; /* of the file, without folder and ".sql" */
    const char *text;
};

/* A column that a statement declares. */
struct sql_column {
    const char *name;
    const char *type_name;
    unsigned int type; /* its number in pg_type */
};

struct sql_statement {
    const char *name;
    const char *text;
    const char *rows;                 /* the name of its rows: its own, or one that it shares with others */
    const struct sql_column *columns; /* ends with a NULL name; NULL: nobody reads what it answers */
};

/* Numbered, in order: "0001-entries". */
extern const struct sql_file sql_migrations[];

/* What the migrations up to SCHEMA_BASELINE come to, in pieces that are run one after the other: "01-base".
 */
extern const struct sql_file sql_baseline[];

/* Each makes in pg_temp a function or view that the migrations leave in the database: "refuse_change". */
extern const struct sql_file sql_definitions[];

/* One prepared statement each: "charge_insert". */
extern const struct sql_statement sql_statements[];

/* Several commands each, run as they are: those that SQL_SCRIPT_… number. */
extern const struct sql_file sql_scripts[];
enum { SQL_SCRIPT_CITUS, SQL_SCRIPT_ROLES, SQL_SCRIPT_COUNT };

/* Each makes a function as a cluster has it: "charge_of". */
extern const struct sql_file sql_cluster[];

#endif
