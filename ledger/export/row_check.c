/* Two lists side by side. Where they differ, what comes next on both sides says what has happened: whichever
 * of the two lines turns up first on the other side is there, and what stands before it is added or missing.
 * So one row that was removed is one difference, and not one for each row after it. What was set aside and
 * turns up after all was moved. */
#include "ledger/export/row_check.h"

#include "ledger/base/log.h"
#include "ledger/export/manifest.h"
#include "ledger/export/packed_lines.h"
#include "ledger/export/row_text.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_MAX    4096
#define SENTENCE_MAX 1024
#define NAME_SHOWN   512
#define INDEX_CUT    (2 * MANIFEST_HASH_SIZE) /* where the space stands in a line of the index */

struct line {
    int64_t number; /* the first row is 1, the column names are 0 */
    uint8_t hash[MANIFEST_HASH_SIZE];
    char *name;
};

/* One of the two, with those of its lines that have been read ahead. */
struct side {
    struct packed_lines *lines;
    bool is_index, csv;
    int64_t number; /* of the next line */
    struct line ahead[AHEAD_MAX];
    size_t first, count;
};

/* Lines that had no counterpart where one was looked for. */
struct aside {
    struct line items[ROW_CHECK_FINDINGS_MAX];
    size_t count;
};

struct check {
    const struct row_check_order *order;
    struct row_check_result *result;
    struct side file, index;
    struct aside extra, missing;
    struct row_text name;
    bool failed; /* no memory */
};

