/* One thread for all fetches: libcurl's multi interface waits for them together, and a slow directory costs
 * a place in its table and no thread. Redirects, proxies, cookies and the environment are off because each
 * would let somebody else choose where the gate connects to. */
#include "server/agent/fetch.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "server/agent/address.h"
#include "server/agent/head.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define QUEUED_MAX     256
#define CONCURRENT_MAX 32
#define PER_HOST_MAX   2
#define POLL_MS        1000
#define URL_BYTES_MAX  4096

#define FETCH_MAGIC 0x17d3c84au
#define JOB_MAGIC   0xa94e60fdu

struct job {
    uint32_t magic;
    struct job *next;
    fetch_done *done;
    void *context;
    CURL *easy;
    struct curl_slist *headers;
    struct head head;
    struct slice host;   /* with port; in `url` */
    bool insecure;       /* the host is listed */
    const char *refusal; /* why we ended it ourselves, or NULL */
    char *body;
    size_t len;
    size_t room; /* directory.max_bytes */
    char error[CURL_ERROR_SIZE];
    struct slice etag; /* behind the URL, like last_modified */
    struct slice last_modified;
    char url[]; /* NUL-terminated */
};

struct fetch {
    uint32_t magic;
    const struct config *config;
    pthread_t thread;
    CURLM *multi;
    atomic_bool stopping;
    pthread_mutex_t lock; /* over the queue alone */
    struct job *queue;
    struct job **queue_tail;
    size_t queued;
    struct job *running[CONCURRENT_MAX]; /* fetch thread only, like their number */
    size_t running_count;
};

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    OBJECT_CHECK((struct job *)context, JOB_MAGIC);
    struct job *job = context;
    size_t bytes = size * count;
    if (head_line(&job->head, slice_bytes(data, bytes)))
        return bytes;
    job->refusal = "the header is too large or does not parse";
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    OBJECT_CHECK((struct job *)context, JOB_MAGIC);
    struct job *job = context;
    size_t bytes = size * count;
    assert(job->body && job->len <= job->room);
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
    OBJECT_CHECK((struct job *)context, JOB_MAGIC);
    struct job *job = context;
    if (purpose != CURLSOCKTYPE_IPCXN || (!job->insecure && !address_is_public(&address->addr))) {
        job->refusal = "the host has an address that is not public";
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The peer as it is after connecting. */
static int check_connected(void *context, char *address, char *local, int port, int local_port)
{
    OBJECT_CHECK((struct job *)context, JOB_MAGIC);
    struct job *job = context;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const struct sockaddr *peer = NULL;
    (void)local, (void)port, (void)local_port;
    if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
        peer = (const struct sockaddr *)&in;
    else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
        peer = (const struct sockaddr *)&in6;
    if (job->insecure || (peer && address_is_public(peer)))
        return CURL_PREREQFUNC_OK;
    job->refusal = "the connection went to an address that is not public";
    return CURL_PREREQFUNC_ABORT;
}

/* Of a URL that was normalised before: it has no user name in front of the host. */
static struct slice host_of(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (struct slice){host + 3, strcspn(host + 3, "/?#")} : SLICE("");
}

static bool host_listed(const struct config_list *hosts, struct slice host)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (slice_eq_nocase(slice_of(hosts->items[i]), host))
            return true;
    return false;
}

static bool add_header(struct job *job, const char *name, struct slice value)
{
    assert(slice_find(value, '\n') == value.len); /* it would be another field of the request */
    char line[HEAD_VALUE_MAX + 64];
    int len = snprintf(line, sizeof(line), "%s: %.*s", name, (int)value.len, value.data);
    struct curl_slist *longer = len < (int)sizeof(line) ? curl_slist_append(job->headers, line) : NULL;
    if (longer)
        job->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct job *job)
{
    return add_header(job, "Accept",
                      SLICE("application/http-message-signatures-directory+json, "
                            "application/jwk-set+json;q=0.9, application/json;q=0.5")) &&
           add_header(job, "Accept-Encoding", SLICE("identity")) &&
           (job->etag.len == 0 || add_header(job, "If-None-Match", job->etag)) &&
           (job->last_modified.len == 0 || add_header(job, "If-Modified-Since", job->last_modified));
}

