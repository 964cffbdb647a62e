#include "tools/crawltab/disputes/dispute_steps.h"
#include "tools/crawltab/disputes/dispute_page.h"
#include "tools/crawltab/disputes/dispute_piece.h"
#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/court.h"
#include "tools/crawltab/frame/letter.h"
#include "tools/crawltab/frame/proof.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/amount.h"
#include "ledger/bundle/collect.h"
#include "ledger/dispute/opening.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- show --- */

static json_t *read_document(struct pg *pg, const char *dispute_id)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *document = NULL;
    pg_params_text(&params, dispute_id);
    if (pg_run(pg, "dispute_show", &params, &rows) == ERR_OK) {
        if (rows.count > 0)
            document = json_loads(dispute_show_row(&rows, 0).document, 0, NULL);
        else
            LOG(ERROR, "there is no such dispute", {"id", dispute_id},
                {"hint", "crawltab dispute list shows them all"});
    }
    pg_rows_free(&rows);
    return document;
}

enum exit_status dispute_steps_show(struct pg *pg, const char *dispute_id, bool json)
{
    json_t *document = read_document(pg, dispute_id);
    bool shown = document != NULL;
    if (document && json)
        return show_json(document, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    if (document)
        dispute_page_print(document);
    json_decref(document);
    return shown ? EXIT_DONE : EXIT_FAILED;
}

/* --- proofs --- */

static bool prove_payment(struct pg *pg, const struct config *config, const struct dispute_steps *steps,
                          const char *payment_id)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct bundle_made made = {.bundle = NULL};
    char path[4096], letter[4096];
    bool ok = false;
    uint8_t uuid[UUID_SIZE];
    if (!uuid_parse(slice_of(payment_id), uuid))
        return false;
    pg_params_bytes(&params, slice_bytes(uuid, UUID_SIZE));
    if (pg_begin(pg) == ERR_OK && pg_run(pg, "charge_lookup", &params, &rows) == ERR_OK && rows.count > 0) {
        const struct charge_lookup_row entry = charge_lookup_row(&rows, 0);
        ok = bundle_of_entry(pg, &entry, &made) == ERR_OK;
    }
    pg_rollback(pg);
    if (ok && made.problem)
        LOG(WARN, "there is no proof of this payment yet", {"payment_id", payment_id},
            {"detail", made.problem});
    snprintf(path, sizeof(path), "%s/%s.json", steps->proof, payment_id);
    snprintf(letter, sizeof(letter), "%s/%s.pdf", steps->proof, payment_id);
    if (ok && made.bundle)
        ok = proof_write(path, made.bundle) &&
             (!steps->letters || letter_write(pg, config, charge_lookup_row(&rows, 0).site, path, letter));
    json_decref(made.bundle);
    pg_rows_free(&rows);
    return ok;
}

bool dispute_steps_prove(struct pg *pg, const struct config *config, const struct dispute_steps *steps)
{
    const char *dispute_id = steps->words[0], *folder = steps->proof;
    char last[UUID_TEXT_MAX] = "00000000-0000-0000-0000-000000000000";
    bool ok = mkdir(folder, 0700) == 0 || errno == EEXIST, more = ok;
    if (!ok)
        LOG(ERROR, "cannot make the folder", {"folder", folder}, {"detail", strerror(errno)});
    while (ok && more) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_text(&params, dispute_id);
        pg_params_text(&params, last);
        ok = pg_run(pg, "dispute_crawls", &params, &rows) == ERR_OK;
        more = ok && rows.count > 0;
        for (int i = 0; ok && i < rows.count; i++) {
            snprintf(last, sizeof(last), "%s", dispute_crawls_row(&rows, i).payment_id);
            ok = prove_payment(pg, config, steps, last);
        }
        pg_rows_free(&rows);
    }
    return ok;
}

/* --- decide --- */

static void tell_ruling(const char *dispute_id, const struct ruling *ruling, void *context)
{
    char money[SHOW_MONEY_MAX];
    const bool *quiet = context;
    if (*quiet)
        return;
    printf("dispute %s: %s", dispute_id, ruling->status);
    if (ruling->findings > 0)
        printf(", %" PRId64 " of %" PRId64 " crawls upheld, %s back", ruling->findings, ruling->crawls,
               show_micros(ruling->upheld_micros, ruling->currency, money));
    putchar('\n');
}

