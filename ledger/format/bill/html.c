/* A page that stands alone: no script, no font, no picture from elsewhere, and a policy in it that says so,
 * since it is opened by the payer's accountants, from a mail, with texts in it that the other side has
 * chosen. Every text goes through one function that escapes it. */
#include "ledger/format/bill/rendering.h"

#include "ledger/format/bill/view.h"
#include "ledger/format/markup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    "  :root { color-scheme: light; --ink: #1c2430; --soft: #5b6675; --line: #d8dde4; --bar: #2f6fae }\n"
    "  * { box-sizing: border-box }\n"
    "  body { margin: 0; background: #eef1f4; color: var(--ink);\n"
    "         font: 15px/1.5 system-ui, 'DejaVu Sans', sans-serif }\n"
    "  main { max-width: 56rem; margin: 2rem auto; padding: 3rem; background: #fff;\n"
    "         box-shadow: 0 1px 4px #0003; overflow-wrap: anywhere }\n"
    "  header { display: flex; justify-content: space-between; gap: 2rem; align-items: flex-start }\n"
    "  header img { max-width: 14rem; max-height: 4.5rem; display: block; margin-bottom: .75rem }\n"
    "  .seller { font-weight: 600; font-size: 1.1rem }\n"
    "  .what { text-align: right }\n"
    "  h1 { margin: 0; font-size: 1.7rem; line-height: 1.2 }\n"
    "  .number { color: var(--soft); font-variant-numeric: tabular-nums }\n"
    "  .status { display: inline-block; margin-top: .4rem; padding: .05rem .6rem; border-radius: 1rem;\n"
    "            border: 1px solid currentColor; font-size: .85rem; color: #8a4b08 }\n"
    "  .status.paid { color: #1d6b3a }\n"
    "  h2 { font-size: .8rem; color: var(--soft); font-weight: 600; margin: 0 0 .25rem }\n"
    "  .parties { display: grid; grid-template-columns: 1fr 1fr 1.4fr; gap: 1.5rem; margin: 2rem 0;\n"
    "             align-items: start }\n"
    "  .parties p { margin: 0 } .parties strong { display: block }\n"
    "  dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .8rem; margin: 0 }\n"
    "  dt { color: var(--soft) } dd { margin: 0 }\n"
    "  table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }\n"
    "  th { text-align: left; font-size: .8rem; color: var(--soft); border-bottom: 2px solid var(--ink) }\n"
    "  th, td { padding: .4rem .3rem; vertical-align: top }\n"
    "  td { border-bottom: 1px solid var(--line) }\n"
    "  .n { text-align: right; white-space: nowrap; overflow-wrap: normal; padding-left: 1rem }\n"
    "  .pad { font-weight: 400 }\n"
    "  .sums { width: auto; margin: 1rem 0 2rem auto } .sums td { border: 0; padding: .15rem .3rem }\n"
    "  .sums tr:last-child td { border-top: 2px solid var(--ink); font-weight: 700; padding-top: .4rem }\n"
    "  .notes p { margin: 0 0 .5rem; color: var(--soft) } .notes p:first-child { color: var(--ink) }\n"
    "  figure { margin: 2rem 0 0 } svg { width: 100%; height: auto; display: block }\n"
    "  figcaption { font-size: .8rem; color: var(--soft) }\n"
    "  a { color: var(--bar) }\n"
    "  @media (max-width: 44rem) { main { margin: 0; padding: 1.2rem } header { flex-direction: column }\n"
    "    .what { text-align: left } .parties { grid-template-columns: 1fr; gap: 1rem }\n"
    "    .lines tr { display: grid; grid-template-columns: 1fr 1fr 1.4fr }\n"
    "    .lines :is(td, th):first-child { grid-column: 1 / -1; border: 0; padding-bottom: 0 } }\n"
    "  @page { margin: 16mm }\n"
    "  @media print { body { background: none; font-size: 10pt }\n"
    "    main { margin: 0; padding: 0; max-width: none; box-shadow: none }\n"
    "    thead { display: table-header-group } tr, figure, .sums, .notes p { break-inside: avoid } }\n";

