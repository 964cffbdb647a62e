/* Charts as SVG, which need no script: columns over time. Their figures stand beside them in a table. */
#ifndef SERVER_CONSOLE_VIEW_PLOT_H
#define SERVER_CONSOLE_VIEW_PLOT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#define PLOT_SLOTS_MAX 48

struct plot {
    const char *title, *name, *line_name; /* of the columns, and of the line */
    const char *currency;                 /* the values are micro-units of it; NULL: counts */
    size_t slots;                         /* at most PLOT_SLOTS_MAX */
    char labels[PLOT_SLOTS_MAX][8];
    int64_t columns[PLOT_SLOTS_MAX], line[PLOT_SLOTS_MAX]; /* not below 0 */
};

/* A figure, with the values as data for a script that can do more. */
void plot_write(FILE *out, const struct plot *chart);

/* One bar of `whole`, of which `part` is filled, as wide as the room is. */
void plot_bar(FILE *out, int64_t part, int64_t whole, const char *says);

#endif
