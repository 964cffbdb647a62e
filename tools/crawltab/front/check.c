/* Where a request has gone is seen by the gate's health path: the gate answers it for everybody who reaches
 * it, and a site does not know it. So each name is looked at without any page being asked for. A front that
 * delivers by itself hands on the gate's refusals alone: there the page is asked for, and a refusal has a
 * code. */
#include "tools/crawltab/front/check.h"

#include "ledger/base/config/ai_crawlers.h"
#include "ledger/base/err.h"
#include "tools/crawltab/front/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PERSON      "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
#define HEALTH_PATH "/.well-known/crawltab/health"
#define URL_MAX     2048
#define MISSED_MAX  10 /* that are named */

struct check {
    struct ask *ask;
    const struct config *config;
    const char *url;
    char health[URL_MAX];
    bool asks; /* the front delivers by itself */
    bool wrong;
    struct ask_answer answer; /* the last one */
};

static void tell(struct check *check, bool good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct check *check, bool good, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs(good ? "good   " : "WRONG  ", stdout);
    vprintf(format, values);
    va_end(values);
    if (!good && *check->answer.detail)
        printf(" (%s)", check->answer.detail);
    putchar('\n');
    check->wrong = check->wrong || !good;
}

/* True if the request of this visitor reaches the gate. */
static bool reaches_gate(struct check *check, const char *user_agent, const char *field)
{
    ask_get(check->ask, check->asks ? check->url : check->health, user_agent, field, &check->answer);
    if (check->asks)
        return *check->answer.code && strcmp(check->answer.code, err_code(ERR_GATE_UNAVAILABLE)) != 0;
    return check->answer.status == 200 && strstr(check->answer.body, "\"gate\":\"up\"");
}

static void check_person(struct check *check)
{
    bool at_gate = reaches_gate(check, PERSON, NULL);
    tell(check, !at_gate, at_gate ? "people's requests go through the gate" : "people do not reach the gate");
    ask_get(check->ask, check->url, PERSON, NULL, &check->answer);
    const long status = check->answer.status;
    tell(check, status >= 200 && status < 400 && !*check->answer.price, "a person gets the page: status %ld",
         status);
}

/* True if the page is one of a site that only observes: nobody gets an offer there. */
static bool observes(const struct check *check)
{
    const struct slice host = {strstr(check->url, "://") + 3, strcspn(strstr(check->url, "://") + 3, "/")};
    for (size_t i = 0; i < check->config->site_count; i++)
        for (size_t k = 0; k < check->config->sites[i].hosts.count; k++)
            if (slice_eq_nocase(slice_of(check->config->sites[i].hosts.items[k]), host))
                return strcmp(check->config->sites[i].mode, "observe") == 0;
    return false;
}

/* The page for a crawler: an offer for just this URL. */
static void check_offer(struct check *check, const char *user_agent)
{
    ask_get(check->ask, check->url, user_agent, NULL, &check->answer);
    const struct ask_answer *answer = &check->answer;
    if (answer->status >= 200 && answer->status < 400 && observes(check)) {
        tell(check, true, "%s gets the page: the gate observes only", user_agent);
        return;
    }
    if (answer->status != 402) {
        tell(check, false,
             "%s gets status %ld for the page, 402 was expected; is it one that crawlers pay for?",
             user_agent, answer->status);
        return;
    }
    tell(check, true, "%s gets an offer: %s", user_agent, answer->price);
    char resource[URL_MAX + 16];
    snprintf(resource, sizeof(resource), "\"url\":\"%s\"", check->url);
    bool same = strstr(answer->body, resource) != NULL;
    tell(check, same,
         same ? "the offer is for this URL"
              : "the offer is for another URL: the front changes Host, "
                "or the site's scheme is another one");
}

static void check_names(struct check *check)
{
    char missed[512] = "";
    size_t at = 0, count = 0, missed_count = 0;
    struct slice name;
    while (ai_crawlers_next(check->config, &at, &name)) {
        char user_agent[300];
        snprintf(user_agent, sizeof(user_agent), "Mozilla/5.0 (compatible; %.*s/1.0)", (int)name.len,
                 name.data);
        count++;
        if (reaches_gate(check, user_agent, NULL))
            continue;
        if (missed_count++ < MISSED_MAX)
            snprintf(missed + strlen(missed), sizeof(missed) - strlen(missed), "%s%.*s",
                     missed_count > 1 ? ", " : ": ", (int)name.len, name.data);
    }
    if (missed_count == 0)
        tell(check, true, "all %zu crawlers of the list reach the gate", count);
    else
        tell(check, false, "%zu of %zu crawlers of the list do not reach the gate%s%s", missed_count, count,
             missed, missed_count > MISSED_MAX ? ", …" : "");
}

/* Whoever signs or pays, though User-Agent is a person's. */
static void check_fields(struct check *check)
{
    for (const char *const *name = ai_crawlers_fields; *name; name++) {
        char field[128];
        snprintf(field, sizeof(field), "%s: \"x\"", *name);
        bool good = reaches_gate(check, PERSON, field);
        tell(check, good, "%s %s the gate", *name, good ? "leads to" : "does not lead to");
    }
    bool good = reaches_gate(check, PERSON, "Authorization: " AI_CRAWLERS_SCHEME " x");
    tell(check, good, "Authorization: " AI_CRAWLERS_SCHEME " %s the gate",
         good ? "leads to" : "does not lead to");
}

enum exit_status check_front(const struct config *config, const char *url, const char *at, bool asks)
{
    struct check check = {.config = config, .url = url, .asks = asks};
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    struct slice name = {NULL, 0};
    char user_agent[300];
    size_t first = 0;
    if (!path || (size_t)(path - url) + sizeof(HEALTH_PATH) > sizeof(check.health))
        return command_misused("--check needs the URL of a page", url,
                               "such as https://gazette.example/a.html");
    snprintf(check.health, sizeof(check.health), "%.*s%s", (int)(path - url), url, HEALTH_PATH);
    if (!ai_crawlers_next(config, &first, &name))
        return command_misused("crawlers.except leaves no crawler", NULL,
                               "see crawlers in the configuration");
    if (asks && observes(&check))
        return command_misused("a site that observes only answers everybody alike", url,
                               "check the front before it asks, without --decisions");
    check.ask = ask_new(at);
    if (!check.ask)
        return EXIT_FAILED;
    snprintf(user_agent, sizeof(user_agent), "%.*s/1.0", (int)name.len, name.data);
    check_person(&check);
    check_offer(&check, user_agent);
    check_names(&check);
    check_fields(&check);
    ask_free(check.ask);
    return check.wrong ? EXIT_FAILED : EXIT_DONE;
}
