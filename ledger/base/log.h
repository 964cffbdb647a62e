/* One line per event on standard error. The gate writes logfmt with a fixed event name; the operator's
 * commands write sentences for a person. Never keys, whole signatures or bodies. */
#ifndef LEDGER_BASE_LOG_H
#define LEDGER_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *key;
    const char *value; /* NULL leaves the field out */
};

#define LOG_NUMBER_MAX 24

/* Lines below `level` are dropped. Default: info. */
void log_set_level(enum log_level level);

/* Writes "program: event: value of detail" and a hint instead of logfmt: for commands that people run. */
void log_for_people(const char *program);

/* True if lines of this level are written. */
bool log_wanted(enum log_level level);

/* Writes one line; `fields` end with a NULL key. Control characters are escaped. Thread-safe. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

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
