/* The way of a request: what it asks, who asks, whether he may, and then one of five things: an asset, the
 * log-in, a file, a deed, or a page. Requests are answered on the thread that they came in by. */
#include "server/console/console.h"

#include "ledger/base/object.h"
#include "server/console/caller.h"
#include "server/console/files.h"
#include "server/console/openapi.h"
#include "server/console/refusal.h"
#include "server/console/serve_deed.h"
#include "server/console/serve_page.h"
#include "server/console/settings.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define CONSOLE_MAGIC 0x61c0a5d3u

struct console {
    uint32_t magic;
    struct console_parts parts;
    struct sessions *sessions;
    struct live *live;
    json_t *prices, *settings, *openapi;
    pthread_mutex_t deeds;
};

/* What a thread has, and the console that it belongs to. */
struct place {
    struct seat seat;
    struct console *console;
};

struct view_source seat_source(const struct seat *seat, const struct caller *caller)
{
    return (struct view_source){.pg = seat->pg,
                                .program = &seat->parts->program,
                                .actor = caller->actor,
                                .prices = seat->prices,
                                .told = caller->told};
}

static void describe(const struct place *place, const struct asked *ask)
{
    struct reply reply;
    reply_begin(&reply);
    if (reply.out)
        json_dumpf(place->console->openapi, reply.out, JSON_INDENT(1));
    reply_guard(ask->exchange);
    reply_send(&reply, ask->exchange, 200, "application/json");
}

static void fetch(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                  const struct file_offer *offer)
{
    const struct view_source source = seat_source(seat, caller);
    struct view_fault fault = {0};
    if (caller_may(seat, ask, caller, offer->right) && !file_answer(offer, &source, ask, &fault))
        refusal_of_fault(ask, caller, &fault);
}

/* What only a known caller is told. */
static void serve(struct place *place, const struct asked *ask, const struct caller *caller)
{
    const struct view_page *page = view_page_at(ask->path);
    const struct file_offer *offer = file_offer_at(ask->path);
    const struct deed *deed = deed_at(ask->path);
    bool posted = ask->write;
    if (!posted && strcmp(ask->path, "/") == 0 && !ask->api)
        reply_to(ask->exchange, "/today");
    else if (!posted && strcmp(ask->path, "/openapi") == 0)
        describe(place, ask);
    else if (!posted && strcmp(ask->path, "/live") == 0 &&
             caller_may(&place->seat, ask, caller, RIGHT_TRAFFIC))
        live_answer(place->seat.live, &place->seat.watchers, ask->exchange);
    else if (posted && strcmp(ask->path, "/logout") == 0) {
        if (caller_means(ask, caller))
            caller_log_out(&place->seat, ask, caller);
    } else if (posted && deed)
        serve_deed(&place->seat, ask, caller, deed);
    else if (!posted && page)
        serve_page(&place->seat, ask, caller, page);
    else if (!posted && offer)
        fetch(&place->seat, ask, caller, offer);
    else if (page || offer || deed) {
        exchange_header(ask->exchange, "Allow", posted ? "GET, HEAD" : "POST");
        refusal(ask, caller, 405, posted ? "this is only read" : "this is only done by POST", NULL);
    } else if (ask->exchange->reply.status == 0) {
        refusal(ask, caller, 404, "nothing has this address", "/api/v1/openapi.json lists what there is");
    }
}

