#include "server/console/view/plot.h"

#include "server/console/view/markup.h"

#define WIDTH  720
#define HEIGHT 160
#define BOTTOM 18

static int64_t largest(const struct plot *chart)
{
    int64_t most = 1;
    for (size_t i = 0; i < chart->slots; i++) {
        most = chart->columns[i] > most ? chart->columns[i] : most;
        most = chart->line[i] > most ? chart->line[i] : most;
    }
    return most;
}

/* Tenths of a pixel, from the bottom. The larger of two products would not fit for the largest amounts. */
static int64_t height_of(int64_t value, int64_t most)
{
    return most > INT64_MAX / 20000 ? value / (most / 1000 + 1) * (HEIGHT - BOTTOM) / 100
                                    : value * (HEIGHT - BOTTOM) * 10 / most;
}

static void write_data(FILE *out, const char *name, const int64_t *values, size_t count)
{
    fprintf(out, " data-%s=\"", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%lld", i ? "," : "", (long long)values[i]);
    fputc('"', out);
}

static void write_columns(FILE *out, const struct plot *chart, int64_t most)
{
    int64_t step = WIDTH * 10 / (int64_t)chart->slots;
    for (size_t i = 0; i < chart->slots; i++) {
        int64_t height = height_of(chart->columns[i], most), x = (int64_t)i * step + step / 10;
        if (height > 0)
            fprintf(out,
                    "<rect class=\"column\" x=\"%lld.%lld\" y=\"%lld.%lld\" width=\"%lld\" "
                    "height=\"%lld.%lld\"/>",
                    (long long)x / 10, (long long)x % 10, (long long)((HEIGHT - BOTTOM) * 10 - height) / 10,
                    (long long)((HEIGHT - BOTTOM) * 10 - height) % 10, (long long)(step * 8 / 100),
                    (long long)height / 10, (long long)height % 10);
        if (i % (chart->slots > 12 ? 3 : 1) == 0)
            markup(out, "<text x=\"%d\" y=\"%d\">%s</text>", (int64_t)(x / 10), (int64_t)HEIGHT - 4,
                   chart->labels[i]);
    }
}

static void write_line(FILE *out, const struct plot *chart, int64_t most)
{
    int64_t step = WIDTH * 10 / (int64_t)chart->slots;
    fputs("<polyline class=\"line\" points=\"", out);
    for (size_t i = 0; i < chart->slots; i++)
        markup(out, "%d,%d ", ((int64_t)i * step + step / 2) / 10,
               (int64_t)HEIGHT - BOTTOM - height_of(chart->line[i], most) / 10);
    fputs("\"/>", out);
}

void plot_write(FILE *out, const struct plot *chart)
{
    int64_t most = largest(chart);
    if (chart->slots == 0)
        return;
    markup(out,
           "<figure class=\"chart\" data-title=\"%s\" data-name=\"%s\" data-line-name=\"%s\" "
           "data-currency=\"%s\" data-labels=\"",
           chart->title, chart->name, chart->line_name, chart->currency);
    for (size_t i = 0; i < chart->slots; i++)
        markup(out, i ? ",%s" : "%s", chart->labels[i]);
    fputc('"', out);
    write_data(out, "columns", chart->columns, chart->slots);
    write_data(out, "line", chart->line, chart->slots);
    markup(out,
           "><figcaption>%s: <span class=\"key column\">%s</span> and "
           "<span class=\"key line\">%s</span>; at most ",
           chart->title, chart->name, chart->line_name);
    if (chart->currency)
        markup_money(out, most > 1 ? most : 0, chart->currency);
    else
        markup_number(out, most);
    markup(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", (int64_t)WIDTH,
           (int64_t)HEIGHT, chart->title);
    write_columns(out, chart, most);
    write_line(out, chart, most);
    fputs("</svg></figure>\n", out);
}

void plot_bar(FILE *out, int64_t part, int64_t whole, const char *says)
{
    int64_t width = whole > 0 ? (part >= whole ? 100 : part > INT64_MAX / 100 ? 100 : part * 100 / whole) : 0;
    markup(out,
           "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\"%s\"><rect class=\"whole\" width=\"100\" height=\"4\"/>"
           "<rect class=\"part\" width=\"%d\" height=\"4\"/></svg>",
           says, width);
}
