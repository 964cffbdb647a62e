/* Whoever does not read the log keeps nobody waiting, loses what there is no room for, and is told how much.
 */
#include "tests/unit/support.h"

#include "ledger/base/log.h"
#include "ledger/base/log_queue.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 12000 /* of more than a hundred bytes: more than queue and pipe hold */

static int kept, reading;

static void begin(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reading = ends[0];
}

static void end(void)
{
    dup2(kept, STDERR_FILENO); /* the last writer's end is closed */
    close(kept);
}

static void say(int number)
{
    LOG(INFO, "counting", {"number", LOG_NUMBER(number)},
        {"detail", "what makes the line long enough to fill the room that there is for it"});
}

struct seen {
    int lines, whole, lost, last;
};

static void *read_all(void *context)
{
    struct seen *seen = context;
    FILE *file = fdopen(reading, "r");
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        int number;
        const char *at = strstr(line, "event=counting number=");
        const char *lost = strstr(line, "event=log_lines_lost lines=");
        seen->lines++;
        if (at && sscanf(at, "event=counting number=%d", &number) == 1 && strstr(line, "for it\"\n")) {
            seen->whole++;
            assert_true(number > seen->last);
            seen->last = number;
        }
        if (lost)
            seen->lost +=
                atoi(lost + strlen("event=log_lines_lost lines=")); /* lint: banned, digits of ours */
    }
    free(line);
    fclose(file);
    return NULL;
}

static void nobody_waits_for_a_reader(void **state)
{
    (void)state;
    pthread_t reader;
    struct seen seen = {.last = -1};
    begin();
    assert_true(log_queue_start());
    for (int i = 0; i < LINES; i++)
        say(i); /* without a queue this would stand still for ever */
    pthread_create(&reader, NULL, read_all, &seen);
    log_queue_stop();
    end();
    pthread_join(reader, NULL);
    assert_int_equal(seen.whole + seen.lost, LINES);
    assert_true(seen.lost > 0 && seen.whole > 1000);
}

static void a_program_ends_without_a_reader(void **state)
{
    (void)state;
    begin();
    assert_true(log_queue_start());
    for (int i = 0; i < LINES; i++)
        say(i);
    log_queue_stop();
    end();
    close(reading);
}

static void all_lines_are_there_for_who_reads(void **state)
{
    (void)state;
    pthread_t reader;
    struct seen seen = {.last = -1};
    begin();
    pthread_create(&reader, NULL, read_all, &seen);
    assert_true(log_queue_start());
    for (int i = 0; i < 500; i++)
        say(i);
    log_queue_stop();
    say(500); /* at once, as before */
    end();
    pthread_join(reader, NULL);
    assert_int_equal(seen.whole, 501);
    assert_int_equal(seen.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_for_a_reader),
        cmocka_unit_test(a_program_ends_without_a_reader),
        cmocka_unit_test(all_lines_are_there_for_who_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
