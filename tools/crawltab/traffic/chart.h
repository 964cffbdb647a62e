/* Charts as inline SVG: columns over time, and bars beside names. They stretch to any width, and their words
 * are HTML, so that these stay legible on a phone. Colours are classes of the page's style. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_CHART_H
#define TOOLS_CRAWLTAB_TRAFFIC_CHART_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct chart_series {
    const char *name; /* also the class */
    int64_t *values;  /* one for each slot, not below 0 */
};

struct chart {
    const char *title;
    const struct chart_series *series; /* stacked, the first at the bottom */
    size_t series_count;
    const int64_t *line; /* a value for each slot, or NULL */
    const char *line_name;
    size_t slots;
    char (*labels)[24];   /* of each slot */
    const char *currency; /* the values are micro-units of it; NULL: they are counts */
};

/* A figure with a legend. */
void chart_columns(FILE *out, const struct chart *chart);

/* One bar, `whole` of `most` long, parted by the values; `whole` is their sum at least. */
void chart_bar(FILE *out, const char *const *names, const int64_t *values, size_t count, int64_t most);

/* Writes it as 1,234,567, and micro-units of money as 1,234,567.00; not below 0. */
void chart_write_number(FILE *out, int64_t number);
void chart_write_amount(FILE *out, int64_t micros);

#endif
