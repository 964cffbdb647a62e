#include "tools/crawltab/disputes/dispute_piece.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/dispute/piece.h"
#include "sql/rows/dispute.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* The last part of a path, as browsers and people give them. */
static void take_name(const char *path, char name[256])
{
    for (const char *c = path; *c; c++)
        if (*c == '/' || *c == '\\')
            path = c + 1;
    snprintf(name, 256, "%s", *path ? path : "evidence");
}

bool dispute_piece_load(const char *path, const char *name, struct dispute_file *file)
{
    bool given = strcmp(path, "-") == 0;
    *file = (struct dispute_file){.bytes = NULL};
    take_name(name ? name : given ? "evidence" : path, file->name);
    file->bytes =
        given ? file_read_open(0, PIECE_MAX, &file->len) : file_read(path, PIECE_MAX, &file->len, NULL);
    if (!file->bytes) {
        LOG(ERROR, "cannot read the evidence", {"file", path},
            {"detail", errno == EFBIG ? "it is larger than 1 MiB" : strerror(errno)});
        return false;
    }
    file->media_type = piece_media_type((struct slice){file->bytes, file->len});
    if (!file->media_type)
        LOG(ERROR, file->len ? "the evidence is no file that is taken" : "the evidence is empty",
            {"file", file->name}, {"hint", "give " PIECE_TYPES});
    return file->media_type != NULL;
}

void dispute_piece_free(struct dispute_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

static enum exit_status tell(struct pg *pg, const struct dispute_steps *steps, enum piece_outcome outcome,
                             int64_t number)
{
    static const char *const refusals[][2] = {
        [PIECE_NO_DISPUTE] = {"there is no such dispute", "crawltab dispute list shows them all"},
        [PIECE_DECIDED] = {"this dispute is decided already", "nothing can be put to it any more"},
        [PIECE_TOO_MANY] = {"this dispute has 50 pieces of evidence", "put several papers into one PDF"},
    };
    if (outcome != PIECE_ADDED && outcome != PIECE_KNOWN) {
        LOG(ERROR, refusals[outcome][0], {"id", steps->words[0]}, {"hint", refusals[outcome][1]});
        return EXIT_FAILED;
    }
    if (steps->json)
        return dispute_steps_show(pg, steps->words[0], true);
    printf(outcome == PIECE_ADDED ? "it is piece %" PRId64 "\n"
                                  : "this was put to it before, as piece %" PRId64 "\n",
           number);
    return EXIT_DONE;
}

enum exit_status dispute_piece_add(struct pg *pg, const struct dispute_steps *steps)
{
    struct dispute_file file;
    enum piece_outcome outcome;
    int64_t number;
    enum exit_status status = EXIT_FAILED;
    if (dispute_piece_load(steps->evidence, steps->name, &file)) {
        const struct piece piece = {.dispute_id = steps->words[0],
                                    .name = file.name,
                                    .media_type = file.media_type,
                                    .content = {file.bytes, file.len},
                                    .note = steps->text ? steps->text : "",
                                    .actor = command_actor()};
        if (piece_add(pg, &piece, clock_now_ms(), &outcome, &number) == ERR_OK)
            status = tell(pg, steps, outcome, number);
    }
    dispute_piece_free(&file);
    return status;
}

/* NULL: there is none. */
static char *read_piece(struct pg *pg, const char *dispute_id, const char *number, size_t *len)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char *bytes = NULL;
    pg_params_text(&params, dispute_id);
    if (number)
        pg_params_number(&params, strtoll(number, NULL, 10));
    if (pg_run(pg, number ? "piece_read" : "dispute_show", &params, &rows) == ERR_OK && rows.count > 0) {
        if (number) {
            bytes = show_raw(piece_read_row(&rows, 0).content, len);
        } else {
            const struct dispute_show_row row = dispute_show_row(&rows, 0);
            bytes = show_raw(*row.evidence.text ? row.evidence : row.signature_base, len);
        }
    }
    pg_rows_free(&rows);
    return bytes;
}

bool dispute_piece_write(struct pg *pg, const char *dispute_id, const char *number, const char *path)
{
    const char *problem = "there is none";
    size_t len = 0;
    char *bytes = read_piece(pg, dispute_id, number, &len);
    if (bytes && len > 0) {
        enum file_named named;
        problem = file_make(path, bytes, len, &named);
        if (!problem && named == FILE_OTHER)
            problem = "another file has this name";
    }
    free(bytes);
    if (problem)
        LOG(ERROR, "cannot write the evidence", {"file", path}, {"piece", number}, {"detail", problem});
    return !problem;
}
