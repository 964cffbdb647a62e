/* The page on paper, with cairo and pango, which write any script. Lengths are whole points. The document is
 * laid out twice, as a page says how many there are. */
#include "ledger/format/bill/rendering.h"

#include "ledger/format/bill/pdf_logo.h"
#include "ledger/format/bill/pdf_text.h"
#include "ledger/format/bill/view.h"

#include <assert.h>
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

#define FIXED_WIDTH 270 /* of the columns but for the first */
/* Columns of the table: description, quantity, unit price, amount; the first takes what is left. */
static const int column_widths[VIEW_COLUMNS] = {0, 70, 90, 110};

/* The state of one run. The second starts from the same document: both must break pages alike, or "of" is
 * wrong; so nothing of the first is left but the number of pages. */
struct sheet {
    cairo_t *cr;
    const struct document *document;
    const struct view *view;
    int width, height; /* of the paper */
    int y;             /* where the next part goes */
    int page, pages;   /* pages: 0 while they are counted */
    bool in_table;     /* a new page starts with the table's head */
};

/* --- Drawing --- */

static void draw_line(struct sheet *sheet, int y, enum pdf_colour colour, int width)
{
    assert(width > 0);
    pdf_set_colour(sheet->cr, colour);
    cairo_rectangle(sheet->cr, MARGIN, y, sheet->width - 2 * MARGIN, width);
    cairo_fill(sheet->cr);
}

/* --- Pages --- */

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
    const struct view *view = sheet->view;
    char *left = format_printed("%s · %s %s", view->seller.name, view->title, view->number);
    int y = sheet->height - MARGIN - 12;
    draw_line(sheet, y - 6, PDF_LINE, 1);
    /* A name that is too long would run into the margin; its first line says enough. */
    PangoLayout *layout = pdf_layout(sheet->cr, &soft, left ? left : "", text_width(sheet) - 90);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE);
    pdf_set_colour(sheet->cr, PDF_SOFT);
    cairo_move_to(sheet->cr, MARGIN, y);
    pango_cairo_show_layout(sheet->cr, layout);
    g_object_unref(layout);
    assert(sheet->page > 0);
    snprintf(pages, sizeof(pages), "Page %d of %d", sheet->page, sheet->pages);
    pdf_draw(sheet->cr, &right, pages, sheet->width - MARGIN - 90, y, 90);
    free(left);
}

static int column_width(const struct sheet *sheet, size_t column)
{
    assert(column < VIEW_COLUMNS);
    return column_widths[column] ? column_widths[column] : text_width(sheet) - FIXED_WIDTH;
}
static void write_table_head(struct sheet *sheet)
{
    static const char *const names[VIEW_COLUMNS] = {"Description", "Quantity", "Unit price", "Amount"};
    struct pdf_type type = soft;
    int x = MARGIN, height = 0;
    for (size_t i = 0; i < VIEW_COLUMNS; i++) {
        int width = column_width(sheet, i);
        type.align = i > 0 ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
        char name[40];
        snprintf(name, sizeof(name), i > 1 ? "%s (%.8s)" : "%s", names[i], sheet->view->currency);
        height = pdf_draw(sheet->cr, &type, name, x, sheet->y, width);
        x += width;
    }
    sheet->y += height + 3;
    draw_line(sheet, sheet->y, PDF_INK, 1);
    sheet->y += 5;
}

