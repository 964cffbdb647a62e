/* The URL of an offer that was never paid. An id holds only a hash of it, so what can be asked for at the
 * site is tried: a URL that the operator names, the files below the site's root, the paths of its rules, and
 * what others paid for around that time. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_OFFERED_URL_H
#define TOOLS_CRAWLTAB_ENTRIES_OFFERED_URL_H

#include "tools/crawltab/entries/opener.h"

/* The URL, which the caller frees, or NULL in *url when none of them is it. `asked` may be NULL. */
enum err offered_url_find(struct pg *pg, const struct opener_site *site, const uint8_t raw[PAYMENT_ID_SIZE],
                          const char *asked, char **url) MUST_USE;

#endif
