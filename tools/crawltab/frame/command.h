/* The operator's subcommands: what they are called, what they share. One file per subcommand. */
#ifndef TOOLS_CRAWLTAB_FRAME_COMMAND_H
#define TOOLS_CRAWLTAB_FRAME_COMMAND_H

#include "ledger/pg/pg.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_BAD = 2,      /* doctor, where EXIT_FAILED is a warning: as Nagios has it */
    EXIT_UNPROVEN = 3, /* nightly: done, and some entries are not what was signed */
    EXIT_USAGE = 64,   /* EX_USAGE of sysexits.h */
    EXIT_BUSY = 75     /* EX_TEMPFAIL: another run is at it */
};

struct command {
    const char *name;
    const char *summary;  /* one line */
    const char *help;     /* at most 80 columns */
    const char *examples; /* likewise, each "  crawltab NAME …" */
    enum exit_status (*run)(const char *config_path, int argc, char **argv);
};

extern const struct command agreement_command;
extern const struct command crawler_command;
extern const struct command init_command;
extern const struct command migrate_command;
extern const struct command nightly_command;
extern const struct command invoice_command;
extern const struct command adjust_command;
extern const struct command statement_command;
extern const struct command audit_command;
extern const struct command lookup_command;
extern const struct command verify_command;
extern const struct command archive_command;
extern const struct command export_command;
extern const struct command key_command;
extern const struct command checkpoint_command;
extern const struct command site_command;
extern const struct command licence_command;
extern const struct command check_request_command;
extern const struct command webhook_command;
extern const struct command settle_command;
extern const struct command import_command;
extern const struct command front_command;
extern const struct command undelivered_command;
extern const struct command unproven_command;
extern const struct command traffic_command;
extern const struct command today_command;
extern const struct command dispute_command;
extern const struct command doctor_command;
extern const struct command backup_command;
extern const struct command restore_command;
extern const struct command token_command;
extern const struct command console_command;

/* One option: `value` gets what follows, or `flag` becomes true. */
struct command_option {
    const char *name; /* "--site" */
    const char **value;
    bool *flag;
};

#define COMMAND_WORDS_MAX 64

struct command_words {
    const char *items[COMMAND_WORDS_MAX];
    int count;
};

/* Reads options, `--name value` or `--name=value`, and words. `options` ends with a NULL name. False after a
 * message about what is wrong. */
bool command_parse(int argc, char **argv, const struct command_option *options, struct command_words *words);

/* Says what is wrong with the command line, and where help is. Returns EXIT_USAGE. */
enum exit_status command_misused(const char *what, const char *value, const char *hint);

/* The same for a word that is none of these, the last of which is NULL: says which one was probably meant. */
enum exit_status command_unknown(const char *what, const char *word, const char *const *words,
                                 const char *hint);

/* Asks on a terminal whether to do what cannot be undone, `what` being a sentence. True if yes, if --yes was
 * among the words that command_parse has read, or if nobody is there to be asked; false after saying that
 * nothing was done. */
bool command_confirm(const char *what);

/* True for a date YYYY-MM-DD, and for NULL. False after saying `what` is wrong: "--day is no date". */
bool command_date(const char *what, const char *date);

/* Loads the configuration; NULL after messages. The caller frees. */
struct config *command_config(const char *path);

/* Connects as the operator's role, or the auditor's (`ledger.command_role`), and checks the schema; NULL
 * after a message. */
struct pg *command_open(const struct config *config, const char *application);

/* Who runs this: the operating system's user. Valid until the program ends. */
const char *command_actor(void);

/* Ends the output; EXIT_FAILED if it could not all be written. */
enum exit_status command_finish(enum exit_status status);

#endif
