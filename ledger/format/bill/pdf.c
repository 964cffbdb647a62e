/* The page on paper, with cairo and pango, which write any script. Lengths are whole points. The document is
 * laid out twice, as a page says how many there are. */
#include "ledger/format/bill/rendering.h"

#include "ledger/format/bill/pdf_logo.h"
#include "ledger/format/bill/pdf_text.h"
#include "ledger/format/bill/view.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN       48
#define FOOTER_ROOM  30
#define GAP          18
#define CHART_HEIGHT 60
#define LEADING      2 /* between lines of the plain type that are drawn one by one */

static const struct pdf_type plain = {9, false, PDF_INK, PANGO_ALIGN_LEFT};
static const struct pdf_type strong = {9, true, PDF_INK, PANGO_ALIGN_LEFT};
static const struct pdf_type soft = {8, false, PDF_SOFT, PANGO_ALIGN_LEFT};
static const struct pdf_type total = {10, true, PDF_INK, PANGO_ALIGN_RIGHT};

/* Columns of the table: description, quantity, unit price, amount; the first takes what is left. */
#define COLUMNS 4
static const int column_widths[COLUMNS] = {0, 70, 90, 110};

struct sheet {
    cairo_t *cr;
    const json_t *document, *view;
    int width, height; /* of the paper */
    int y;             /* where the next part goes */
    int page, pages;   /* pages: 0 while they are counted */
    bool in_table;     /* a new page starts with the table's head */
};

/* --- Drawing
 * ------------------------------------------------------------------------------------------------ */

static void draw_line(struct sheet *sheet, int y, enum pdf_colour colour, int width)
{
    pdf_set_colour(sheet->cr, colour);
    cairo_rectangle(sheet->cr, MARGIN, y, sheet->width - 2 * MARGIN, width);
    cairo_fill(sheet->cr);
}

static const char *item(const json_t *array, size_t index)
{
    const char *value = json_string_value(json_array_get(array, index));
    return value ? value : "";
}

/* --- Pages
 * -------------------------------------------------------------------------------------------------- */

static int text_width(const struct sheet *sheet)
{
    return sheet->width - 2 * MARGIN;
}

static int bottom(const struct sheet *sheet)
{
    return sheet->height - MARGIN - FOOTER_ROOM;
}

static void write_footer(struct sheet *sheet)
{
    static const struct pdf_type right = {8, false, PDF_SOFT, PANGO_ALIGN_RIGHT};
    char pages[48];
    json_t *left = json_sprintf("%s · %s %s", format_text(sheet->view, "seller.name"),
                                format_text(sheet->view, "title"), format_text(sheet->view, "number"));
    const char *text = json_string_value(left);
    int y = sheet->height - MARGIN - 12;
    draw_line(sheet, y - 6, PDF_LINE, 1);
    /* A name that is too long would run into the margin; its first line says enough. */
    PangoLayout *layout = pdf_layout(sheet->cr, &soft, text ? text : "", text_width(sheet) - 90);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE);
    pdf_set_colour(sheet->cr, PDF_SOFT);
    cairo_move_to(sheet->cr, MARGIN, y);
    pango_cairo_show_layout(sheet->cr, layout);
    g_object_unref(layout);
    snprintf(pages, sizeof(pages), "Page %d of %d", sheet->page, sheet->pages);
    pdf_draw(sheet->cr, &right, pages, sheet->width - MARGIN - 90, y, 90);
    json_decref(left);
}

static void write_table_head(struct sheet *sheet)
{
    static const char *const names[COLUMNS] = {"Description", "Quantity", "Unit price", "Amount"};
    const char *currency = format_text(sheet->view, "currency");
    struct pdf_type type = soft;
    int x = MARGIN, height = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        int width = column_widths[i] ? column_widths[i] : text_width(sheet) - 270;
        type.align = i > 0 ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
        char name[40];
        snprintf(name, sizeof(name), i > 1 ? "%s (%.8s)" : "%s", names[i], currency);
        height = pdf_draw(sheet->cr, &type, name, x, sheet->y, width);
        x += width;
    }
    sheet->y += height + 3;
    draw_line(sheet, sheet->y, PDF_INK, 1);
    sheet->y += 5;
}

