#include "server/console/caller.h"

#include "ledger/base/clock.h"
#include "server/console/page.h"
#include "server/console/refusal.h"

static const struct slice cookie = {"crawltab_session", 16};

/* What was refused is on record like what was done. */
static void record_refusal(const struct seat *seat, const struct asked *ask, const struct caller *caller)
{
    struct pg_params params = {0};
    char detail[256];
    snprintf(detail, sizeof(detail), "refused %.200s: not for role %s", ask->path, caller->token.role);
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, caller->actor);
    pg_params_text(&params, "console");
    pg_params_text(&params, detail);
    if (pg_run(seat->pg, "operator_action_insert", &params, NULL) != ERR_OK)
        return; /* it was logged, and is refused all the same */
}

bool caller_may(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                enum role_right right)
{
    if (role_may(caller->token.role, right))
        return true;
    if (ask->write)
        record_refusal(seat, ask, caller);
    refusal(ask, caller, 403, "the role of this key may not do this", "an owner can: crawltab token list");
    return false;
}

/* --- who asks --- */

static bool connect_ledger(struct seat *seat)
{
    if (seat->pg && !pg_alive(seat->pg)) {
        pg_close(seat->pg);
        seat->pg = NULL;
    }
    if (!seat->pg)
        seat->pg = seat->parts->open(seat->parts->config, "crawltab console");
    return seat->pg != NULL;
}

/* An API's key is shown with each request, a browser's once. Wrong ones count alike. */
static bool know_key(const struct seat *seat, const struct asked *ask, struct slice key,
                     struct caller *caller, unsigned *status)
{
    const struct exchange_client *client = &ask->exchange->client;
    int64_t now_ms = clock_now_ms();
    if (session_wait_ms(seat->sessions, client, clock_monotonic_ms()) > 0) {
        *status = 429;
        return false;
    }
    if (console_token_find(seat->pg, key, now_ms, &caller->token) != ERR_OK) {
        *status = 503;
        return false;
    }
    if (!*caller->token.name) {
        session_missed(seat->sessions, client, clock_monotonic_ms());
        *status = 401;
        return false;
    }
    return console_token_used(seat->pg, caller->token.name, now_ms) == ERR_OK;
}

static void name_actor(const struct asked *ask, struct caller *caller)
{
    snprintf(caller->actor, sizeof(caller->actor), "%s (console, %s)", caller->token.name,
             caller->token.role);
    (void)ask;
}

/* False after an answer. A session lives as long as its key. */
bool caller_know(struct seat *seat, const struct asked *ask, struct caller *caller)
{
    const char *given = asked_field(ask, SLICE("authorization")), *id = asked_cookie(ask, cookie);
    unsigned status = 401;
    bool known = false;
    if (!connect_ledger(seat)) {
        refusal(ask, caller, 503, "the ledger cannot be reached", "nothing is lost; try again in a minute");
        return false;
    }
    if (given && strncmp(given, "Bearer ", 7) == 0) {
        known = know_key(seat, ask, slice_of(given + 7), caller, &status);
    } else if (id && session_find(seat->sessions, id, clock_monotonic_ms(), &caller->session)) {
        caller->browser = true;
        known =
            console_token_named(seat->pg, caller->session.name, clock_now_ms(), &caller->token) == ERR_OK &&
            *caller->token.name;
    }
    name_actor(ask, caller);
    if (known)
        return true;
    caller->token.name[0] = '\0';
    if (!given && !ask->api && ask->format == ASKED_HTML && !ask->write)
        reply_to(ask->exchange, "/login");
    else
        refusal(ask, caller, status,
                status == 429 ? "this client has shown too many wrong keys" : "no key, or a wrong one",
                status == 429 ? "wait ten minutes"
                              : "send Authorization: Bearer KEY; crawltab token add makes one");
    return false;
}

/* --- the log-in --- */

static void show_login(const struct asked *ask, unsigned status, const char *wrong)
{
    struct reply reply;
    reply_begin(&reply);
    if (reply.out)
        page_write_login(reply.out, wrong);
    reply_guard(ask->exchange);
    reply_send(&reply, ask->exchange, status, "text/html; charset=utf-8");
}

static void set_cookie(const struct asked *ask, const char *value, const char *more)
{
    const char *proto = asked_field(ask, SLICE("x-forwarded-proto"));
    const char *secure = proto && strcmp(proto, "https") == 0 ? "; Secure" : "";
    exchange_header(ask->exchange, "Set-Cookie",
                    arena_format(&ask->exchange->arena, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
                                 cookie.data, value, secure, more)
                        .data);
}

void caller_log_in(struct seat *seat, const struct asked *ask)
{
    struct caller caller = {.browser = false};
    const char *key = asked_text(ask, "token");
    unsigned status = 401;
    if (!ask->write) {
        show_login(ask, 200, NULL);
        return;
    }
    if (!connect_ledger(seat)) {
        show_login(ask, 503, "The ledger cannot be reached. Nothing is lost; try again in a minute.");
        return;
    }
    if (!key || !know_key(seat, ask, slice_of(key), &caller, &status)) {
        LOG(WARN, "console_login_refused", {"status", LOG_NUMBER(status)});
        show_login(ask, status,
                   status == 429   ? "Too many wrong keys came from here. Wait ten minutes."
                   : status == 503 ? "The ledger did not answer. Nothing is lost; try again."
                                   : "This key is wrong, has expired, or was revoked.");
        return;
    }
    session_start(seat->sessions, caller.token.name, clock_monotonic_ms(), &caller.session);
    set_cookie(ask, caller.session.id, "; Max-Age=43200");
    reply_to(ask->exchange, "/today");
}

void caller_log_out(const struct seat *seat, const struct asked *ask, const struct caller *caller)
{
    if (caller->browser)
        session_end(seat->sessions, caller->session.id);
    set_cookie(ask, "", "; Max-Age=0");
    reply_to(ask->exchange, "/login");
}

/* What a browser sends must come from a page of ours. */
bool caller_means(const struct asked *ask, const struct caller *caller)
{
    const char *shown = asked_text(ask, "csrf");
    if (!caller->browser)
        return true;
    if (session_same(caller->session.csrf, shown ? shown : asked_field(ask, SLICE("x-csrf-token"))))
        return true;
    refusal(ask, caller, 403, "the form is not one of this session",
            "load the page again, and send it from there");
    return false;
}