static void element(FILE *out, const char *open, const char *value, const char *close)
{
    fputs(open, out);
    markup_text(out, value);
    fputs(close, out);
}

/* With places to break a line in what has no spaces, such as addresses: before @ and points, behind dashes
 * and slashes. */
static void address(FILE *out, const char *value)
{
    if (!strchr(value, '@') && !strstr(value, "://")) {
        markup_text(out, value);
        return;
    }
    for (const char *c = value; *c; c++) {
        if (c > value && strchr("@.", *c))
            fputs("<wbr>", out);
        markup_text(out, (char[]){*c, '\0'});
        if (strchr("/-_?&=", *c) && c[1] && !strchr("/-0123456789", c[1]))
            fputs("<wbr>", out);
    }
}

/* A number, and apart from it what sets its point below the others'. */
static void figure(FILE *out, const char *value)
{
    const char *pads = value + strcspn(value, FORMAT_PAD FORMAT_POINT_PAD);
    for (; value < pads; value++)
        markup_text(out, (char[]){*value, '\0'});
    if (*pads)
        element(out, "<span class=\"pad\">", pads, "</span>");
}

/* A picture may only be one: what stands in the document ends up between quotes. */
static bool is_picture(const char *url)
{
    static const char *const kinds[] = {"data:image/png;base64,", "data:image/jpeg;base64,",
                                        "data:image/svg+xml;base64,"};
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    /* Looked at down to its last letter: a quote in it would end the attribute, and what follows be markup.
     */
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(url, kinds[i], len) == 0)
            return strspn(url + len, base64) == strlen(url + len);
    }
    return false;
}

static void write_header(FILE *out, const struct document *document, const struct view *view)
{
    const char *logo = document->seller.logo, *status = view->status;
    fputs("<header>\n<div>\n", out);
    /* What is no picture is left out: the bill is right without it. */
    if (is_picture(logo))
        element(out, "<img alt=\"\" src=\"", logo, "\">\n");
    element(out, "<div class=\"seller\">", view->seller.name, "</div>\n</div>\n");
    element(out, "<div class=\"what\">\n<h1>", view->title, "</h1>\n");
    element(out, "<div class=\"number\">", view->number, "</div>\n");
    if (*status)
        element(out, strcmp(status, "paid") == 0 ? "<div class=\"status paid\">" : "<div class=\"status\">",
                status, "</div>\n");
    fputs("</div>\n</header>\n", out);
}

static void write_party(FILE *out, const char *label, const struct view_party *party)
{
    element(out, "<div>\n<h2>", label, "</h2>\n");
    element(out, "<p><strong>", party->name, "</strong>");
    for (size_t i = 0; i < party->lines.count; i++) {
        fputs(i > 0 ? "<br>\n" : "\n", out);
        address(out, party->lines.items[i]);
    }
    fputs("</p>\n</div>\n", out);
}

