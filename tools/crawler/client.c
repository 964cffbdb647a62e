#include "tools/crawler/client.h"

#include "ledger/base/text/text.h"
#include "tools/crawler/say.h"

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECT_SECONDS 10L
#define REFUSAL_MAX     65536

struct client {
    const struct client_options *options;
    CURL *curl;
    char *content;
    size_t len;
    size_t room;
    bool too_large;
    int sends;
    char problem[CURL_ERROR_SIZE];
};

static size_t on_content(char *data, size_t size, size_t count, void *context)
{
    struct client *client = context;
    size_t len = size * count;
    size_t limit = client->options->max_bytes;
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        limit = REFUSAL_MAX;
    client->too_large = len > limit - client->len;
    if (client->too_large)
        return 0;
    if (len > client->room - client->len) {
        size_t room = client->room * 2 > client->len + len ? client->room * 2 : client->len + len;
        char *content = realloc(client->content, room);
        if (!content)
            return 0;
        client->content = content;
        client->room = room;
    }
    if (len > 0)
        memcpy(client->content + client->len, data, len);
    client->len += len;
    return len;
}

/* Heads as they go over the wire, one line at a time; and how many went out. */
static int on_wire(CURL *curl, curl_infotype type, char *data, size_t len, void *context)
{
    struct slice rest = {data, len};
    struct client *client = context;
    (void)curl;
    client->sends += type == CURLINFO_HEADER_OUT ? 1 : 0;
    if (!client->options->verbose)
        return 0;
    if (type != CURLINFO_HEADER_OUT && type != CURLINFO_HEADER_IN)
        return 0;
    while (rest.len > 0) {
        size_t end = slice_find(rest, '\n');
        struct slice line = {rest.data, end};
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        say_head_line(stderr, type == CURLINFO_HEADER_OUT ? '>' : '<', line);
        end += end < rest.len ? 1 : 0;
        rest = (struct slice){rest.data + end, rest.len - end};
    }
    return 0;
}

static bool set_options(struct client *client)
{
    const struct client_options *options = client->options;
    CURL *curl = client->curl;
    bool ok = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_USERAGENT, options->user_agent) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_TIMEOUT, options->timeout_seconds) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->problem) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_content) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) == CURLE_OK;
    if (options->ca_file)
        ok = ok && curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_wire) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_DEBUGDATA, client) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L) == CURLE_OK;
    return ok;
}

struct client *client_new(const struct client_options *options)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->options = options;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        client->curl = curl_easy_init();
    if (!client->curl || !set_options(client)) {
        say_problem("libcurl cannot be set up%s%s", *client->problem ? ": " : "", client->problem);
        client_free(client);
        return NULL;
    }
    return client;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    free(client->content);
    free(client);
}

static bool perform(struct client *client, const char *url, const char *const *lines)
{
    struct curl_slist *list = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    for (; *lines; lines++) {
        struct curl_slist *longer = curl_slist_append(list, *lines);
        if (!longer)
            goto out;
        list = longer;
    }
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
    code = curl_easy_setopt(client->curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_perform(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
out:
    curl_slist_free_all(list);
    if (code != CURLE_OK && !*client->problem)
        snprintf(client->problem, sizeof(client->problem), "%s", curl_easy_strerror(code));
    return code == CURLE_OK;
}

static void ask(struct client *client, const char *url, const char *const *lines,
                struct client_answer *answer)
{
    struct curl_header *date;
    curl_off_t retry = 0;
    *client->problem = '\0';
    client->len = 0;
    client->too_large = false;
    client->sends = 0;
    bool whole = perform(client, url, lines);
    *answer = (struct client_answer){.retry_seconds = -1, .date = -1};
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->sends = client->sends;
    answer->too_large = client->too_large;
    answer->content = (struct slice){client->content, client->len};
    if (!whole)
        answer->problem =
            answer->too_large ? "the content is too large to be taken (--max-bytes)" : client->problem;
    if (answer->status == 0)
        return;
    if (curl_easy_header(client->curl, "Retry-After", 0, CURLH_HEADER, -1, &date) == CURLHE_OK &&
        curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry) == CURLE_OK)
        answer->retry_seconds = (int64_t)retry;
    if (curl_easy_header(client->curl, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK)
        answer->date = (int64_t)curl_getdate(date->value, NULL);
}

void client_get(struct client *client, const char *url, const char *const *lines,
                struct client_answer *answer)
{
    curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    ask(client, url, lines, answer);
}

void client_post(struct client *client, const char *url, const char *const *lines, struct slice body,
                 struct client_answer *answer)
{
    curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    ask(client, url, lines, answer);
}

struct slice client_field(struct client *client, struct arena *arena, const char *name)
{
    struct curl_header *header;
    struct text text = text_begin(arena);
    bool found = false;
    for (size_t i = 0; curl_easy_header(client->curl, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
        if (i > 0)
            text_add(&text, SLICE(", "));
        text_add(&text, slice_trim(slice_of(header->value)));
        found = true;
    }
    struct slice value = text_end(&text);
    return found ? value : (struct slice){NULL, 0};
}