static enum exchange_verdict on_request(void *context, struct exchange *exchange)
{
    struct place *place = context;
    struct caller caller = {.told = json_object()};
    struct asked ask;
    OBJECT_CHECK(place->console, CONSOLE_MAGIC);
    const struct slice method = exchange->message.method;
    asked_read(exchange, &ask);
    if (ask.fault)
        refusal(&ask, &caller, ask.status, ask.fault, NULL);
    else if (!ask.write && !slice_eq(method, SLICE("GET")) && !slice_eq(method, SLICE("HEAD")))
        refusal(&ask, &caller, 405, "only GET, HEAD and POST are served here", NULL);
    else if (!ask.write && strncmp(ask.path, "/assets/", 8) == 0) {
        if (!file_asset(place->seat.parts->assets, &ask))
            refusal(&ask, &caller, 404, "there is no such file", NULL);
    } else if (strcmp(ask.path, "/login") == 0 && !ask.api)
        caller_log_in(&place->seat, &ask);
    else if (caller_know(&place->seat, &ask, &caller))
        serve(place, &ask, &caller);
    json_decref(caller.told);
    asked_free(&ask);
    return EXCHANGE_REPLY;
}

static size_t on_body_room(void *context, const struct exchange *exchange)
{
    (void)context;
    struct slice path = message_path(&exchange->message);
    const struct slice api = SLICE("/api/v1");
    if (!slice_eq(exchange->message.method, SLICE("POST")))
        return 0;
    if (slice_starts(path, api))
        path = (struct slice){path.data + api.len, path.len - api.len};
    for (const struct deed *deed = deeds; deed->path; deed++)
        if (deed_takes_file(deed) && slice_eq(path, slice_of(deed->path)))
            return ASKED_BODY_MAX + ASKED_FILE_MAX;
    return ASKED_BODY_MAX;
}

static void on_refuse(void *context, struct exchange *exchange, enum err err)
{
    (void)context;
    reply_guard(exchange);
    reply_problem(exchange, &(struct reply_problem){err_status(err), "This cannot be read", err_sentence(err),
                                                    "nothing was done"});
}

static bool on_turned(void *context)
{
    struct place *place = context;
    live_turn(place->seat.live, &place->seat.watchers);
    return false;
}

static void on_finished(void *context, struct exchange *exchange)
{
    (void)context, (void)exchange;
}

static void *start_thread(void *context)
{
    struct console *console = context;
    struct place *place = calloc(1, sizeof(*place));
    if (!place)
        return NULL;
    place->console = console;
    place->seat = (struct seat){.parts = &console->parts,
                                .sessions = console->sessions,
                                .live = console->live,
                                .deeds = &console->deeds,
                                .prices = console->prices,
                                .settings = console->settings};
    return place;
}

static void stop_thread(void *context)
{
    struct place *place = context;
    pg_close(place->seat.pg);
    free(place);
}

struct exchange_handler console_handler(struct console *console)
{
    OBJECT_CHECK(console, CONSOLE_MAGIC);
    return (struct exchange_handler){
        .context = console,
        .thread_start = start_thread,
        .thread_stop = stop_thread,
        .handle = on_request,
        .body_room = on_body_room,
        .turned = on_turned,
        .refuse = on_refuse,
        .finished = on_finished,
    };
}

struct console *console_new(const struct console_parts *parts)
{
    struct console *console = calloc(1, sizeof(*console));
    assert(parts->config && parts->open && parts->assets);
    if (!console)
        return NULL;
    OBJECT_MAKE(console, CONSOLE_MAGIC);
    console->parts = *parts;
    pthread_mutex_init(&console->deeds, NULL);
    console->sessions = sessions_new();
    console->live = live_start(&parts->program);
    console->prices = settings_prices(parts->config);
    console->settings = settings_json(parts->config);
    console->openapi = openapi_json();
    if (console->sessions && console->live && console->prices && console->settings && console->openapi)
        return console;
    console_stopping(console);
    console_free(console);
    return NULL;
}

void console_stopping(struct console *console)
{
    live_stop(console->live);
}

void console_free(struct console *console)
{
    if (!console)
        return;
    OBJECT_END(console, CONSOLE_MAGIC);
    live_free(console->live);
    sessions_free(console->sessions);
    json_decref(console->prices);
    json_decref(console->settings);
    json_decref(console->openapi);
    pthread_mutex_destroy(&console->deeds);
    free(console);
}
