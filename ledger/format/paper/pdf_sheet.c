/* With cairo and pango, which write any script. */
#include "ledger/format/paper/pdf_sheet.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOOTER_ROOM 30
#define PAGES_ROOM  90 /* for "Page 1 of 2" */

void pdf_sheet_choose(struct pdf_sheet *sheet, const char *country)
{
    bool letter = strcmp(country, "US") == 0 || strcmp(country, "CA") == 0 || strcmp(country, "MX") == 0;
    sheet->width = letter ? 612 : 595;
    sheet->height = letter ? 792 : 842;
}

int pdf_sheet_width(const struct pdf_sheet *sheet)
{
    return sheet->width - 2 * PDF_MARGIN;
}

void pdf_sheet_line(struct pdf_sheet *sheet, int y, enum pdf_colour colour, int width)
{
    assert(width > 0);
    pdf_set_colour(sheet->cr, colour);
    pdf.cairo_rectangle(sheet->cr, PDF_MARGIN, y, pdf_sheet_width(sheet), width);
    pdf.cairo_fill(sheet->cr);
}

static void write_footer(struct pdf_sheet *sheet)
{
    static const struct pdf_type left = {.size = 8, .colour = PDF_SOFT};
    static const struct pdf_type right = {.size = 8, .colour = PDF_SOFT, .align = PANGO_ALIGN_RIGHT};
    char pages[48];
    int y = sheet->height - PDF_MARGIN - 12;
    pdf_sheet_line(sheet, y - 6, PDF_LINE, 1);
    /* A name that is too long would run into the margin; its first line says enough. */
    PangoLayout *layout = pdf_layout(sheet->cr, &left, sheet->foot, pdf_sheet_width(sheet) - PAGES_ROOM);
    pdf.pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE);
    pdf_set_colour(sheet->cr, PDF_SOFT);
    pdf.cairo_move_to(sheet->cr, PDF_MARGIN, y);
    pdf.pango_cairo_show_layout(sheet->cr, layout);
    pdf.g_object_unref(layout);
    assert(sheet->page > 0);
    snprintf(pages, sizeof(pages), "Page %d of %d", sheet->page, sheet->pages);
    pdf_draw(sheet->cr, &right, pages, sheet->width - PDF_MARGIN - PAGES_ROOM, y, PAGES_ROOM);
}

static void next_page(struct pdf_sheet *sheet)
{
    assert(sheet->pages == 0 || sheet->page < sheet->pages); /* as many as were counted */
    /* The foot is written when a page is full, as only then is it known that there is another. */
    write_footer(sheet);
    pdf.cairo_show_page(sheet->cr);
    sheet->page++;
    sheet->y = PDF_MARGIN;
    if (sheet->head)
        sheet->head(sheet);
}

void pdf_sheet_need(struct pdf_sheet *sheet, int height)
{
    if (sheet->y + height > sheet->height - PDF_MARGIN - FOOTER_ROOM)
        next_page(sheet);
}

void pdf_sheet_paragraph(struct pdf_sheet *sheet, const struct pdf_type *type, const char *text, int indent)
{
    PangoLayout *layout = pdf_layout(sheet->cr, type, text, pdf_sheet_width(sheet) - indent);
    int count = pdf.pango_layout_get_line_count(layout);
    assert(count > 0); /* also of no text */
    /* The lines of one layout are alike; its height is shared out, rounded up, so that none overlap. */
    int height = (pdf_height(layout) + count - 1) / count;
    for (int i = 0; i < count; i++) {
        pdf_sheet_need(sheet, height);
        pdf_set_colour(sheet->cr, type->colour);
        pdf.cairo_move_to(sheet->cr, PDF_MARGIN + indent, sheet->y + type->size);
        pdf.pango_cairo_show_layout_line(sheet->cr, pdf.pango_layout_get_line_readonly(layout, i));
        sheet->y += height;
    }
    sheet->y += 4;
    pdf.g_object_unref(layout);
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

static void write_metadata(cairo_surface_t *surface, const struct pdf_file *file)
{
    char created[32];
    /* When it was issued, and not now: the same invoice is the same file, and its digest can be compared. */
    snprintf(created, sizeof(created), "%.19sZ", file->created);
    pdf.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, file->title);
    pdf.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, file->author);
    pdf.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "crawltab");
    pdf.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, created);
    pdf.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, created);
}

/* Lays it out on a surface. False when drawing failed. */
static bool lay_out(cairo_surface_t *surface, const struct pdf_file *file, struct pdf_sheet *sheet)
{
    write_metadata(surface, file);
    sheet->cr = pdf.cairo_create(surface);
    sheet->y = PDF_MARGIN;
    sheet->page = 1;
    sheet->draw(sheet);
    write_footer(sheet);
    assert(sheet->pages == 0 || sheet->page == sheet->pages);
    pdf.cairo_show_page(sheet->cr);
    /* cairo keeps the first failure and does nothing from then on: it is enough to ask at the end. */
    bool ok = pdf.cairo_status(sheet->cr) == CAIRO_STATUS_SUCCESS;
    pdf.cairo_destroy(sheet->cr);
    pdf.cairo_surface_finish(surface);
    ok = ok && pdf.cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    pdf.cairo_surface_destroy(surface);
    return ok;
}

bool pdf_sheet_render(struct pdf_sheet *sheet, const struct pdf_file *file, struct format_output *out)
{
    const char *problem = pdf_library_load();
    FILE *to = problem ? NULL : open_memstream(&out->bytes, &out->len);
    if (problem)
        return format_fail(out, "%s", problem);
    if (!to)
        return format_fail(out, "no memory");
    assert(sheet->pages == 0 && sheet->foot && sheet->draw && sheet->width > 0);
    /* To nowhere at first, only to count pages. */
    bool ok =
        lay_out(pdf.cairo_pdf_surface_create_for_stream(forget_bytes, NULL, sheet->width, sheet->height),
                file, sheet);
    sheet->pages = sheet->page;
    ok = ok && lay_out(pdf.cairo_pdf_surface_create_for_stream(write_bytes, to, sheet->width, sheet->height),
                       file, sheet);
    ok = format_close(to, out) && ok;
    if (ok)
        return true;
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "%.60s cannot be drawn", file->title);
}
