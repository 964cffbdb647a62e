/* The order, and why: the file is on the disk under its name before the ledger is told of it, and the
 * ledger lets go of the entries in the same transaction that records the file's digest. So a run that is
 * killed leaves either a file too many, which the next one finds the same and takes, or entries in both
 * places for a moment; never in neither. What comes back must have that digest, or whoever can write a file
 * could write entries. */
#include "ledger/archive/archive.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/file/file.h"
#include "ledger/base/instant.h"
#include "sql/rows/archive.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT     "crawltab-archive-1"
#define LINES_ONCE 500
#define HEX_MAX    (2 * DIGEST_SIZE + 1)
#define DATE_MAX   16

static enum err failed(const char *path, const char *detail, const char *hint)
{
    assert(path && detail);
    LOG(ERROR, "cannot_use_the_archive's_file", {"file", path}, {"detail", detail}, {"hint", hint});
    return ERR_INTERNAL;
}

/* --- A file in memory --- */

struct mapping {
    struct slice text;
    void *memory;
};

/* Mapped and not read: a day may have gigabytes, and its bytes are looked at twice, for the digest and for
 * the lines. */
static enum err map_file(const char *path, struct mapping *mapping)
{
    struct stat status;
    *mapping = (struct mapping){.memory = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &status) == 0;
    if (ok && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        mapping->memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = mapping->memory != MAP_FAILED;
        if (ok)
            mapping->text = (struct slice){mapping->memory, size};
        else
            mapping->memory = NULL;
    }
    enum err err = ok ? ERR_OK : failed(path, strerror(errno), NULL);
    assert(!mapping->memory == (mapping->text.len == 0));
    if (fd >= 0)
        close(fd);
    return err;
}

static void unmap(struct mapping *mapping)
{
    if (mapping->memory)
        munmap(mapping->memory, mapping->text.len);
}

/* Takes the next line, without its line feed. False at the end. */
static bool next_line(struct slice *rest, struct slice *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    *line = (struct slice){rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t taken = line->len + (end ? 1 : 0);
    assert(taken > 0 && taken <= rest->len); /* so that it comes to an end */
    *rest = (struct slice){rest->data + taken, rest->len - taken};
    return true;
}

/* --- Away --- */

/* Where the entries are written to. */
struct sink {
    FILE *file;
    const char *path;
};

static enum err write_entry(void *context, const struct pg_row *row)
{
    const struct sink *sink = context;
    assert(sink->file);
    /* A line is one entry, and JSON has no line feed that is not escaped: SQL made it so. */
    struct slice line = archive_entries_row(row).line;
    bool ok = fwrite(line.data, 1, line.len, sink->file) == line.len && putc('\n', sink->file) != EOF;
    return ok ? ERR_OK : failed(sink->path, strerror(errno), NULL);
}

static enum err write_head(struct sink *sink, const char *date, const struct archive_totals_row *totals)
{
    json_t *head = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "format", FORMAT, "utc_date", date, "first_id",
                             totals->first_id, "end_id", totals->end_id, "entries",
                             (json_int_t)totals->entries, "sum_micros", (json_int_t)totals->sum_micros);
    bool ok = head && json_dumpf(head, sink->file, JSON_COMPACT) == 0 && putc('\n', sink->file) != EOF;
    int why = errno;
    json_decref(head);
    return ok ? ERR_OK : failed(sink->path, strerror(why), NULL);
}

/* The entries as they are now, to the open file. */
static enum err write_all(struct pg *pg, const char *date, struct sink *sink, struct archive_day *day)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, date);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "archive_totals", &params, &rows));
    assert(rows.count == 1);
    const struct archive_totals_row totals = archive_totals_row(&rows, 0);
    day->entries = totals.entries;
    day->sum_micros = totals.sum_micros;
    if (!totals.attached) {
        LOG(ERROR, "the ledger has no entries of this day", {"day", date},
            {"hint", "crawltab archive list tells what is away"});
        err = ERR_INTERNAL;
        goto out;
    }
    TRY(write_head(sink, date, &totals));
    TRY(pg_stream(pg, "archive_entries", &params, write_entry, sink));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    pg_rows_free(&rows);
    return err;
}

/* Makes the file, on the disk for good: its entries leave the ledger next. *made is false if it was there: a
 * run that was killed may have left the same file. */
static enum err write_file(struct pg *pg, const char *date, struct archive_day *day, bool *made)
{
    struct file_draft *draft;
    enum file_named named;
    const char *problem = file_draft_begin(AT_FDCWD, day->path, FILE_PRIVATE, &draft);
    assert(!draft == (problem != NULL));
    struct sink sink = {problem ? NULL : file_draft_stream(draft), day->path};
    enum err err = sink.file ? write_all(pg, date, &sink, day)
                             : failed(day->path, problem ? problem : strerror(errno), NULL);
    if (err != ERR_OK) {
        file_draft_discard(draft);
        return err;
    }
    problem = file_draft_make(draft, &named);
    *made = !problem && named == FILE_MADE;
    if (problem)
        return failed(day->path, problem, NULL);
    if (named == FILE_OTHER)
        return failed(day->path, "another file has this name",
                      "choose another folder, or move that file away");
    return ERR_OK;
}

