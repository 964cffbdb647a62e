/* Hinting is off and positions are not rounded to pixels: an invoice is laid out the same on every machine
 * that has the font, today and in ten years, so that two files of one invoice are equal. */
#include "ledger/format/paper/pdf_text.h"

#include "ledger/format/format.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY   "DejaVu Sans"
#define FIXED    "DejaVu Sans Mono"
#define ANY_ROOM 100000

const struct pdf_type pdf_figures = {.size = 9, .colour = PDF_INK, .align = PANGO_ALIGN_RIGHT};

void pdf_set_colour(cairo_t *cr, enum pdf_colour colour)
{
    assert(colour < PDF_COLOUR_COUNT);
    static const unsigned char colours[PDF_COLOUR_COUNT][3] = {
        {0x1c, 0x24, 0x30}, {0x5b, 0x66, 0x75}, {0xd8, 0xdd, 0xe4}, {0x2f, 0x6f, 0xae}};
    const unsigned char *c = colours[colour];
    pdf.cairo_set_source_rgb(cr, c[0] / 255.0, c[1] / 255.0, c[2] / 255.0);
}

PangoLayout *pdf_layout(cairo_t *cr, const struct pdf_type *type, const char *text, int width)
{
    assert(text && width > 0 && type->size > 0);
    PangoLayout *layout = pdf.pango_cairo_create_layout(cr);
    PangoFontDescription *font = pdf.pango_font_description_new();
    /* A point is a point, and letters stand where the font wants them, not on the pixels of a screen. */
    cairo_font_options_t *options = pdf.cairo_font_options_create();
    pdf.cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pdf.cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    pdf.pango_cairo_context_set_font_options(pdf.pango_layout_get_context(layout), options);
    pdf.cairo_font_options_destroy(options);
    pdf.pango_cairo_context_set_resolution(pdf.pango_layout_get_context(layout), 72);
    pdf.pango_context_set_round_glyph_positions(pdf.pango_layout_get_context(layout), FALSE);
    pdf.pango_layout_context_changed(layout);
    pdf.pango_font_description_set_family(font, type->fixed ? FIXED : FAMILY);
    pdf.pango_font_description_set_size(font, type->size * PANGO_SCALE);
    pdf.pango_font_description_set_weight(font, type->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pdf.pango_layout_set_font_description(layout, font);
    pdf.pango_font_description_free(font);
    pdf.pango_layout_set_width(layout, width * PANGO_SCALE);
    /* Between characters where a word is wider than the room: nothing runs out of its column. */
    pdf.pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pdf.pango_layout_set_alignment(layout, type->align);
    pdf.pango_layout_set_line_spacing(layout, 1.25F);
    pdf.pango_layout_set_text(layout, text, -1);
    return layout;
}

int pdf_height(PangoLayout *layout)
{
    int height;
    /* Rounded up to a point: what stands below must not touch. */
    pdf.pango_layout_get_size(layout, NULL, &height);
    return (height + PANGO_SCALE - 1) / PANGO_SCALE;
}

int pdf_measure(cairo_t *cr, const struct pdf_type *type, const char *text, int width)
{
    PangoLayout *layout = pdf_layout(cr, type, text, width);
    int height = pdf_height(layout);
    pdf.g_object_unref(layout);
    return height;
}

int pdf_draw(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width)
{
    PangoLayout *layout = pdf_layout(cr, type, text, width);
    int height = pdf_height(layout);
    pdf_set_colour(cr, type->colour);
    pdf.cairo_move_to(cr, x, y);
    pdf.pango_cairo_show_layout(cr, layout);
    pdf.g_object_unref(layout);
    return height;
}

/* How wide the first bytes of a text are, in Pango's units. */
static int width_of(cairo_t *cr, const struct pdf_type *type, const char *text, size_t len)
{
    PangoLayout *layout = pdf_layout(cr, type, "", ANY_ROOM);
    int width;
    pdf.pango_layout_set_text(layout, text, (int)len);
    pdf.pango_layout_get_size(layout, &width, NULL);
    pdf.g_object_unref(layout);
    return width;
}

/* How much of a word goes on this line: all that fits of it, up to one of its signs; all of it when there is
 * none, and then it is broken where the line ends. */
static size_t piece_of(cairo_t *cr, const struct pdf_type *type, const char *word, size_t len, int width)
{
    size_t piece = 0;
    if (width_of(cr, type, word, len) <= width * PANGO_SCALE)
        return len;
    for (size_t i = 1; i < len; i++) {
        if (!strchr("@.", word[i]) && !strchr("/-_?&=", word[i - 1]))
            continue;
        if (width_of(cr, type, word, i) > width * PANGO_SCALE)
            break;
        piece = i;
    }
    assert(piece < len);
    return piece > 0 ? piece : len;
}

int pdf_draw_address(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width)
{
    char *broken = NULL;
    size_t size;
    FILE *out = open_memstream(&broken, &size);
    if (!out)
        return pdf_draw(cr, type, text, x, y, width);
    while (*text) {
        size_t len = strcspn(text, " \n");
        size_t piece = piece_of(cr, type, text, len, width);
        assert(piece > 0 || len == 0);
        fwrite(text, 1, piece, out);
        text += piece;
        if (piece < len)
            fputc('\n', out);
        else if (*text)
            fputc(*text++, out);
    }
    bool whole = ferror(out) == 0;
    whole = fclose(out) == 0 && whole;
    int height = pdf_draw(cr, type, whole ? broken : "", x, y, width);
    free(broken);
    return height;
}

int pdf_draw_figure(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width)
{
    const char *pads = text + strcspn(text, FORMAT_PAD FORMAT_POINT_PAD);
    char number[64];
    /* The pads are not drawn but left out to the right: what they are as wide as is the figures' type,
     * whatever type the number itself has. */
    int room = (width_of(cr, &pdf_figures, pads, strlen(pads)) + PANGO_SCALE / 2) / PANGO_SCALE;
    int len = snprintf(number, sizeof(number), "%.*s", (int)(pads - text), text);
    assert(len >= 0 && (size_t)len < sizeof(number) && room < width);
    return pdf_draw(cr, type, number, x, y, width - room);
}
