#define _GNU_SOURCE /* asprintf */
#include "server/console/view/read.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "sql/rows/console.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT     50
#define LIMIT_MAX 1000

void view_fail(struct view_fault *fault, unsigned status, const char *detail, const char *hint)
{
    if (fault->status)
        return;
    fault->status = status;
    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    snprintf(fault->hint, sizeof(fault->hint), "%s", hint ? hint : "");
}

void view_rows_free(struct view_rows *rows)
{
    json_decref(rows->rows);
    free(rows->next);
    *rows = (struct view_rows){NULL, NULL};
}

static const char *text_of(const json_t *given, const char *name)
{
    const char *text = json_string_value(json_object_get(given, name));
    return text && *text ? text : NULL;
}

/* --- what is given --- */

static const struct view_filter *filter_called(const char *name)
{
    for (const struct view_filter *filter = view_filters; filter->name; filter++)
        if (strcmp(filter->name, name) == 0)
            return filter;
    return NULL;
}

static long limit_of(const json_t *given)
{
    const char *text = text_of(given, "limit");
    char *end;
    long limit = text ? strtol(text, &end, 10) : LIMIT;
    return text && (*end || limit < 1 || limit > LIMIT_MAX) ? 0 : limit;
}

static bool is_one_of(const char *text, const char *words)
{
    return !text || view_lists(words, text);
}

bool view_given_check(const json_t *given, const char *allowed, struct view_fault *fault)
{
    char words[CHILD_SENTENCE_MAX], name_is[160];
    const char *name;
    json_t *value;
    /* The cast takes a const away that the macro does not know; it changes nothing. */
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        const struct view_filter *filter = filter_called(name);
        const char *text = json_string_value(value);
        snprintf(name_is, sizeof(name_is), "there is no parameter \"%.100s\" here", name);
        snprintf(words, sizeof(words), "use: %s", *allowed ? allowed : "none");
        if (!filter || !view_lists(allowed, name))
            view_fail(fault, 400, name_is, words);
        else if (text && *text && strcmp(filter->format, "date") == 0 && !instant_is_date(slice_of(text)))
            view_fail(fault, 400, "this is no date", "write it as 2026-11-30");
    }
    if (limit_of(given) == 0)
        view_fail(fault, 400, "limit is a whole number from 1 to 1000", NULL);
    if (!is_one_of(text_of(given, "order"), "newest oldest"))
        view_fail(fault, 400, "order is newest or oldest", NULL);
    return fault->status == 0;
}

/* --- from the ledger --- */

