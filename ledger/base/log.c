/* A line is one write(2) of at most 2 KiB: lines of threads do not run into each other. In the gate a thread
 * of its own writes them (log_queue.h), so that nobody waits for whoever reads the log. Control characters
 * never get through, or a crawler's name could forge a line. */
#include "ledger/base/log.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/base/log_queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static _Atomic enum log_level threshold = LOG_LEVEL_INFO;
static atomic_bool json_lines;
static const char *people_program;
static FILE *_Atomic elsewhere;
static const char *const level_names[] = {"debug", "info", "warn", "error"};
static _Thread_local struct log_repeats *repeats_now;

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

void log_set_json(bool json)
{
    atomic_store_explicit(&json_lines, json, memory_order_relaxed);
}

void log_for_people(const char *program)
{
    people_program = program;
}

void log_to(FILE *out)
{
    atomic_store(&elsewhere, out);
}

const char *log_number(int64_t number, char out[LOG_NUMBER_MAX])
{
    snprintf(out, LOG_NUMBER_MAX, "%" PRId64, number);
    return out;
}

static void put(struct line *line, char c)
{
    if (line->len < sizeof(line->text) - 2)
        line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            put(line, c == '\n' || c == '\t' ? ' ' : '?');
            continue;
        }
        put(line, *text);
    }
}

static void put_quoted(struct line *line, const char *value)
{
    put(line, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            put(line, '\\');
        put_text(line, (char[]){*value, '\0'});
    }
    put(line, '"');
}

static void put_value(struct line *line, const char *value)
{
    if (*value && !strpbrk(value, " \"=\\\n\t\r")) {
        put_text(line, value);
        return;
    }
    put_quoted(line, value);
}

static const char *field(const struct log_field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields->value;
    return NULL;
}

/* "program: what failed (key value, key value): detail" and the hint on a line of its own. */
static void write_for_people(struct line *line, const char *event, const struct log_field *fields)
{
    put_text(line, people_program);
    put_text(line, ": ");
    for (const char *c = event; *c; c++)
        put(line, *c == '_' ? ' ' : *c);
    const char *open = " (";
    for (const struct log_field *f = fields; f->key; f++) {
        if (!f->value || strcmp(f->key, "detail") == 0 || strcmp(f->key, "hint") == 0)
            continue;
        put_text(line, open);
        put_text(line, f->key);
        put(line, ' ');
        put_text(line, f->value);
        open = ", ";
    }
    if (open[0] == ',')
        put(line, ')');
    if (field(fields, "detail")) {
        put_text(line, ": ");
        put_text(line, field(fields, "detail"));
    }
    if (field(fields, "hint")) {
        put(line, '\n');
        put_text(line, "  hint: ");
        put_text(line, field(fields, "hint"));
    }
}

static void put_json(struct line *line, const char *key, const char *value)
{
    put_text(line, line->len > 1 ? ",\"" : "\"");
    put_text(line, key);
    put_text(line, "\":");
    put_quoted(line, value);
}

/* A line that is too long has as many of its fields as there is room for, each of them whole: half an object
 * is none. */
static void write_json(struct line *line, enum log_level level, const char *event,
                       const struct log_field *fields)
{
    char now[INSTANT_TEXT_MAX];
    put(line, '{');
    put_json(line, "time", instant_format(clock_now_ms(), now));
    put_json(line, "level", level_names[level]);
    put_json(line, "event", event);
    for (; fields->key; fields++) {
        size_t before = line->len;
        if (fields->value)
            put_json(line, fields->key, fields->value);
        if (line->len >= sizeof(line->text) - 3)
            line->len = before;
    }
    put(line, '}');
}

static void write_logfmt(struct line *line, enum log_level level, const char *event,
                         const struct log_field *fields)
{
    char now[INSTANT_TEXT_MAX];
    put_text(line, "time=");
    put_text(line, instant_format(clock_now_ms(), now));
    put_text(line, " level=");
    put_text(line, level_names[level]);
    put_text(line, " event=");
    put_text(line, event);
    for (; fields->key; fields++) {
        if (!fields->value)
            continue;
        put(line, ' ');
        put_text(line, fields->key);
        put(line, '=');
        put_value(line, fields->value);
    }
}

void log_repeats_begin(struct log_repeats *repeats)
{
    assert(!repeats_now); /* the pairs of calls do not nest */
    memcpy(repeats->last, repeats->now, sizeof(repeats->last));
    repeats->last_count = repeats->now_count;
    repeats->now_count = 0;
    repeats_now = repeats;
}

void log_repeats_end(void)
{
    assert(repeats_now);
    repeats_now = NULL;
}

/* With the byte at its end, or "ab" "c" would be "a" "bc". */
static struct slice whole(const char *text)
{
    return slice_bytes(text, strlen(text) + 1);
}

static bool is_repeat(const char *event, const struct log_field *fields)
{
    struct log_repeats *repeats = repeats_now;
    if (!repeats)
        return false;
    uint64_t hash = slice_hash(whole(event));
    for (; fields->key; fields++)
        hash =
            slice_hash_on(slice_hash_on(hash, whole(fields->key)), whole(fields->value ? fields->value : ""));
    assert(repeats->now_count <= LOG_REPEATS_MAX && repeats->last_count <= LOG_REPEATS_MAX);
    if (repeats->now_count < LOG_REPEATS_MAX)
        repeats->now[repeats->now_count++] = hash;
    for (size_t i = 0; i < repeats->last_count; i++)
        if (repeats->last[i] == hash)
            return true;
    return false;
}

bool log_wanted(enum log_level level)
{
    return level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    struct line line = {.len = 0};
    assert(event && fields);
    if (is_repeat(event, fields))
        return;
    assert(level < sizeof(level_names) / sizeof(*level_names));
    if (people_program)
        write_for_people(&line, event, fields);
    else if (atomic_load_explicit(&json_lines, memory_order_relaxed))
        write_json(&line, level, event, fields);
    else
        write_logfmt(&line, level, event, fields);
    assert(line.len < sizeof(line.text));
    line.text[line.len++] = '\n';
    FILE *other = atomic_load(&elsewhere);
    if (other) {
        fwrite(line.text, 1, line.len, other);
        return;
    }
    if (log_queue_put(line.text, line.len))
        return;
    if (write(STDERR_FILENO, line.text, line.len) < 0)
        return; /* nowhere left to say it */
}
