/* What is told about a configuration, and which word was probably meant. A mistake is told where it is found
 * and counted here; that there was one, and not who found it, decides whether the configuration is used. */
#include "ledger/base/config/config_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A setting that was told to be unreadable. */
struct config_told {
    struct config_told *next;
    size_t line;
    char key[64];
};

static void say(const struct config_report *report, FILE *out, size_t line, const char *format,
                va_list values)
{
    assert(report->file);
    if (!out)
        return;
    if (line > 0)
        fprintf(out, "%s:%zu: ", report->file, line);
    else
        fprintf(out, "%s: ", report->file);
    vfprintf(out, format, values);
    fputc('\n', out);
}

/* True if the message is about a setting of which it was told already that it cannot be read. Messages begin
 * with the setting. */
static bool told_before(struct config_report *report, size_t line, const char *format, va_list values)
{
    char key[sizeof(report->told->key)];
    vsnprintf(key, sizeof(key), format, values);
    key[strcspn(key, ": ")] = '\0';
    /* A value that could not be read has left the default, which may well fail a check: one mistake, which
     * would be told twice. Only the check's is left out, as the reader's says what stands in the file. */
    if (report->checking) {
        for (const struct config_told *told = report->told; told; told = told->next)
            if (told->line == line && strcmp(told->key, key) == 0)
                return true;
        return false;
    }
    /* Without memory a mistake is told twice, which is better than not at all. */
    struct config_told *told = malloc(sizeof(*told));
    if (told) {
        *told = (struct config_told){.next = report->told, .line = line};
        snprintf(told->key, sizeof(told->key), "%s", key);
        report->told = told;
    }
    return false;
}

void config_error(struct config_report *report, size_t line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool told = told_before(report, line, format, values);
    va_end(values);
    if (told)
        return;
    va_start(values, format);
    say(report, report->errors, line, format, values);
    va_end(values);
    report->error_count++;
}

void config_warning(struct config_report *report, size_t line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(report, report->warnings, line, format, values);
    va_end(values);
}

void config_report_end(struct config_report *report)
{
    while (report->told) {
        struct config_told *next = report->told->next;
        free(report->told);
        report->told = next;
    }
}

size_t config_distance(const char *a, const char *b)
{
    enum { WORD = CONFIG_WORD_MAX - 1 };
    size_t previous[WORD + 1];
    size_t columns = strlen(b);
    /* The rows of Levenshtein's table, of which only the last is kept: it costs a word times a word, hence a
     * bound on words, which come from a file. */
    if (strlen(a) > WORD || columns > WORD)
        /* No real distance is as large: as far away as it can be. */
        return WORD;
    for (size_t j = 0; j <= columns; j++)
        previous[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = previous[0];
        previous[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = previous[j];
            best = previous[j - 1] + 1 < best ? previous[j - 1] + 1 : best;
            previous[j] = previous[j] + 1 < best ? previous[j] + 1 : best;
        }
    }
    assert(previous[columns] < CONFIG_WORD_MAX);
    return previous[columns];
}

const char *config_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    /* Half of a short word may be changed and it is another one: "host" and "port". */
    size_t best_distance = strlen(word) < 4 ? 2 : 4;
    for (; *words; words++) {
        size_t d = config_distance(word, *words);
        if (d < best_distance) {
            best = *words;
            best_distance = d;
        }
    }
    return best;
}
