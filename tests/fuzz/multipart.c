/* Forms with files, as browsers send them to the console: whatever comes, parts lie within the body and one
 * behind the other, and no part holds the boundary. Input: TYPE NEWLINE BODY. */
#include "tests/fuzz/support.h"

#include "server/console/base/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    size_t end = slice_find(text, '\n');
    struct slice type = {text.data, end};
    struct slice body = {text.data + end + (end < text.len), text.len - end - (end < text.len)};
    struct multipart form;
    struct multipart_part part;
    const char *last = body.data;
    if (!multipart_begin(&form, type, body))
        return 0;
    HOLDS(form.boundary.len > 0 && form.boundary.len <= MULTIPART_BOUNDARY_MAX);
    while (multipart_next(&form, &part)) {
        HOLDS(part.name.data > last && slice_within(part.name, body) && slice_within(part.content, body));
        HOLDS(!part.filename.data || slice_within(part.filename, body));
        HOLDS(part.content.data > part.name.data);
        last = part.content.data + part.content.len;
    }
    return 0;
}
