/* The load generator of the benchmarks: keep-alive connections from one thread, each with one request under
 * way.
 *
 *   load ed25519  SECONDS THREADS                 raw verifications, the limit of every payment
 *   load offers   ADDRESS HOST SECONDS CONNECTIONS [NAME=PID,PID...]   unpaid requests: a fresh offer each
 *   load pages    ADDRESS HOST SECONDS CONNECTIONS [NAME=PID,PID...]   a person's requests: the page each
 *   load payments ADDRESS HOST COUNT CONNECTIONS [NAME=PID,PID...]
 *                                 COUNT offers are fetched and signed, then paid as fast as it goes
 *
 *   load rate ADDRESS HOST COUNT CONNECTIONS RATE [NAME=PID,PID...]   the same at RATE payments a second
 *
 * Each prints one line of JSON, with microseconds of processor time per answer: of the load generator and of
 * the named groups of processes. Payments are signed with a key made for the run, whose directory is served
 * here on the port of CRAWLTAB_BENCH_DIRECTORY (default 8413). CRAWLTAB_BENCH_FIELD is a field of every
 * request, "Name: value". CRAWLTAB_BENCH_COMMITMENT: payments are JWS, to "gate" or a facilitator. */
#define _GNU_SOURCE /* memmem, SCHED_BATCH */
#include "tests/bench/commitment.h"
#include "ledger/base/crypto/random.h"
#include "ledger/verify/component.h"
#include "ledger/verify/jwk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ID_CHARS      64
#define REQUEST_MAX   4096
#define ANSWER_MAX    32768
#define BUCKETS       200000 /* of 10 µs */
#define EVENTS        256
#define GROUPS_MAX    4
#define CRAWLER       "GPTBot/1.2"
#define TARGET        "/articles/harbour-bell.html"
#define DIRECTORY_URL "http://127.0.0.1:%d"

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

struct request {
    char *text;
    size_t len;
};

/* Processes whose processor time is told. */
struct group {
    const char *name;
    const char *pids; /* separated by commas */
    int64_t used_us;
};

/* One run: what is sent, and what came of it. */
struct run {
    struct group groups[GROUPS_MAX];
    size_t group_count;
    struct sockaddr_in address;
    const struct request *requests;
    size_t count;          /* of requests; the first one for ever when `seconds` is set */
    int64_t until_us;      /* or 0: until all are answered */
    char (*ids)[ID_CHARS]; /* when not NULL: the ids of the offers */
    int64_t interval_us;   /* between requests, or 0: the next one as soon as the last is answered */
    int64_t due_us;        /* when the next one is sent at the earliest, and its time starts */
    struct connection **idle;
    size_t idle_count;
    size_t sent;
    size_t answered;
    size_t statuses[600];
    uint32_t *histogram;
};

struct connection {
    int fd;
    const struct request *request;
    size_t written;
    int64_t started_us;
    size_t got;
    char answer[ANSWER_MAX];
};

static bool more(const struct run *run)
{
    return run->until_us ? now_us() < run->until_us : run->sent < run->count;
}

static void write_some(struct connection *connection)
{
    while (connection->written < connection->request->len) {
        ssize_t n = write(connection->fd, connection->request->text + connection->written,
                          connection->request->len - connection->written);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            fail("write");
        connection->written += (size_t)n;
    }
}

static void send_next(struct run *run, struct connection *connection)
{
    connection->request = &run->requests[run->until_us || run->count == 1 ? 0 : run->sent];
    if (run->ids)
        connection->request = &run->requests[0];
    run->sent++;
    connection->written = 0;
    connection->got = 0;
    connection->started_us = now_us();
    write_some(connection);
}

