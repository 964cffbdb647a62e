#define _GNU_SOURCE /* asprintf, pipe2 */
/* Output is read whole before anything is answered, so it is bounded, and so is the time. The child is ended
 * by SIGTERM when that is over: commands can be killed anywhere, the ledger stays whole. */
#include "server/console/base/child.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MS     60000
#define OUTPUT_MAX (64u << 20)
#define SAID_MAX   65536
#define FORMAT_MAX 512
#define PIECE      16384

extern char **environ;

/* --- words --- */

static const char *value_of(const json_t *given, const char *name)
{
    const char *text = json_string_value(json_object_get(given, name));
    return text && *text ? text : NULL;
}

static void add(struct child_words *words, char *word)
{
    if (!word || words->count == CHILD_WORDS_MAX) {
        words->refused = words->refused ? words->refused : "arguments";
        free(word);
        return;
    }
    words->copies[words->count] = word;
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

/* One word of the template, of `len` bytes. */
static void add_word(struct child_words *words, const char *word, size_t len, bool optional,
                     const json_t *given)
{
    char name[64] = "", *made = NULL;
    const char *open = memchr(word, '{', len), *asks = memchr(word, '?', len);
    const char *begins = open ? open : asks;
    if (!begins) {
        add(words, strndup(word, len));
        return;
    }
    size_t head = (size_t)(begins - word), size = len - head - (open ? 2 : 1);
    snprintf(name, sizeof(name), "%.*s", (int)size, begins + 1);
    const char *value = value_of(given, name);
    if (!value) {
        if (!optional && !words->lacking)
            words->lacking = begins + 1;
        return;
    }
    if (open && head == 0 && *value == '-')
        words->refused = begins + 1; /* it would be an option */
    else if (asprintf(&made, "%.*s%s", (int)head, word, open ? value : "") >= 0)
        add(words, made);
}

void child_words(const char *format, const json_t *given, struct child_words *words)
{
    *words = (struct child_words){.count = 0};
    for (const char *at = format; *at;) {
        bool optional = *at == '[';
        at += optional;
        size_t len = strcspn(at, optional ? "]" : " ");
        add_word(words, at, len, optional, given);
        at += len;
        at += strspn(at, "] ");
    }
}

void child_words_free(struct child_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->copies[i]);
    *words = (struct child_words){.count = 0};
}

/* --- the run --- */

struct running {
    pid_t pid;
    int in, out, said; /* our ends; -1: closed */
};

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool open_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++)
        pipes[i][0] = pipes[i][1] = -1;
    for (int i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            return false;
    return true;
}

/* The environment with who asks; of the console's own. */
static char **environment(const char *actor)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **all = calloc(count + 2, sizeof(*all));
    char *named = NULL;
    if (!all || asprintf(&named, "CRAWLTAB_ACTOR=%s", actor) < 0) {
        free(all);
        return NULL;
    }
    all[0] = named;
    size_t kept = 1;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "CRAWLTAB_ACTOR=", 15) != 0)
            all[kept++] = environ[i];
    return all;
}

/* Signals that the console's threads do not take would never reach the child either. */
static int spawn(const struct child_program *program, const struct child_words *words, const char *actor,
                 int pipes[3][2], pid_t *pid)
{
    const char *argv[CHILD_WORDS_MAX + 8] = {program->path, "--config", program->config};
    size_t count = 3;
    char **env = environment(actor);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (!env)
        return ENOMEM;
    if (program->clock_offset) {
        argv[count++] = "--clock-offset";
        argv[count++] = program->clock_offset;
    }
    for (size_t i = 0; i < words->count; i++)
        argv[count++] = words->items[i];
    argv[count++] = "--yes";
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&files, pipes[i][i == 0 ? 0 : 1], i);
    /* posix_spawn has the old type of its arguments; it changes none of them. */
    int failed = posix_spawn(pid, program->path, &files, &attributes, (char *const *)(const void *)argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    free(env[0]);
    free(env);
    return failed;
}

