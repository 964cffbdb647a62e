/* What it costs to record entries, by the size of the batch: entry_insert over a gate's session, without HTTP
 * and signatures. Prints "ready", reads the number of the server's process for its connection, and then
 * prints, for each size, processor time an entry in nanoseconds as a line of JSON. The crawlers 1 to CRAWLERS
 * must be there.
 *
 *   entries CONFIG CRAWLERS SIZE… */
#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/payment_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE_MAX_ENTRIES 1024
#define ENTRIES          3200 /* of each size, but not fewer than so many batches and not more: */
#define BATCHES_MIN      20
#define BATCHES_MAX      200

static struct charge charges[SIZE_MAX_ENTRIES];
static struct submission submissions[SIZE_MAX_ENTRIES];
static struct entry entries[SIZE_MAX_ENTRIES];

static void fail(const char *what)
{
    fprintf(stderr, "entries: %s\n", what);
    exit(1);
}

static int64_t own_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Processor time of a process. It counts what a process has done before it went to sleep: so it is read a
 * moment after its answer. */
static int64_t server_ns(long pid)
{
    char path[64], line[128];
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof(line), file))
        fail("no processor time of the server's process");
    fclose(file);
    return strtoll(line, NULL, 10);
}

static void make(const struct session *session, size_t count, size_t crawlers)
{
    static const uint8_t base[300], signature[64];
    for (size_t i = 0; i < count; i++) {
        uint8_t chance[10];
        charges[i] = (struct charge){
            .amount_micros = 2500,
            .rule = slice_of("articles"),
            .resource = slice_of("https://shop.example/articles/harbour-bell.html"),
            .signature = slice_bytes(signature, sizeof(signature)),
            .signature_base = slice_bytes(base, sizeof(base)),
        };
        /* As the gate offers them. */
        random_bytes(chance, sizeof(chance));
        chance[9] = payment_id_lane(0, clock_now_ms());
        uuid_make(clock_now_ms(), chance, charges[i].payment_id);
        submissions[i] = submission_of(&charges[i], NULL);
        entries[i] = (struct entry){.submission = &submissions[i],
                                    .site_id = session->site_ids[0],
                                    .crawler_id = 1 + (int64_t)(i % crawlers),
                                    .order = i};
    }
    entry_sort(entries, count);
}

/* Returns the gate's part of the work, in nanoseconds. */
static int64_t write_batch(struct entry_arrays *arrays, struct session *session, size_t count,
                           size_t crawlers)
{
    make(session, count, crawlers);
    int64_t start = own_ns();
    if (entry_insert(arrays, session, clock_now_ms(), entries, count) != ERR_OK)
        fail("a batch was not inserted");
    int64_t took = own_ns() - start;
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided || submissions[i].outcome.err != ERR_OK)
            fail("an entry was not recorded");
    return took;
}

static void measure(struct entry_arrays *arrays, struct session *session, size_t crawlers, size_t size,
                    long pid)
{
    int64_t batches = ENTRIES / (int64_t)size;
    batches = batches < BATCHES_MIN ? BATCHES_MIN : batches > BATCHES_MAX ? BATCHES_MAX : batches;
    int64_t gate = 0, before = server_ns(pid);
    for (int64_t i = 0; i < batches; i++)
        gate += write_batch(arrays, session, size, crawlers);
    int64_t made = batches * (int64_t)size;
    printf("{\"size\":%zu,\"entries\":%lld,\"postgres_ns\":%lld,\"gate_ns\":%lld}\n", size, (long long)made,
           (long long)((server_ns(pid) - before) / made), (long long)(gate / made));
}

int main(int argc, char **argv)
{
    char line[32];
    struct config *config = argc > 3 ? config_load(argv[1], stderr, stderr) : NULL;
    struct session *session = config ? session_open(config, 0) : NULL;
    struct entry_arrays *arrays = entry_arrays_new();
    if (!session || !arrays)
        fail("usage: entries CONFIG CRAWLERS SIZE…");
    size_t crawlers = strtoul(argv[2], NULL, 10);
    for (int i = 0; i < 50; i++) /* until statements are prepared and planned */
        write_batch(arrays, session, 16, crawlers);
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        fail("no process was told");
    for (int i = 3; i < argc; i++) {
        size_t size = strtoul(argv[i], NULL, 10);
        if (size == 0 || size > SIZE_MAX_ENTRIES)
            fail("sizes are 1 to 1024");
        measure(arrays, session, crawlers, size, strtol(line, NULL, 10));
    }
    entry_arrays_free(arrays);
    session_close(session);
    config_free(config);
    return 0;
}