/* Length of the whole answer, or 0 when its fields are not all there. */
static size_t whole_length(const char *answer, size_t got)
{
    const char *end = memmem(answer, got, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const char *length = memmem(answer, (size_t)(end - answer) + 2, "Content-Length: ", 16);
    return (size_t)(end - answer) + 4 + (length ? strtoul(length + 16, NULL, 10) : 0);
}

static void note(struct run *run, const struct connection *connection)
{
    int64_t bucket = (now_us() - connection->started_us) / 10;
    unsigned long status = strtoul(connection->answer + 9, NULL, 10);
    run->histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (run->ids && run->answered < run->count) {
        const char *id = memmem(connection->answer, connection->got, "nonce=\"", 7);
        if (!id)
            fail("an answer without an offer");
        memcpy(run->ids[run->answered], id + 7, ID_CHARS);
    }
    run->answered++;
    run->statuses[status < 600 ? status : 0]++;
}

/* False when the connection has nothing more to do. */
static bool read_some(struct run *run, struct connection *connection)
{
    for (;;) {
        ssize_t n = read(connection->fd, connection->answer + connection->got, ANSWER_MAX - connection->got);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            fail("the gate closed a connection");
        connection->got += (size_t)n;
        size_t whole = whole_length(connection->answer, connection->got);
        if (whole > ANSWER_MAX)
            fail("an answer is too large");
        if (whole == 0 || connection->got < whole)
            continue;
        note(run, connection);
        if (run->interval_us)
            run->idle[run->idle_count++] = connection;
        if (run->interval_us || !more(run))
            return false;
        send_next(run, connection);
        return true; /* what answers that comes with an event of its own */
    }
}

static void open_connection(struct run *run, struct connection *connection, int poll)
{
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&run->address, sizeof(run->address)) != 0)
        fail("connect");
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.ptr = connection}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("epoll_ctl");
}

/* With a fixed rate: sends what is due, as far as there are connections to send it on. An answer's time
 * starts when its request was due, so that a slow server does not make us ask later and forget the waiting.
 */
static size_t send_due(struct run *run)
{
    size_t sent = 0;
    while (run->idle_count > 0 && more(run) && now_us() >= run->due_us) {
        struct connection *connection = run->idle[--run->idle_count];
        send_next(run, connection);
        connection->started_us = run->due_us;
        run->due_us += run->interval_us;
        sent++;
    }
    return sent;
}

static int wait_events(const struct run *run, int poll, struct epoll_event *events)
{
    int64_t left = 10000000;
    if (run->idle_count > 0 && more(run))
        left = run->due_us > now_us() ? run->due_us - now_us() : 0;
    struct timespec timeout = {left / 1000000, left % 1000000 * 1000};
    int n = epoll_pwait2(poll, events, EVENTS, &timeout, NULL);
    if (n < 0 || (n == 0 && left == 10000000))
        fail("no answer in ten seconds");
    return n;
}

/* User and system time of a process, all threads, and of its children that have ended: fields 14 to 17 of its
 * stat (proc(5)). So a group of a process and its children loses nothing when one of these ends. */
static int64_t process_us(unsigned long pid)
{
    char text[1024] = "";
    char path[64];
    unsigned long ticks[4] = {0};
    snprintf(path, sizeof(path), "/proc/%lu/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) /* it has ended */
        return 0;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    const char *at = memrchr(text, ')', len);
    if (!at || sscanf(at, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu %lu %lu", &ticks[0],
                      &ticks[1], &ticks[2], &ticks[3]) != 4)
        fail(path);
    return (int64_t)((ticks[0] + ticks[1] + ticks[2] + ticks[3]) * 1000000 /
                     (unsigned long)sysconf(_SC_CLK_TCK));
}

static int64_t group_us(const struct group *group)
{
    int64_t sum = 0;
    char *end;
    for (const char *at = group->pids; *at; at = *end ? end + 1 : end)
        sum += process_us(strtoul(at, &end, 10));
    return sum;
}

/* Returns the microseconds from the first request to the last answer. */
static int64_t perform(struct run *run, size_t connections)
{
    int poll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc(connections, sizeof(*all));
    struct epoll_event events[EVENTS];
    size_t busy = 0;
    run->histogram = calloc(BUCKETS, sizeof(*run->histogram));
    run->idle = calloc(connections, sizeof(struct connection *));
    if (poll < 0 || !all || !run->histogram || !run->idle)
        fail("set-up");
    for (size_t i = 0; i < connections; i++)
        open_connection(run, &all[i], poll);
    for (size_t i = 0; i < run->group_count; i++)
        run->groups[i].used_us = -group_us(&run->groups[i]);
    int64_t start = run->due_us = now_us();
    for (size_t i = 0; i < connections && more(run); i++)
        if (run->interval_us)
            run->idle[run->idle_count++] = &all[i];
        else
            send_next(run, &all[i]), busy++;
    while (busy += send_due(run), busy > 0 || more(run)) {
        int n = wait_events(run, poll, events);
        for (int i = 0; i < n; i++)
            if (!read_some(run, events[i].data.ptr))
                busy--;
    }
    int64_t took = now_us() - start;
    for (size_t i = 0; i < run->group_count; i++)
        run->groups[i].used_us += group_us(&run->groups[i]);
    for (size_t i = 0; i < connections; i++)
        close(all[i].fd);
    close(poll);
    free(run->idle);
    free(all);
    return took;
}

static int64_t percentile_us(const struct run *run, size_t percent)
{
    size_t wanted = run->answered * percent / 100;
    size_t seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += run->histogram[i];
        if (seen > wanted)
            return (int64_t)i * 10;
    }
    return (int64_t)BUCKETS * 10;
}

