#include "tools/crawltab/entries/answer.h"
#include "tools/crawltab/entries/named.h"
#include "tools/crawltab/entries/offered_url.h"
#include "tools/crawltab/entries/search.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/deed.h"
#include "tools/crawltab/frame/letter.h"
#include "tools/crawltab/frame/proof.h"
#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/frame/trust.h"

#include "ledger/base/clock.h"
#include "ledger/bundle/collect.h"
#include "sql/rows/archive.h"

#include <stdlib.h>

#define DETAIL_MAX 4096

bool answer_holds(const struct answer *answer)
{
    return !answer->checks.bad;
}

/* One that is in the ledger under this UUID. The id that was given must be the one that was signed, or else
 * one that an offer key made: then it is the entry that is not what it was. */
static enum err see_entry(struct pg *pg, struct answer *answer)
{
    const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
    const struct mistyped_given *given = &answer->given;
    enum err err;
    TRY(entry_check_all(pg, answer->trust, answer->opener, &entry, &answer->checks));
    if (given->is_id && strcmp(given->text, answer->checks.id) != 0 &&
        !opener_open(answer->opener, given->raw) && answer->checks.id[0]) {
        answer->status = ANSWER_MISTYPED;
        answer->checks = (struct entry_checks){.count = 0};
        TRY(mistyped_find(pg, answer->opener, given, &answer->meant));
        goto out;
    }
    answer->status = entry.unproven ? ANSWER_UNPROVEN : ANSWER_PAID;
out:
    return err;
}

static enum err see_offer(struct pg *pg, const char *url, struct answer *answer)
{
    const struct opener_site *site = answer->site;
    int64_t age_ms = clock_now_ms() - uuid_ms(answer->given.raw);
    enum err err;
    answer->status = age_ms > answer->opener->ttl_seconds * 1000 ? ANSWER_EXPIRED : ANSWER_OFFERED;
    TRY(offered_url_find(pg, site, answer->given.raw, url, &answer->url));
    if (site->site_id)
        TRY(entry_check_absent(pg, answer->trust, site->site_id, answer->given.raw, &answer->checks));
out:
    return err;
}

/* Neither paid nor opened by a key. That something was removed shows in the tree of whichever site it was. */
static enum err see_others(struct pg *pg, struct answer *answer)
{
    const struct opener *opener = answer->opener;
    enum err err;
    TRY(mistyped_find(pg, opener, &answer->given, &answer->meant));
    answer->status = answer->meant.count > 0                    ? ANSWER_MISTYPED
                     : answer->given.is_uuid || opener->problem ? ANSWER_UNKNOWN
                                                                : ANSWER_FOREIGN;
    if (!answer->given.is_id && !answer->given.is_uuid)
        goto out;
    for (size_t i = 0; i < opener->site_count && !answer->checks.bad; i++) {
        const struct opener_site *site = &opener->sites[i];
        bool again = i > 0 && site->site_id == opener->sites[i - 1].site_id;
        if (site->site_id && !again)
            TRY(entry_check_absent(pg, answer->trust, site->site_id, answer->given.raw, &answer->checks));
    }
    if (!answer->checks.bad)
        answer->checks = (struct entry_checks){.count = 0};
out:
    return err;
}

static enum err find(struct pg *pg, const char *url, struct answer *answer)
{
    const struct mistyped_given *given = &answer->given;
    struct pg_params params = {0};
    enum err err;
    if (!given->is_id && !given->is_uuid)
        return see_others(pg, answer);
    pg_params_bytes(&params, slice_bytes(given->raw, UUID_SIZE));
    TRY(pg_run(pg, "charge_lookup", &params, &answer->entry));
    if (answer->entry.count > 0) {
        TRY(pg_run(pg, "adjustment_lookup", &params, &answer->taken));
        TRY(pg_run(pg, "delivery_read", &params, &answer->delivered));
        TRY(pg_run(pg, "undelivered_read", &params, &answer->undelivered));
        TRY(pg_run(pg, "conflict_lookup", &params, &answer->conflicts));
        TRY(pg_run(pg, "conflict_counts", &params, &answer->counts));
        TRY(see_entry(pg, answer));
        goto out;
    }
    TRY(pg_run(pg, "archive_find", &params, &answer->archived));
    if (answer->archived.count > 0)
        answer->status = ANSWER_ARCHIVED;
    else if (given->is_id && (answer->site = opener_open(answer->opener, given->raw)))
        TRY(see_offer(pg, url, answer));
    else
        TRY(see_others(pg, answer));
out:
    return err;
}

static enum exit_status tell(const struct answer *answer, bool json)
{
    if (!json)
        answer_print(answer);
    else if (!show_json(answer_json(answer), JSON_INDENT(2)))
        return EXIT_FAILED;
    return answer->status == ANSWER_PAID && answer_holds(answer) ? EXIT_DONE : EXIT_FAILED;
}

/* The site whose log says that the id is no entry: that of the offer or, of an id that no key opens, the only
 * one. 0: it is not known. */
