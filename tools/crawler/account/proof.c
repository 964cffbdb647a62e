/* crawler proof: the proof of a payment, as a file that can be checked without the site. */
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: crawler proof --key FILE --agent URL [OPTION]... SITE ID\n"
    "Gets the proof that payment ID, of a receipt or of an entry, is in the closed\n"
    "books of SITE, a URL of it. `crawltab verify FILE` checks it without the site.\n"
    "\n"
    "      --out FILE           write it there (default: standard output)\n" SESSION_HELP "\n"
    "  crawler proof --key crawler.key --agent https://my.crawler.example \\\n"
    "      --out proof.json https://gazette.example ID\n";

int proof_main(int argc, char **argv)
{
    struct session session;
    const char *out = NULL;
    const struct session_option options[] = {{"out", &out, NULL}, {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 2, 2,
                                        "a URL of the site, or the payment id behind it"};
    int status = session_parse(&session, argc, argv, &usage);
    if (status >= 0)
        return status;
    char *id = session_escape(session.words[1]);
    size_t room = id ? strlen(id) + 16 : 0;
    char *below = id ? malloc(room) : NULL;
    if (below)
        snprintf(below, room, "/proofs/%s", id);
    bool ok = below && session_open(&session) && session_get(&session, below) &&
              session_write(out, session.answer.content);
    free(id);
    free(below);
    session_close(&session);
    return ok ? COMMANDS_OK : COMMANDS_FAILED;
}