static void write_parties(FILE *out, const struct view *view)
{
    fputs("<section class=\"parties\">\n", out);
    write_party(out, "From", &view->seller);
    write_party(out, "To", &view->buyer);
    fputs("<dl>\n", out);
    for (size_t i = 0; i < view->facts.count; i++) {
        element(out, "<dt>", view->facts.items[i].label, "</dt>");
        fputs("<dd>", out);
        address(out, view->facts.items[i].value);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n</section>\n", out);
}

static void write_cell(FILE *out, const char *value, const char *close)
{
    fputs("<td class=\"n\">", out);
    figure(out, value);
    fputs(close, out);
}

static void write_lines(FILE *out, const struct view *view)
{
    assert(view->sums.count > 0);
    fputs("<table class=\"lines\">\n<thead><tr><th>Description</th><th class=\"n\">Quantity</th>", out);
    element(out, "<th class=\"n\">Unit price (", view->currency, ")</th>");
    element(out, "<th class=\"n\">Amount (", view->currency, ")</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view->row_count; i++) {
        const char *const *cells = view->rows[i].cells;
        element(out, "<tr><td>", cells[VIEW_DESCRIPTION], "</td>");
        for (size_t k = VIEW_DESCRIPTION + 1; k < VIEW_COLUMNS; k++)
            write_cell(out, cells[k], k + 1 < VIEW_COLUMNS ? "</td>" : "</td></tr>\n");
    }
    fputs("</tbody>\n</table>\n<table class=\"sums\">\n", out);
    for (size_t i = 0; i < view->sums.count; i++) {
        element(out, "<tr><td>", view->sums.items[i].label, "</td>");
        write_cell(out, view->sums.items[i].value, "</td></tr>\n");
    }
    fputs("</table>\n", out);
}

/* Bars in a picture of 1000 by 150; each tells its day when pointed at. */
static void write_chart(FILE *out, const struct view *view)
{
    const struct view_day *days = view->days;
    size_t count = view->day_count;
    if (count == 0)
        return;
    /* Ten places at least, or two days would be two walls; of more than 500 days the picture grows. */
    int64_t step = 1000 / (int64_t)(count < 10 ? 10 : count > 500 ? 500 : count);
    int64_t width = (int64_t)count * step > 1000 ? (int64_t)count * step : 1000;
    assert(step >= 2);
    fprintf(out,
            "<figure>\n<svg viewBox=\"0 0 %" PRId64 " 150\" role=\"img\" aria-label=\"crawls of each day\">\n"
            "<line x1=\"0\" x2=\"%" PRId64
            "\" y1=\"150\" y2=\"150\" stroke=\"#d8dde4\" stroke-width=\"2\"/>\n",
            width, width);
    for (size_t i = 0; i < count; i++) {
        int64_t height = days[i].share * 145 / 1000 + 1;
        assert(height >= 1 && height <= 146);
        fprintf(out, "<rect x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64 "\" height=\"%" PRId64 "\"",
                (int64_t)i * step, 150 - height, step > 3 ? step - step / 4 : step, height);
        element(out, " fill=\"#2f6fae\"><title>", days[i].label, "</title></rect>\n");
    }
    fputs("</svg>\n", out);
    element(out, "<figcaption>Crawls by day, at their price: ", days[0].date, "");
    element(out, " to ", days[count - 1].date, "");
    fputs("</figcaption>\n</figure>\n", out);
}

static void write_notes(FILE *out, const struct document *document, const struct view *view)
{
    const char *url = document->entries_url;
    fputs("<section class=\"notes\">\n", out);
    for (size_t i = 0; i < view->notes.count; i++)
        element(out, "<p>", view->notes.items[i], "</p>\n");
    /* Only these: "javascript:" in a link would run with the rights of whoever opens the file. */
    if (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0)
        element(out, "<p><a href=\"", url, "\">Every crawl of this invoice</a></p>\n");
    fputs("</section>\n", out);
}

bool html_render(const struct document *document, struct format_output *out)
{
    struct view *view = view_of(document);
    FILE *file = view ? open_memstream(&out->bytes, &out->len) : NULL;
    if (!file) {
        view_free(view);
        return format_fail(out, "no memory");
    }
    /* Styles are in the file, since it is sent alone; the policy lets nothing else be loaded or run. */
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
          "style-src 'unsafe-inline'\">\n",
          file);
    element(file, "<title>", view->title, " ");
    element(file, "", view->number, "</title>\n");
    fprintf(file, "<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
    write_header(file, document, view);
    write_parties(file, view);
    write_lines(file, view);
    write_notes(file, document, view);
    write_chart(file, view);
    fputs("</main>\n</body>\n</html>\n", file);
    view_free(view);
    return format_close(file, out);
}
