#include "ledger/licence/licence.h"

#include "ledger/base/clock.h"
#include "tools/crawltab/frame/command.h"

#include <stdio.h>
#include <stdlib.h>

static enum exit_status show(const struct config *config, const struct config_site *site,
                             enum licence_form form)
{
    char *text = licence_write(form, site, config->offer_ttl_seconds, clock_now_ms());
    if (!text)
        return EXIT_FAILED;
    fputs(text, stdout);
    if (*text && text[strlen(text) - 1] != '\n')
        putchar('\n');
    free(text);
    return EXIT_DONE;
}

/* The named one, or the only one. NULL after a message. */
static const struct config_site *find_site(const struct config *config, const char *name)
{
    const struct config_site *site = name                      ? config_site_called(config, name)
                                     : config->site_count == 1 ? config->sites
                                                               : NULL;
    if (!site && name)
        command_misused("--site: the configuration has no site of this name", name,
                        "see crawltab licence --help");
    else if (!site)
        command_misused("which site? There are several", NULL, "say --site NAME");
    return site;
}

static enum exit_status run(const char *config_path, int argc, char **argv)
{
    static const char *const verbs[] = {"show", NULL};
    static const char *const forms[] = {"rsl", "x402", "tdmrep", "robots", NULL};
    const char *name = NULL, *form_name = "rsl";
    const struct command_option options[] = {
        {"--site", &name, NULL}, {"--format", &form_name, NULL}, {NULL, NULL, NULL}};
    struct command_words words;
    enum licence_form form;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_misused("use: crawltab licence show", NULL, "see crawltab licence --help");
    if (strcmp(words.items[0], "show") != 0)
        return command_unknown("unknown verb", words.items[0], verbs, "see crawltab licence --help");
    if (words.count > 1)
        return command_misused("too many words", words.items[1], "see crawltab licence --help");
    if (!licence_form_parse(form_name, &form))
        return command_unknown("--format cannot be", form_name, forms, "see crawltab licence --help");
    struct config *config = command_config(config_path);
    if (!config)
        return EXIT_FAILED;
    const struct config_site *site = find_site(config, name);
    enum exit_status status = site ? show(config, site, form) : EXIT_USAGE;
    config_free(config);
    return command_finish(status);
}

const struct command licence_command = {
    .name = "licence",
    .summary = "tell prices and terms in public: RSL, x402, TDMRep, robots.txt",
    .help = "usage: crawltab licence show [--site NAME] [--format rsl|x402|tdmrep|robots]\n"
            "\n"
            "Prints what is made of the site's rules, to be pasted into a site whose front\n"
            "asks the gate only about crawlers. The gate itself serves\n"
            "\n"
            "  rsl       /rsl.xml                   RSL 1.0; every offer links to it\n"
            "  x402      /.well-known/x402.json     the draft listing of x402\n"
            "  tdmrep    /.well-known/tdmrep.json   only with licence.tdmrep: true\n"
            "\n"
            "  robots    lines for your robots.txt: License:, and Content-Usage: if it is set\n"
            "\n"
            "Rules for some crawlers only, and rules that observe, are not told. A star that\n"
            "stops at a slash is told as one that does not: these forms have no such star.\n",
    .examples = "  crawltab licence show --site gazette --format rsl\n",
    .run = run,
};
