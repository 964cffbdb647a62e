#include "tools/crawltab/frame/post.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_SECONDS 15L

/* What is left of the room for the answer. */
struct reply {
    char *out;
    size_t room;
};

static size_t take(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    size_t len = size * count;
    size_t taken = reply->room > len ? len : reply->room ? reply->room - 1 : 0;
    if (taken > 0) {
        memcpy(reply->out, data, taken);
        reply->out += taken;
        *reply->out = '\0';
        reply->room -= taken;
    }
    return len;
}

static struct curl_slist *headers_of(const struct post *post)
{
    char type[128];
    snprintf(type, sizeof(type), "Content-Type: %s", post->type ? post->type : "application/json");
    struct curl_slist *list = curl_slist_append(NULL, type);
    for (size_t i = 0; list && i < POST_HEADERS_MAX && post->headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(list, post->headers[i]);
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    return list;
}

long post_send(const struct post *post, char detail[POST_DETAIL_MAX])
{
    char error[CURL_ERROR_SIZE] = "";
    struct reply reply = {post->reply, post->reply ? post->reply_room : 0};
    long status = 0;
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = easy ? headers_of(post) : NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    detail[0] = '\0';
    if (reply.room > 0)
        *reply.out = '\0';
    if (headers) {
        curl_easy_setopt(easy, CURLOPT_URL, post->url);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.data);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, 1L << 20);
        code = curl_easy_perform(easy);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK) {
        snprintf(detail, POST_DETAIL_MAX, "%s", *error ? error : curl_easy_strerror(code));
        status = 0;
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return status;
}
