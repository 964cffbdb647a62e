/* Cairo and Pango, which are loaded when the first sheet is drawn: they bring thirty libraries with them, and
 * were a third of what the start of a program took. */
#ifndef LEDGER_FORMAT_PAPER_PDF_LIBRARY_H
#define LEDGER_FORMAT_PAPER_PDF_LIBRARY_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

/* clang-format off */
#define PDF_FUNCTIONS(X)                                                                                   \
    X(cairo_create) X(cairo_destroy) X(cairo_fill) X(cairo_font_options_create)                            \
    X(cairo_font_options_destroy) X(cairo_font_options_set_hint_metrics)                                   \
    X(cairo_font_options_set_hint_style) X(cairo_image_surface_create)                                     \
    X(cairo_image_surface_create_from_png_stream) X(cairo_image_surface_get_height)                        \
    X(cairo_image_surface_get_width) X(cairo_move_to) X(cairo_paint)                                       \
    X(cairo_pdf_surface_create_for_stream) X(cairo_pdf_surface_set_metadata) X(cairo_rectangle)            \
    X(cairo_restore) X(cairo_save) X(cairo_scale) X(cairo_set_source_rgb) X(cairo_set_source_surface)      \
    X(cairo_show_page) X(cairo_status) X(cairo_surface_destroy) X(cairo_surface_finish)                    \
    X(cairo_surface_set_mime_data) X(cairo_surface_status) X(cairo_translate) X(g_object_unref)            \
    X(pango_cairo_context_set_font_options) X(pango_cairo_context_set_resolution)                          \
    X(pango_cairo_create_layout) X(pango_cairo_show_layout) X(pango_cairo_show_layout_line)                \
    X(pango_context_set_round_glyph_positions) X(pango_font_description_free)                              \
    X(pango_font_description_new) X(pango_font_description_set_family) X(pango_font_description_set_size)  \
    X(pango_font_description_set_weight) X(pango_layout_context_changed) X(pango_layout_get_context)       \
    X(pango_layout_get_line_count) X(pango_layout_get_line_readonly) X(pango_layout_get_size)              \
    X(pango_layout_set_alignment) X(pango_layout_set_ellipsize) X(pango_layout_set_font_description)       \
    X(pango_layout_set_line_spacing) X(pango_layout_set_text) X(pango_layout_set_width)                    \
    X(pango_layout_set_wrap)
/* clang-format on */

/* Their functions, under their own names. */
struct pdf_library {
#define PDF_MEMBER(name) __typeof__(name) *name;
    PDF_FUNCTIONS(PDF_MEMBER)
#undef PDF_MEMBER
};
extern struct pdf_library pdf;

/* Before the first of them is called; by any thread, and as often as one likes. NULL, or what is missing on
 * this machine, static. */
const char *pdf_library_load(void);

#endif
