/* Pictures come from the publisher's configuration, but years may lie between, and the library that decodes
 * them has seen worse: sizes are looked at before anything is decoded, and what is odd is left out rather
 * than the invoice. */
#include "ledger/format/paper/pdf_logo.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX  180
#define HEIGHT_MAX 48
#define PIXELS_MAX 4096

struct picture {
    uint8_t *bytes;
    size_t len;
    size_t at;
};

/* The bytes behind the comma, if the URL starts so. */
static bool decode(const char *url, const char *start, struct picture *picture)
{
    size_t skip = strlen(start);
    if (strncmp(url, start, skip) != 0)
        return false;
    struct slice text = slice_of(url + skip);
    /* As many bytes as there are characters is more than base64 can hold. */
    picture->bytes = malloc(text.len + 1);
    return picture->bytes && encoding_unbase64(text, false, picture->bytes, text.len, &picture->len);
}

static cairo_status_t read_bytes(void *closure, unsigned char *out, unsigned int len)
{
    struct picture *picture = closure;
    assert(picture->at <= picture->len);
    if (len > picture->len - picture->at)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(out, picture->bytes + picture->at, len);
    picture->at += len;
    return CAIRO_STATUS_SUCCESS;
}

/* The size stands in the frame header (ITU-T T.81 section B.2.2), somewhere after other segments. */
static bool jpeg_size(const struct picture *picture, int *width, int *height)
{
    const uint8_t *b = picture->bytes;
    /* Each segment says its length, so that those of no interest are passed over unread. A length of less
     * than two still goes on by two: it comes to an end. */
    for (size_t at = 2; at + 9 < picture->len && b[at] == 0xff;) {
        bool frame = b[at + 1] >= 0xc0 && b[at + 1] <= 0xcf && b[at + 1] != 0xc4 && b[at + 1] != 0xc8 &&
                     b[at + 1] != 0xcc;
        if (frame) {
            *height = b[at + 5] << 8 | b[at + 6];
            *width = b[at + 7] << 8 | b[at + 8];
            return *width > 0 && *height > 0 && *width <= PIXELS_MAX && *height <= PIXELS_MAX;
        }
        at += 2 + (size_t)(b[at + 2] << 8 | b[at + 3]);
    }
    return false;
}

/* The picture goes into the file as it is; takes over its bytes. */
static cairo_surface_t *jpeg_surface(struct picture *picture)
{
    int width, height;
    assert(picture->bytes && picture->at == 0);
    if (!jpeg_size(picture, &width, &height))
        return NULL;
    /* cairo puts these bytes into the PDF, and never looks at the surface's pixels, which nobody has drawn.
     */
    cairo_surface_t *surface = pdf.cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (pdf.cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, picture->bytes, picture->len, free,
                                        picture->bytes) == CAIRO_STATUS_SUCCESS)
        picture->bytes = NULL;
    return surface;
}

static int draw(cairo_t *cr, cairo_surface_t *surface, int x, int y)
{
    int width = pdf.cairo_image_surface_get_width(surface),
        height = pdf.cairo_image_surface_get_height(surface);
    if (pdf.cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS || width < 1 || height < 1 ||
        width > PIXELS_MAX || height > PIXELS_MAX)
        return 0;
    /* In thousandths: no larger than a point for each pixel, nor than the room. */
    int scale = 1000;
    scale = width * scale > WIDTH_MAX * 1000 ? WIDTH_MAX * 1000 / width : scale;
    scale = height * scale > HEIGHT_MAX * 1000 ? HEIGHT_MAX * 1000 / height : scale;
    assert(scale > 0 && scale <= 1000);
    assert(width * scale <= WIDTH_MAX * 1000 && height * scale <= HEIGHT_MAX * 1000);
    pdf.cairo_save(cr);
    pdf.cairo_translate(cr, x, y);
    pdf.cairo_scale(cr, scale / 1000.0, scale / 1000.0);
    pdf.cairo_set_source_surface(cr, surface, 0, 0);
    pdf.cairo_paint(cr);
    pdf.cairo_restore(cr);
    return (height * scale + 999) / 1000;
}

int pdf_logo_draw(cairo_t *cr, const char *url, int x, int y)
{
    struct picture picture = {0};
    cairo_surface_t *surface = NULL;
    int height = 0;
    if (decode(url, "data:image/png;base64,", &picture))
        surface = pdf.cairo_image_surface_create_from_png_stream(read_bytes, &picture);
    else if (!picture.bytes && decode(url, "data:image/jpeg;base64,", &picture))
        surface = jpeg_surface(&picture);
    if (surface) {
        height = draw(cr, surface, x, y);
        pdf.cairo_surface_destroy(surface);
    }
    free(picture.bytes);
    return height;
}