static void next_page(struct sheet *sheet)
{
    write_footer(sheet);
    cairo_show_page(sheet->cr);
    sheet->page++;
    sheet->y = MARGIN;
    if (sheet->in_table)
        write_table_head(sheet);
}

/* Makes sure that so much fits below, on this page or the next. */
static void make_room(struct sheet *sheet, int height)
{
    if (sheet->y + height > bottom(sheet))
        next_page(sheet);
}

/* Text that may go on on the next page, line by line. */
static void write_paragraph(struct sheet *sheet, const struct pdf_type *type, const char *text)
{
    PangoLayout *layout = pdf_layout(sheet->cr, type, text, text_width(sheet));
    int count = pango_layout_get_line_count(layout);
    int height = (pdf_height(layout) + count - 1) / count;
    for (int i = 0; i < count; i++) {
        make_room(sheet, height);
        pdf_set_colour(sheet->cr, type->colour);
        cairo_move_to(sheet->cr, MARGIN, sheet->y + type->size);
        pango_cairo_show_layout_line(sheet->cr, pango_layout_get_line_readonly(layout, i));
        sheet->y += height;
    }
    sheet->y += 4;
    g_object_unref(layout);
}

/* --- The parts
 * ---------------------------------------------------------------------------------------------- */

static void write_title(struct sheet *sheet)
{
    static const struct pdf_type title = {18, true, PDF_INK, PANGO_ALIGN_RIGHT};
    static const struct pdf_type number = {10, false, PDF_SOFT, PANGO_ALIGN_RIGHT};
    static const struct pdf_type name = {12, true, PDF_INK, PANGO_ALIGN_LEFT};
    const char *status = format_text(sheet->view, "status");
    int half = text_width(sheet) / 2, right = MARGIN + half, left_y = sheet->y, y = sheet->y;
    int logo = pdf_logo_draw(sheet->cr, format_text(sheet->document, "seller.logo"), MARGIN, left_y);
    left_y += logo > 0 ? logo + 8 : 0;
    left_y += pdf_draw(sheet->cr, &name, format_text(sheet->view, "seller.name"), MARGIN, left_y, half - 10);
    y += pdf_draw(sheet->cr, &title, format_text(sheet->view, "title"), right, y, half);
    y += pdf_draw(sheet->cr, &number, format_text(sheet->view, "number"), right, y, half);
    if (*status)
        y += pdf_draw(sheet->cr, &number, status, right, y, half);
    sheet->y = (y > left_y ? y : left_y) + GAP;
}

static int write_party(struct sheet *sheet, const char *label, const json_t *party, int x, int width)
{
    const json_t *lines = json_object_get(party, "lines");
    json_t *text = json_string("");
    int y = sheet->y;
    y += pdf_draw(sheet->cr, &soft, label, x, y, width) + LEADING;
    y += pdf_draw_address(sheet->cr, &strong, format_text(party, "name"), x, y, width) + LEADING;
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *more = json_sprintf("%s%s%s", json_string_value(text), i > 0 ? "\n" : "", item(lines, i));
        json_decref(text);
        text = more;
    }
    y += pdf_draw_address(sheet->cr, &plain, json_string_value(text), x, y, width);
    json_decref(text);
    return y;
}

