#include "server/console/serve_page.h"

#include "server/console/caller.h"
#include "server/console/page.h"
#include "server/console/refusal.h"
#include "server/console/view/write.h"

#include <stdlib.h>

/* What a page takes: the parameters of its tables, and its own. */
static void list_parameters(const struct view_page *page, char *words, size_t room)
{
    size_t len = (size_t)snprintf(words, room, "view sort limit after%s%s%s%s", page->needs ? " " : "",
                                  page->needs ? page->needs : "", page->object ? " site" : "",
                                  strcmp(page->path, "/lookup") == 0 ? " at" : "");
    for (size_t i = 0; i < 8 && page->views[i]; i++)
        len += (size_t)snprintf(words + len, room - len, " %s", view_called(page->views[i])->filters);
}

/* A URL is looked for by the time at which it was paid, anything else by itself. */
static const char *object_command(const struct view_page *page, const struct asked *ask)
{
    const char *q = asked_text(ask, "q");
    if (!page->object || *page->object)
        return page->object;
    if (!q)
        return NULL;
    return strstr(q, "://") ? "lookup --url={q} --at={at} --json [--site={site}]" : "lookup {q} --json";
}

static bool read_object(const struct seat *seat, const struct view_source *source, const struct asked *ask,
                        struct page_content *content, struct view_fault *fault)
{
    const char *command = object_command(content->page, ask);
    content->object = NULL;
    if (command)
        content->object = view_command(source, command, ask->given, fault);
    if (strcmp(content->page->path, "/settings") == 0)
        content->object = json_pack("{s:O}", "settings", seat->settings);
    return !fault->status;
}

/* The terms as YAML, which people can edit. */
static void add_terms(const struct view_source *source, const struct asked *ask, json_t *object)
{
    struct child_words words;
    struct child_result result;
    child_words("agreement show {crawler} [--site={site}]", ask->given, &words);
    child_run(source->program, &words, source->actor, (struct slice){NULL, 0}, &result);
    if (result.status == 0 && result.out)
        json_object_set_new(object, "-terms", json_string(result.out));
    child_words_free(&words);
    child_result_free(&result);
}

/* Each table is asked what is its own: sorting and paging are of the one that is wanted, or the first. */
static json_t *given_of(const struct asked *ask, const struct view *view, bool first)
{
    const char *wanted = asked_text(ask, "view");
    json_t *given = json_copy(ask->given);
    if (wanted ? strcmp(wanted, view->name) != 0 : !first) {
        json_object_del(given, "sort");
        json_object_del(given, "after");
        json_object_del(given, "order");
        json_object_set_new(given, "limit", json_string("20"));
    }
    return given;
}

static bool read_tables(const struct view_source *source, const struct asked *ask,
                        const struct caller *caller, struct page_content *content, struct view_fault *fault)
{
    const char *wanted = asked_text(ask, "view");
    for (size_t i = 0; i < 8 && content->page->views[i] && !fault->status; i++) {
        const struct view *view = view_called(content->page->views[i]);
        bool only = ask->format == ASKED_CSV && !wanted ? i == 0 : !wanted || strcmp(wanted, view->name) == 0;
        if (!only || !role_may(caller->token.role, view->right))
            continue;
        json_t *given = given_of(ask, view, i == 0);
        if (view_read(source, view, given, content->object, &content->rows[content->count], fault))
            content->views[content->count++] = view;
        else
            view_rows_free(&content->rows[content->count]);
        json_decref(given);
    }
    if (!fault->status && wanted && content->count == 0)
        view_fail(fault, 404, "the page has no such table", NULL);
    return !fault->status;
}

static void free_content(struct page_content *content)
{
    for (size_t i = 0; i < content->count; i++)
        view_rows_free(&content->rows[i]);
    json_decref(content->object);
}

