/* The page on paper. */
#include "ledger/format/bill/rendering.h"

#include "ledger/format/bill/view.h"
#include "ledger/format/paper/pdf_logo.h"
#include "ledger/format/paper/pdf_sheet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP          18
#define CHART_HEIGHT 60
#define LEADING      2 /* between lines of the plain type that are drawn one by one */

static const struct pdf_type plain = {.size = 9, .colour = PDF_INK};
static const struct pdf_type strong = {.size = 9, .bold = true, .colour = PDF_INK};
static const struct pdf_type soft = {.size = 8, .colour = PDF_SOFT};
static const struct pdf_type total = {
    .size = 10, .bold = true, .colour = PDF_INK, .align = PANGO_ALIGN_RIGHT};

#define FIXED_WIDTH 270 /* of the columns but for the first */
/* Columns of the table: description, quantity, unit price, amount; the first takes what is left. */
static const int column_widths[VIEW_COLUMNS] = {0, 70, 90, 110};

/* What is drawn. */
struct subject {
    const struct document *document;
    const struct view *view;
};

static const struct document *document_of(const struct pdf_sheet *sheet)
{
    const struct subject *subject = sheet->subject;
    return subject->document;
}

static const struct view *view_on(const struct pdf_sheet *sheet)
{
    const struct subject *subject = sheet->subject;
    return subject->view;
}

static int column_width(const struct pdf_sheet *sheet, size_t column)
{
    assert(column < VIEW_COLUMNS);
    return column_widths[column] ? column_widths[column] : pdf_sheet_width(sheet) - FIXED_WIDTH;
}
static void write_table_head(struct pdf_sheet *sheet)
{
    static const char *const names[VIEW_COLUMNS] = {"Description", "Quantity", "Unit price", "Amount"};
    struct pdf_type type = soft;
    int x = PDF_MARGIN, height = 0;
    for (size_t i = 0; i < VIEW_COLUMNS; i++) {
        int width = column_width(sheet, i);
        type.align = i > 0 ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
        char name[40];
        snprintf(name, sizeof(name), i > 1 ? "%s (%.8s)" : "%s", names[i], view_on(sheet)->currency);
        height = pdf_draw(sheet->cr, &type, name, x, sheet->y, width);
        x += width;
    }
    sheet->y += height + 3;
    pdf_sheet_line(sheet, sheet->y, PDF_INK, 1);
    sheet->y += 5;
}

/* --- The parts --- */

static void write_title(struct pdf_sheet *sheet)
{
    static const struct pdf_type title = {
        .size = 18, .bold = true, .colour = PDF_INK, .align = PANGO_ALIGN_RIGHT};
    static const struct pdf_type number = {.size = 10, .colour = PDF_SOFT, .align = PANGO_ALIGN_RIGHT};
    static const struct pdf_type name = {.size = 12, .bold = true, .colour = PDF_INK};
    const struct view *view = view_on(sheet);
    int half = pdf_sheet_width(sheet) / 2, right = PDF_MARGIN + half, left_y = sheet->y, y = sheet->y;
    /* Seller on the left, the rest on the right: they grow on their own, and what follows is below both. */
    int logo = pdf_logo_draw(sheet->cr, document_of(sheet)->seller.logo, PDF_MARGIN, left_y);
    left_y += logo > 0 ? logo + 8 : 0;
    left_y += pdf_draw(sheet->cr, &name, view->seller.name, PDF_MARGIN, left_y, half - 10);
    y += pdf_draw(sheet->cr, &title, view->title, right, y, half);
    y += pdf_draw(sheet->cr, &number, view->number, right, y, half);
    if (*view->status)
        y += pdf_draw(sheet->cr, &number, view->status, right, y, half);
    sheet->y = (y > left_y ? y : left_y) + GAP;
}