static enum err let_go(struct pg *pg, const char *date, const char *actor, const struct archive_day *day)
{
    struct pg_params params = {0};
    assert(day->path[0] == '/' && actor);
    pg_params_text(&params, date);
    pg_params_number(&params, day->entries);
    pg_params_number(&params, day->sum_micros);
    pg_params_bytes(&params, slice_bytes(day->digest, DIGEST_SIZE));
    pg_params_text(&params, day->path);
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, actor);
    return pg_run(pg, "archive_day", &params, NULL);
}

enum err archive_day(struct pg *pg, const char *date, const char *folder, const char *actor,
                     struct archive_day *day)
{
    struct mapping mapping = {.memory = NULL};
    bool made = false;
    enum err err;
    *day = (struct archive_day){.entries = 0};
    assert(instant_is_date(slice_of(date)));
    char *place = realpath(folder, NULL);
    if (!place)
        return failed(folder, strerror(errno), "give a folder that exists with --to");
    int len = snprintf(day->path, sizeof(day->path), "%s/entries-%s.jsonl", place, date);
    TRY(len < (int)sizeof(day->path) ? ERR_OK : failed(place, "the path is too long", NULL));
    TRY(write_file(pg, date, day, &made));
    TRY(map_file(day->path, &mapping)); /* what can be read again */
    digest_sha256(&mapping.text, 1, day->digest);
    TRY(let_go(pg, date, actor, day));
out:
    /* Only where it is known that the ledger keeps the entries. */
    if (err != ERR_OK && made && pg_failure(pg) != PG_LOST)
        unlink(day->path);
    unmap(&mapping);
    free(place);
    return err;
}

/* --- Back --- */

/* The date of the file's first line. */
static enum err read_head(const char *path, struct slice line, char date[DATE_MAX])
{
    json_t *head = json_loadb(line.data ? line.data : "", line.len, 0, NULL);
    const char *format = json_string_value(json_object_get(head, "format"));
    const char *utc_date = json_string_value(json_object_get(head, "utc_date"));
    bool ok =
        format && strcmp(format, FORMAT) == 0 && utc_date && snprintf(date, DATE_MAX, "%s", utc_date) == 10;
    json_decref(head);
    assert(!ok || strlen(date) == 10);
    return ok ? ERR_OK : failed(path, "it does not begin like an archive of crawltab", NULL);
}

/* It must be the file that is on record. */
static enum err compare_digest(struct pg *pg, const char *date, const struct archive_day *day)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char hex[HEX_MAX];
    enum err err;
    pg_params_text(&params, date);
    TRY(pg_run(pg, "archive_read", &params, &rows));
    encoding_hex(day->digest, DIGEST_SIZE, hex);
    if (rows.count == 0)
        err = failed(day->path, "the entries of its day are not archived",
                     "crawltab archive list tells what is");
    else if (strcmp(archive_read_row(&rows, 0).sha256, hex) != 0)
        err = failed(day->path, "its SHA-256 is not that of the file that was archived",
                     "a file that was packed must be unpacked first");
out:
    pg_rows_free(&rows);
    return err;
}

static enum err bring_lines(struct pg *pg, const char *date, struct slice rest, struct archive_day *day)
{
    struct pg_array lines = {0};
    struct slice line;
    enum err err = ERR_OK;
    bool more = true;
    while (more) {
        struct pg_params params = {0};
        pg_array_begin(&lines, PG_TYPE_TEXT);
        while (lines.count < LINES_ONCE && (more = next_line(&rest, &line)))
            pg_array_bytes(&lines, line);
        assert(lines.count <= LINES_ONCE);
        day->entries += lines.count;
        pg_params_text(&params, date);
        TRY(pg_params_array(&params, &lines) ? ERR_OK : ERR_OVERLOADED);
        TRY(pg_run(pg, "archive_restore_rows", &params, NULL));
    }
out:
    pg_array_free(&lines);
    return err;
}

static enum err bring_back(struct pg *pg, const char *date, struct slice rest, const char *actor,
                           struct archive_day *day)
{
    struct pg_params begin = {0}, end = {0};
    enum err err;
    /* In one transaction: a part of a day's entries would be a day that no proof fits. */
    pg_params_text(&begin, date);
    pg_params_text(&end, date);
    pg_params_text(&end, day->path);
    pg_params_number(&end, clock_now_ms());
    pg_params_text(&end, actor);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "archive_restore_begin", &begin, NULL));
    TRY(bring_lines(pg, date, rest, day));
    TRY(pg_run(pg, "archive_restore_end", &end, NULL));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}

enum err archive_restore(struct pg *pg, const char *path, const char *actor, struct archive_day *day)
{
    assert(actor);
    struct mapping mapping = {.memory = NULL};
    struct slice rest, head = {0};
    char date[DATE_MAX];
    enum err err;
    *day = (struct archive_day){.entries = 0};
    char *place = realpath(path, NULL);
    snprintf(day->path, sizeof(day->path), "%s", place ? place : path);
    free(place);
    TRY(map_file(day->path, &mapping));
    rest = mapping.text;
    next_line(&rest, &head);
    TRY(read_head(day->path, head, date));
    digest_sha256(&mapping.text, 1, day->digest);
    /* The digest before the rows: whoever can write the file must not be able to put entries into the ledger.
     */
    TRY(compare_digest(pg, date, day));
    TRY(bring_back(pg, date, rest, actor, day));
out:
    unmap(&mapping);
    return err;
}
