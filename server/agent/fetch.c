#include "server/agent/fetch.h"

#include "ledger/base/log.h"
#include "server/agent/address.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define QUEUED_MAX     256
#define CONCURRENT_MAX 32
#define POLL_MS        1000
#define URL_BYTES_MAX  4096

struct job {
    struct job *next;
    fetch_done *done;
    void *context;
    CURL *easy;
    bool insecure;       /* the host is listed */
    const char *refusal; /* why we ended it ourselves, or NULL */
    char *body;
    size_t len;
    size_t room; /* directory.max_bytes */
    char error[CURL_ERROR_SIZE];
    char url[]; /* NUL-terminated */
};

struct fetch {
    const struct config *config;
    pthread_t thread;
    CURLM *multi;
    atomic_bool stopping;
    pthread_mutex_t lock; /* over the queue alone */
    struct job *queue;
    struct job **queue_tail;
    size_t queued;
    size_t running; /* fetch thread only */
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct job *job = context;
    size_t bytes = size * count;
    if (bytes > job->room - job->len) {
        job->refusal = "larger than directory.max_bytes";
        return 0; /* anything short ends the transfer */
    }
    memcpy(job->body + job->len, data, bytes);
    job->len += bytes;
    return bytes;
}

/* Opens the socket only to an address that may be fetched from: what is checked is what is connected to. */
static curl_socket_t open_checked(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct job *job = context;
    if (purpose != CURLSOCKTYPE_IPCXN || (!job->insecure && !address_is_public(&address->addr))) {
        job->refusal = "the host has an address that is not public";
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool host_listed(const struct config_list *hosts, const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return false;
    host += 3;
    size_t len = strcspn(host, "/?#");
    for (size_t i = 0; i < hosts->count; i++)
        if (strlen(hosts->items[i]) == len && strncasecmp(hosts->items[i], host, len) == 0)
            return true;
    return false;
}

static CURL *make_easy(const struct fetch *fetch, struct job *job)
{
    static const char accept[] =
        "Accept: application/http-message-signatures-directory+json, application/json;q=0.5";
    static struct curl_slist headers = {(char *)(uintptr_t)accept, NULL};
    const char *url = job->url;
    CURL *easy = curl_easy_init();
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, job->insecure ? "https,http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)fetch->config->directory_timeout_seconds * 1000);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, &headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "crawltab");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_checked);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, job);
    /* A connection that another host's check opened must not serve this one. */
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (*fetch->config->directory_ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, fetch->config->directory_ca_file);
    return easy;
}

static void finish(struct job *job, long status)
{
    job->done(job->context, status, slice_bytes(job->body, job->len));
    free(job->body);
    free(job);
}

static void start(struct fetch *fetch, struct job *job)
{
    job->body = malloc(job->room);
    job->easy = job->body ? make_easy(fetch, job) : NULL;
    if (!job->easy || curl_multi_add_handle(fetch->multi, job->easy) != CURLM_OK) {
        LOG(ERROR, "fetch_failed", {"url", job->url}, {"detail", "no memory"});
        curl_easy_cleanup(job->easy);
        finish(job, 0);
        return;
    }
    fetch->running++;
}

static struct job *take(struct fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    struct job *job = fetch->queue;
    if (job) {
        fetch->queue = job->next;
        fetch->queued--;
        if (!fetch->queue)
            fetch->queue_tail = &fetch->queue;
    }
    pthread_mutex_unlock(&fetch->lock);
    return job;
}

static void end(struct fetch *fetch, CURL *easy, CURLcode result)
{
    struct job *job;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    const char *detail = job->refusal ? job->refusal : *job->error ? job->error : curl_easy_strerror(result);
    if (result != CURLE_OK)
        LOG(WARN, "fetch_failed", {"url", job->url}, {"detail", detail});
    curl_multi_remove_handle(fetch->multi, easy);
    curl_easy_cleanup(easy);
    fetch->running--;
    finish(job, result == CURLE_OK ? status : 0);
}

static void *run(void *argument)
{
    struct fetch *fetch = argument;
    while (!atomic_load(&fetch->stopping)) {
        struct job *job;
        int left;
        CURLMsg *message;
        while (fetch->running < CONCURRENT_MAX && (job = take(fetch)))
            start(fetch, job);
        curl_multi_perform(fetch->multi, &left);
        while ((message = curl_multi_info_read(fetch->multi, &left)))
            if (message->msg == CURLMSG_DONE)
                end(fetch, message->easy_handle, message->data.result);
        curl_multi_poll(fetch->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

struct fetch *fetch_start(const struct config *config)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(fetch);
        return NULL;
    }
    fetch->config = config;
    fetch->queue_tail = &fetch->queue;
    pthread_mutex_init(&fetch->lock, NULL);
    fetch->multi = curl_multi_init();
    if (!fetch->multi || pthread_create(&fetch->thread, NULL, run, fetch) != 0) {
        curl_multi_cleanup(fetch->multi);
        pthread_mutex_destroy(&fetch->lock);
        free(fetch);
        return NULL;
    }
    return fetch;
}

bool fetch_get(struct fetch *fetch, struct slice url, fetch_done *done, void *context)
{
    struct job *job = url.len <= URL_BYTES_MAX ? calloc(1, sizeof(*job) + url.len + 1) : NULL;
    if (!job)
        return false;
    memcpy(job->url, url.data, url.len);
    job->done = done;
    job->context = context;
    job->room = (size_t)fetch->config->directory_max_bytes;
    job->insecure = host_listed(&fetch->config->directory_insecure_hosts, job->url);
    pthread_mutex_lock(&fetch->lock);
    bool room = fetch->queued < QUEUED_MAX;
    if (room) {
        *fetch->queue_tail = job;
        fetch->queue_tail = &job->next;
        fetch->queued++;
    }
    pthread_mutex_unlock(&fetch->lock);
    if (room)
        curl_multi_wakeup(fetch->multi);
    else
        free(job);
    return room;
}

void fetch_stop(struct fetch *fetch)
{
    struct job *job;
    if (!fetch)
        return;
    atomic_store(&fetch->stopping, true);
    curl_multi_wakeup(fetch->multi);
    pthread_join(fetch->thread, NULL);
    while ((job = take(fetch)))
        finish(job, 0);
    curl_multi_cleanup(fetch->multi);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
    curl_global_cleanup();
}