static void next_page(struct sheet *sheet)
{
    assert(sheet->pages == 0 || sheet->page < sheet->pages); /* as many as were counted */
    /* The foot is written when a page is full, as only then is it known that there is another. */
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
    assert(count > 0); /* also of no text */
    /* The lines of one layout are alike; its height is shared out, rounded up, so that none overlap. */
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

/* --- The parts --- */

static void write_title(struct sheet *sheet)
{
    static const struct pdf_type title = {18, true, PDF_INK, PANGO_ALIGN_RIGHT};
    static const struct pdf_type number = {10, false, PDF_SOFT, PANGO_ALIGN_RIGHT};
    static const struct pdf_type name = {12, true, PDF_INK, PANGO_ALIGN_LEFT};
    const struct view *view = sheet->view;
    int half = text_width(sheet) / 2, right = MARGIN + half, left_y = sheet->y, y = sheet->y;
    /* Seller on the left, the rest on the right: they grow on their own, and what follows is below both. */
    int logo = pdf_logo_draw(sheet->cr, sheet->document->seller.logo, MARGIN, left_y);
    left_y += logo > 0 ? logo + 8 : 0;
    left_y += pdf_draw(sheet->cr, &name, view->seller.name, MARGIN, left_y, half - 10);
    y += pdf_draw(sheet->cr, &title, view->title, right, y, half);
    y += pdf_draw(sheet->cr, &number, view->number, right, y, half);
    if (*view->status)
        y += pdf_draw(sheet->cr, &number, view->status, right, y, half);
    sheet->y = (y > left_y ? y : left_y) + GAP;
}

/* The lines are one text, as they are that far apart. */
static int write_party(struct sheet *sheet, const char *label, const struct view_party *party, int x,
                       int width)
{
    char *text = NULL;
    int y = sheet->y;
    y += pdf_draw(sheet->cr, &soft, label, x, y, width) + LEADING;
    y += pdf_draw_address(sheet->cr, &strong, party->name, x, y, width) + LEADING;
    for (size_t i = 0; i < party->lines.count; i++) {
        char *more = format_printed("%s%s%s", text ? text : "", i > 0 ? "\n" : "", party->lines.items[i]);
        free(text);
        text = more;
    }
    y += pdf_draw_address(sheet->cr, &plain, text ? text : "", x, y, width);
    free(text);
    return y;
}

static void write_parties(struct sheet *sheet)
{
    const struct view_pairs *facts = &sheet->view->facts;
    int width = (text_width(sheet) - 2 * GAP) * 3 / 10, x = MARGIN + 2 * (width + GAP), y = sheet->y;
    int from = write_party(sheet, "From", &sheet->view->seller, MARGIN, width);
    int to = write_party(sheet, "To", &sheet->view->buyer, MARGIN + width + GAP, width);
    for (size_t i = 0; i < facts->count; i++) {
        int label = pdf_draw(sheet->cr, &soft, facts->items[i].label, x, y + 1, 52);
        int value = pdf_draw_address(sheet->cr, &plain, facts->items[i].value, x + 56, y,
                                     sheet->width - MARGIN - x - 56);
        y += (label > value ? label : value) + LEADING;
    }
    sheet->y = (from > to ? from : to) > y ? (from > to ? from : to) : y;
    sheet->y += GAP;
}

static void write_row(struct sheet *sheet, const struct view_row *row)
{
    /* Measured first, as whether it fits decides on which page it is drawn. */
    int x = MARGIN, height = 0;
    for (size_t i = 0; i < VIEW_COLUMNS; i++) {
        int width = column_width(sheet, i);
        int one =
            pdf_measure(sheet->cr, i > 0 ? &pdf_figures : &plain, row->cells[i], width - (i > 0 ? 6 : 0));
        height = one > height ? one : height;
    }
    /* A row is never broken: half of one on a page says nothing. */
    make_room(sheet, height + 7);
    for (size_t i = 0; i < VIEW_COLUMNS; i++) {
        int width = column_width(sheet, i);
        int inset = i > 0 ? 6 : 0;
        if (i > 0)
            pdf_draw_figure(sheet->cr, &pdf_figures, row->cells[i], x + inset, sheet->y, width - inset);
        else
            pdf_draw(sheet->cr, &plain, row->cells[i], x, sheet->y, width);
        x += width;
    }
    sheet->y += height + 3;
    draw_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
}

static void write_table(struct sheet *sheet)
{
    /* The head and a row: a head alone at the foot of a page is no table. */
    make_room(sheet, 60);
    write_table_head(sheet);
    sheet->in_table = true;
    for (size_t i = 0; i < sheet->view->row_count; i++)
        write_row(sheet, &sheet->view->rows[i]);
    sheet->in_table = false;
}

/* Sums stay together, on a page with each other. */
static void write_sums(struct sheet *sheet)
{
    const struct view_pairs *sums = &sheet->view->sums;
    int line = pdf_measure(sheet->cr, &total, "0", 100) + 3;
    int label_width = text_width(sheet) - 124;
    assert((int)sums->count * line + 16 < bottom(sheet) - MARGIN); /* they fit on one page */
    make_room(sheet, (int)sums->count * line + 16);
    sheet->y += 6;
    for (size_t i = 0; i < sums->count; i++) {
        bool last = i + 1 == sums->count;
        if (last) {
            pdf_set_colour(sheet->cr, PDF_INK);
            cairo_rectangle(sheet->cr, sheet->width - MARGIN - 260, sheet->y, 260, 1);
            cairo_fill(sheet->cr);
            sheet->y += 4;
        }
        pdf_draw(sheet->cr, last ? &total : &pdf_figures, sums->items[i].label, MARGIN, sheet->y,
                 label_width);
        pdf_draw_figure(sheet->cr, last ? &total : &pdf_figures, sums->items[i].value,
                        MARGIN + label_width + 4, sheet->y, 120);
        sheet->y += line;
    }
    sheet->y += GAP;
}

static void write_notes(struct sheet *sheet)
{
    const struct view_texts *notes = &sheet->view->notes;
    for (size_t i = 0; i < notes->count; i++)
        write_paragraph(sheet, i == 0 ? &plain : &soft, notes->items[i]);
    if (*sheet->document->entries_url) {
        char *text = format_printed("Every crawl of this invoice: %s", sheet->document->entries_url);
        write_paragraph(sheet, &soft, text ? text : "");
        free(text);
    }
}

static void write_chart(struct sheet *sheet)
{
    const struct view_day *days = sheet->view->days;
    size_t count = sheet->view->day_count;
    char caption[120];
    if (count == 0)
        return;
    make_room(sheet, CHART_HEIGHT + 40);
    sheet->y += 10;
    int slots = count < 10 ? 10 : (int)count;
    for (size_t i = 0; i < count; i++) {
        int height = (int)(days[i].share * (CHART_HEIGHT - 1) / 1000) + 1;
        assert(height >= 1 && height <= CHART_HEIGHT);
        int left = MARGIN + (int)i * text_width(sheet) / slots;
        int right = MARGIN + (int)(i + 1) * text_width(sheet) / slots;
        /* Of more days than there are points several share one. */
        int width = right - left > 3 ? right - left - (right - left) / 4 : 1;
        assert(left <= right && left < sheet->width - MARGIN && right <= sheet->width - MARGIN);
        pdf_set_colour(sheet->cr, PDF_BAR);
        cairo_rectangle(sheet->cr, left, sheet->y + CHART_HEIGHT - height, width, height);
        cairo_fill(sheet->cr);
    }
    sheet->y += CHART_HEIGHT;
    draw_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
    snprintf(caption, sizeof(caption), "Crawls by day, at their price: %.20s to %.20s", days[0].date,
             days[count - 1].date);
    write_paragraph(sheet, &soft, caption);
}

/* --- The file --- */

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
    char *title = format_printed("%s %s", sheet->view->title, sheet->view->number);
    /* When it was issued, and not now: the same invoice is the same file, and its digest can be compared. */
    snprintf(created, sizeof(created), "%.19sZ", sheet->document->issued_at);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title ? title : "");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, sheet->view->seller.name);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "crawltab");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, created);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, created);
    free(title);
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
    assert(!sheet->in_table && (sheet->pages == 0 || sheet->page == sheet->pages));
    cairo_show_page(sheet->cr);
    /* cairo keeps the first failure and does nothing from then on: it is enough to ask at the end. */
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
    const char *country = sheet->document->seller.country;
    bool letter = strcmp(country, "US") == 0 || strcmp(country, "CA") == 0 || strcmp(country, "MX") == 0;
    sheet->width = letter ? 612 : 595;
    sheet->height = letter ? 792 : 842;
    assert(column_widths[1] + column_widths[2] + column_widths[3] == FIXED_WIDTH);
    assert(text_width(sheet) > FIXED_WIDTH);
}

bool pdf_render(const struct document *document, struct format_output *out)
{
    struct view *view = view_of(document);
    struct sheet sheet = {.document = document, .view = view};
    FILE *file = view ? open_memstream(&out->bytes, &out->len) : NULL;
    if (!file) {
        view_free(view);
        return format_fail(out, "no memory");
    }
    choose_paper(&sheet);
    /* To nowhere at first, only to count pages. */
    bool ok =
        lay_out(cairo_pdf_surface_create_for_stream(forget_bytes, NULL, sheet.width, sheet.height), &sheet);
    sheet.pages = sheet.page;
    ok = ok &&
         lay_out(cairo_pdf_surface_create_for_stream(write_bytes, file, sheet.width, sheet.height), &sheet);
    view_free(view);
    ok = format_close(file, out) && ok;
    if (ok)
        return true;
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "invoice %.60s cannot be drawn", document->number);
}