/* What arrives on `fd` goes to the stream, while it is not too much; false when it ended. */
static bool take(int fd, FILE *to, size_t *taken, size_t most)
{
    char piece[PIECE];
    ssize_t len = read(fd, piece, sizeof(piece));
    if (len < 0 && errno == EINTR)
        return true;
    if (len <= 0)
        return false;
    *taken += (size_t)len;
    if (*taken <= most)
        fwrite(piece, 1, (size_t)len, to);
    return true;
}

static void give(struct running *running, struct slice *input)
{
    ssize_t len = write(running->in, input->data, input->len);
    if (len < 0 && errno != EINTR)
        input->len = 0;
    if (len > 0)
        *input = (struct slice){input->data + len, input->len - (size_t)len};
    if (input->len == 0)
        shut(&running->in);
}

/* False when it took too long, or said too much. */
static bool converse(struct running *running, struct slice input, FILE *out, FILE *said)
{
    int64_t until_ms = clock_monotonic_ms() + RUN_MS;
    size_t out_len = 0, said_len = 0;
    while (running->out >= 0 || running->said >= 0) {
        struct pollfd waits[3] = {
            {running->out, POLLIN, 0}, {running->said, POLLIN, 0}, {running->in, POLLOUT, 0}};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0 || out_len > OUTPUT_MAX)
            return false;
        if (poll(waits, 3, (int)left_ms) <= 0)
            continue;
        if (waits[0].revents && !take(running->out, out, &out_len, OUTPUT_MAX))
            shut(&running->out);
        if (waits[1].revents && !take(running->said, said, &said_len, SAID_MAX))
            shut(&running->said);
        if (waits[2].revents)
            give(running, &input);
    }
    return true;
}

static int end(struct running *running, bool whole)
{
    int status = 0;
    if (!whole)
        kill(running->pid, SIGTERM);
    while (waitpid(running->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return whole && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void child_run(const struct child_program *program, const struct child_words *words, const char *actor,
               struct slice input, struct child_result *result)
{
    int pipes[3][2];
    struct running running = {.in = -1, .out = -1, .said = -1};
    size_t said_len;
    *result = (struct child_result){.status = -1};
    FILE *out = open_memstream(&result->out, &result->out_len);
    FILE *said = open_memstream(&result->said, &said_len);
    bool piped = open_pipes(pipes);
    int failed = !piped || !out || !said ? errno : spawn(program, words, actor, pipes, &running.pid);
    if (piped) {
        shut(&pipes[0][0]);
        shut(&pipes[1][1]);
        shut(&pipes[2][1]);
    }
    running.in = pipes[0][1], running.out = pipes[1][0], running.said = pipes[2][0];
    if (!input.data)
        shut(&running.in);
    if (failed)
        LOG(ERROR, "command_not_run", {"program", program->path}, {"detail", strerror(failed)});
    else
        result->status = end(&running, converse(&running, input, out, said));
    shut(&running.in);
    shut(&running.out);
    shut(&running.said);
    if (out)
        fclose(out);
    if (said)
        fclose(said);
}

void child_result_free(struct child_result *result)
{
    free(result->out);
    free(result->said);
    *result = (struct child_result){.status = -1};
}

void child_sentence(const struct child_result *result, char sentence[CHILD_SENTENCE_MAX],
                    char hint[CHILD_SENTENCE_MAX])
{
    static const char head[] = "crawltab: ", hint_head[] = "  hint: ";
    const char *text = result->said ? result->said : "";
    sentence[0] = hint[0] = '\0';
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (!sentence[0] && strncmp(line, head, sizeof(head) - 1) == 0)
            snprintf(sentence, CHILD_SENTENCE_MAX, "%.*s", (int)(len - sizeof(head) + 1),
                     line + sizeof(head) - 1);
        if (!hint[0] && strncmp(line, hint_head, sizeof(hint_head) - 1) == 0)
            snprintf(hint, CHILD_SENTENCE_MAX, "%.*s", (int)(len - sizeof(hint_head) + 1),
                     line + sizeof(hint_head) - 1);
        line += len + (line[len] != '\0');
    }
    if (!sentence[0])
        snprintf(sentence, CHILD_SENTENCE_MAX, "%s",
                 result->status < 0 ? "the command took too long, or could not be run"
                                    : "the command failed");
}