static int64_t site_of(const struct answer *answer)
{
    const struct opener *opener = answer->opener;
    int64_t site_id = answer->site ? answer->site->site_id : 0;
    for (size_t i = 0; i < opener->site_count && !answer->site; i++) {
        if (site_id && opener->sites[i].site_id && opener->sites[i].site_id != site_id)
            return 0;
        site_id = opener->sites[i].site_id ? opener->sites[i].site_id : site_id;
    }
    return site_id;
}

static enum err make_proof(struct pg *pg, const struct answer *answer, struct bundle_made *made)
{
    *made = (struct bundle_made){.problem = NULL};
    if (answer_has_entry(answer)) {
        const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
        return bundle_of_entry(pg, &entry, made);
    }
    if (answer->status == ANSWER_ARCHIVED)
        made->problem = "entries of its day are in a file: crawltab archive restore first";
    else if (!answer->given.is_id && !answer->given.is_uuid)
        made->problem = "it is no payment id";
    else if (!site_of(answer))
        made->problem =
            "no offer key here made the id, and the ledger has several sites: in whose log should it "
            "not be?";
    return made->problem ? ERR_OK : bundle_of_absence(pg, site_of(answer), answer->given.raw, made);
}

/* False after telling why there is none, or that it does not hold. */
static bool prove(struct pg *pg, const struct answer *answer, const char *path)
{
    struct bundle_made made;
    bool written = false;
    if (pg_begin(pg) != ERR_OK)
        return false;
    enum err err = make_proof(pg, answer, &made);
    pg_rollback(pg); /* it was only read */
    if (err != ERR_OK)
        LOG(ERROR, "the proof cannot be made", {"detail", "the ledger could not be read"});
    else if (made.problem)
        LOG(ERROR, "there is no proof", {"payment_id", answer->given.text}, {"detail", made.problem});
    else
        written = proof_write(path, made.bundle);
    if (err == ERR_OK)
        json_decref(made.bundle);
    return written;
}

/* The site whose publisher writes the letter: that of the entry, or of the log that has none. */
static const char *site_name(const struct answer *answer)
{
    const struct opener *opener = answer->opener;
    if (answer_has_entry(answer))
        return charge_lookup_row(&answer->entry, 0).site;
    for (size_t i = 0; i < opener->site_count; i++)
        if (opener->sites[i].site_id == site_of(answer))
            return opener->sites[i].name;
    return "";
}

static void free_answer(struct answer *answer)
{
    pg_rows_free(&answer->entry);
    pg_rows_free(&answer->taken);
    pg_rows_free(&answer->delivered);
    pg_rows_free(&answer->undelivered);
    pg_rows_free(&answer->conflicts);
    pg_rows_free(&answer->counts);
    pg_rows_free(&answer->archived);
    mistyped_free(&answer->meant);
    free(answer->url);
}

/* What is asked for beside the id, or instead of it. */
struct request {
    const char *url, *proof, *letter, *client;
    char name[NAMED_MAX]; /* "": it is a payment that is looked for */
    struct search search; /* `at` is NULL: an id was given */
    bool json;
};

/* The id that was given, or that of the payment that was described. */
static bool take_id(struct pg *pg, const struct config *config, const struct request *request,
                    struct answer *answer)
{
    char id[UUID_TEXT_MAX];
    return !request->search.at ||
           (search_payment(pg, config, &request->search, id) && mistyped_read(id, &answer->given));
}

static bool record(struct pg *pg, const struct answer *answer, const struct request *request)
{
    char detail[DETAIL_MAX];
    const struct search *search = &request->search;
    if (search->at)
        snprintf(detail, sizeof(detail), "%s about %s", request->url, search->at);
    else
        snprintf(detail, sizeof(detail), "payment %s", answer->given.text);
    return deed_record(pg, "lookup", detail) == ERR_OK;
}

static enum exit_status look_up(const struct config *config, struct answer *answer,
                                const struct request *request)
{
    enum exit_status status = EXIT_FAILED;
    struct opener opener = {.problem = NULL};
    struct trust trust;
    struct pg *pg = command_open(config, "crawltab lookup");
    answer->opener = &opener;
    answer->trust = &trust.log;
    /* Without the key, which not everybody may read, all but the log's signature is checked. */
    trust_load(config, NULL, NULL, &trust);
    if (pg && record(pg, answer, request) && take_id(pg, config, request, answer) &&
        opener_make(pg, config, &opener) == ERR_OK && find(pg, request->url, answer) == ERR_OK) {
        status = tell(answer, request->json);
        if (request->proof && (!prove(pg, answer, request->proof) ||
                               (request->letter && !letter_write(pg, config, site_name(answer),
                                                                 request->proof, request->letter))))
            status = EXIT_FAILED;
    }
    free_answer(answer);
    opener_close(&opener);
    pg_close(pg);
    return status;
}

static enum exit_status look_up_name(const struct config *config, const struct request *request)
{
    struct pg *pg = command_open(config, "crawltab lookup");
    enum exit_status status = pg ? named_look_up(pg, request->name, request->json) : EXIT_FAILED;
    pg_close(pg);
    return status;
}

