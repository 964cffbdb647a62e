#include "tools/crawltab/disputes/dispute_page.h"
#include "tools/crawltab/disputes/dispute_piece.h"
#include "tools/crawltab/disputes/dispute_steps.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/dispute/opening.h"
#include "ledger/dispute/piece.h"
#include "sql/rows/dispute.h"

#include <stdlib.h>
#include <string.h>

/* What is listed; NULL: all. */
struct selection {
    const char *site, *crawler, *status;
};

static enum exit_status list(struct pg *pg, const struct selection *selection, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool ok;
    pg_params_text(&params, selection->site);
    pg_params_text(&params, selection->crawler);
    pg_params_text(&params, selection->status);
    pg_params_number(&params, clock_now_ms());
    ok = pg_run(pg, "dispute_list", &params, &rows) == ERR_OK;
    if (ok && json)
        ok = show_json(dispute_page_list_json(&rows), JSON_INDENT(2));
    else if (ok)
        dispute_page_list(&rows);
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status show(struct pg *pg, const struct config *config, const struct dispute_steps *steps)
{
    const char *id = steps->words[0];
    enum exit_status status = dispute_steps_show(pg, id, steps->json);
    if (status == EXIT_DONE && steps->proof && !dispute_steps_prove(pg, config, steps))
        status = EXIT_FAILED;
    if (status == EXIT_DONE && steps->evidence && !dispute_piece_write(pg, id, steps->piece, steps->evidence))
        status = EXIT_FAILED;
    return status;
}

static enum exit_status rules(bool json)
{
    if (json)
        return show_json(dispute_page_rules_json(), JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    dispute_page_rules();
    return EXIT_DONE;
}

/* --- the command --- */

static bool misused(const char *what, const char *value, const char *hint)
{
    command_misused(what, value, hint);
    return false;
}

static bool check_decision(const struct dispute_steps *steps)
{
    static const char hint[] = "see crawltab dispute --help";
    if (steps->count == 0)
        return !(steps->uphold || steps->reject || steps->reason || steps->amount || steps->proof) ||
               misused("which dispute?", NULL, "crawltab dispute list has their ids");
    if (steps->uphold + steps->reject != 1)
        return misused("say --uphold or --reject", NULL, hint);
    if (steps->reject && (steps->count > 1 || steps->amount))
        return misused("--reject is of all that is not upheld yet", NULL,
                       "with --uphold and some payments the others are rejected");
    if (!steps->reason || !*steps->reason)
        return misused("--reason is missing", NULL, "the crawler reads it, and it stands on the credit note");
    return true;
}

static bool check_pieces(const char *verb, const struct dispute_steps *steps)
{
    uint8_t uuid[UUID_SIZE];
    bool adds = strcmp(verb, "add") == 0;
    if (!uuid_parse(slice_of(steps->words[0]), uuid))
        return misused("this is no dispute", steps->words[0], "crawltab dispute list has their ids");
    if (adds && !steps->evidence)
        return misused("--evidence is missing", NULL, "give " PIECE_TYPES ", of at most 1 MiB");
    if (adds && steps->text && strlen(steps->text) > PIECE_NOTE_MAX)
        return misused("--text is longer than 4096 bytes", NULL, "put it into a file of its own");
    if (steps->name && !*steps->name)
        return misused("--name is empty", NULL, "leave it out, or say how the file is called");
    if (!steps->piece)
        return true;
    bool number = *steps->piece && strlen(steps->piece) <= 4 &&
                  strspn(steps->piece, "0123456789") == strlen(steps->piece);
    return (number && !adds && steps->evidence) ||
           misused("--piece is the number of one, and goes with show and --evidence", steps->piece,
                   "crawltab dispute show says which there are");
}

static bool check(const char *verb, const struct dispute_steps *steps, const struct selection *selection)
{
    static const char *const statuses[] = {"open",   "overdue",     "opened",   "referred",
                                           "upheld", "part_upheld", "rejected", NULL};
    if (strcmp(verb, "open") == 0)
        return (steps->reason && dispute_reason_known(steps->reason)) ||
               misused("--reason is missing, or none that there is", steps->reason,
                       "crawltab dispute rules lists them, such as service_not_delivered");
    if (strcmp(verb, "decide") == 0)
        return check_decision(steps);
    if (strcmp(verb, "list") == 0 && steps->count == 0) {
        for (size_t i = 0; selection->status && statuses[i]; i++)
            if (strcmp(statuses[i], selection->status) == 0)
                return true;
        return !selection->status || command_unknown("no dispute has this status", selection->status,
                                                     statuses, "see crawltab dispute --help") == EXIT_DONE;
    }
    if ((strcmp(verb, "show") == 0 || strcmp(verb, "add") == 0) && steps->count == 1)
        return check_pieces(verb, steps);
    return (strcmp(verb, "rules") == 0 && steps->count == 0) ||
           misused("use: crawltab dispute open, list, show ID, add ID, decide or rules", NULL,
                   "see crawltab dispute --help");
}

static enum exit_status obey(const char *config_path, const char *verb, const struct dispute_steps *steps,
                             const struct selection *selection)
{
    enum exit_status status = EXIT_FAILED;
    /* By a person. The rules can be asked at any time. */
    if (strcmp(verb, "decide") == 0 && steps->count > 0 &&
        !command_confirm("The dispute is decided, for good."))
        return EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab dispute") : NULL;
    if (pg && strcmp(verb, "open") == 0)
        status = dispute_steps_open(pg, config, steps);
    else if (pg && strcmp(verb, "decide") == 0)
        status = dispute_steps_decide(pg, config, steps);
    else if (pg && strcmp(verb, "show") == 0)
        status = show(pg, config, steps);
    else if (pg && strcmp(verb, "add") == 0)
        status = dispute_piece_add(pg, steps);
    else if (pg)
        status = list(pg, selection, steps->json);
    pg_close(pg);
    config_free(config);
    return status;
}

static enum exit_status manage_disputes(const char *config_path, int argc, char **argv)
{
    struct dispute_steps steps = {.words = NULL};
    struct selection selection = {.site = NULL};
    const struct command_option options[] = {{"--site", &selection.site, NULL},
                                             {"--crawler", &selection.crawler, NULL},
                                             {"--status", &selection.status, NULL},
                                             {"--reason", &steps.reason, NULL},
                                             {"--text", &steps.text, NULL},
                                             {"--evidence", &steps.evidence, NULL},
                                             {"--name", &steps.name, NULL},
                                             {"--piece", &steps.piece, NULL},
                                             {"--invoice", &steps.invoice, NULL},
                                             {"--line", &steps.line, NULL},
                                             {"--uphold", NULL, &steps.uphold},
                                             {"--reject", NULL, &steps.reject},
                                             {"--amount", &steps.amount, NULL},
                                             {"--proof", &steps.proof, NULL},
                                             {"--pdf", NULL, &steps.letters},
                                             {"--json", NULL, &steps.json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    const char *verb = words.count > 0 ? words.items[0] : "";
    steps.words = words.items + 1;
    steps.count = words.count > 0 ? words.count - 1 : 0;
    steps.site = selection.site;
    if (steps.letters && !steps.proof)
        return command_misused("--pdf writes letters about the proofs of --proof", NULL, "give both");
    if (!check(verb, &steps, &selection))
        return EXIT_USAGE;
    return strcmp(verb, "rules") == 0 ? rules(steps.json) : obey(config_path, verb, &steps, &selection);
}

const struct command dispute_command = {
    "dispute", "what crawlers say is wrong, and what comes of it",
    "usage: crawltab dispute open PAYMENT-ID... --reason CODE [--text TEXT]\n"
    "                             [--evidence FILE] [--site NAME] [--json]\n"
    "       crawltab dispute open --invoice NUMBER --line N[,N...] --reason CODE ...\n"
    "       crawltab dispute list [--status STATUS] [--crawler URL] [--site NAME]\n"
    "                             [--json]\n"
    "       crawltab dispute show ID [--proof DIR [--pdf]]\n"
    "                             [--evidence FILE [--piece N]] [--json]\n"
    "       crawltab dispute add ID --evidence FILE [--name NAME] [--text TEXT]\n"
    "                             [--json]\n"
    "       crawltab dispute decide [--site NAME]\n"
    "       crawltab dispute decide ID --uphold [PAYMENT-ID...] [--amount AMOUNT]\n"
    "                             --reason TEXT [--json]\n"
    "       crawltab dispute decide ID --reject --reason TEXT\n"
    "                             [--proof DIR [--pdf]] [--json]\n"
    "       crawltab dispute rules [--json]\n"
    "\n"
    "A dispute is about payments of one crawler, or about lines of its invoices.\n"
    "Crawlers open them at the gate; for one who writes a letter, open does it here.\n"
    "All of it is opened, or none, and for each payment it says why.\n"
    "\n"
    "The rules look at a dispute when it is opened here, and at those of crawlers\n"
    "when the night comes or decide is run without an id. What they give back is an\n"
    "adjustment at once, and a credit note or a line of the next invoice when its day\n"
    "is closed. The rest is referred to a person, who upholds it, in parts or whole,\n"
    "or rejects it. A decision is final: what is not upheld by it is rejected.\n"
    "\n"
    "What a decision rests on is put to the dispute with add, while it is open: at\n"
    "most 50 pieces, each a PDF, a PNG or JPEG picture, or text in UTF-8, of at most\n"
    "1 MiB. Like all on which money depends they are in what the next closed day\n"
    "signs, and cannot be changed.\n"
    "\n"
    "How long after a crawl or its invoice it can be disputed, how long there is to\n"
    "decide, and how much rules may give back within 30 days is in the agreement\n"
    "(disputes), or in the site's configuration. Invoices are sent, and due, as ever;\n"
    "crawltab invoice show says how much of one is disputed.\n"
    "\n"
    "options:\n"
    "  --reason CODE    for open: one of those that rules lists; for decide: in words\n"
    "                   that the crawler reads\n"
    "  --text TEXT      what the crawler says; for add: what is said of the file\n"
    "  --evidence FILE  a file that goes with it (- is standard input); for show:\n"
    "                   where to write it\n"
    "  --name NAME      how that file is called (default: as it is)\n"
    "  --piece N        which piece of evidence (default: what came with the opening)\n"
    "  --status STATUS  open, overdue, opened, referred, upheld, part_upheld or\n"
    "                   rejected\n"
    "  --amount AMOUNT  to give back of each crawl (default: all that is left)\n"
    "  --proof DIR      write a proof of each payment that is not upheld there, which\n"
    "                   anybody can check (crawltab verify); of closed days\n"
    "  --pdf            and a letter about each, to be sent with it\n"
    "  --site NAME, --crawler URL\n"
    "                   where, and whose\n"
    "  --json           for programs\n"
    "  --yes            on a terminal: do not ask\n"
    "  --config FILE    the configuration (default: config.yaml)\n",
    "  crawltab dispute open --invoice INV-2026-000001 --line 2 --reason overcharge\n"
    "  crawltab dispute list --status open\n"
    "  crawltab dispute add ID --evidence access.log --text \"the page went out whole\"\n"
    "  crawltab dispute decide ID --reject --reason \"it was delivered\" --proof proofs\n",
    manage_disputes};
