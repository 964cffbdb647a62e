/* Questions to whoever sets crawltab up, on a terminal or from a script that pipes the answers in. */
#ifndef TOOLS_CRAWLTAB_SETUP_QUESTION_H
#define TOOLS_CRAWLTAB_SETUP_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#define QUESTION_MAX 400

struct question {
    const char *text;     /* what is asked */
    const char *option;   /* what answers it without a question: "--site" */
    const char *given;    /* its value; NULL: ask */
    const char *fallback; /* what an empty answer means; NULL: there is none, "" may be one */
    /* NULL if the answer will do, else why not, in a sentence. May write it anew, to the form wanted. */
    const char *(*judge)(char answer[QUESTION_MAX]);
};

/* Gets the answer: what was given, or what is typed, again until it will do; with `silent` nothing is asked
 * and the fallback counts. False after a message: what was given will not do, or nobody answers any more. */
bool question_ask(const struct question *question, bool silent, char answer[QUESTION_MAX]);

#endif