static void write_parties(struct sheet *sheet)
{
    const json_t *fact;
    size_t i;
    int width = (text_width(sheet) - 2 * GAP) * 3 / 10, x = MARGIN + 2 * (width + GAP), y = sheet->y;
    int from = write_party(sheet, "From", json_object_get(sheet->view, "seller"), MARGIN, width);
    int to = write_party(sheet, "To", json_object_get(sheet->view, "buyer"), MARGIN + width + GAP, width);
    json_array_foreach(json_object_get(sheet->view, "facts"), i, fact)
    {
        int label = pdf_draw(sheet->cr, &soft, item(fact, 0), x, y + 1, 52);
        int value =
            pdf_draw_address(sheet->cr, &plain, item(fact, 1), x + 56, y, sheet->width - MARGIN - x - 56);
        y += (label > value ? label : value) + LEADING;
    }
    sheet->y = (from > to ? from : to) > y ? (from > to ? from : to) : y;
    sheet->y += GAP;
}

static void write_row(struct sheet *sheet, const json_t *row)
{
    int x = MARGIN, height = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        int width = column_widths[i] ? column_widths[i] : text_width(sheet) - 270;
        int one =
            pdf_measure(sheet->cr, i > 0 ? &pdf_figures : &plain, item(row, i), width - (i > 0 ? 6 : 0));
        height = one > height ? one : height;
    }
    make_room(sheet, height + 7);
    for (size_t i = 0; i < COLUMNS; i++) {
        int width = column_widths[i] ? column_widths[i] : text_width(sheet) - 270;
        int inset = i > 0 ? 6 : 0;
        if (i > 0)
            pdf_draw_figure(sheet->cr, &pdf_figures, item(row, i), x + inset, sheet->y, width - inset);
        else
            pdf_draw(sheet->cr, &plain, item(row, i), x, sheet->y, width);
        x += width;
    }
    sheet->y += height + 3;
    draw_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
}

static void write_table(struct sheet *sheet)
{
    const json_t *row;
    size_t i;
    make_room(sheet, 60);
    write_table_head(sheet);
    sheet->in_table = true;
    json_array_foreach(json_object_get(sheet->view, "rows"), i, row)
    {
        write_row(sheet, row);
    }
    sheet->in_table = false;
}

/* Sums stay together, on a page with each other. */
static void write_sums(struct sheet *sheet)
{
    const json_t *sums = json_object_get(sheet->view, "sums"), *sum;
    size_t count = json_array_size(sums), i;
    int line = pdf_measure(sheet->cr, &total, "0", 100) + 3;
    int label_width = text_width(sheet) - 124;
    make_room(sheet, (int)count * line + 16);
    sheet->y += 6;
    json_array_foreach(sums, i, sum)
    {
        bool last = i + 1 == count;
        if (last) {
            pdf_set_colour(sheet->cr, PDF_INK);
            cairo_rectangle(sheet->cr, sheet->width - MARGIN - 260, sheet->y, 260, 1);
            cairo_fill(sheet->cr);
            sheet->y += 4;
        }
        pdf_draw(sheet->cr, last ? &total : &pdf_figures, item(sum, 0), MARGIN, sheet->y, label_width);
        pdf_draw_figure(sheet->cr, last ? &total : &pdf_figures, item(sum, 1), MARGIN + label_width + 4,
                        sheet->y, 120);
        sheet->y += line;
    }
    sheet->y += GAP;
}

static void write_notes(struct sheet *sheet)
{
    const json_t *notes = json_object_get(sheet->view, "notes");
    const char *url = format_text(sheet->document, "entries_url");
    for (size_t i = 0; i < json_array_size(notes); i++)
        write_paragraph(sheet, i == 0 ? &plain : &soft, item(notes, i));
    if (*url) {
        json_t *text = json_sprintf("Every crawl of this invoice: %s", url);
        write_paragraph(sheet, &soft, json_string_value(text) ? json_string_value(text) : "");
        json_decref(text);
    }
}

