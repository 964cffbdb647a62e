/* Tests tests/e2e/programs/backup.test.js */
#include "ledger/pg/pg_program.h"

#include "ledger/base/log.h"
#include "ledger/pg/pg_target.h"

#include <assert.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define WORDS_MAX 16

extern char **environ;

/* key='value', as libpq reads it: quotes and backslashes are escaped. */
static void write_value(FILE *out, const char *key, const char *value)
{
    fprintf(out, "%s='", key);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            fputc('\\', out);
        fputc(*value, out);
    }
    fputs("' ", out);
}

/* "--dbname=…"; the caller frees. Whoever lists processes sees it, so the password is not in it. */
static char *connection_word(struct pg_target *target, const char *role)
{
    char *word = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&word, &size);
    if (!out)
        return NULL;
    pg_target_set(target, "user", role);
    /* A relative folder is taken from the configuration's. Of several hosts libpq finds the one. */
    if (target->hosts.count == 1)
        pg_target_set_host(target, &target->hosts.items[0]);
    fputs("--dbname=", out);
    for (size_t i = 0; i < target->count; i++)
        if (strcmp(target->keys[i], "password") != 0 && *target->values[i])
            write_value(out, target->keys[i], target->values[i]);
    if (fclose(out) == 0)
        return word;
    free(word);
    return NULL;
}

static bool run(const char *program, char *const *words)
{
    pid_t child;
    int status = 0;
    int problem = posix_spawnp(&child, program, NULL, NULL, words, environ);
    if (problem != 0) {
        LOG(ERROR, "a program of PostgreSQL cannot be run", {"program", program},
            {"detail", strerror(problem)}, {"hint", "on Debian it is in postgresql-client"});
        return false;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    LOG(ERROR, "a program of PostgreSQL failed", {"program", program}, {"hint", "what it says stands above"});
    return false;
}

bool pg_program_run(const struct config *config, const char *role, const char *program,
                    const char *const *words)
{
    struct pg_target target;
    char *arguments[WORDS_MAX] = {NULL};
    size_t count = 0;
    bool ok = pg_target_parse(&target, config);
    const char *password = ok ? pg_target_get(&target, "password") : NULL;
    char *name = strdup(program), *connection = ok ? connection_word(&target, role) : NULL;
    ok = name && connection && (!password || setenv("PGPASSWORD", password, 1) == 0);
    arguments[count++] = name;
    arguments[count++] = connection;
    for (; *words; words++) {
        assert(count + 1 < WORDS_MAX);
        arguments[count++] = (char *)(uintptr_t)*words;
    }
    ok = ok && run(program, arguments);
    if (password)
        unsetenv("PGPASSWORD");
    free(name);
    free(connection);
    pg_target_free(&target);
    return ok;
}
