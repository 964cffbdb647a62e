#include "tools/crawltab/front/ask.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_SECONDS 15L

struct ask {
    CURL *easy; /* one for all, so that its connection is used again */
    struct curl_slist *at;
};

struct ask *ask_new(const char *at)
{
    char place[300] = "";
    struct ask *ask = calloc(1, sizeof(*ask));
    if (!ask)
        return NULL;
    ask->easy = curl_easy_init();
    if (at) {
        snprintf(place, sizeof(place), "::%s", at);
        ask->at = curl_slist_append(NULL, place);
    }
    if (ask->easy && (ask->at || !at))
        return ask;
    ask_free(ask);
    return NULL;
}

void ask_free(struct ask *ask)
{
    if (!ask)
        return;
    curl_slist_free_all(ask->at);
    curl_easy_cleanup(ask->easy);
    free(ask);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct ask_answer *answer = context;
    size_t len = size * count, room = sizeof(answer->body) - 1 - answer->body_len;
    size_t kept = len < room ? len : room;
    memcpy(answer->body + answer->body_len, data, kept);
    answer->body_len += kept;
    answer->body[answer->body_len] = '\0';
    return len;
}

/* `name` with its colon; the line ends with CRLF. */
static void take_field(const char *line, int len, const char *name, char out[ASK_PRICE_MAX])
{
    int at = (int)strlen(name);
    if (len <= at || strncasecmp(line, name, (size_t)at) != 0)
        return;
    while (at < len && line[at] == ' ')
        at++;
    while (len > at && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    snprintf(out, ASK_PRICE_MAX, "%.*s", len - at, line + at);
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct ask_answer *answer = context;
    take_field(data, (int)(size * count), "crawler-price:", answer->price);
    take_field(data, (int)(size * count), "crawler-error:", answer->code);
    return size * count;
}

void ask_get(struct ask *ask, const char *url, const char *user_agent, const char *field,
             struct ask_answer *answer)
{
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *fields = field ? curl_slist_append(NULL, field) : NULL;
    *answer = (struct ask_answer){.status = 0};
    curl_easy_reset(ask->easy);
    curl_easy_setopt(ask->easy, CURLOPT_URL, url);
    curl_easy_setopt(ask->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(ask->easy, CURLOPT_CONNECT_TO, ask->at);
    curl_easy_setopt(ask->easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(ask->easy, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(ask->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(ask->easy, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(ask->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(ask->easy, CURLOPT_HEADERDATA, answer);
    curl_easy_setopt(ask->easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(ask->easy, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
    curl_easy_setopt(ask->easy, CURLOPT_NOSIGNAL, 1L);
    CURLcode code = curl_easy_perform(ask->easy);
    curl_easy_getinfo(ask->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    if (code != CURLE_OK) {
        snprintf(answer->detail, sizeof(answer->detail), "%s", *error ? error : curl_easy_strerror(code));
        answer->status = 0;
    }
    curl_slist_free_all(fields);
}
