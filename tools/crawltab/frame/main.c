/* crawltab: the operator's command. Everything it does is in the subcommands' files. */
#include "tools/crawltab/frame/command.h"

#include "ledger/base/clock.h"
#include "ledger/base/places.h"
#include "ledger/base/version.h"

#include <signal.h>
#include <stdio.h>

static const struct command *const commands[] = {
    &init_command,        &migrate_command,       &nightly_command, &invoice_command,   &lookup_command,
    &export_command,      &check_request_command, &key_command,     &webhook_command,   &checkpoint_command,
    &settle_command,      &import_command,        &crawler_command, &agreement_command, &site_command,
    &licence_command,     &archive_command,       &adjust_command,  &statement_command, &audit_command,
    &undelivered_command, &today_command,         &traffic_command, &front_command,     &unproven_command,
    &verify_command,      &doctor_command,        &backup_command,  &restore_command,   &token_command,
    &dispute_command,     &console_command,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static void print_help(void)
{
    puts("usage: crawltab [--config FILE] COMMAND [OPTIONS]\n"
         "\n"
         "Keeps the ledger of crawltabd: crawlers run a tab, and each night it becomes\n"
         "invoices.\n"
         "\n"
         "commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-13s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n"
         "options:");
    printf("  --config FILE        the configuration (default: %s)\n", places_config);
    puts("  --clock-offset SECS  with the clock moved, for demonstrations; only where\n"
         "                       the gate listens on loopback\n"
         "  --yes                what cannot be undone is done without a question, which\n"
         "                       is asked on terminals only\n"
         "  --help               this help, or that of the command it follows; help\n"
         "                       COMMAND is the same\n"
         "  --version            the version\n"
         "\n"
         "exit status: 0 done, 1 failed, 64 wrong usage, 75 another run is at it");
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

static enum exit_status unknown(const char *what, const char *word)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    return command_unknown(what, word, names, "see crawltab --help");
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* Help names the configuration of a checkout, an installed program has another one. */
static void print_command_help(const struct command *command)
{
    static const char named[] = "(default: config.yaml)";
    const char *help = command->help;
    for (const char *at; (at = strstr(help, named)); help = at + strlen(named))
        printf("%.*s(default: %s)", (int)(at - help), help, places_config);
    fputs(help, stdout);
    printf("\nexamples:\n%s", command->examples);
}

static enum exit_status help_on(const char *topic)
{
    const struct command *command = find(topic);
    if (!command)
        return unknown("there is no help on", topic);
    print_command_help(command);
    return command_finish(EXIT_DONE);
}

static enum exit_status obey(const struct command *command, const char *config_path, int argc, char **argv)
{
    if (asks_help(argc, argv)) {
        print_command_help(command);
        return command_finish(EXIT_DONE);
    }
    return command_finish(command->run(config_path, argc, argv));
}

/* What may stand before the command and after it. Takes the option and its value out of the arguments; false
 * if it has no value. */
static bool take_option(int *argc, char **argv, const char *name, const char **value)
{
    size_t len = strlen(name);
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            *value = argv[i] + len + 1;
        } else if (strcmp(argv[i], name) == 0) {
            if (i + 1 == *argc)
                return false;
            *value = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return true;
}

int main(int argc, char **argv)
{
    const char *config_path = places_config, *offset = "0";
    int64_t offset_ms = 0;
    int count = argc - 1;
    char **arguments = argv + 1;
    log_for_people("crawltab");
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is told like a full disk, and does not end us */
    if (!take_option(&count, arguments, "--config", &config_path))
        return command_misused("--config needs a file", NULL, "see crawltab --help");
    if (!take_option(&count, arguments, "--clock-offset", &offset) || !clock_read_offset(offset, &offset_ms))
        return command_misused("--clock-offset needs a number of seconds", offset, "see crawltab --help");
    clock_set_offset_ms(offset_ms);
    if (count == 0) {
        print_help();
        return EXIT_USAGE;
    }
    const struct command *command = find(arguments[0]);
    if (command)
        return obey(command, config_path, count - 1, arguments + 1);
    if (strcmp(arguments[0], "help") == 0 && count > 1 && *arguments[1] != '-')
        return help_on(arguments[1]);
    if (strcmp(arguments[0], "help") == 0 || asks_help(1, arguments)) {
        print_help();
        return command_finish(EXIT_DONE);
    }
    if (strcmp(arguments[0], "--version") == 0) {
        puts("crawltab " CRAWLTAB_VERSION);
        return command_finish(EXIT_DONE);
    }
    return unknown("unknown command", arguments[0]);
}
