/* Forms with files (multipart/form-data, RFC 7578), as browsers send them: part after part. */
#ifndef SERVER_CONSOLE_BASE_MULTIPART_H
#define SERVER_CONSOLE_BASE_MULTIPART_H

#include "ledger/base/slice.h"

#include <stdbool.h>

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

struct multipart {
    struct slice rest, boundary;
    bool ended; /* its last boundary was read */
};

struct multipart_part {
    struct slice name;     /* of the field */
    struct slice filename; /* as it was sent; data NULL: it is no file */
    struct slice content;
};

/* False: the type names no boundary, or the body does not begin with it. */
bool multipart_begin(struct multipart *form, struct slice type, struct slice body);

/* The next part. False at the end, and where the form is broken: `ended` says which. */
bool multipart_next(struct multipart *form, struct multipart_part *part);

#endif
