/* Tables that entries are joined with are on one server, and the planner of Citus joins few of them with
 * those that are on many. So statements read entries by charge_of and charge_range: in one database the
 * planner takes the latter apart and sees the table itself, and in a cluster it does not, and each is a query
 * of its own. */
#include "ledger/pg/cluster.h"

#include "ledger/pg/sql.h"
#include "sql/rows/pg.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err cluster_read(struct pg *pg, bool *spread)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(pg, "cluster_read", NULL, &rows));
    assert(rows.count == 1);
    *spread = cluster_read_row(&rows, 0).spread;
out:
    pg_rows_free(&rows);
    return err;
}

enum err cluster_make(struct pg *pg, const char *schema)
{
    static const char begins[] = "CREATE OR REPLACE FUNCTION ";
    enum err err = ERR_OK;
    for (const struct sql_file *made = sql_cluster; err == ERR_OK && made->name; made++) {
        const char *rest = strstr(made->text, begins);
        assert(rest);
        rest += strlen(begins);
        size_t size = sizeof(begins) + strlen(schema) + 1 + strlen(rest);
        char *text = malloc(size);
        if (!text)
            return ERR_OVERLOADED;
        snprintf(text, size, "%s%s.%s", begins, schema, rest);
        err = pg_script(pg, made->name, text);
        free(text);
    }
    return err;
}

enum err cluster_spread(struct pg *pg)
{
    enum err err;
    const struct sql_file *script = &sql_scripts[SQL_SCRIPT_CITUS];
    assert(strcmp(script->name, "citus") == 0);
    TRY(pg_run(pg, "cluster_alone", NULL, NULL));
    /* First, so that the tables' triggers come to other servers as they are to be there. */
    TRY(cluster_make(pg, "public"));
    TRY(pg_script(pg, script->name, script->text));
out:
    return err;
}
