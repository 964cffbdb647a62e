/* Places of one size, each a payment id or nothing: a call takes a free one and clears it in the end, so that
 * the file is as long as there ever were calls at once. What is written outlives the process, though not the
 * machine: to wait for a disk would stop a whole HTTP thread for each call, and a machine that loses its
 * power in that second leaves an entry that its crawler can dispute. */
#include "server/mcp/underway.h"

#include "ledger/base/file/file.h"
#include "ledger/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX      16 /* processes at once, as when one still drains */
#define PATH_MAX_BYTES 4096
#define CALLS_MAX      65536 /* at once; more are refused */

struct underway {
    int file;
    uint8_t (*places)[UUID_SIZE]; /* what is in the file; zeros: free */
    size_t count, room;
};

static const uint8_t nothing[UUID_SIZE];

static bool store(struct underway *underway, size_t index)
{
    ssize_t bytes = pwrite(underway->file, underway->places[index], UUID_SIZE, (off_t)(index * UUID_SIZE));
    if (bytes == UUID_SIZE)
        return true;
    LOG(ERROR, "mcp_calls_not_written", {"detail", bytes < 0 ? strerror(errno) : "short write"},
        {"hint", "is there room for mcp.calls_file? until it can be written no paid call is made"});
    return false;
}

/* The place of the id, or a new one at the end; count without memory. */
static size_t find(struct underway *underway, const uint8_t id[UUID_SIZE])
{
    for (size_t i = 0; i < underway->count; i++)
        if (memcmp(underway->places[i], id, UUID_SIZE) == 0)
            return i;
    return underway->count;
}

static bool widen(struct underway *underway)
{
    if (underway->count < underway->room)
        return true;
    size_t room = underway->room == 0 ? 64 : underway->room * 2;
    void *places = room <= CALLS_MAX ? realloc(underway->places, room * UUID_SIZE) : NULL;
    if (!places)
        return false;
    underway->places = places;
    underway->room = room;
    return true;
}

bool underway_begin(struct underway *underway, const uint8_t id[UUID_SIZE])
{
    size_t index = find(underway, nothing);
    if (index == underway->count && !widen(underway))
        return false;
    memcpy(underway->places[index], id, UUID_SIZE);
    if (index == underway->count)
        underway->count++;
    if (store(underway, index))
        return true;
    memset(underway->places[index], 0, UUID_SIZE);
    return false;
}

void underway_end(struct underway *underway, const uint8_t id[UUID_SIZE])
{
    size_t index = find(underway, id);
    if (index == underway->count)
        return; /* of a file that its process has taken back */
    memset(underway->places[index], 0, UUID_SIZE);
    store(underway, index); /* logged; at worst it is taken back once more, which is once */
}

/* A file that nobody holds: its calls are over. What is in it becomes ours before it goes. */
static void inherit(struct underway *underway, int file, const char *path)
{
    uint8_t id[UUID_SIZE];
    bool whole = true;
    for (off_t at = 0; pread(file, id, UUID_SIZE, at) == UUID_SIZE; at += UUID_SIZE)
        if (memcmp(id, nothing, UUID_SIZE) != 0)
            whole = underway_begin(underway, id) && whole;
    if (whole)
        unlink(path);
}

static int open_locked(const char *path, size_t number, char name[PATH_MAX_BYTES], bool make)
{
    snprintf(name, PATH_MAX_BYTES, number == 0 ? "%s" : "%s.%zu", path, number);
    enum file_named named;
    if (make && access(name, F_OK) != 0 && file_make(name, "", 0, &named))
        return -1; /* its folder is made, too, but not what that is in */
    int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return -1;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return file;
    close(file);
    return -1;
}

static bool read_own(struct underway *underway)
{
    struct stat stat;
    if (fstat(underway->file, &stat) != 0 || stat.st_size / UUID_SIZE > CALLS_MAX)
        return false;
    while (underway->count < (size_t)stat.st_size / UUID_SIZE) {
        if (!widen(underway) || pread(underway->file, underway->places[underway->count], UUID_SIZE,
                                      (off_t)(underway->count * UUID_SIZE)) != UUID_SIZE)
            return false;
        underway->count++;
    }
    return true;
}

struct underway *underway_open(const char *path, void (*left)(void *context, const uint8_t id[UUID_SIZE]),
                               void *context)
{
    char name[PATH_MAX_BYTES];
    struct underway *underway = calloc(1, sizeof(*underway));
    if (!underway)
        return NULL;
    underway->file = -1;
    for (size_t i = 0; i < FILES_MAX && underway->file < 0; i++)
        underway->file = open_locked(path, i, name, true);
    if (underway->file < 0 || !read_own(underway)) {
        LOG(ERROR, "mcp_calls_unreadable", {"file", path}, {"detail", strerror(errno)},
            {"hint", "name a file that the gate may write as mcp.calls_file"});
        underway_close(underway);
        return NULL;
    }
    for (size_t i = 0; i < FILES_MAX; i++) {
        int other = open_locked(path, i, name, false); /* our own is locked */
        if (other < 0)
            continue;
        inherit(underway, other, name);
        close(other);
    }
    for (size_t i = 0; i < underway->count; i++)
        if (memcmp(underway->places[i], nothing, UUID_SIZE) != 0)
            left(context, underway->places[i]);
    return underway;
}

void underway_close(struct underway *underway)
{
    if (!underway)
        return;
    if (underway->file >= 0)
        close(underway->file);
    free(underway->places);
    free(underway);
}
