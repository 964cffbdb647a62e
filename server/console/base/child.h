/* The operator's command as a child: what the console does beyond lists is what `crawltab` does by hand, with
 * its checks, its messages and its records. No shell is in between. */
#ifndef SERVER_CONSOLE_BASE_CHILD_H
#define SERVER_CONSOLE_BASE_CHILD_H

#include "ledger/base/slice.h"

#include <jansson.h>
#include <stddef.h>

/* How the command is started; all of it outlives the console. */
struct child_program {
    const char *path;         /* the running program itself */
    const char *config;       /* --config */
    const char *clock_offset; /* --clock-offset, or NULL */
};

#define CHILD_WORDS_MAX 32

struct child_words {
    const char *items[CHILD_WORDS_MAX + 1]; /* ends with NULL */
    size_t count;
    char *copies[CHILD_WORDS_MAX]; /* what child_words_free frees */
    const char *lacking;           /* a value that was needed and not given; NULL: none */
    const char *refused;           /* the name of one that cannot be a word */
};

/* Makes words of a template: "invoice void {number} --reason={reason} [--site={site}] [--reissue?reissue]".
 * {name} is the text `given` has under that name. What is in brackets is left out where that is missing or
 * empty; "?name" only asks whether it is there. A value is one word, whatever is in it, and never an option.
 */
void child_words(const char *format, const json_t *given, struct child_words *words);
void child_words_free(struct child_words *words);

/* What came of a run. */
struct child_result {
    int status; /* of exit; -1: it could not be run, was killed, or took too long */
    char *out;  /* standard output, NUL-terminated */
    size_t out_len;
    char *said; /* standard error */
};

/* Runs it for `actor` with `input` on its standard input; data NULL for none. Free with child_result_free. */
void child_run(const struct child_program *program, const struct child_words *words, const char *actor,
               struct slice input, struct child_result *result);
void child_result_free(struct child_result *result);

/* The first sentence of what was said, without the program's name, and the hint. Either may be "". */
#define CHILD_SENTENCE_MAX 1024
void child_sentence(const struct child_result *result, char sentence[CHILD_SENTENCE_MAX],
                    char hint[CHILD_SENTENCE_MAX]);

#endif