static void report(const char *name, const struct run *run, size_t connections, int64_t took, size_t good)
{
    printf("{\"name\":\"%s\",\"connections\":%zu,\"per_second\":%lld,\"p50_us\":%lld,\"p99_us\":%lld,"
           "\"answered\":%zu,\"good\":%zu",
           name, connections, (long long)((int64_t)run->answered * 1000000 / took),
           (long long)percentile_us(run, 50), (long long)percentile_us(run, 99), run->answered, good);
    for (size_t i = 0; i < run->group_count; i++)
        printf(",\"%s_us\":%.1f", run->groups[i].name,
               (double)run->groups[i].used_us / (double)(run->answered ? run->answered : 1));
    puts("}");
    if (good != run->answered)
        exit(1);
}

static struct sockaddr_in address_of(const char *text)
{
    char host[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strchr(text, ':');
    snprintf(host, sizeof(host), "%.*s", (int)(colon ? colon - text : 0), text);
    if (!colon || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        fail("the address is not a.b.c.d:port");
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    return address;
}

/* With its line end; or "". Threads that sign ask at the same time. */
static const char *own_field(void)
{
    static _Thread_local char line[128];
    const char *field = getenv("CRAWLTAB_BENCH_FIELD");
    snprintf(line, sizeof(line), "%s%s", field ? field : "", field ? "\r\n" : "");
    return line;
}

static struct request unpaid(const char *host, const char *user_agent)
{
    struct request request = {.text = malloc(REQUEST_MAX)};
    request.len = (size_t)snprintf(request.text, REQUEST_MAX,
                                   "GET " TARGET " HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n%s\r\n", host,
                                   user_agent, own_field());
    return request;
}

/* The crawler: its key, and the directory that it names. */
struct signer {
    uint8_t seed[32];
    struct jwk jwk;
    int port;
    const char *host;
    const char *commitment; /* NULL: the request is signed */
    char (*ids)[ID_CHARS];
    struct request *requests;
    size_t count;
    atomic_size_t next;
};

static void *serve_directory(void *argument)
{
    struct signer *signer = argument;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)signer->port)};
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 16) != 0)
        fail("the port of the key directory");
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        char answer[1024];
        char body[256];
        ssize_t got = read(fd, answer, sizeof(answer));
        int len = snprintf(body, sizeof(body), "{\"keys\":[%s]}", signer->jwk.canonical);
        int whole =
            snprintf(answer, sizeof(answer),
                     "HTTP/1.1 200 OK\r\nContent-Type: application/http-message-signatures-directory+json\r\n"
                     "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                     len, body);
        if (got < 0 || write(fd, answer, (size_t)whole) != whole)
            fail("the key directory");
    }
    return NULL;
}

static struct message_field field(const char *name, const char *value)
{
    return (struct message_field){slice_of(name), slice_of(value)};
}

