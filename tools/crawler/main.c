/* crawler: a crawler that pays. Finds its subcommand. */
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include "ledger/base/version.h"

#include <signal.h>
#include <string.h>

static const char help[] =
    "Usage: crawler COMMAND [OPTION]...\n"
    "A crawler that pays: it signs its requests (Web Bot Auth), commits to the prices\n"
    "of the pages it wants (x402, deferred) and keeps pages and receipts.\n"
    "\n"
    "  keygen      make a key\n"
    "  directory   write the key directory, for hosting where --agent will say\n"
    "  serve       serve the key directory over plain HTTP\n"
    "  fetch       fetch pages and pay for them, up to a price and a budget\n"
    "\n"
    "  account     agreement, prices and credit at a site\n"
    "  statement   invoices, credit notes, payments and the balance at a site\n"
    "  invoice     the invoices of a site, and each as a file\n"
    "  proof       the proof of a payment, that can be checked without the site\n"
    "  reconcile   compare the kept receipts with the entries of a site\n"
    "  dispute     say what is wrong with payments, and see what came of it\n"
    "\n"
    "  -h, --help     show this; `crawler COMMAND --help` shows the command's own\n"
    "  -V, --version  show the version\n"
    "\n"
    "Exit status: 0 all done, 1 something was not, 64 the command line is wrong; of\n"
    "reconcile 2 where there are differences.\n"
    "\n"
    "To begin with:\n"
    "  crawler keygen --key crawler.key\n"
    "  crawler directory --key crawler.key --out directory.json\n"
    "    host this as\n"
    "    https://my.crawler.example/.well-known/http-message-signatures-directory\n"
    "  crawler fetch --key crawler.key --agent https://my.crawler.example \\\n"
    "      --max-price 'USD 0.05' --budget 'USD 1.00' https://example.com/page\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"keygen", keygen_main},   {"directory", directory_main}, {"serve", serve_main},
                    {"fetch", fetch_main},     {"account", account_main},     {"statement", statement_main},
                    {"invoice", invoice_main}, {"proof", proof_main},         {"reconcile", reconcile_main},
                    {"dispute", dispute_main}};
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is told like a full disk, and does not end us */
    static char full_name[32];
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        fputs(help, stderr);
        return COMMANDS_USAGE;
    }
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        fputs(help, stdout);
        return fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
    }
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        puts("crawler " CRAWLTAB_VERSION);
        return COMMANDS_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(name, commands[i].name) == 0) {
            snprintf(full_name, sizeof(full_name), "crawler %s", name);
            argv[1] = full_name; /* what getopt's messages begin with */
            return commands[i].run(argc - 1, argv + 1);
        }
    say_problem("there is no command \"%s\"; try 'crawler --help'", name);
    return COMMANDS_USAGE;
}