static enum exit_status look_up_any(const char *config_path, int argc, char **argv)
{
    struct request request = {.url = NULL};
    struct search *search = &request.search;
    const struct command_option options[] = {{"--json", NULL, &request.json},
                                             {"--url", &request.url, NULL},
                                             {"--proof", &request.proof, NULL},
                                             {"--pdf", &request.letter, NULL},
                                             {"--client", &request.client, NULL},
                                             {"--crawler", &search->crawler, NULL},
                                             {"--at", &search->at, NULL},
                                             {"--site", &search->site, NULL},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    struct answer answer = {.url = NULL};
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    search->url = request.url;
    search->json = request.json;
    if (search->at ? words.count != 0 || !request.url : words.count != 1 || search->crawler || search->site)
        return command_misused("use: crawltab lookup PAYMENT-ID, or lookup --url URL --at TIME", NULL,
                               "see crawltab lookup --help");
    if (request.letter && !request.proof)
        return command_misused("--pdf is a letter about the file of --proof", NULL, "give both");
    if (!search->at && !mistyped_read(words.items[0], &answer.given) &&
        !named_read(words.items[0], request.name))
        return command_misused("this is no payment id, number or thumbprint", words.items[0],
                               "give the 64 characters of the offer, the UUID of an export, the number of an "
                               "invoice, or the keyid of a signature");
    if (request.name[0] && (request.url || request.proof || request.client))
        return command_misused("--url, --proof and --client are for payments", words.items[0],
                               "give a payment id");
    if (!delivered_read_client(request.client, &answer.client))
        return EXIT_USAGE;
    struct config *config = command_config(config_path);
    enum exit_status status = !config           ? EXIT_FAILED
                              : request.name[0] ? look_up_name(config, &request)
                                                : look_up(config, &answer, &request);
    config_free(config);
    return status;
}

const struct command lookup_command = {
    "lookup", "answer a dispute: who signed what, when, at which price",
    "usage: crawltab lookup PAYMENT-ID [--url URL] [--client ADDRESS]\n"
    "           [--proof FILE [--pdf LETTER.pdf]] [--json]\n"
    "       crawltab lookup INVOICE-NUMBER | CREDIT-NOTE-NUMBER | THUMBPRINT [--json]\n"
    "       crawltab lookup --url URL --at TIME [--crawler AGENT] [--site NAME]\n"
    "           [--proof FILE [--pdf LETTER.pdf]] [--json]\n"
    "\n"
    "Shows the entry of a payment id (64 characters as in the offer, or its UUID as\n"
    "in exports): signer, key, URL, price, receipt time, invoice, what was signed,\n"
    "and other commitments that used the same id and were refused: the first eight\n"
    "of each crawler, and how many more there were. Checks the id, the signature and,\n"
    "for a closed day, that the sealed tree and the signed log have the entry. Tells\n"
    "what the gate recorded of the delivery: how it ended, status, bytes, SHA-256 of\n"
    "the body, User-Agent. Where nothing is recorded, that proves nothing: a gate\n"
    "that is killed loses the last second.\n"
    "\n"
    "Of an id without an entry it tells, with the offer key (offer.key_file), whether\n"
    "it was offered: when, for which URL, at which price; whether it is mistyped, and\n"
    "what it may have meant; or whether it is another ledger's.\n"
    "\n"
    "Of the number of an invoice or credit note it shows what it is about, and where\n"
    "to read on; of a key's thumbprint (keyid, 43 characters) whose account it pays\n"
    "for, where it was found, since when, and its last payments. Of a word that is\n"
    "none of these it says what it may have meant.\n"
    "\n"
    "Where nobody knows the id, the URL and the time say it: of the payments within\n"
    "half an hour the only one is shown, or all are listed.\n"
    "\n"
    "With --proof the same is written as a file that anybody can check without the\n"
    "ledger (crawltab verify): the entry, or that the log of its closed day has none.\n"
    "The latter shows the two entries beside which it would stand, which may be\n"
    "another crawler's. With --pdf there is a letter to go with the file, under the\n"
    "publisher's head as on invoices: what the file proves, and what not, in plain\n"
    "sentences, its SHA-256, the checkpoint, and how to check all of it.\n"
    "\n"
    "exit status: 0 paid, and everything that could be checked holds, or found; 1\n"
    "anything else\n"
    "\n"
    "options:\n"
    "  --url URL      an offer holds only a hash of its URL: was it for this one?\n"
    "  --client ADDRESS\n"
    "                 was this the client's? It is kept as a keyed hash\n"
    "  --at TIME      about when it was paid, such as \"2026-11-20 08:30\": in the\n"
    "                 site's zone, or with Z or +01:00 behind\n"
    "  --crawler AGENT, --site NAME\n"
    "                 whose payment, and where\n"
    "  --proof FILE   write a proof that can be sent to whoever doubts\n"
    "  --pdf LETTER.pdf\n"
    "                 write the letter about that file\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab lookup 01920f6e-5c00-7a31-9f00-8d5a1c2b3e4f --proof proof.json\n"
    "  crawltab lookup --url https://gazette.example/a --at '2026-11-20 08:30'\n",
    look_up_any};