static void sign_one(const struct signer *signer, const char *id, struct request *request)
{
    char memory[8192];
    char payment[256], agent[64], input[320];
    char keyid[64] = "";
    char signature[96] = "";
    uint8_t raw[64];
    struct arena arena;
    struct slice base;
    struct sf_list inputs;
    long long now = (long long)time(NULL);
    arena_init(&arena, memory, sizeof(memory));
    encoding_base64url(signer->jwk.thumbprint, DIGEST_SIZE, keyid);
    snprintf(payment, sizeof(payment), "scheme=\"deferred\", network=\"example:402\", id=\"%.*s\"", ID_CHARS,
             id);
    snprintf(agent, sizeof(agent), "\"" DIRECTORY_URL "\"", signer->port);
    snprintf(input, sizeof(input),
             "(\"@authority\" \"payment\" \"signature-agent\");created=%lld;expires=%lld;keyid=\"%s\";"
             "tag=\"web-bot-auth\"",
             now, now + 3600, keyid);
    struct message_field fields[] = {field("payment", payment), field("signature-agent", agent)};
    struct message message = {.authority = slice_of(signer->host), .fields = fields, .field_count = 2};
    if (!sf_parse_list(&arena, slice_of(input), &inputs) ||
        component_base(&arena, &message, inputs.first, &base, NULL) != ERR_OK ||
        !signature_sign_ed25519(signer->seed, base, raw))
        fail("signing");
    encoding_base64(raw, sizeof(raw), signature);
    request->text = malloc(REQUEST_MAX);
    if (signer->commitment) {
        agent[strlen(agent) - 1] = '\0'; /* without its quotes */
        const struct commitment_order order = {
            signer->seed, signer->jwk.thumbprint, agent + 1, signer->host, TARGET, id};
        request->len = commitment_request(&order, strcmp(signer->commitment, "gate") != 0, own_field(),
                                          request->text, REQUEST_MAX);
        return;
    }
    request->len =
        (size_t)snprintf(request->text, REQUEST_MAX,
                         "GET " TARGET " HTTP/1.1\r\nHost: %s\r\nPayment: %s\r\nSignature-Agent: %s\r\n"
                         "Signature-Input: sig=%s\r\nSignature: sig=:%s:\r\n%s\r\n",
                         signer->host, payment, agent, input, signature, own_field());
}

static void *sign_some(void *argument)
{
    struct signer *signer = argument;
    for (size_t i; (i = atomic_fetch_add(&signer->next, 1)) < signer->count;)
        sign_one(signer, signer->ids[i], &signer->requests[i]);
    return NULL;
}

static void start_signer(struct signer *signer)
{
    const char *port = getenv("CRAWLTAB_BENCH_DIRECTORY");
    pthread_t thread;
    signer->port = port ? (int)strtol(port, NULL, 10) : 8413;
    /* The same key in every run: a gate asks a directory for a key that it does not list once a minute. */
    memset(signer->seed, 0x42, sizeof(signer->seed));
    if (!signature_public_ed25519(signer->seed, signer->jwk.raw))
        fail("making a key");
    jwk_complete(&signer->jwk);
    if (pthread_create(&thread, NULL, serve_directory, signer) != 0)
        fail("a thread");
    pthread_detach(thread);
}

/* "name=1,2": groups of processes, and the load generator's own first. */
static void add_groups(struct run *run, char **words)
{
    static char self[24];
    snprintf(self, sizeof(self), "%d", (int)getpid());
    run->groups[run->group_count++] = (struct group){.name = "load", .pids = self};
    for (; *words && run->group_count < GROUPS_MAX; words++) {
        char *equals = strchr(*words, '=');
        if (!equals)
            fail("a group of processes is NAME=PID,PID");
        *equals = '\0';
        run->groups[run->group_count++] = (struct group){.name = *words, .pids = equals + 1};
    }
}

/* `rate`: payments a second, or 0 for as many as possible. */
static void payments(char **words, size_t count, size_t connections, int64_t rate)
{
    const char *address = words[0];
    const char *host = words[1];
    struct signer signer = {.host = host, .count = count, .commitment = getenv("CRAWLTAB_BENCH_COMMITMENT")};
    struct request offer = unpaid(host, CRAWLER);
    pthread_t threads[2];
    start_signer(&signer);
    signer.ids = calloc(count, sizeof(*signer.ids));
    signer.requests = calloc(count, sizeof(*signer.requests));
    struct run offers = {
        .address = address_of(address), .requests = &offer, .count = count, .ids = signer.ids};
    perform(&offers, 64);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, sign_some, &signer) != 0)
            fail("a thread");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    struct run run = {.address = offers.address, .requests = signer.requests, .count = count};
    if (signer.commitment && strcmp(signer.commitment, "gate") != 0)
        run.address = address_of(signer.commitment);
    run.interval_us = rate > 0 ? 1000000 / rate : 0;
    add_groups(&run, words + (rate > 0 ? 5 : 4));
    int64_t took = perform(&run, connections);
    report("payments", &run, connections, took, run.statuses[200]);
    for (size_t i = 0; i < count; i++)
        free(signer.requests[i].text);
    free(signer.requests);
    free(signer.ids);
    free(offers.histogram);
    free(run.histogram);
    free(offer.text);
}