static enum exit_status rule(struct pg *pg, const struct config *config, int64_t site_id, const char *site,
                             bool json)
{
    struct court court = {.pg = NULL};
    bool ok = court_open(pg, config, &court) == ERR_OK &&
              court_rule(&court, site_id, site, tell_ruling, &json) == ERR_OK;
    court_close(&court);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status rule_all(struct pg *pg, const struct config *config,
                                 const struct dispute_steps *steps)
{
    enum exit_status status = EXIT_DONE;
    for (size_t i = 0; i < config->site_count && status == EXIT_DONE; i++) {
        struct argument_site site;
        if (steps->site && strcmp(steps->site, config->sites[i].name) != 0)
            continue;
        status = argument_site(pg, config, config->sites[i].name, &site)
                     ? rule(pg, config, site.site_id, site.name, steps->json)
                     : EXIT_FAILED;
    }
    return status;
}

static enum exit_status refuse(const struct dispute_steps *steps, const struct ruling *ruling)
{
    char money[SHOW_MONEY_MAX], left[80];
    const char *id = steps->words[0];
    switch (ruling->outcome) {
    case RULING_UNKNOWN:
        LOG(ERROR, "there is no such dispute", {"id", id}, {"hint", "crawltab dispute list shows them all"});
        break;
    case RULING_DECIDED:
        LOG(ERROR, "this dispute is decided already", {"id", id}, {"status", ruling->status},
            {"hint", "what was taken back stays; crawltab adjust takes back more"});
        break;
    case RULING_FOREIGN:
        LOG(ERROR, "the dispute is not about every one of these payments, or they are upheld already",
            {"id", id}, {"hint", "crawltab dispute show says what it is about"});
        break;
    case RULING_TOO_MUCH:
        snprintf(left, sizeof(left), "at most %s is left",
                 show_micros(ruling->left_micros, ruling->currency, money));
        LOG(ERROR, "this is more than was billed", {"payment_id", ruling->payment_id}, {"detail", left});
        break;
    default:
        LOG(ERROR, "not all entries of the dispute are in the ledger", {"id", id},
            {"hint", "crawltab archive restore brings archived ones back; or name the payments to uphold"});
    }
    return EXIT_FAILED;
}

static bool read_payments(const struct dispute_steps *steps, char texts[][UUID_TEXT_MAX], const char *list[])
{
    uint8_t uuid[UUID_SIZE];
    for (int i = 1; i < steps->count; i++) {
        if (!uuid_parse(slice_of(steps->words[i]), uuid)) {
            command_misused("this is no payment id", steps->words[i],
                            "give the 64 characters of the offer, or the UUID of an export");
            return false;
        }
        list[i - 1] = uuid_format(uuid, texts[i - 1]);
    }
    return true;
}

static enum exit_status decide(struct pg *pg, const struct dispute_steps *steps)
{
    static char texts[COMMAND_WORDS_MAX][UUID_TEXT_MAX];
    const char *payments[COMMAND_WORDS_MAX];
    struct ruling_order order = {.dispute_id = steps->words[0],
                                 .uphold = steps->uphold,
                                 .payments = payments,
                                 .payment_count = (size_t)steps->count - 1,
                                 .reason = steps->reason,
                                 .actor = command_actor()};
    struct ruling ruling;
    if (!read_payments(steps, texts, payments))
        return EXIT_USAGE;
    if (steps->amount &&
        (!amount_parse(slice_of(steps->amount), &order.amount_micros) || order.amount_micros == 0))
        return command_misused("this is no amount", steps->amount, "write a decimal such as 0.0025");
    if (ruling_by_person(pg, &order, clock_now_ms(), &ruling) != ERR_OK)
        return EXIT_FAILED;
    /* Told again, it is what it is. */
    bool same = ruling.outcome == RULING_DECIDED && steps->count == 1 && !steps->amount &&
                strcmp(ruling.status, steps->uphold ? "upheld" : "rejected") == 0;
    if (ruling.outcome != RULING_DONE && !same)
        return refuse(steps, &ruling);
    return EXIT_DONE;
}

enum exit_status dispute_steps_decide(struct pg *pg, const struct config *config,
                                      const struct dispute_steps *steps)
{
    uint8_t uuid[UUID_SIZE];
    if (steps->count == 0)
        return rule_all(pg, config, steps);
    if (!uuid_parse(slice_of(steps->words[0]), uuid))
        return command_misused("this is no dispute", steps->words[0], "crawltab dispute list has their ids");
    enum exit_status status = decide(pg, steps);
    if (status == EXIT_DONE && steps->proof && !dispute_steps_prove(pg, config, steps))
        status = EXIT_FAILED;
    if (status == EXIT_DONE)
        status = dispute_steps_show(pg, steps->words[0], steps->json);
    if (status == EXIT_DONE && steps->reject && !steps->proof && !steps->json)
        printf("\ncrawltab dispute show %s --proof DIR writes what proves the payments\n", steps->words[0]);
    return status;
}

/* --- open --- */

/* "2" or "2,5". False after a message. */
static bool read_lines(const struct dispute_steps *steps, struct dispute_subject *subjects, size_t *count)
{
    const char *at = steps->line;
    while (*at) {
        char *end;
        long line = strtol(at, &end, 10);
        if (end == at || line < 1 || line > 1000000 || (*end && *end != ',') ||
            *count == DISPUTE_SUBJECTS_MAX) {
            command_misused("this is no line's number", steps->line, "write 2, or 2,5 for two lines");
            return false;
        }
        subjects[(*count)++] = (struct dispute_subject){.number = steps->invoice, .line = line};
        at = *end ? end + 1 : end;
    }
    return true;
}

static bool read_subjects(const struct dispute_steps *steps, struct dispute_subject *subjects, size_t *count)
{
    uint8_t uuid[UUID_SIZE];
    for (int i = 0; i < steps->count; i++) {
        if (!uuid_parse(slice_of(steps->words[i]), uuid)) {
            command_misused("this is no payment id", steps->words[i],
                            "give the 64 characters of the offer, or the UUID of an export");
            return false;
        }
        uuid_format(uuid, subjects[(*count)++].payment_id);
    }
    if ((steps->invoice != NULL) != (steps->line != NULL)) {
        command_misused("--invoice and --line belong together", NULL, "see crawltab dispute --help");
        return false;
    }
    if (steps->line && !read_lines(steps, subjects, count))
        return false;
    if (*count == 0)
        command_misused("what is disputed?", NULL, "give payment ids, or --invoice NUMBER --line N");
    return *count > 0;
}

static void tell_refusal(const struct dispute_subject *subjects, const json_t *answer)
{
    size_t at;
    const json_t *item;
    json_array_foreach(json_object_get(answer, "subjects"), at, item)
    {
        const char *sentence = json_string_value(json_object_get(item, "sentence"));
        char line[32];
        snprintf(line, sizeof(line), "%" PRId64, subjects[at].line);
        if (!sentence)
            continue;
        if (subjects[at].number)
            LOG(ERROR, sentence, {"invoice", subjects[at].number}, {"line", line});
        else
            LOG(ERROR, sentence, {"payment_id", subjects[at].payment_id});
    }
    LOG(ERROR, "no dispute was opened", {"hint", "leave out what cannot be disputed"});
}

static enum exit_status conclude(struct pg *pg, const struct config *config, const struct argument_site *site,
                                 const struct dispute_opened *opened, const struct dispute_steps *steps)
{
    if (opened->outcome == DISPUTE_KNOWN && !steps->json)
        puts("this was opened before:\n");
    /* Opened is opened: what the rules have to say can be asked again. */
    enum exit_status status = EXIT_DONE;
    const bool quiet = true;
    if (opened->outcome == DISPUTE_OPENED)
        status = rule(pg, config, site->site_id, site->name, quiet);
    enum exit_status shown = dispute_steps_show(pg, opened->id, steps->json);
    return status == EXIT_DONE ? shown : status;
}

enum exit_status dispute_steps_open(struct pg *pg, const struct config *config,
                                    const struct dispute_steps *steps)
{
    static struct dispute_subject subjects[DISPUTE_SUBJECTS_MAX];
    struct dispute_opening opening = {
        .reason = steps->reason, .statement = steps->text ? steps->text : "", .subjects = subjects};
    struct dispute_publisher publisher = {.actor = command_actor()};
    struct dispute_opened opened = {.answer = NULL};
    struct argument_site site;
    struct dispute_file file = {.bytes = NULL};
    enum exit_status status = EXIT_FAILED;
    if (!read_subjects(steps, subjects, &opening.count))
        return EXIT_USAGE;
    if (!argument_site(pg, config, steps->site, &site))
        return EXIT_FAILED;
    opening.site_id = site.site_id;
    opening.window_days = site.configured ? site.configured->dispute_window : 60;
    opening.answer_days = site.configured ? site.configured->dispute_answer : 14;
    if (steps->evidence && !dispute_piece_load(steps->evidence, steps->name, &file))
        goto out;
    publisher.evidence = (struct slice){file.bytes, file.len};
    publisher.name = file.name;
    if (dispute_open(pg, &opening, &publisher, clock_now_ms(), &opened) == ERR_OK) {
        if (opened.outcome != DISPUTE_REFUSED)
            status = conclude(pg, config, &site, &opened, steps);
        else if (steps->json)
            (void)show_json(json_incref(opened.answer), JSON_INDENT(2));
        else
            tell_refusal(subjects, opened.answer);
    }
out:
    json_decref(opened.answer);
    dispute_piece_free(&file);
    return status;
}