static json_t *asked_of(const struct view *view, const json_t *given, struct view_fault *fault)
{
    json_t *asked = json_object();
    for (const struct view_filter *filter = view_filters; filter->name; filter++)
        if (text_of(given, filter->name) && view_lists(view->filters, filter->name))
            json_object_set(asked, filter->name, json_object_get(given, filter->name));
    json_object_set_new(asked, "limit", json_integer(limit_of(given)));
    const char *after = view->paged ? text_of(given, "after") : NULL;
    json_t *place = after ? json_loads(after, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (after && !json_is_array(place))
        view_fail(fault, 400, "after is no \"next\" of a page here", "begin without it");
    if (place)
        json_object_set_new(asked, "after", place);
    return asked;
}

static void take_rows(const struct view *view, const struct pg_rows *found, long limit,
                      struct view_rows *rows)
{
    rows->rows = json_array();
    for (int i = 0; i < found->count; i++) {
        const struct console_row_row row = console_row_row(found, i);
        json_t *object = json_loads(row.row, 0, NULL);
        if (!view->paged || i < limit)
            json_array_append_new(rows->rows, object);
        else
            json_decref(object);
        if (view->paged && i == limit - 1 && found->count > limit)
            rows->next = strdup(row.cursor);
    }
}

static bool run_statement(const struct view_source *source, const struct view *view, const json_t *given,
                          struct view_rows *rows, struct view_fault *fault)
{
    struct pg_params params = {0};
    struct pg_rows found = {0};
    json_t *asked = asked_of(view, given, fault);
    char *text = asked ? json_dumps(asked, JSON_COMPACT) : NULL;
    if (text && !fault->status) {
        pg_params_text(&params, text);
        pg_params_number(&params, clock_now_ms());
        if (pg_run(source->pg, view->statement, &params, &found) == ERR_OK)
            take_rows(view, &found, limit_of(given), rows);
        else if (pg_failure(source->pg) == PG_DATA)
            view_fail(fault, 400, "a parameter is not what it must be", "after is the \"next\" of a page");
        else
            view_fail(fault, 503, "the ledger did not answer",
                      "nothing is lost; try again, or ask for fewer days");
    }
    pg_rows_free(&found);
    free(text);
    json_decref(asked);
    return fault->status == 0;
}

/* --- from a command --- */

/* The words of a command in one text. The caller frees. */
static char *line_of(const struct child_words *words)
{
    char *line = NULL;
    size_t len;
    FILE *out = open_memstream(&line, &len);
    if (!out)
        return NULL;
    for (size_t i = 0; i < words->count; i++)
        fprintf(out, "%s%c", words->items[i], '\n');
    fclose(out);
    return line;
}

static json_t *run(const struct view_source *source, const struct child_words *words,
                   struct view_fault *fault)
{
    struct child_result result;
    char sentence[CHILD_SENTENCE_MAX], hint[CHILD_SENTENCE_MAX];
    char *line = line_of(words);
    json_t *answer = line ? json_incref(json_object_get(source->told, line)) : NULL;
    if (!answer) {
        child_run(source->program, words, source->actor, (struct slice){NULL, 0}, &result);
        if (result.status >= 0 && result.out && *result.out)
            answer = json_loads(result.out, JSON_DECODE_ANY, NULL);
        if (!answer) {
            child_sentence(&result, sentence, hint);
            view_fail(fault, result.status < 0 ? 503 : 404, sentence, hint);
        }
        child_result_free(&result);
        if (answer && line)
            json_object_set(source->told, line, answer);
    }
    free(line);
    return answer;
}

json_t *view_command(const struct view_source *source, const char *command, const json_t *given,
                     struct view_fault *fault)
{
    struct child_words words;
    json_t *answer = NULL;
    child_words(command, given, &words);
    if (words.lacking || words.refused)
        view_fail(fault, 400,
                  words.lacking ? "a parameter is missing" : "a parameter cannot begin with a dash", NULL);
    else
        answer = run(source, &words, fault);
    child_words_free(&words);
    return answer;
}

static json_t *rows_of(const struct view_source *source, const struct view *view, const json_t *answer,
                       const json_t *given)
{
    if (!view->rows)
        return json_incref(view->member ? json_object_get(answer, view->member)
                                        : (json_t *)(uintptr_t)answer);
    json_t *with = json_copy((json_t *)(uintptr_t)given);
    json_object_set(with, "-prices", (json_t *)(uintptr_t)source->prices);
    json_t *rows = view->rows(answer, with);
    json_decref(with);
    return rows;
}

static bool run_command(const struct view_source *source, const struct view *view, const json_t *given,
                        struct view_rows *rows, struct view_fault *fault)
{
    json_t *answer = view_command(source, view->command, given, fault);
    if (answer)
        rows->rows = rows_of(source, view, answer, given);
    if (answer && !json_is_array(rows->rows)) {
        json_decref(rows->rows);
        rows->rows = json_array();
    }
    json_decref(answer);
    return fault->status == 0;
}

/* --- sorting, and pages of what was read whole --- */

static const struct view_column *column_called(const struct view *view, const char *name)
{
    for (const struct view_column *column = view->columns; column->name; column++)
        if (strcmp(column->name, name) == 0)
            return column;
    return NULL;
}

struct sorted {
    json_t *row;
    const json_t *value;
    size_t place;
};

static int compare_up(const void *one, const void *other)
{
    const struct sorted *a = one, *b = other;
    bool numbers = json_is_integer(a->value) && json_is_integer(b->value);
    const char *left = json_string_value(a->value), *right = json_string_value(b->value);
    int order = numbers ? (json_integer_value(a->value) > json_integer_value(b->value)) -
                              (json_integer_value(a->value) < json_integer_value(b->value))
                        : strcmp(left ? left : "", right ? right : "");
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static bool sort(const struct view *view, const char *by, struct view_rows *rows, struct view_fault *fault)
{
    bool down = by && *by == '-';
    const struct view_column *column = by ? column_called(view, by + down) : NULL;
    size_t count = json_array_size(rows->rows);
    if (!by)
        return true;
    struct sorted *all = column ? calloc(count + 1, sizeof(*all)) : NULL;
    if (!all) {
        view_fail(fault, 400, "sort is no column of this table", "its JSON names them");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_array_get(rows->rows, i);
        all[i] = (struct sorted){json_incref(row), json_object_get(row, column->name), i};
    }
    qsort(all, count, sizeof(*all), compare_up);
    json_array_clear(rows->rows);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows->rows, all[down ? count - 1 - i : i].row);
    free(all);
    return true;
}

/* The place of a row is its number: what was read whole is read anew for each page, and may have changed. */
static bool cut(const json_t *given, struct view_rows *rows, struct view_fault *fault)
{
    const char *after = text_of(given, "after");
    char *end = NULL;
    long first = after ? strtol(after, &end, 10) : 0, limit = limit_of(given);
    size_t count = json_array_size(rows->rows);
    if (after && (*end || first < 0)) {
        view_fail(fault, 400, "after is no \"next\" of a page here", "begin without it");
        return false;
    }
    json_t *page = json_array();
    for (size_t i = (size_t)first; i < count && i < (size_t)(first + limit); i++)
        json_array_append(page, json_array_get(rows->rows, i));
    if ((size_t)(first + limit) < count && asprintf(&rows->next, "%ld", first + limit) < 0)
        rows->next = NULL;
    json_decref(rows->rows);
    rows->rows = page;
    return true;
}

bool view_read(const struct view_source *source, const struct view *view, const json_t *given,
               const json_t *object, struct view_rows *rows, struct view_fault *fault)
{
    *rows = (struct view_rows){NULL, NULL};
    assert(view->statement || view->command || view->member);
    if (view->statement) {
        if (!run_statement(source, view, given, rows, fault))
            return false;
    } else if (view->command) {
        if (!run_command(source, view, given, rows, fault))
            return false;
    } else {
        json_t *list = json_object_get(object, view->member);
        rows->rows = json_is_array(list) ? json_copy(list) : json_array();
    }
    if (view->paged && text_of(given, "sort")) {
        view_fail(fault, 400, "this table is read page by page, in its own order",
                  view_lists(view->filters, "order") ? "order=oldest turns it around"
                                                     : "ask for all of it, and sort that");
        return false;
    }
    return view->paged || (sort(view, text_of(given, "sort"), rows, fault) && cut(given, rows, fault));
}