/* The same request for so long, which is answered with this status. */
static void repeat(char **words, int64_t seconds, size_t connections, const char *user_agent, unsigned status)
{
    const char *address = words[0];
    const char *host = words[1];
    struct request request = unpaid(host, user_agent);
    struct run run = {.address = address_of(address),
                      .requests = &request,
                      .count = 1,
                      .until_us = now_us() + seconds * 1000000};
    add_groups(&run, words + 4);
    int64_t took = perform(&run, connections);
    report(status == 402 ? "offers" : "pages", &run, connections, took, run.statuses[status]);
    free(run.histogram);
    free(request.text);
}

struct verifying {
    int64_t until_us;
    size_t done;
};

static void *verify(void *argument)
{
    struct verifying *verifying = argument;
    char base[400];
    uint8_t seed[32];
    uint8_t raw[32];
    uint8_t signature[64];
    random_bytes(seed, sizeof(seed));
    memset(base, 'b', sizeof(base));
    struct slice text = slice_bytes(base, sizeof(base));
    if (!signature_public_ed25519(seed, raw) || !signature_sign_ed25519(seed, text, signature))
        fail("making a key");
    struct signature_key *key = signature_key_ed25519(raw);
    while (now_us() < verifying->until_us)
        for (int i = 0; i < 100; i++, verifying->done++)
            if (signature_verify(key, text, slice_bytes(signature, sizeof(signature))) != ERR_OK)
                fail("verifying");
    signature_key_free(key);
    return NULL;
}

static void ed25519(int64_t seconds, size_t threads)
{
    enum { MOST = 64 };
    pthread_t ids[MOST];
    struct verifying each[MOST] = {{0}};
    size_t done = 0;
    int64_t start = now_us();
    threads = threads < MOST ? threads : MOST;
    for (size_t i = 0; i < threads; i++) {
        each[i].until_us = start + seconds * 1000000;
        if (pthread_create(&ids[i], NULL, verify, &each[i]) != 0)
            fail("a thread");
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        done += each[i].done;
    }
    printf("{\"name\":\"ed25519\",\"threads\":%zu,\"per_second\":%lld}\n", threads,
           (long long)((int64_t)done * 1000000 / (now_us() - start)));
}

/* A client on another machine does not take the core from the server whenever an answer comes; nor do we.
 * With CRAWLTAB_BENCH_PREEMPT we do, to see what it costs. */
static void be_polite(void)
{
    const struct sched_param none = {0};
    if (!getenv("CRAWLTAB_BENCH_PREEMPT") && sched_setscheduler(0, SCHED_BATCH, &none) != 0)
        fail("sched_setscheduler");
}

int main(int argc, char **argv)
{
    be_polite();
    if (argc == 4 && strcmp(argv[1], "ed25519") == 0)
        ed25519(strtol(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    else if (argc >= 6 && strcmp(argv[1], "offers") == 0)
        repeat(argv + 2, strtol(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), CRAWLER, 402);
    else if (argc >= 6 && strcmp(argv[1], "pages") == 0)
        repeat(argv + 2, strtol(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), "Mozilla/5.0", 200);
    else if (argc >= 6 && strcmp(argv[1], "payments") == 0)
        payments(argv + 2, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), 0);
    else if (argc >= 7 && strcmp(argv[1], "rate") == 0)
        payments(argv + 2, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), strtol(argv[6], NULL, 10));
    else {
        fputs("usage: load ed25519 SECONDS THREADS | offers|pages ADDRESS HOST SECONDS CONNECTIONS |\n"
              "       payments ADDRESS HOST COUNT CONNECTIONS [NAME=PID,PID...] |\n"
              "       rate ADDRESS HOST COUNT CONNECTIONS RATE [NAME=PID,PID...]\n",
              stderr);
        return 64;
    }
    return 0;
}
