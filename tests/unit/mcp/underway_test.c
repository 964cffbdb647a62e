/* What a process had under way when it died is told to the next one, and to that one alone.
 * Tests server/mcp/underway.c */
#include "tests/unit/support.h"

#include "server/mcp/underway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct told {
    size_t count;
    unsigned bytes; /* the sum of the first of each */
};

static void note(void *context, const uint8_t id[UUID_SIZE])
{
    struct told *told = context;
    told->count++;
    told->bytes += id[0];
}

static struct underway *opened(const char *path, size_t count, unsigned bytes)
{
    struct told told = {0, 0};
    struct underway *underway = underway_open(path, note, &told);
    assert_non_null(underway);
    assert_int_equal(told.count, count);
    assert_int_equal(told.bytes, bytes);
    return underway;
}

static bool put(struct underway *underway, uint8_t first, bool ends)
{
    uint8_t id[UUID_SIZE] = {first, 1};
    bool begun = underway_begin(underway, id);
    if (ends)
        underway_end(underway, id);
    return begun;
}

/* In a process of its own, which ends without a word. */
static void die_with(const char *path, uint8_t id)
{
    pid_t child = fork();
    struct told told = {0, 0};
    if (child == 0) {
        struct underway *underway = underway_open(path, note, &told);
        _exit(underway && put(underway, 200, true) && put(underway, id, false) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void the_dead_are_heard_once(void **state)
{
    char folder[] = "/tmp/crawltab-underway-XXXXXX", path[64], other[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/calls", folder);
    snprintf(other, sizeof(other), "%s/calls.1", folder);
    die_with(path, 3);
    struct underway *first = opened(path, 1, 3);
    /* One beside it, which dies, too. */
    die_with(path, 5);
    assert_int_equal(access(other, F_OK), 0);
    underway_end(first, (const uint8_t[UUID_SIZE]){3, 1});
    put(first, 7, false);
    struct underway *second = opened(path, 1, 5);
    underway_end(second, (const uint8_t[UUID_SIZE]){5, 1});
    underway_close(second);
    underway_close(first);
    /* Both are gone now; what is left is of the first. */
    first = opened(path, 1, 7);
    assert_int_not_equal(access(other, F_OK), 0);
    underway_end(first, (const uint8_t[UUID_SIZE]){7, 1});
    underway_close(first);
    underway_close(opened(path, 0, 0));
    unlink(path);
    rmdir(folder);
}

static void a_file_that_cannot_be_is_told(void **state)
{
    struct told told = {0, 0};
    (void)state;
    assert_null(underway_open("/nowhere/at/all/calls", note, &told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_dead_are_heard_once),
                                       cmocka_unit_test(a_file_that_cannot_be_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
