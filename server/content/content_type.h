/* Media types by file name. */
#ifndef SERVER_CONTENT_CONTENT_TYPE_H
#define SERVER_CONTENT_CONTENT_TYPE_H

#include "ledger/base/slice.h"

/* The media type for the file's ending, "application/octet-stream" when it is not known. Static. */
const char *content_type(struct slice path);

#endif
