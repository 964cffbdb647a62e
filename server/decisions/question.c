/* A front hands on fields that its client has made up, if nobody has told it to drop them. So no way of
 * saying something is preferred to another: two that differ are a mistake or an attempt. */
#include "server/decisions/question.h"

#include <assert.h>

#define NAMES_MAX 4

/* What several fields may say. */
struct said {
    struct slice value; /* data is NULL: nothing yet */
    const char *fault;
};

static void say(struct said *said, struct slice value, const char *differ)
{
    value = slice_trim(value);
    if (said->value.data && !slice_eq(said->value, value))
        said->fault = differ;
    said->value = value;
}

static struct said ask(const struct message *message, const char *const names[NAMES_MAX], const char *differ)
{
    struct said said = {{NULL, 0}, NULL};
    for (size_t i = 0; i < NAMES_MAX && names[i]; i++)
        for (const struct message_field *field = message_field(message, slice_of(names[i])); field;
             field = message_field_next(message, field))
            say(&said, field->value, differ);
    return said;
}

/* Behind the prefix, which stands for a path's front part as a whole. */
static bool behind(struct slice target, struct slice prefix, struct slice *rest)
{
    if (prefix.len > 0 && prefix.data[prefix.len - 1] == '/')
        prefix.len--;
    if (prefix.len == 0 || !slice_starts(target, prefix) ||
        (target.len > prefix.len && target.data[prefix.len] != '/' && target.data[prefix.len] != '?'))
        return false;
    *rest = (struct slice){target.data + prefix.len, target.len - prefix.len};
    assert(slice_within(*rest, target));
    return true;
}

/* A full URL says the host, too. */
static const char *take_url(struct arena *arena, struct slice url, struct message *got)
{
    struct message whole = {.method = SLICE("GET"), .target = url};
    if (slice_starts(url, SLICE("/"))) {
        got->target = url;
        return NULL;
    }
    const char *fault = message_take_target(arena, &whole);
    if (fault)
        return fault;
    assert(slice_starts(whole.target, SLICE("/")));
    got->target = whole.target;
    got->authority = whole.authority;
    return NULL;
}

const char *question_read(struct arena *arena, struct slice prefix, struct message *message)
{
    static const char *const methods[NAMES_MAX] = {"x-original-method", "x-forwarded-method", NULL};
    static const char *const hosts[NAMES_MAX] = {"x-original-host", "x-forwarded-host", NULL};
    static const char *const uris[NAMES_MAX] = {"x-original-uri", "x-forwarded-uri", NULL};
    static const char *const urls[NAMES_MAX] = {"x-original-url", NULL};
    struct said method = ask(message, methods, "the fields that say the method differ");
    struct said host = ask(message, hosts, "the fields that say the host differ");
    struct said uri = ask(message, uris, "the fields that say the URI differ");
    struct said url = ask(message, urls, "the fields that say the URL differ");
    struct message got = *message;
    struct slice rest;
    const char *fault = method.fault ? method.fault
                        : host.fault ? host.fault
                        : uri.fault  ? uri.fault
                                     : url.fault;
    if (fault)
        return fault;
    if (url.value.data) {
        fault = take_url(arena, url.value, &got);
        if (fault)
            return fault;
        say(&uri, got.target, "the fields that say the URI differ");
    }
    if (behind(message->target, prefix, &rest))
        say(&uri, rest.len > 0 && rest.data[0] == '/' ? rest : SLICE("/"), "the path and a field differ");
    if (uri.fault)
        return uri.fault;
    if (!uri.value.data)
        return "nothing says which URI is asked for";
    got.target = uri.value;
    if (method.value.data)
        got.method = method.value;
    if (host.value.data)
        got.authority = host.value;
    /* As any request is read: the host becomes lower case, and what is no target is none. What a front says
     * is no better than what a client sends, since most of it is what a client sent. */
    const struct message_field as_host = {SLICE("host"), got.authority};
    struct message checked = {
        .method = got.method, .target = got.target, .fields = &as_host, .field_count = 1};
    if (!slice_starts(got.target, SLICE("/")))
        return "what says the URI is no path";
    fault = message_take_target(arena, &checked);
    if (fault)
        return fault;
    assert(slice_starts(checked.target, SLICE("/")) && slice_eq(checked.target, got.target));
    /* Nothing was changed before, so that whoever refuses the question still has it as it came. */
    message->method = checked.method;
    message->target = checked.target;
    message->authority = checked.authority;
    message->absolute_target = (struct slice){NULL, 0}; /* that of the question is not that of the request */
    return NULL;
}
