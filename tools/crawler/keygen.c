/* crawler keygen and crawler directory: the key and what is published of it. */
#include "ledger/base/file/file.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/key.h"
#include "tools/crawler/say.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>

static const char keygen_help[] =
    "Usage: crawler keygen --key FILE\n"
    "Makes an Ed25519 key and writes it to FILE as a private JSON Web Key that only\n"
    "its owner can read. Prints the keyid. An existing file is left as it is.\n"
    "\n"
    "  -k, --key FILE  where the key goes\n"
    "  -h, --help      show this\n";

static const char directory_help[] =
    "Usage: crawler directory --key FILE [--out FILE]\n"
    "Writes the key directory, which has the public half of the key alone: what sites\n"
    "check signatures with. Host it under your Signature-Agent's name as\n"
    "  https://NAME/.well-known/http-message-signatures-directory\n"
    "with the media type application/http-message-signatures-directory+json.\n"
    "\n"
    "  -k, --key FILE  the key that `crawler keygen` made\n"
    "  -o, --out FILE  write it here (default: standard output)\n"
    "  -h, --help      show this\n";

struct arguments {
    const char *key;
    const char *out;
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, const char *shorts, const char *help, struct arguments *arguments)
{
    static const struct option longs[] = {
        {"key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"out", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    const char *name = argv[0];
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (c == 'k') {
            arguments->key = optarg;
        } else if (c == 'o') {
            arguments->out = optarg;
        } else if (c == 'h') {
            fputs(help, stdout);
            return COMMANDS_OK;
        } else {
            say_problem("try '%s --help'", name);
            return COMMANDS_USAGE;
        }
    }
    if (optind < argc || !arguments->key) {
        if (optind < argc)
            say_problem("\"%s\" is not expected; try '%s --help'", argv[optind], name);
        else
            say_problem("--key FILE is missing; try '%s --help'", name);
        return COMMANDS_USAGE;
    }
    return -1;
}

int keygen_main(int argc, char **argv)
{
    struct arguments arguments = {NULL, NULL};
    struct key key;
    int status = parse(argc, argv, "k:h", keygen_help, &arguments);
    if (status >= 0)
        return status;
    if (arguments.out) {
        say_problem("keygen writes to --key alone; try 'crawler keygen --help'");
        return COMMANDS_USAGE;
    }
    if (!key_make(arguments.key, &key))
        return COMMANDS_FAILED;
    key_forget(&key);
    puts(key.keyid);
    return fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
}

static const char *write_file(const char *path, const char *text)
{
    struct file_draft *draft;
    const char *problem = file_draft_begin(AT_FDCWD, path, FILE_PUBLIC, &draft);
    if (problem)
        return problem;
    file_draft_write(draft, text, strlen(text));
    file_draft_write(draft, "\n", 1);
    return file_draft_replace(draft, false);
}

static bool write_directory(const char *path, const char *text)
{
    const char *problem = NULL;
    if (path)
        problem = write_file(path, text);
    else if (puts(text) == EOF || fflush(stdout) != 0)
        problem = strerror(errno);
    if (problem)
        say_problem("cannot write the directory to \"%s\": %s", path ? path : "standard output", problem);
    return !problem;
}

int directory_main(int argc, char **argv)
{
    struct arguments arguments = {NULL, NULL};
    struct key key;
    int status = parse(argc, argv, "k:o:h", directory_help, &arguments);
    if (status >= 0)
        return status;
    if (!key_load(arguments.key, &key))
        return COMMANDS_FAILED;
    key_forget(&key);
    char *text = key_directory(&key);
    status = text && write_directory(arguments.out, text) ? COMMANDS_OK : COMMANDS_FAILED;
    free(text);
    return status;
}