static void write_chart(struct sheet *sheet)
{
    const json_t *days = json_object_get(sheet->view, "days"), *day;
    size_t count = json_array_size(days), i;
    if (count == 0)
        return;
    make_room(sheet, CHART_HEIGHT + 40);
    sheet->y += 10;
    int slots = count < 10 ? 10 : (int)count;
    json_array_foreach(days, i, day)
    {
        int height = (int)(format_number(day, "share") * (CHART_HEIGHT - 1) / 1000) + 1;
        int left = MARGIN + (int)i * text_width(sheet) / slots;
        int right = MARGIN + (int)(i + 1) * text_width(sheet) / slots;
        int width = right - left > 3 ? right - left - (right - left) / 4 : 1;
        pdf_set_colour(sheet->cr, PDF_BAR);
        cairo_rectangle(sheet->cr, left, sheet->y + CHART_HEIGHT - height, width, height);
        cairo_fill(sheet->cr);
    }
    sheet->y += CHART_HEIGHT;
    draw_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
    json_t *caption =
        json_sprintf("Crawls by day, at their price: %s to %s", format_text(json_array_get(days, 0), "date"),
                     format_text(json_array_get(days, count - 1), "date"));
    write_paragraph(sheet, &soft, json_string_value(caption) ? json_string_value(caption) : "");
    json_decref(caption);
}

/* --- The file
 * ----------------------------------------------------------------------------------------------- */

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned int len)
{
    return fwrite(data, 1, len, closure) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_status_t forget_bytes(void *closure, const unsigned char *data, unsigned int len)
{
    (void)closure;
    (void)data;
    (void)len;
    return CAIRO_STATUS_SUCCESS;
}

/* Nothing in the file depends on when and where it is made, but for the fonts. */
static void write_metadata(cairo_surface_t *surface, const struct sheet *sheet)
{
    char created[32];
    json_t *title =
        json_sprintf("%s %s", format_text(sheet->view, "title"), format_text(sheet->view, "number"));
    snprintf(created, sizeof(created), "%.19sZ", format_text(sheet->document, "issued_at"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE,
                                   json_string_value(title) ? json_string_value(title) : "");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR,
                                   format_text(sheet->view, "seller.name"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "crawltab");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, created);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, created);
    json_decref(title);
}

/* Lays the document out on a surface. False when drawing failed. */
static bool lay_out(cairo_surface_t *surface, struct sheet *sheet)
{
    write_metadata(surface, sheet);
    sheet->cr = cairo_create(surface);
    sheet->y = MARGIN;
    sheet->page = 1;
    write_title(sheet);
    write_parties(sheet);
    write_table(sheet);
    write_sums(sheet);
    write_notes(sheet);
    write_chart(sheet);
    write_footer(sheet);
    cairo_show_page(sheet->cr);
    bool ok = cairo_status(sheet->cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(sheet->cr);
    cairo_surface_finish(surface);
    ok = ok && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return ok;
}

/* North America writes on letter, everybody else on A4. */
static void choose_paper(struct sheet *sheet)
{
    const char *country = format_text(sheet->document, "seller.country");
    bool letter = strcmp(country, "US") == 0 || strcmp(country, "CA") == 0 || strcmp(country, "MX") == 0;
    sheet->width = letter ? 612 : 595;
    sheet->height = letter ? 792 : 842;
}

bool pdf_render(const struct document *typed, struct format_output *out)
{
    const json_t *document = typed->json;
    json_t *view = view_of(document);
    struct sheet sheet = {.document = document, .view = view};
    FILE *file = view ? open_memstream(&out->bytes, &out->len) : NULL;
    if (!file) {
        json_decref(view);
        return format_fail(out, "no memory, or a text that is not UTF-8");
    }
    choose_paper(&sheet);
    bool ok =
        lay_out(cairo_pdf_surface_create_for_stream(forget_bytes, NULL, sheet.width, sheet.height), &sheet);
    sheet.pages = sheet.page;
    ok = ok &&
         lay_out(cairo_pdf_surface_create_for_stream(write_bytes, file, sheet.width, sheet.height), &sheet);
    json_decref(view);
    ok = format_close(file, out) && ok;
    if (ok)
        return true;
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "invoice %.60s cannot be drawn", format_text(document, "number"));
}
