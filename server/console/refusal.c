#include "server/console/refusal.h"

#include "server/console/page.h"

static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "This cannot be read";
    case 401:
        return "Who are you?";
    case 403:
        return "Not for this role";
    case 404:
        return "There is no such thing";
    case 405:
        return "Not in this way";
    case 409:
        return "It was refused";
    case 412:
        return "It has changed meanwhile";
    case 422:
        return "This key was used before";
    case 428:
        return "Which version?";
    case 429:
        return "Too many wrong keys";
    case 503:
        return "Not now";
    default:
        return "This cannot be done";
    }
}

void refusal(const struct asked *ask, const struct caller *caller, unsigned status, const char *detail,
             const char *hint)
{
    const struct reply_problem problem = {status, title_of(status), detail, hint};
    struct reply reply;
    reply_guard(ask->exchange);
    if (status == 401)
        exchange_header(ask->exchange, "WWW-Authenticate", "Bearer");
    if (ask->api || ask->format != ASKED_HTML || !*caller->token.name) {
        reply_problem(ask->exchange, &problem);
        return;
    }
    reply_begin(&reply);
    if (reply.out)
        page_write_problem(reply.out, caller, &problem);
    reply_send(&reply, ask->exchange, status, "text/html; charset=utf-8");
}

void refusal_of_fault(const struct asked *ask, const struct caller *caller, const struct view_fault *fault)
{
    refusal(ask, caller, fault->status, fault->detail, *fault->hint ? fault->hint : NULL);
}
