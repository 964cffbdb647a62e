/* Files that can be fetched: documents, and proofs. */
#ifndef SERVER_CONSOLE_FILES_H
#define SERVER_CONSOLE_FILES_H

#include "server/console/seat.h"

struct file_offer {
    const char *path, *title;
    enum role_right right;
    const char *needs, *takes; /* parameters, parted by spaces */
    const char *command;       /* {file} in it: it writes there, and not to standard output */
};

extern const struct file_offer file_offers[]; /* ended by a NULL path */

const struct file_offer *file_offer_at(const char *path);

/* Answers with the file. False after a fault. */
bool file_answer(const struct file_offer *offer, const struct view_source *source, const struct asked *ask,
                 struct view_fault *fault);

/* Answers with a file of the console's own: style, script, charts. False if there is none. Charts are
 * drawn by Debian's libjs-chart.js, where that is installed. */
bool file_asset(const char *folder, const struct asked *ask);

#endif
