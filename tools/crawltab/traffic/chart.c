#include "tools/crawltab/traffic/chart.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/markup.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define SLOT   10   /* width of a slot, in units of the drawing */
#define HEIGHT 1000 /* of the plot */
#define TICKS  4    /* labels below */

/* Digits before the point, or the end, in threes. */
static void write_grouped(FILE *out, const char *digits)
{
    size_t len = strcspn(digits, ".");
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            putc(',', out);
        putc(digits[i], out);
    }
    fputs(digits + len, out);
}

void chart_write_number(FILE *out, int64_t number)
{
    char digits[32];
    assert(number >= 0);
    snprintf(digits, sizeof(digits), "%" PRId64, number);
    write_grouped(out, digits);
}

void chart_write_amount(FILE *out, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    assert(micros >= 0);
    write_grouped(out, amount_format(micros, amount));
}

static void write_value(FILE *out, const struct chart *chart, int64_t value)
{
    if (!chart->currency) {
        chart_write_number(out, value);
        return;
    }
    chart_write_amount(out, value);
    fprintf(out, " %s", chart->currency);
}

static int64_t sum_of(const struct chart *chart, size_t slot)
{
    int64_t sum = 0;
    for (size_t i = 0; i < chart->series_count; i++)
        sum += chart->series[i].values[slot];
    return sum;
}

/* 1, 2 or 5 and noughts: the least that all fits below. Halved it is whole again, from ten on. */
static int64_t top_of(const struct chart *chart)
{
    int64_t most = 1, unit = 1;
    for (size_t i = 0; i < chart->slots; i++) {
        int64_t sum = sum_of(chart, i);
        most = sum > most ? sum : most;
        most = chart->line && chart->line[i] > most ? chart->line[i] : most;
    }
    while (unit <= most / 10)
        unit *= 10;
    if (most <= unit)
        return unit;
    return most <= 2 * unit ? 2 * unit : most <= 5 * unit ? 5 * unit : 10 * unit;
}

/* What is there is seen. */
static int64_t height_of(int64_t value, int64_t top)
{
    int64_t height = top > INT64_MAX / HEIGHT ? value / (top / HEIGHT) : value * HEIGHT / top;
    return value > 0 && height == 0 ? 1 : height;
}

static void write_slot(FILE *out, const struct chart *chart, size_t slot, int64_t top)
{
    int64_t below = 0;
    if (sum_of(chart, slot) == 0)
        return;
    fputs("<g>", out);
    for (size_t i = 0; i < chart->series_count; i++) {
        int64_t height = height_of(chart->series[i].values[slot], top);
        if (height == 0)
            continue;
        fprintf(out, "<rect class=\"%s\" x=\"%zu\" y=\"%" PRId64 "\" width=\"%d\" height=\"%" PRId64 "\"/>",
                chart->series[i].name, slot * SLOT + 1, HEIGHT - below - height, SLOT - 2, height);
        below += height;
    }
    fputs("<title>", out);
    markup_text(out, chart->labels[slot]);
    for (size_t i = 0; i < chart->series_count; i++) {
        if (chart->series[i].values[slot] == 0)
            continue;
        fprintf(out, "\n%s ", chart->series[i].name);
        write_value(out, chart, chart->series[i].values[slot]);
    }
    fputs("</title></g>\n", out);
}

static void write_line(FILE *out, const struct chart *chart, int64_t top)
{
    fputs("<polyline class=\"line\" points=\"", out);
    for (size_t i = 0; i < chart->slots; i++)
        fprintf(out, "%s%zu,%" PRId64, i > 0 ? " " : "", i * SLOT + SLOT / 2,
                HEIGHT - height_of(chart->line[i], top));
    fputs("\"/>\n", out);
}

static void write_legend(FILE *out, const struct chart *chart)
{
    fputs("<p class=\"legend\">", out);
    for (size_t i = 0; i < chart->series_count; i++) {
        int64_t all = 0;
        for (size_t slot = 0; slot < chart->slots; slot++)
            all += chart->series[i].values[slot];
        if (all == 0)
            continue;
        fprintf(out, "<span><i class=\"%s\"></i>%s ", chart->series[i].name, chart->series[i].name);
        write_value(out, chart, all);
        fputs("</span> ", out);
    }
    if (chart->line)
        fprintf(out, "<span><i class=\"line\"></i>%s</span>", chart->line_name);
    fputs("</p>\n", out);
}

void chart_columns(FILE *out, const struct chart *chart)
{
    assert(chart->slots > 0 && chart->series_count > 0);
    int64_t top = top_of(chart);
    fputs("<figure>\n<figcaption>", out);
    markup_text(out, chart->title);
    fputs("</figcaption>\n", out);
    write_legend(out, chart);
    fputs("<div class=\"plot\"><span class=\"top\">", out);
    write_value(out, chart, top);
    fprintf(
        out,
        "</span>\n<svg role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\">\n"
        "<path class=\"grid\" d=\"M0 0H%zu M0 %d H%zu M0 %d H%zu\"/>\n",
        chart->title, chart->slots * SLOT, HEIGHT, chart->slots * SLOT, HEIGHT / 2, chart->slots * SLOT,
        HEIGHT, chart->slots * SLOT);
    for (size_t i = 0; i < chart->slots; i++)
        write_slot(out, chart, i, top);
    if (chart->line)
        write_line(out, chart, top);
    fputs("</svg></div>\n<div class=\"ticks\">", out);
    for (size_t i = 0; i < TICKS && i < chart->slots; i++) {
        fputs("<span>", out);
        markup_text(out, chart->labels[chart->slots < TICKS ? i : i * chart->slots / TICKS]);
        fputs("</span>", out);
    }
    fputs("</div>\n</figure>\n", out);
}

void chart_bar(FILE *out, const char *const *names, const int64_t *values, size_t count, int64_t most)
{
    int64_t x = 0;
    fprintf(out,
            "<svg class=\"bar\" aria-hidden=\"true\" viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\">",
            HEIGHT);
    for (size_t i = 0; i < count && most > 0; i++) {
        int64_t width = height_of(values[i], most);
        if (width > 0)
            fprintf(out, "<rect class=\"%s\" x=\"%" PRId64 "\" y=\"0\" width=\"%" PRId64 "\" height=\"10\"/>",
                    names[i], x, width);
        x += width;
    }
    fputs("</svg>", out);
}
