/* An invoice's HTML has its own style within it, so that it can be mailed: it is shown without the console's
 * policy, in a sandbox of its own, where nothing runs. */
#include "server/console/files.h"

#include "ledger/base/file/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROOF_MAX (16u << 20)

const struct file_offer file_offers[] = {
    {"/invoice/document", "An invoice or credit note as it is sent", RIGHT_BOOKS, "number format", "site",
     "invoice show {number} --format={format} [--site={site}]"},
    {"/lookup/proof", "A proof that anybody can check with crawltab verify", RIGHT_BOOKS, "q", "",
     "lookup {q} --proof={file}"},
    {"/dispute/evidence", "A piece of a dispute's evidence, to be saved", RIGHT_BOOKS, "id piece", "",
     "dispute show {id} --evidence={file} --piece={piece} --json"},
    {NULL, NULL, RIGHT_BOOKS, NULL, NULL, NULL},
};

static const struct {
    const char *format, *type, *extension;
} formats[] = {
    {"pdf", "application/pdf", "pdf"},    {"html", "text/html; charset=utf-8", "html"},
    {"ubl", "application/xml", "xml"},    {"csv", "text/csv; charset=utf-8", "csv"},
    {"json", "application/json", "json"}, {NULL, "application/json", "json"},
};

const struct file_offer *file_offer_at(const char *path)
{
    for (const struct file_offer *offer = file_offers; offer->path; offer++)
        if (strcmp(offer->path, path) == 0)
            return offer;
    return NULL;
}

static bool send(const struct asked *ask, const char *bytes, size_t len, const char *type, const char *name)
{
    struct reply reply;
    reply_begin(&reply);
    if (reply.out)
        fwrite(bytes, 1, len, reply.out);
    if (strncmp(type, "text/html", 9) == 0)
        exchange_header(ask->exchange, "Content-Security-Policy",
                        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                        "frame-ancestors 'self'");
    else
        reply_guard(ask->exchange);
    exchange_header(ask->exchange, "Content-Disposition", name);
    reply_send(&reply, ask->exchange, 200, type);
    return true;
}

