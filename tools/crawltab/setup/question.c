#include "tools/crawltab/setup/question.h"

#include "ledger/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Answers end up in a configuration between double quotes. */
static const char *judge_text(const char *answer)
{
    for (const char *c = answer; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '"' || *c == '\\')
            return "no quotes, backslashes or control characters, please";
    return NULL;
}

static const char *judge(const struct question *question, char answer[QUESTION_MAX])
{
    const char *wrong = judge_text(answer);
    if (!wrong && question->judge)
        wrong = question->judge(answer);
    assert(strlen(answer) < QUESTION_MAX);
    return wrong;
}

static bool take(const struct question *question, const char *value, char answer[QUESTION_MAX])
{
    if (!value) {
        LOG(ERROR, "an answer is missing", {"option", question->option}, {"question", question->text});
        return false;
    }
    if (strlen(value) >= QUESTION_MAX) {
        LOG(ERROR, "an answer is too long", {"option", question->option});
        return false;
    }
    snprintf(answer, QUESTION_MAX, "%s", value);
    const char *wrong = judge(question, answer);
    if (wrong)
        LOG(ERROR, "an answer will not do", {"option", question->option}, {"value", value},
            {"detail", wrong});
    return !wrong;
}

/* One line without its end and the blanks around it. False at the end of what is typed. */
static bool read_line(char line[QUESTION_MAX])
{
    if (!fgets(line, QUESTION_MAX, stdin))
        return false;
    size_t len = strlen(line);
    if (len + 1 == QUESTION_MAX && line[len - 1] != '\n')
        for (int c; (c = getchar()) != EOF && c != '\n';)
            ;
    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        line[--len] = '\0';
    size_t blanks = strspn(line, " \t");
    memmove(line, line + blanks, len - blanks + 1);
    return true;
}

bool question_ask(const struct question *question, bool silent, char answer[QUESTION_MAX])
{
    assert(question->text && question->option);
    if (question->given || silent)
        return take(question, question->given ? question->given : question->fallback, answer);
    for (;;) {
        printf("%s", question->text);
        if (question->fallback && *question->fallback)
            printf(" [%s]", question->fallback);
        fputs(": ", stdout);
        fflush(stdout);
        if (!read_line(answer)) {
            putchar('\n');
            return take(question, NULL, answer);
        }
        if (!*answer && question->fallback)
            snprintf(answer, QUESTION_MAX, "%s", question->fallback);
        const char *wrong = judge(question, answer);
        if (!wrong)
            return true;
        printf("  %s\n", wrong);
    }
}
