/* What the commands about the crawler's own account share: their options, and signed requests for what the
 * publisher says of it (server/WIRE.md section 8). */
#ifndef TOOLS_CRAWLER_ACCOUNT_SESSION_H
#define TOOLS_CRAWLER_ACCOUNT_SESSION_H

#include "tools/crawler/client.h"
#include "tools/crawler/key.h"
#include "tools/crawler/target.h"

#include <jansson.h>

#define SESSION_PATH "/.well-known/crawltab/account"

/* The lines of help for the options that all of them have. */
#define SESSION_HELP                                                                                         \
    "  -k, --key FILE           the key that pays at the site\n"                                             \
    "  -a, --agent URL          as with `crawler fetch`\n"                                                   \
    "      --ca FILE            certificates to trust, PEM (default: the system's)\n"                        \
    "      --timeout SECONDS    the longest one request may take (default: 60)\n"                            \
    "      --clock-offset SECS  sign with the clock moved, for demonstrations\n"                             \
    "  -v, --verbose            show request and answer heads on standard error\n"                           \
    "  -h, --help               show this\n"

/* An option of one command. One of the two is set. */
struct session_option {
    const char *name; /* without dashes; NULL: the end */
    const char **text;
    bool *flag;
};

struct session_usage {
    const char *help;
    const struct session_option *options; /* besides those that all have */
    int words_min, words_max;             /* the site's URL and what follows it */
    const char *missing;                  /* what is told when there are fewer */
};

/* Zeros, but for what session_parse fills in. */
struct session {
    struct client_options client_options;
    struct client *client;
    const char *key_file, *agent;
    struct key key;
    struct target site;
    char **words; /* behind the options */
    int word_count;
    char *memory;
    struct arena arena; /* of one request */
    struct client_answer answer;
};

/* Reads the command line. -1: go on; else the exit status, after saying why. */
int session_parse(struct session *session, int argc, char **argv, const struct session_usage *usage);

/* Loads the key and begins. False after saying why; session_close is right in any case. */
bool session_open(struct session *session) MUST_USE;
void session_close(struct session *session);

/* GET, signed, of what is below SESSION_PATH; or of a whole target of the site. Waits where the site asks to
 * come back later. True with a 200 in session->answer; false after saying why. */
bool session_get(struct session *session, const char *below) MUST_USE;

/* POST of JSON, likewise; a 201 is as good. A problem's body stays in session->answer. */
bool session_post(struct session *session, const char *below, struct slice json) MUST_USE;

/* GET with the answer's JSON, the caller's; NULL after saying why. */
json_t *session_json(struct session *session, const char *below);

/* A part of a path or query with everything escaped that may not stand in it; the caller frees. */
char *session_escape(const char *text);

/* Prints JSON for programs and frees it. False after saying why it could not be written. */
bool session_print_json(json_t *json);

/* Writes bytes to a file that appears whole or not at all, or to standard output (NULL). False after saying
 * why. */
bool session_write(const char *path, struct slice bytes);

#endif
