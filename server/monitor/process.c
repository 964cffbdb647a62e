/* /proc is read at each question and nothing is kept: what stands there is right when it is read, and a
 * system that lacks a file loses the numbers of that file alone. */
#include "server/monitor/process.h"

#include "ledger/base/clock.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void write_number(FILE *out, const char *family, const char *what, int64_t number)
{
    assert(number >= 0); /* none of these can be; what is not known is not written */
    fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRId64 "\n", family, what, family, family, number);
}

static void write_cpu(FILE *out)
{
    struct rusage usage;
    const char *family = "process_cpu_seconds_total";
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    int64_t us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) + usage.ru_utime.tv_usec +
                 usage.ru_stime.tv_usec;
    fprintf(out,
            "# HELP %s Processor time, of users and the system.\n# TYPE %s counter\n%s %" PRId64 ".%06" PRId64
            "\n",
            family, family, family, us / 1000000, us % 1000000);
}

/* The descriptor that looks is not counted. */
static int64_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -1;
    if (!folder)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* In pages, the two first of seven; "status" has the same in kilobytes and takes the kernel longer. */
static bool read_memory(int64_t *virtual_bytes, int64_t *resident_bytes)
{
    FILE *file = fopen("/proc/self/statm", "r");
    int64_t pages[2];
    bool ok = file && fscanf(file, "%" SCNd64 " %" SCNd64, &pages[0], &pages[1]) == 2;
    if (file)
        fclose(file);
    if (!ok)
        return false;
    *virtual_bytes = pages[0] * sysconf(_SC_PAGESIZE);
    *resident_bytes = pages[1] * sysconf(_SC_PAGESIZE);
    return true;
}

/* The 22nd number is counted from the start of the machine; the second is a name, which may have spaces. */
static int64_t started_seconds(void)
{
    char text[1024], *rest;
    uint64_t ticks;
    FILE *file = fopen("/proc/self/stat", "r");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    rest = strrchr(text, ')');
    for (int field = 2; rest && field < 22; field++)
        rest = strchr(rest + 1, ' ');
    if (!rest || sscanf(rest, " %" SCNu64, &ticks) != 1)
        return -1;
    int64_t after_ms = (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
    return (clock_system_ms() - (clock_since_boot_ms() - after_ms)) / 1000;
}

void process_write(FILE *out)
{
    int64_t virtual_bytes, resident_bytes, files = open_files(), started = started_seconds();
    struct rlimit limit;
    write_cpu(out);
    if (read_memory(&virtual_bytes, &resident_bytes)) {
        write_number(out, "process_resident_memory_bytes", "Memory in use.", resident_bytes);
        write_number(out, "process_virtual_memory_bytes", "Addresses in use.", virtual_bytes);
    }
    if (files >= 0)
        write_number(out, "process_open_fds", "Open files and connections.", files);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        write_number(out, "process_max_fds", "How many there may be.", (int64_t)limit.rlim_cur);
    if (started > 0)
        write_number(out, "process_start_time_seconds", "When it began, since 1970.", started);
}
