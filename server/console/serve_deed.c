/* One deed after another, so that what is compared before a deed is still so when it is done. */
#include "server/console/serve_deed.h"

#include "server/console/caller.h"
#include "server/console/page.h"
#include "server/console/refusal.h"
#include "server/console/view/write.h"

#include <stdlib.h>

static const char *back_of(const struct asked *ask, const struct deed *deed)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    json_t *kept = json_object(), *value;
    const char *name;
    json_object_foreach(ask->given, name, value)
    {
        if (view_lists(deed->keeps, name))
            json_object_set(kept, name, value);
    }
    if (out) {
        fprintf(out, "%s%s", deed->page, json_object_size(kept) ? "?" : "");
        write_query(out, kept, "");
        fclose(out);
    }
    const char *address = text ? arena_copy(&ask->exchange->arena, slice_of(text)) : NULL;
    json_decref(kept);
    free(text);
    return address ? address : deed->page;
}

/* A deed whose answer is not seen on its page. */
static bool is_shown(const struct deed *deed)
{
    return strcmp(deed->path, "/agreement/try") == 0 || strcmp(deed->path, "/tokens/add") == 0 ||
           strcmp(deed->path, "/dispute/open") == 0;
}

static void answer_deed(const struct asked *ask, const struct caller *caller, const struct deed *deed,
                        const char *text)
{
    struct reply reply;
    if (ask->format == ASKED_HTML && !is_shown(deed)) {
        reply_to(ask->exchange, back_of(ask, deed));
        return;
    }
    json_t *answer = json_loads(text, 0, NULL);
    reply_begin(&reply);
    if (reply.out && ask->format == ASKED_HTML)
        page_write_done(reply.out, caller, deed->title, answer, back_of(ask, deed));
    else if (reply.out)
        fprintf(reply.out, "%s\n", text);
    json_decref(answer);
    reply_guard(ask->exchange);
    reply_send(&reply, ask->exchange, 200,
               ask->format == ASKED_HTML ? "text/html; charset=utf-8" : "application/json");
}

/* The same words in the same order, from the same key. */
static void digest_request(const struct asked *ask, struct deed_once *once)
{
    char *given = json_dumps(ask->given, JSON_COMPACT | JSON_SORT_KEYS);
    const struct slice parts[] = {slice_of(ask->path), SLICE(" "), slice_of(given ? given : ""), ask->file};
    digest_sha256(parts, 4, once->request);
    free(given);
}

/* The version in If-Match, or of the form. False after a fault. */
static bool take_version(const struct asked *ask, const struct caller *caller, const struct deed *deed,
                         struct view_fault *fault)
{
    const char *match = asked_field(ask, SLICE("if-match"));
    if (!deed->matches)
        return true;
    if (match) {
        struct slice tag = slice_of(match);
        if (tag.len > 2 && tag.data[0] == '"' && tag.data[tag.len - 1] == '"')
            json_object_set_new(ask->given, "version", json_stringn(tag.data + 1, tag.len - 2));
        else
            view_fail(fault, 412, "If-Match is no ETag of this agreement", "fetch it again");
    } else if (!caller->browser) {
        view_fail(fault, 428, "If-Match is missing", "fetch the agreement, and send its ETag");
    } else if (!asked_text(ask, "version")) {
        json_object_set_new(ask->given, "version", json_string("0"));
    }
    return !fault->status;
}

static void act_once(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                     const struct deed *deed, struct deed_once *once)
{
    const struct view_source source = seat_source(seat, caller);
    struct view_fault fault = {0};
    json_t *answer = NULL;
    bool fresh = deed_begin(source.pg, once, &fault);
    if (fresh)
        answer = deed_do(&source, deed, &(struct deed_order){ask->given, ask->file}, &fault);
    json_t *kept =
        answer ? json_incref(answer) : json_pack("{s:s,s:s}", "detail", fault.detail, "hint", fault.hint);
    char *text = json_dumps(kept, JSON_INDENT(2));
    unsigned status = answer ? 200 : fault.status;
    /* The key that was made is in no place but the answer to who made it. */
    bool secret = strcmp(deed->path, "/tokens/add") == 0;
    if (fresh)
        deed_end(source.pg, once, secret && answer ? 409 : status,
                 secret && answer ? "{\"detail\": \"the key was shown once\", \"hint\": \"make another\"}"
                                  : text);
    if (answer && text)
        answer_deed(ask, caller, deed, text);
    else if (once->answer && once->status == 200)
        answer_deed(ask, caller, deed, once->answer);
    else if (once->answer) {
        json_t *said = json_loads(once->answer, 0, NULL);
        refusal(ask, caller, once->status, json_string_value(json_object_get(said, "detail")),
                json_string_value(json_object_get(said, "hint")));
        json_decref(said);
    } else {
        refusal_of_fault(ask, caller, &fault);
    }
    free(text);
    json_decref(kept);
    json_decref(answer);
}

void serve_deed(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                const struct deed *deed)
{
    struct view_fault fault = {0};
    struct deed_once once = {.name = caller->token.name};
    if (!caller_may(seat, ask, caller, deed->right) || !caller_means(ask, caller))
        return;
    once.key = caller->browser && asked_text(ask, "once") ? asked_text(ask, "once")
                                                          : asked_field(ask, SLICE("idempotency-key"));
    if (!deed_check(deed, &(struct deed_order){ask->given, ask->file}, &fault) ||
        !take_version(ask, caller, deed, &fault)) {
        refusal_of_fault(ask, caller, &fault);
        return;
    }
    digest_request(ask, &once);
    pthread_mutex_lock(seat->deeds);
    act_once(seat, ask, caller, deed, &once);
    pthread_mutex_unlock(seat->deeds);
    free(once.answer);
}