static void write_page_json(FILE *out, const struct page_content *content)
{
    json_t *tables = json_object(), *object = json_copy(content->object);
    for (size_t i = 0; i < content->count; i++)
        json_object_set_new(tables, content->views[i]->name,
                            write_json(content->views[i], &content->rows[i]));
    json_object_del(object, "-terms");
    json_t *whole = json_pack("{s:o}", "views", tables);
    if (object)
        json_object_set_new(whole, "object", object);
    json_dumpf(whole, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(whole);
}

/* What is edited has a version, by which two who edit it at once notice. */
static void tag(const struct asked *ask, const struct page_content *content)
{
    if (strcmp(content->page->path, "/agreement") == 0)
        exchange_header(
            ask->exchange, "ETag",
            arena_format(&ask->exchange->arena, "\"%lld\"",
                         (long long)json_integer_value(json_object_get(content->object, "version")))
                .data);
}

static void send_page(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                      const struct page_content *content)
{
    static const char *const types[] = {[ASKED_HTML] = "text/html; charset=utf-8",
                                        [ASKED_JSON] = "application/json",
                                        [ASKED_CSV] = "text/csv; charset=utf-8"};
    struct reply reply;
    reply_begin(&reply);
    if (reply.out && ask->format == ASKED_HTML)
        page_write(reply.out, seat, caller, ask, content);
    else if (reply.out && ask->format == ASKED_JSON)
        write_page_json(reply.out, content);
    else if (reply.out && content->count > 0)
        write_csv(reply.out, content->views[0], &content->rows[0]);
    if (ask->format == ASKED_CSV && content->count > 0 && content->rows[0].next) {
        char *next = arena_copy(&ask->exchange->arena, slice_of(content->rows[0].next));
        exchange_header(ask->exchange, "X-Next", next);
    }
    tag(ask, content);
    exchange_header(ask->exchange, "Vary", "Accept, Cookie, Authorization");
    reply_guard(ask->exchange);
    reply_send(&reply, ask->exchange, 200, types[ask->format]);
}

/* Where a search has found one thing that has a page of its own; NULL: nowhere. */
static const char *found_elsewhere(const struct asked *ask, const struct page_content *content)
{
    const json_t *documents = json_object_get(content->object, "documents"),
                 *one = json_array_get(documents, 0);
    char *text = NULL;
    size_t len;
    FILE *out;
    if (ask->format != ASKED_HTML || strcmp(content->page->path, "/lookup") != 0 ||
        json_array_size(documents) != 1 || !(out = open_memstream(&text, &len)))
        return NULL;
    fputs("/invoice?number=", out);
    asked_escape(out, json_string_value(json_object_get(one, "number")));
    fputs("&site=", out);
    asked_escape(out, json_string_value(json_object_get(one, "site")));
    fclose(out);
    const char *address = arena_copy(&ask->exchange->arena, slice_of(text));
    free(text);
    return address;
}

/* A URL without a time is probably a crawler. */
static const char *meant_crawler(const struct asked *ask, const struct view_page *page)
{
    const char *q = asked_text(ask, "q");
    char *text = NULL;
    size_t len;
    FILE *out;
    if (ask->format != ASKED_HTML || strcmp(page->path, "/lookup") != 0 || !q || !strstr(q, "://") ||
        asked_text(ask, "at") || !(out = open_memstream(&text, &len)))
        return NULL;
    fputs("/crawler?crawler=", out);
    asked_escape(out, q);
    fclose(out);
    const char *address = arena_copy(&ask->exchange->arena, slice_of(text));
    free(text);
    return address;
}

/* Whatever must be given is, but for the empty box of the look-up. */
static bool has_needs(const struct asked *ask, const struct view_page *page, struct view_fault *fault)
{
    char detail[64];
    bool box = ask->format == ASKED_HTML && strcmp(page->path, "/lookup") == 0;
    if (page->needs && !box && !asked_text(ask, page->needs)) {
        snprintf(detail, sizeof(detail), "this is missing: \"%s\"", page->needs);
        view_fail(fault, 400, detail, "add it to the address");
    }
    return !fault->status;
}

void serve_page(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                const struct view_page *page)
{
    const struct view_source source = seat_source(seat, caller);
    struct page_content content = {.page = page};
    struct view_fault fault = {0};
    char allowed[512];
    const char *elsewhere = meant_crawler(ask, page);
    if (!caller_may(seat, ask, caller, page->right))
        return;
    if (elsewhere) {
        reply_to(ask->exchange, elsewhere);
        return;
    }
    list_parameters(page, allowed, sizeof(allowed));
    bool ok = view_given_check(ask->query, allowed, &fault) && has_needs(ask, page, &fault) &&
              read_object(seat, &source, ask, &content, &fault);
    if (ok && strcmp(page->path, "/agreement") == 0) {
        content.object = json_is_object(content.object) ? content.object : json_object();
        add_terms(&source, ask, content.object);
    }
    elsewhere = ok ? found_elsewhere(ask, &content) : NULL;
    ok = ok && (elsewhere || read_tables(&source, ask, caller, &content, &fault));
    if (elsewhere)
        reply_to(ask->exchange, elsewhere);
    else if (ok)
        send_page(seat, ask, caller, &content);
    else
        refusal_of_fault(ask, caller, &fault);
    free_content(&content);
}