static void read_index_line(struct slice text, struct line *line, struct slice *name)
{
    if (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    bool whole = text.len > INDEX_CUT && text.data[INDEX_CUT] == ' ' &&
                 encoding_unhex((struct slice){text.data, INDEX_CUT}, line->hash, sizeof(line->hash));
    if (!whole)
        memset(line->hash, 0, sizeof(line->hash)); /* somebody was at the index: fits no row */
    *name = whole ? (struct slice){text.data + INDEX_CUT + 1, text.len - INDEX_CUT - 1} : text;
}

static struct line *ahead(struct check *check, struct side *side, size_t distance);

/* What should come after the file's next line, if all before it is as it was. */
static const char *expected(struct check *check)
{
    size_t distance = check->file.count + 1;
    const struct line *line = distance < AHEAD_MAX ? ahead(check, &check->index, distance) : NULL;
    return line ? line->name : NULL;
}

static bool read_line(struct check *check, struct side *side, struct line *line)
{
    struct slice text, name;
    if (!packed_lines_next(side->lines, side->is_index ? NULL : expected(check), &text))
        return false;
    line->number = side->number++;
    if (side->is_index) {
        read_index_line(text, line, &name);
    } else {
        manifest_hash(text, line->hash);
        row_text_name(side->csv, text, &check->name);
        name = (struct slice){check->name.data ? check->name.data : "", check->name.len};
    }
    line->name = strndup(name.data, name.len);
    check->failed |= !line->name || check->name.full;
    return line->name;
}

/* The line that is so many after the next one; NULL: there is none. */
static struct line *ahead(struct check *check, struct side *side, size_t distance)
{
    assert(distance < AHEAD_MAX);
    while (side->count <= distance) {
        struct line *line = &side->ahead[(side->first + side->count) % AHEAD_MAX];
        if (!read_line(check, side, line))
            return NULL;
        side->count++;
    }
    return &side->ahead[(side->first + distance) % AHEAD_MAX];
}

static struct line take(struct side *side)
{
    assert(side->count > 0);
    struct line line = side->ahead[side->first];
    side->first = (side->first + 1) % AHEAD_MAX;
    side->count--;
    return line;
}

static void drop(struct side *side)
{
    struct line line = take(side);
    free(line.name);
}

static bool same_bytes(const struct line *a, const struct line *b)
{
    return memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

static bool same(const struct line *a, const struct line *b)
{
    return same_bytes(a, b) || (*a->name && strcmp(a->name, b->name) == 0);
}

static void tell(struct check *check, const struct line *line, const char *what)
{
    char sentence[SENTENCE_MAX];
    if (line->number == 0)
        snprintf(sentence, sizeof(sentence), "the line of column names %s", what);
    else
        snprintf(sentence, sizeof(sentence), "row %" PRId64 " (%.*s) %s", line->number, NAME_SHOWN,
                 line->name, what);
    check->result->findings++;
    check->order->tell(check->order->context, sentence);
}

static void set_aside(struct check *check, struct side *side, struct aside *aside)
{
    struct line line = take(side);
    if (aside->count == ROW_CHECK_FINDINGS_MAX) {
        free(line.name);
        check->result->stopped = true;
        return;
    }
    aside->items[aside->count++] = line;
}

/* One that was set aside is there after all, elsewhere. */
static bool moved(struct check *check, struct side *side, struct aside *others)
{
    char what[SENTENCE_MAX];
    struct line *now = ahead(check, side, 0);
    for (size_t i = 0; now && i < others->count; i++) {
        struct line *then = &others->items[i];
        if (!same(now, then))
            continue;
        const struct line *stands = side->is_index ? then : now, *stood = side->is_index ? now : then;
        snprintf(what, sizeof(what), "was moved%s: it was row %" PRId64,
                 same_bytes(now, then) ? "" : " and changed", stood->number);
        tell(check, stands, what);
        free(then->name);
        memmove(then, then + 1, (others->count - i - 1) * sizeof(*then));
        others->count--;
        drop(side);
        return true;
    }
    return false;
}

/* After how many lines the other side has this one; AHEAD_MAX if not soon. */
static size_t distance(struct check *check, struct side *side, const struct line *line)
{
    size_t i = 1;
    for (const struct line *other; i < AHEAD_MAX && (other = ahead(check, side, i)); i++)
        if (same(other, line))
            return i;
    return AHEAD_MAX;
}

static void differ(struct check *check, const struct line *row, const struct line *wanted)
{
    if (row && wanted && row->number > 0 && wanted->number > 0 && strcmp(row->name, wanted->name) == 0) {
        tell(check, row, "was changed");
        drop(&check->file);
        drop(&check->index);
        return;
    }
    if (row && wanted && row->number == 0 && wanted->number == 0) {
        tell(check, row, "was changed");
        drop(&check->file);
        drop(&check->index);
        return;
    }
    size_t row_at = row && wanted ? distance(check, &check->index, row) : AHEAD_MAX;
    size_t wanted_at = row && wanted ? distance(check, &check->file, wanted) : AHEAD_MAX;
    bool unknown = row_at == AHEAD_MAX && wanted_at == AHEAD_MAX;
    if (row && (!wanted || unknown || wanted_at <= row_at))
        set_aside(check, &check->file, &check->extra);
    if (wanted && (!row || unknown || wanted_at > row_at))
        set_aside(check, &check->index, &check->missing);
}

static void compare(struct check *check)
{
    struct row_check_result *result = check->result;
    while (!check->failed && !result->stopped) {
        const struct line *row = ahead(check, &check->file, 0), *wanted = ahead(check, &check->index, 0);
        if (!row && !wanted)
            break;
        if (row && wanted && same_bytes(row, wanted)) {
            drop(&check->file);
            drop(&check->index);
        } else if (!(row && moved(check, &check->file, &check->missing)) &&
                   !(wanted && moved(check, &check->index, &check->extra))) {
            differ(check, row, wanted);
        }
        result->stopped |= result->findings >= ROW_CHECK_FINDINGS_MAX;
    }
}

static void tell_rest(struct check *check)
{
    for (size_t i = 0; i < check->missing.count; i++)
        tell(check, &check->missing.items[i], "was removed");
    for (size_t i = 0; i < check->extra.count; i++)
        tell(check, &check->extra.items[i], "was added");
}

static void close_side(struct side *side)
{
    while (side->count > 0)
        drop(side);
    packed_lines_close(side->lines);
}

static void close_aside(struct aside *aside)
{
    for (size_t i = 0; i < aside->count; i++)
        free(aside->items[i].name);
}

bool row_check_run(const struct row_check_order *order, struct row_check_result *result)
{
    struct check *check = calloc(1, sizeof(*check));
    *result = (struct row_check_result){.rows = 0};
    if (!check) {
        LOG(ERROR, "the file cannot be checked", {"detail", "no memory"});
        return false;
    }
    check->order = order;
    check->result = result;
    check->index.is_index = true;
    check->file.csv = order->csv;
    check->file.number = check->index.number = order->csv ? 0 : 1;
    check->file.lines = packed_lines_open(order->file, order->packing, order->csv ? LINE_CSV : LINE_FEED);
    check->index.lines =
        check->file.lines ? packed_lines_open(order->index, order->packing, LINE_FEED) : NULL;
    bool opened = check->index.lines;
    if (opened) {
        compare(check);
        tell_rest(check);
        result->rows = check->file.number - 1 - (int64_t)check->file.count;
        packed_lines_end(check->file.lines, &result->file, &result->file_broken);
        packed_lines_end(check->index.lines, &result->index, &result->index_broken);
    }
    if (check->failed)
        LOG(ERROR, "the file cannot be checked", {"detail", "no memory"});
    bool done = opened && !check->failed;
    close_side(&check->file);
    close_side(&check->index);
    close_aside(&check->extra);
    close_aside(&check->missing);
    row_text_free(&check->name);
    free(check);
    return done;
}