/* Without a character that means something in a head. */
static const char *plain(const struct asked *ask, const char *what)
{
    char *name = arena_copy(&ask->exchange->arena, slice_of(what));
    for (char *c = name; c && *c; c++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", *c))
            *c = '-';
    return name;
}

static const char *name_of(const struct asked *ask, const char *extension)
{
    const char *name = plain(ask, asked_text(ask, "number") ? asked_text(ask, "number") : "proof");
    bool shown = strcmp(extension, "html") == 0 || strcmp(extension, "pdf") == 0;
    return arena_format(&ask->exchange->arena, "%s; filename=\"%.100s.%s\"", shown ? "inline" : "attachment",
                        name ? name : "file", extension)
        .data;
}

static bool run(const struct file_offer *offer, const struct view_source *source, const json_t *given,
                struct child_result *result, struct view_fault *fault)
{
    struct child_words words;
    char sentence[CHILD_SENTENCE_MAX], hint[CHILD_SENTENCE_MAX];
    child_words(offer->command, given, &words);
    if (words.lacking || words.refused)
        view_fail(fault, 400, "a parameter is missing, or begins with a dash", NULL);
    else
        child_run(source->program, &words, source->actor, (struct slice){NULL, 0}, result);
    child_words_free(&words);
    if (!fault->status && result->status != 0) {
        child_sentence(result, sentence, hint);
        view_fail(fault, result->status < 0 ? 503 : result->status == 64 ? 400 : 404, sentence, hint);
    }
    return !fault->status;
}

/* How the piece is called that was asked for, of a dispute as it was printed. */
static const char *piece_name(const struct asked *ask, const char *printed)
{
    json_t *dispute = json_loads(printed ? printed : "", 0, NULL), *piece;
    const char *name = NULL, *number = asked_text(ask, "piece");
    size_t i;
    json_array_foreach(json_object_get(dispute, "pieces"), i, piece)
    {
        if (number && json_integer_value(json_object_get(piece, "piece")) == strtoll(number, NULL, 10))
            name = plain(ask, json_string_value(json_object_get(piece, "name")));
    }
    json_decref(dispute);
    return arena_format(&ask->exchange->arena, "attachment; filename=\"%.200s\"", name ? name : "evidence")
        .data;
}

/* What only goes to a file: in a folder of its own, which nobody else may read. What somebody has sent as
 * evidence is never shown here, whatever it is: it is saved. */
static bool answer_written(const struct file_offer *offer, const struct view_source *source,
                           const struct asked *ask, struct view_fault *fault)
{
    char folder[] = "/tmp/crawltab-proof-XXXXXX", path[64];
    struct child_result result = {.status = -1};
    size_t len;
    if (!view_given_check(ask->query, offer->needs, fault))
        return false;
    if (!mkdtemp(folder)) {
        view_fail(fault, 503, "there is no room for a file", "nothing is lost; look at /tmp");
        return false;
    }
    bool proof = strcmp(offer->path, "/lookup/proof") == 0;
    snprintf(path, sizeof(path), "%s/%s", folder, proof ? "proof.json" : "evidence");
    json_t *given = json_copy(ask->given);
    json_object_set_new(given, "file", json_string(path));
    bool ok = run(offer, source, given, &result, fault);
    char *bytes = ok ? file_read(path, PROOF_MAX, &len, NULL) : NULL;
    if (bytes && proof)
        send(ask, bytes, len, "application/json", name_of(ask, "json"));
    else if (bytes)
        send(ask, bytes, len, "application/octet-stream", piece_name(ask, result.out));
    else if (proof)
        view_fail(fault, 404, "there is no proof of it",
                  "its day is not closed yet; ask again after the night");
    else
        view_fail(fault, 404, "there is no such piece", "the dispute's page lists those that there are");
    unlink(path);
    rmdir(folder);
    free(bytes);
    json_decref(given);
    child_result_free(&result);
    return bytes != NULL;
}

bool file_answer(const struct file_offer *offer, const struct view_source *source, const struct asked *ask,
                 struct view_fault *fault)
{
    struct child_result result = {.status = -1};
    const char *format = asked_text(ask, "format");
    size_t known = 0;
    if (strstr(offer->command, "{file}"))
        return answer_written(offer, source, ask, fault);
    while (formats[known].format && (!format || strcmp(formats[known].format, format) != 0))
        known++;
    if (!formats[known].format)
        view_fail(fault, 400, "there is no such format", "use pdf, html, ubl, csv or json");
    else if (run(offer, source, ask->given, &result, fault))
        send(ask, result.out, result.out_len, formats[known].type, name_of(ask, formats[known].extension));
    child_result_free(&result);
    return !fault->status;
}

bool file_asset(const char *folder, const struct asked *ask)
{
    static const struct {
        const char *path, *file, *type;
    } assets[] = {
        {"/assets/console.css", "console.css", "text/css; charset=utf-8"},
        {"/assets/console.js", "console.js", "text/javascript; charset=utf-8"},
        {"/assets/icon.svg", "icon.svg", "image/svg+xml"},
        {"/assets/chart.js", "/usr/share/javascript/chart.js/chart.min.js", "text/javascript; charset=utf-8"},
    };
    char path[4096];
    struct stat status;
    for (size_t i = 0; i < sizeof(assets) / sizeof(*assets); i++) {
        if (strcmp(assets[i].path, ask->path) != 0)
            continue;
        bool ours = assets[i].file[0] != '/';
        snprintf(path, sizeof(path), "%s%s%s", ours ? folder : "", ours ? "/" : "", assets[i].file);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) != 0) {
            if (fd >= 0)
                close(fd);
            return false;
        }
        ask->exchange->reply.status = 200;
        ask->exchange->reply.fd = fd;
        ask->exchange->reply.length = (uint64_t)status.st_size;
        reply_guard(ask->exchange);
        exchange_header(ask->exchange, "Cache-Control", "max-age=300");
        exchange_header(ask->exchange, "Content-Type", assets[i].type);
        return true;
    }
    return false;
}
