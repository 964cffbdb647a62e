/* One line per event on standard error. The gate writes logfmt, or JSON, with a fixed event name; the
 * operator's commands write sentences for a person. Never keys, whole signatures or bodies. */
#ifndef LEDGER_BASE_LOG_H
#define LEDGER_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *key;
    const char *value; /* NULL leaves the field out */
};

#define LOG_NUMBER_MAX 24

/* Lines below `level` are dropped. Default: info. At any time, from any thread. */
void log_set_level(enum log_level level);

/* Lines are JSON objects instead of logfmt; all values are strings. At any time. */
void log_set_json(bool json);

/* Writes "program: event: value of detail" and a hint instead of logfmt: for commands that people run. */
void log_for_people(const char *program);

/* Lines go there, and not to standard error, for whoever tells them in his own way; NULL: no more. The stream
 * must outlive the threads that log. */
void log_to(FILE *out);

/* True if lines of this level are written. */
bool log_wanted(enum log_level level);

/* Writes one line; `fields` end with a NULL key. Control characters are escaped. Thread-safe. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* What a thread says each time it tries the same thing in vain. Starts as {0}. */
#define LOG_REPEATS_MAX 16
struct log_repeats {
    uint64_t last[LOG_REPEATS_MAX],
        now[LOG_REPEATS_MAX]; /* hashes of lines, of the last try and of this one */
    size_t last_count, now_count;
};

/* Until log_repeats_end, this thread's lines that it wrote, or left out, between the last such pair of calls
 * are left out. So a failure is told once until it changes. */
void log_repeats_begin(struct log_repeats *repeats);
void log_repeats_end(void);

/* A number as text in `out`, for a field's value. */
const char *log_number(int64_t number, char out[LOG_NUMBER_MAX]);

/* The fields' values are not worked out for lines that are not wanted. */
#define LOG(level, event, ...)                                                                               \
    do {                                                                                                     \
        if (log_wanted(LOG_LEVEL_##level))                                                                   \
            log_write(LOG_LEVEL_##level, event, (const struct log_field[]){__VA_ARGS__, {NULL, NULL}});      \
    } while (0)
#define LOG_NUMBER(number) log_number((number), (char[LOG_NUMBER_MAX]){0})

#endif