static CURL *make_easy(const struct fetch *fetch, struct job *job)
{
    CURL *easy = add_headers(job) ? curl_easy_init() : NULL;
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_URL, (const char *)job->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, job->insecure ? "https,http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)fetch->config->directory_timeout_seconds * 1000);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job->headers);
    /* Of what the server says; what it sends is counted in on_body. */
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)fetch->config->directory_max_bytes);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "crawltab");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_checked);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, job);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, check_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, job);
    /* A connection that another host's check opened must not serve this one. */
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (*fetch->config->directory_ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, fetch->config->directory_ca_file);
    return easy;
}

/* `failure`: why there is no whole answer, or NULL. */
static void finish(struct job *job, long status, const char *failure)
{
    OBJECT_CHECK(job, JOB_MAGIC);
    struct fetch_answer answer = {
        .status = failure ? 0 : status,
        .failure = failure,
        .head = {.fields = job->head.fields, .field_count = job->head.count},
        .body = slice_bytes(job->body, job->len),
        .room = job->room,
    };
    assert(answer.body.len <= answer.room);
    job->done(job->context, &answer);
    OBJECT_END(job, JOB_MAGIC);
    curl_slist_free_all(job->headers);
    free(job->body);
    free(job);
}

static void start(struct fetch *fetch, struct job *job)
{
    assert(fetch->running_count < CONCURRENT_MAX);
    job->body = malloc(job->room);
    /* All of the room at once: the kernel gives pages as they are written to, and nothing has to grow. */
    job->easy = job->body ? make_easy(fetch, job) : NULL;
    if (!job->easy || curl_multi_add_handle(fetch->multi, job->easy) != CURLM_OK) {
        LOG(ERROR, "fetch_failed", {"url", job->url}, {"detail", "no memory"});
        curl_easy_cleanup(job->easy);
        finish(job, 0, "no memory");
        return;
    }
    fetch->running[fetch->running_count++] = job;
}

static bool host_is_busy(const struct fetch *fetch, struct slice host)
{
    size_t count = 0;
    for (size_t i = 0; i < fetch->running_count; i++)
        if (slice_eq_nocase(fetch->running[i]->host, host))
            count++;
    return count >= PER_HOST_MAX;
}

/* The first job whose host is not asked too much already; `any`: the first job. */
static struct job *take(struct fetch *fetch, bool any)
{
    pthread_mutex_lock(&fetch->lock);
    struct job **at = &fetch->queue;
    while (*at && !any && host_is_busy(fetch, (*at)->host))
        at = &(*at)->next;
    struct job *job = *at;
    if (job) {
        *at = job->next;
        assert(fetch->queued > 0);
        fetch->queued--;
        assert((fetch->queued == 0) == (fetch->queue == NULL));
        if (!*at)
            fetch->queue_tail = at;
    }
    pthread_mutex_unlock(&fetch->lock);
    return job;
}

static void forget(struct fetch *fetch, const struct job *job)
{
    assert(fetch->running_count > 0);
    size_t i = 0;
    while (fetch->running[i] != job) {
        i++;
        assert(i < fetch->running_count);
    }
    fetch->running[i] = fetch->running[--fetch->running_count];
}

static void end(struct fetch *fetch, CURL *easy, CURLcode result)
{
    struct job *job;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    OBJECT_CHECK(job, JOB_MAGIC);
    assert(job->easy == easy);
    const char *detail = job->refusal ? job->refusal : *job->error ? job->error : curl_easy_strerror(result);
    if (result != CURLE_OK)
        LOG(WARN, "fetch_failed", {"url", job->url}, {"detail", detail});
    curl_multi_remove_handle(fetch->multi, easy);
    curl_easy_cleanup(easy);
    forget(fetch, job);
    finish(job, status, result == CURLE_OK ? NULL : detail);
}

