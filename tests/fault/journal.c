/* What a program gives to the disk and asks of the ledger, in its order, for LD_PRELOAD: a line each in the
 * file that TEST_JOURNAL names. Nothing else shows that a file was flushed before somebody relied on it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void note(const char *what, int fd, const char *name)
{
    char link[64], path[PATH_MAX] = "", line[2 * PATH_MAX + 64];
    const char *file = getenv("TEST_JOURNAL");
    int journal = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (journal < 0)
        abort(); /* a test must not take silence for an answer */
    if (fd >= 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (readlink(link, path, sizeof(path) - 1) < 0)
            abort();
    }
    int len =
        snprintf(line, sizeof(line), "%s %s%s%s\n", what, path, fd >= 0 && name ? "/" : "", name ? name : "");
    if (write(journal, line, (size_t)len) != len)
        abort();
    close(journal);
}

int fsync(int fd)
{
    note("flush", fd, NULL);
    return (int)syscall(SYS_fsync, fd);
}

int linkat(int from, const char *name, int to, const char *as, int flags)
{
    int result = (int)syscall(SYS_linkat, from, name, to, as, flags);
    note("link", to, as);
    return result;
}

int renameat(int from, const char *name, int to, const char *as)
{
    int result = (int)syscall(SYS_renameat2, from, name, to, as, 0);
    note("rename", to, as);
    return result;
}

/* lint: parameters, libpq's function has seven */
int PQsendQueryPrepared(void *conn, const char *statement, int count, const char *const *values,
                        const int *lengths, const int *formats, int format)
{
    int (*next)(void *, const char *, int, const char *const *, const int *, const int *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "PQsendQueryPrepared");
    note("ask", -1, statement);
    return next(conn, statement, count, values, lengths, formats, format);
}
