/* The checks around a fetch that no real name server and no real attack can be had for: the address before
 * and after connecting, and the order in which hosts are asked. The file under test is included, because
 * libcurl is what calls these functions. */
#include "tests/unit/support.h"

#include "ledger/base/clock.h"
#include "server/agent/fetch.c"

static curl_socket_t open_to(struct job *job, const char *text, curlsocktype purpose)
{
    struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&address.addr, &in, sizeof(address.addr));
        return open_checked(job, purpose, &address);
    }
    /* libcurl's structure is followed by room for the longer address. */
    static union {
        struct curl_sockaddr address;
        char room[sizeof(struct curl_sockaddr) + sizeof(struct sockaddr_in6)];
    } longer;
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    longer.address = (struct curl_sockaddr){.family = AF_INET6, .socktype = SOCK_STREAM};
    memcpy(longer.room + offsetof(struct curl_sockaddr, addr), &in6, sizeof(in6));
    return open_checked(job, purpose, &longer.address);
}

/* A name that first resolves to a public address and then to ours gets nowhere: each address is looked at
 * when its socket is made. */
static void sockets_are_opened_to_public_addresses_alone(void **state)
{
    static const char *const refused[] = {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1",
                                          "fd00::1",   "fe80::1",  "::ffff:127.0.0.1"};
    struct job job = {.magic = JOB_MAGIC};
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        job.refusal = NULL;
        assert_int_equal(open_to(&job, refused[i], CURLSOCKTYPE_IPCXN), CURL_SOCKET_BAD);
        assert_non_null(job.refusal);
        assert_int_equal(check_connected(&job, (char *)(uintptr_t)refused[i], NULL, 443, 50000),
                         CURL_PREREQFUNC_ABORT);
    }
    curl_socket_t socket = open_to(&job, "8.8.8.8", CURLSOCKTYPE_IPCXN);
    assert_true(socket >= 0);
    close(socket);
    assert_int_equal(open_to(&job, "8.8.8.8", CURLSOCKTYPE_ACCEPT), CURL_SOCKET_BAD);
    assert_int_equal(check_connected(&job, (char[]){"8.8.8.8"}, NULL, 443, 50000), CURL_PREREQFUNC_OK);
    assert_int_equal(check_connected(&job, (char[]){"2606:4700::1"}, NULL, 443, 50000), CURL_PREREQFUNC_OK);
    assert_int_equal(check_connected(&job, (char[]){"no address"}, NULL, 443, 50000), CURL_PREREQFUNC_ABORT);
    job.insecure = true;
    socket = open_to(&job, "127.0.0.1", CURLSOCKTYPE_IPCXN);
    assert_true(socket >= 0);
    close(socket);
    assert_int_equal(check_connected(&job, (char[]){"127.0.0.1"}, NULL, 443, 50000), CURL_PREREQFUNC_OK);
}

static void nothing(void *context, const struct fetch_answer *answer)
{
    (void)context, (void)answer;
}

/* Takes what may run now and marks it as running. Returns its URL, or "". */
static const char *take_next(struct fetch *fetch)
{
    struct job *job = take(fetch, false);
    if (job)
        fetch->running[fetch->running_count++] = job;
    return job ? job->url : "";
}

static void a_busy_host_does_not_hold_up_the_others(void **state)
{
    static const char *const urls[] = {"https://a.example/1", "https://a.example/2", "https://A.example/3",
                                       "https://b.example/1", "https://a.example:8443/1"};
    struct config config = {.directory_max_bytes = 1024};
    struct fetch fetch = {.magic = FETCH_MAGIC, .config = &config};
    (void)state;
    fetch.queue_tail = &fetch.queue;
    fetch.multi = curl_multi_init();
    pthread_mutex_init(&fetch.lock, NULL);
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        assert_true(fetch_get(&fetch, &(struct fetch_request){.url = slice_of(urls[i])}, nothing, NULL));
    assert_string_equal(take_next(&fetch), urls[0]);
    assert_string_equal(take_next(&fetch), urls[1]);
    assert_string_equal(take_next(&fetch), urls[3]);
    assert_string_equal(take_next(&fetch), urls[4]);
    assert_string_equal(take_next(&fetch), "");
    struct job *done = fetch.running[0];
    forget(&fetch, done);
    finish(done, 0, "ended");
    assert_string_equal(take_next(&fetch), urls[2]);
    assert_null(fetch.queue);
    assert_true(fetch.queue_tail == &fetch.queue);
    while (fetch.running_count > 0)
        finish(fetch.running[--fetch.running_count], 0, "ended");
    /* The queue is bounded. */
    for (size_t i = 0; i < QUEUED_MAX; i++)
        assert_true(fetch_get(&fetch, &(struct fetch_request){.url = slice_of(urls[0])}, nothing, NULL));
    assert_false(fetch_get(&fetch, &(struct fetch_request){.url = slice_of(urls[0])}, nothing, NULL));
    for (struct job *job; (job = take(&fetch, true));)
        finish(job, 0, "ended");
    curl_multi_cleanup(fetch.multi);
    pthread_mutex_destroy(&fetch.lock);
}

static void count_one(void *context, const struct fetch_answer *answer)
{
    (void)answer;
    atomic_fetch_add((atomic_int *)context, 1);
}

/* What waits because its host is busy is asked for as soon as that host is free, not at the next look. */
static void who_waits_for_a_busy_host_goes_on_at_once(void **state)
{
    enum { JOBS = 60 };
    char host[32], url[64];
    const char *hosts[] = {host};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(in);
    atomic_int answers = 0;
    (void)state;
    int closed = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: it refuses */
    assert_int_equal(bind(closed, (struct sockaddr *)&in, size), 0);
    assert_int_equal(getsockname(closed, (struct sockaddr *)&in, &size), 0);
    snprintf(host, sizeof(host), "127.0.0.1:%d", ntohs(in.sin_port));
    snprintf(url, sizeof(url), "http://%s/", host);
    struct config config = {.directory_max_bytes = 1024,
                            .directory_timeout_seconds = 60,
                            .directory_ca_file = "",
                            .directory_insecure_hosts = {hosts, 1}};
    struct fetch *fetch = fetch_start(&config);
    assert_non_null(fetch);
    int64_t start_ms = clock_monotonic_ms();
    for (int i = 0; i < JOBS; i++)
        assert_true(fetch_get(fetch, &(struct fetch_request){.url = slice_of(url)}, count_one, &answers));
    while (atomic_load(&answers) < JOBS && clock_monotonic_ms() - start_ms < 60000)
        usleep(1000);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, JOBS / PER_HOST_MAX * POLL_MS / 2);
    fetch_stop(fetch);
    close(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_opened_to_public_addresses_alone),
        cmocka_unit_test(a_busy_host_does_not_hold_up_the_others),
        cmocka_unit_test(who_waits_for_a_busy_host_goes_on_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