static void *fetch_queued(void *argument)
{
    OBJECT_CHECK((struct fetch *)argument, FETCH_MAGIC);
    struct fetch *fetch = argument;
    while (!atomic_load(&fetch->stopping)) {
        struct job *job;
        int left;
        CURLMsg *message;
        bool ended = false; /* then others may start */
        assert(fetch->running_count <= CONCURRENT_MAX);
        /* New ones before the wait: curl_multi_wakeup has ended it when they came. */
        while (fetch->running_count < CONCURRENT_MAX && (job = take(fetch, false)))
            start(fetch, job);
        curl_multi_perform(fetch->multi, &left);
        while ((message = curl_multi_info_read(fetch->multi, &left)))
            if (message->msg == CURLMSG_DONE) {
                end(fetch, message->easy_handle, message->data.result);
                ended = true;
            }
        curl_multi_poll(fetch->multi, NULL, 0, ended ? 0 : POLL_MS, NULL);
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
    OBJECT_MAKE(fetch, FETCH_MAGIC);
    fetch->config = config;
    fetch->queue_tail = &fetch->queue;
    pthread_mutex_init(&fetch->lock, NULL);
    fetch->multi = curl_multi_init();
    if (!fetch->multi || pthread_create(&fetch->thread, NULL, fetch_queued, fetch) != 0) {
        curl_multi_cleanup(fetch->multi);
        pthread_mutex_destroy(&fetch->lock);
        free(fetch);
        return NULL;
    }
    return fetch;
}

static struct slice copy_to(char *at, struct slice text)
{
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    return (struct slice){at, text.len};
}

static struct job *job_new(const struct fetch_request *request)
{
    size_t room = request->url.len + 1 + request->etag.len + request->last_modified.len;
    struct job *job = request->url.len <= URL_BYTES_MAX ? calloc(1, sizeof(*job) + room) : NULL;
    if (!job)
        return NULL;
    OBJECT_MAKE(job, JOB_MAGIC);
    char *behind = job->url + request->url.len + 1;
    copy_to(job->url, request->url);
    job->etag = copy_to(behind, request->etag);
    job->last_modified = copy_to(behind + request->etag.len, request->last_modified);
    job->host = host_of(job->url);
    assert(slice_within(job->host, slice_of(job->url)));
    return job;
}

bool fetch_get(struct fetch *fetch, const struct fetch_request *request, fetch_done *done, void *context)
{
    OBJECT_CHECK(fetch, FETCH_MAGIC);
    assert(done && request->url.len > 0);
    struct job *job = job_new(request);
    if (!job)
        return false;
    job->done = done;
    job->context = context;
    job->room = (size_t)fetch->config->directory_max_bytes;
    job->insecure = host_listed(&fetch->config->directory_insecure_hosts, job->host);
    pthread_mutex_lock(&fetch->lock);
    bool room = fetch->queued < QUEUED_MAX;
    if (room) {
        *fetch->queue_tail = job;
        assert(fetch->queue);
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
    OBJECT_CHECK(fetch, FETCH_MAGIC);
    atomic_store(&fetch->stopping, true);
    curl_multi_wakeup(fetch->multi);
    pthread_join(fetch->thread, NULL);
    while ((job = take(fetch, true)))
        finish(job, 0, "the gate is stopping");
    while (fetch->running_count > 0) {
        job = fetch->running[--fetch->running_count];
        curl_multi_remove_handle(fetch->multi, job->easy);
        curl_easy_cleanup(job->easy);
        finish(job, 0, "the gate is stopping");
    }
    assert(!fetch->queue && fetch->queued == 0); /* whoever waited has been answered */
    OBJECT_END(fetch, FETCH_MAGIC);
    curl_multi_cleanup(fetch->multi);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
    curl_global_cleanup();
}
