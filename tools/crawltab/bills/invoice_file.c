#include "tools/crawltab/bills/invoice_file.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/bill/invoice_read.h"
#include "ledger/format/bill/rendering.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 4096

bool invoice_file_check(const struct invoice_file *file)
{
    static const char digits[] = "0123456789";
    bool marked = !file->mark || (*file->mark > '0' && !file->mark[strspn(file->mark, digits)]);
    if (!marked)
        command_misused("this is no MARK", file->mark, "it is the whole number that myDATA gave");
    else if (rendering_called(file->format))
        return true;
    else
        command_misused("there is no such format", file->format,
                        "use json, csv, html, pdf, ubl, hledger, ledger or beancount");
    return false;
}

/* "{number}" in the pattern becomes the invoice's, with what a URL cannot hold in percent. */
static bool add_entries_url(struct document *document, const char *pattern)
{
    static const char mark[] = "{number}";
    char *url = NULL;
    size_t size;
    FILE *out = open_memstream(&url, &size);
    if (!out)
        return false;
    for (; *pattern; pattern++) {
        if (strncmp(pattern, mark, strlen(mark)) != 0) {
            fputc(*pattern, out);
            continue;
        }
        for (const char *c = document->number; *c; c++)
            fprintf(out, isalnum((unsigned char)*c) || strchr("-._~", *c) ? "%c" : "%%%02X",
                    (unsigned char)*c);
        pattern += strlen(mark) - 1;
    }
    bool ok = fclose(out) == 0 && document_set_entries_url(document, url);
    free(url);
    return ok;
}

static bool render(struct document *document, const struct invoice_file *file, struct format_output *out)
{
    if (file->entries_url && !add_entries_url(document, file->entries_url))
        format_fail(out, "the address of the crawls is not UTF-8");
    else if (file->mark && !document_set_mark(document, file->mark, file->mark_url))
        format_fail(out, "the address of the mark is not UTF-8");
    else if (rendering_called(file->format)->render(document, out))
        return true;
    LOG(ERROR, "the invoice cannot be written in this format", {"format", file->format},
        {"detail", out->error});
    return false;
}

/* For its owner only: it may hold account numbers. */
static bool write_file(const char *path, const struct format_output *out)
{
    const char *problem = file_replace(path, out->bytes, out->len, FILE_PRIVATE);
    if (problem)
        LOG(ERROR, "the file cannot be written", {"file", path}, {"detail", problem});
    return !problem;
}

enum exit_status invoice_file_show(struct document *document, const struct invoice_file *file)
{
    struct format_output out = {0};
    if (!file->out && strcmp(file->format, "pdf") == 0 && isatty(STDOUT_FILENO))
        return command_misused("a PDF is nothing for a terminal", NULL, "name a file with --out");
    if (!render(document, file, &out))
        return EXIT_FAILED;
    bool ok = file->out ? write_file(file->out, &out) : fwrite(out.bytes, 1, out.len, stdout) == out.len;
    free(out.bytes);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* "FOLDER/SITE-NUMBER.EXTENSION"; a slash in the number's pattern makes no folder. */
static bool path_of(const struct invoice_file *file, const struct invoice_file_name *name,
                    char path[PATH_ROOM])
{
    size_t start = strlen(file->out) + 1;
    int len = snprintf(path, PATH_ROOM, "%s/%s-%s.%s", file->out, name->site, name->number,
                       rendering_called(file->format)->extension);
    if (len < 0 || len >= PATH_ROOM)
        return false;
    for (char *c = path + start; *c; c++)
        if (*c == '/')
            *c = '-';
    return true;
}

static enum exit_status export_one(struct pg *pg, const struct invoice_file_name *name,
                                   const struct invoice_file *file)
{
    struct format_output out = {0};
    struct document document = {.json = NULL};
    char path[PATH_ROOM];
    int count;
    bool ok = path_of(file, name, path) &&
              invoice_read(pg, name->number, name->site, clock_now_ms(), &count, &document) == ERR_OK &&
              count == 1 && render(&document, file, &out) && write_file(path, &out);
    free(out.bytes);
    document_free(&document);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status invoice_file_export(struct pg *pg, const struct invoice_file_name *names, size_t count,
                                     const struct invoice_file *file)
{
    enum exit_status status = EXIT_DONE;
    size_t written = 0;
    if (mkdir(file->out, 0700) != 0 && errno != EEXIST) {
        LOG(ERROR, "the folder cannot be made", {"folder", file->out}, {"detail", strerror(errno)});
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        if (export_one(pg, &names[i], file) == EXIT_DONE)
            written++;
        else
            status = EXIT_FAILED;
    }
    printf("%zu of %zu invoices written to %s\n", written, count, file->out);
    return status;
}