/* The lines are one text, as they are that far apart. */
static int write_party(struct pdf_sheet *sheet, const char *label, const struct view_party *party, int x,
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

static void write_parties(struct pdf_sheet *sheet)
{
    const struct view_pairs *facts = &view_on(sheet)->facts;
    int width = (pdf_sheet_width(sheet) - 2 * GAP) * 3 / 10, x = PDF_MARGIN + 2 * (width + GAP), y = sheet->y;
    int from = write_party(sheet, "From", &view_on(sheet)->seller, PDF_MARGIN, width);
    int to = write_party(sheet, "To", &view_on(sheet)->buyer, PDF_MARGIN + width + GAP, width);
    for (size_t i = 0; i < facts->count; i++) {
        int label = pdf_draw(sheet->cr, &soft, facts->items[i].label, x, y + 1, 52);
        int value = pdf_draw_address(sheet->cr, &plain, facts->items[i].value, x + 56, y,
                                     sheet->width - PDF_MARGIN - x - 56);
        y += (label > value ? label : value) + LEADING;
    }
    sheet->y = (from > to ? from : to) > y ? (from > to ? from : to) : y;
    sheet->y += GAP;
}

static void write_row(struct pdf_sheet *sheet, const struct view_row *row)
{
    /* Measured first, as whether it fits decides on which page it is drawn. */
    int x = PDF_MARGIN, height = 0;
    for (size_t i = 0; i < VIEW_COLUMNS; i++) {
        int width = column_width(sheet, i);
        int one =
            pdf_measure(sheet->cr, i > 0 ? &pdf_figures : &plain, row->cells[i], width - (i > 0 ? 6 : 0));
        height = one > height ? one : height;
    }
    /* A row is never broken: half of one on a page says nothing. */
    pdf_sheet_need(sheet, height + 7);
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
    pdf_sheet_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
}

static void write_table(struct pdf_sheet *sheet)
{
    /* The head and a row: a head alone at the foot of a page is no table. */
    pdf_sheet_need(sheet, 60);
    write_table_head(sheet);
    sheet->head = write_table_head;
    for (size_t i = 0; i < view_on(sheet)->row_count; i++)
        write_row(sheet, &view_on(sheet)->rows[i]);
    sheet->head = NULL;
}

/* Sums stay together, on a page with each other. */
static void write_sums(struct pdf_sheet *sheet)
{
    const struct view_pairs *sums = &view_on(sheet)->sums;
    int line = pdf_measure(sheet->cr, &total, "0", 100) + 3;
    int label_width = pdf_sheet_width(sheet) - 124;
    assert((int)sums->count * line + 16 < sheet->height / 2); /* they fit on one page */
    pdf_sheet_need(sheet, (int)sums->count * line + 16);
    sheet->y += 6;
    for (size_t i = 0; i < sums->count; i++) {
        bool last = i + 1 == sums->count;
        if (last) {
            pdf_set_colour(sheet->cr, PDF_INK);
            pdf.cairo_rectangle(sheet->cr, sheet->width - PDF_MARGIN - 260, sheet->y, 260, 1);
            pdf.cairo_fill(sheet->cr);
            sheet->y += 4;
        }
        pdf_draw(sheet->cr, last ? &total : &pdf_figures, sums->items[i].label, PDF_MARGIN, sheet->y,
                 label_width);
        pdf_draw_figure(sheet->cr, last ? &total : &pdf_figures, sums->items[i].value,
                        PDF_MARGIN + label_width + 4, sheet->y, 120);
        sheet->y += line;
    }
    sheet->y += GAP;
}

static void write_notes(struct pdf_sheet *sheet)
{
    const struct view_texts *notes = &view_on(sheet)->notes;
    for (size_t i = 0; i < notes->count; i++)
        pdf_sheet_paragraph(sheet, i == 0 ? &plain : &soft, notes->items[i], 0);
    if (*document_of(sheet)->entries_url) {
        char *text = format_printed("Every crawl of this invoice: %s", document_of(sheet)->entries_url);
        pdf_sheet_paragraph(sheet, &soft, text ? text : "", 0);
        free(text);
    }
}

static void write_chart(struct pdf_sheet *sheet)
{
    const struct view_day *days = view_on(sheet)->days;
    size_t count = view_on(sheet)->day_count;
    char caption[120];
    if (count == 0)
        return;
    pdf_sheet_need(sheet, CHART_HEIGHT + 40);
    sheet->y += 10;
    int slots = count < 10 ? 10 : (int)count;
    for (size_t i = 0; i < count; i++) {
        int height = (int)(days[i].share * (CHART_HEIGHT - 1) / 1000) + 1;
        assert(height >= 1 && height <= CHART_HEIGHT);
        int left = PDF_MARGIN + (int)i * pdf_sheet_width(sheet) / slots;
        int right = PDF_MARGIN + (int)(i + 1) * pdf_sheet_width(sheet) / slots;
        /* Of more days than there are points several share one. */
        int width = right - left > 3 ? right - left - (right - left) / 4 : 1;
        assert(left <= right && left < sheet->width - PDF_MARGIN && right <= sheet->width - PDF_MARGIN);
        pdf_set_colour(sheet->cr, PDF_BAR);
        pdf.cairo_rectangle(sheet->cr, left, sheet->y + CHART_HEIGHT - height, width, height);
        pdf.cairo_fill(sheet->cr);
    }
    sheet->y += CHART_HEIGHT;
    pdf_sheet_line(sheet, sheet->y, PDF_LINE, 1);
    sheet->y += 4;
    snprintf(caption, sizeof(caption), "Crawls by day, at their price: %.20s to %.20s", days[0].date,
             days[count - 1].date);
    pdf_sheet_paragraph(sheet, &soft, caption, 0);
}

/* --- The file --- */

static void draw(struct pdf_sheet *sheet)
{
    write_title(sheet);
    write_parties(sheet);
    write_table(sheet);
    write_sums(sheet);
    write_notes(sheet);
    write_chart(sheet);
}

bool pdf_render(const struct document *document, struct format_output *out)
{
    struct view *view = view_of(document);
    struct subject subject = {document, view};
    struct pdf_sheet sheet = {.draw = draw, .subject = &subject};
    char *title = view ? format_printed("%s %s", view->title, view->number) : NULL;
    char *foot = title ? format_printed("%s · %s", view->seller.name, title) : NULL;
    bool ok = foot || format_fail(out, "no memory");
    if (ok) {
        const struct pdf_file file = {title, view->seller.name, document->issued_at};
        sheet.foot = foot;
        pdf_sheet_choose(&sheet, document->seller.country);
        assert(pdf_sheet_width(&sheet) > FIXED_WIDTH);
        ok = pdf_sheet_render(&sheet, &file, out);
    }
    free(foot);
    free(title);
    view_free(view);
    return ok;
}
