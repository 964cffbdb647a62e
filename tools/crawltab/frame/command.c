#include "tools/crawltab/frame/command.h"

#include "ledger/base/clock.h"
#include "ledger/base/config/config_table.h"
#include "ledger/base/instant.h"
#include "ledger/pg/sandbox.h"
#include "ledger/pg/schema.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS       10000
#define OPTIONS_MAX      32
#define ACTOR_MAX        256
#define COMMAND_HINT_MAX 256
/* Closing a day of many million entries is one statement. */
#define CALL_MS (4 * 3600000)

enum exit_status command_misused(const char *what, const char *value, const char *hint)
{
    LOG(ERROR, what, {"argument", value}, {"hint", hint});
    return EXIT_USAGE;
}

enum exit_status command_unknown(const char *what, const char *word, const char *const *words,
                                 const char *hint)
{
    char meant[COMMAND_HINT_MAX];
    const char *near = config_nearest(word, words);
    if (!near)
        return command_misused(what, word, hint);
    snprintf(meant, sizeof(meant), "did you mean %s? %s", near, hint);
    return command_misused(what, word, meant);
}

bool command_date(const char *what, const char *date)
{
    if (!date || instant_is_date(slice_of(date)))
        return true;
    command_misused(what, date, "write it as YYYY-MM-DD");
    return false;
}

static bool agreed; /* --yes, which every command takes */

bool command_confirm(const char *what)
{
    char answer[8] = "";
    if (agreed || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    fprintf(stderr, "%s This cannot be undone. Go on? [y/N] ", what);
    if (fgets(answer, sizeof(answer), stdin) && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return true;
    LOG(ERROR, "nothing was done", {"hint", "answer y; or say --yes, in a script that has a terminal"});
    return false;
}

static const struct command_option *find(const struct command_option *options, const char *argument,
                                         size_t len)
{
    for (; options->name; options++)
        if (strlen(options->name) == len && strncmp(options->name, argument, len) == 0)
            return options;
    return NULL;
}

static void unknown_option(const struct command_option *options, const char *argument, size_t len)
{
    const char *names[OPTIONS_MAX + 1] = {NULL};
    char name[CONFIG_WORD_MAX];
    for (size_t i = 0; options[i].name && i < OPTIONS_MAX; i++)
        names[i] = options[i].name;
    snprintf(name, sizeof(name), "%.*s", (int)len, argument);
    command_unknown("unknown option", name, names, "see --help of this command");
}

bool command_parse(int argc, char **argv, const struct command_option *options, struct command_words *words)
{
    *words = (struct command_words){.count = 0};
    for (int i = 0; i < argc; i++) {
        const char *argument = argv[i];
        size_t len = strcspn(argument, "=");
        if (strncmp(argument, "--", 2) != 0) {
            if (words->count == COMMAND_WORDS_MAX) {
                command_misused("too many arguments", argument, "see crawltab --help");
                return false;
            }
            words->items[words->count++] = argument;
            continue;
        }
        const struct command_option *option = find(options, argument, len);
        const char *value = argument[len] == '=' ? argument + len + 1 : NULL;
        assert(!option || !option->flag != !option->value); /* one of the two */
        if (option && option->value && !value && i + 1 < argc)
            value = argv[++i];
        if (!option && strcmp(argument, "--yes") == 0) {
            agreed = true;
            continue;
        }
        if (!option) {
            unknown_option(options, argument, len);
            return false;
        }
        if ((option->flag && value) || (option->value && !value)) {
            command_misused(option->flag ? "this option takes no value" : "this option needs a value",
                            argument, "see --help of this command");
            return false;
        }
        if (option->flag)
            *option->flag = true;
        else
            *option->value = value;
    }
    return true;
}

struct config *command_config(const char *path)
{
    if (access(path, R_OK) != 0) {
        LOG(ERROR, "cannot read the configuration", {"file", path}, {"detail", strerror(errno)},
            {"hint", "name it with --config FILE; config.yaml.example is a start"});
        return NULL;
    }
    struct config *config = config_load(path, stderr, NULL);
    if (config && clock_offset_ms() != 0 && !config_on_loopback(config)) {
        LOG(ERROR, "--clock-offset is for demonstrations on loopback", {"listen", config->listen});
        config_free(config);
        config = NULL;
    }
    return config;
}

struct pg *command_open(const struct config *config, const char *application)
{
    bool audits = strcmp(config->ledger_command_role, "auditor") == 0;
    struct pg *pg = pg_open(
        &(struct pg_options){.config = config,
                             .role = audits ? config->ledger_auditor_role : config->ledger_operator_role,
                             .application = application,
                             .connect_ms = CONNECT_MS,
                             .timeout_ms = CALL_MS});
    if (pg && (schema_check(pg) != ERR_OK || sandbox_enter(pg, application) != ERR_OK)) {
        pg_close(pg);
        pg = NULL;
    }
    return pg;
}

const char *command_actor(void)
{
    /* The console says for whom it runs a command; the account of this machine is told in any case. */
    static char both[ACTOR_MAX];
    const char *asks = getenv("CRAWLTAB_ACTOR");
    /* cppcheck-suppress getpwuidCalled ; one thread */
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user ? user->pw_name : "unknown user";
    if (!asks || !*asks)
        return name;
    snprintf(both, sizeof(both), "%s for %.120s", name, asks);
    return both;
}

enum exit_status command_finish(enum exit_status status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    LOG(ERROR, "cannot write the output", {"detail", strerror(errno)});
    return EXIT_FAILED;
}
