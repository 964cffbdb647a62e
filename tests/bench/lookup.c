/* How long it takes to look up an entry: the statement of `crawltab lookup`, prepared, once for every line of
 * standard input: a payment id (a UUID), or a site's number, milliseconds and a URL, for the entries of the
 * hour around. Prints one line of JSON; fails if an entry is not found.
 *
 *   lookup CONFIG < LINES */
#include "ledger/pg/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST      1000000
#define ASKED_MAX 1024

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Takes the line apart. */
static bool look_up(struct pg *pg, char *line, int64_t *took_us)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char *at_ms = strchr(line, ' ');
    char *url = at_ms ? strchr(at_ms + 1, ' ') : NULL;
    if (url)
        *at_ms++ = *url++ = '\0';
    pg_params_text(&params, line);
    if (url) {
        pg_params_text(&params, url);
        pg_params_text(&params, at_ms);
        pg_params_text(&params, "0"); /* by any crawler */
    }
    int64_t start = now_us();
    bool ok = pg_run(pg, url ? "charge_of_url" : "charge_lookup", &params, &rows) == ERR_OK;
    *took_us = now_us() - start;
    ok = ok && (url ? rows.count > 0 : rows.count == 1);
    pg_rows_free(&rows);
    return ok;
}

int main(int argc, char **argv)
{
    char line[ASKED_MAX];
    int64_t *took = malloc(MOST * sizeof(*took));
    size_t count = 0;
    struct config *config = argc == 2 ? config_load(argv[1], stderr, stderr) : NULL;
    if (!config || !took) {
        fputs("usage: lookup CONFIG < LINES\n", stderr);
        return 64;
    }
    struct pg *pg = pg_open(&(struct pg_options){.config = config,
                                                 .role = config->ledger_operator_role,
                                                 .application = "bench",
                                                 .connect_ms = 5000,
                                                 .timeout_ms = 10000});
    while (pg && count < MOST && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!look_up(pg, line, &took[count++])) {
            fprintf(stderr, "lookup: %s was not found\n", line);
            return 1;
        }
    }
    if (count == 0)
        return 1;
    qsort(took, count, sizeof(*took), ascending);
    printf("{\"name\":\"lookup\",\"count\":%zu,\"p50_us\":%lld,\"p99_us\":%lld}\n", count,
           (long long)took[count / 2], (long long)took[count * 99 / 100]);
    pg_close(pg);
    config_free(config);
    free(took);
    return 0;
}
