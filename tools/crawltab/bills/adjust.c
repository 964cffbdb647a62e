#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/bill/adjustment.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "sql/rows/archive.h"

struct request {
    uint8_t payment_id[UUID_SIZE];
    const char *kind;
    int64_t amount_micros; /* 0: all that is left */
    const char *reason;
    bool json;
};

static bool tell(const struct request *request, const struct adjustment_made *made)
{
    char id[UUID_TEXT_MAX], payment[UUID_TEXT_MAX], money[SHOW_MONEY_MAX];
    uuid_format(made->id, id);
    uuid_format(request->payment_id, payment);
    if (request->json)
        return show_json(json_pack("{s:s,s:s,s:s,s:I,s:s,s:s?}", "adjustment_id", id, "payment_id", payment,
                                   "kind", request->kind, "amount_micros", made->amount_micros, "currency",
                                   made->currency, "invoice", made->invoice[0] ? made->invoice : NULL),
                         JSON_INDENT(2));
    printf("%s of %s for payment %s\n", request->kind,
           show_micros(made->amount_micros, made->currency, money), payment);
    if (made->invoice[0])
        printf("It corrects invoice %s by a credit note when today is closed; what is less\n"
               "than a minor unit goes on the next invoice.\n",
               made->invoice);
    else
        puts("The payment is not invoiced yet: it goes on the next invoice.");
    return true;
}

/* True after a message if the entry is in a file, or if nobody can say. */
static bool refuse_archived(struct pg *pg, const uint8_t payment_id[UUID_SIZE])
{
    struct pg_params params = {0};
    struct pg_rows archived = {0};
    char id[UUID_TEXT_MAX];
    pg_params_bytes(&params, slice_bytes(payment_id, UUID_SIZE));
    bool known = pg_run(pg, "archive_find", &params, &archived) == ERR_OK;
    bool found = known && archived.count > 0;
    if (found)
        LOG(ERROR, "the entries of this payment id's day are archived", {"id", uuid_format(payment_id, id)},
            {"file", archive_find_row(&archived, 0).file},
            {"hint", "crawltab archive restore FILE brings them back; then adjust it"});
    pg_rows_free(&archived);
    return found || !known;
}

static void refuse(struct pg *pg, const struct request *request, enum adjustment_outcome outcome,
                   const struct adjustment_made *made)
{
    char id[UUID_TEXT_MAX], money[SHOW_MONEY_MAX], left[80];
    uuid_format(request->payment_id, id);
    if (outcome == ADJUSTMENT_NO_CHARGE) {
        if (refuse_archived(pg, request->payment_id))
            return;
        LOG(ERROR, "no entry has this payment id", {"id", id}, {"detail", "nothing was charged for it"});
    } else if (outcome == ADJUSTMENT_UNPROVEN) {
        LOG(ERROR, "this payment is not billed: its entry is not proven", {"id", id},
            {"hint", "crawltab lookup says why"});
    } else if (outcome == ADJUSTMENT_VOID) {
        LOG(ERROR, "the invoice of this payment is void", {"invoice", made->invoice},
            {"detail", "all of it was taken back already"});
    } else if (made->left_micros <= 0) {
        LOG(ERROR, "nothing is left to take back", {"id", id}, {"invoice", made->invoice},
            {"detail", made->discount_micros > 0 ? "all or some of it is covered by the agreement" : NULL},
            {"hint", "crawltab lookup shows what was taken back"});
    } else {
        snprintf(left, sizeof(left), "at most %s is left",
                 show_micros(made->left_micros, made->currency, money));
        LOG(ERROR, "this is more than was charged", {"id", id}, {"detail", left});
    }
}

static enum exit_status adjust(struct pg *pg, const struct request *request)
{
    const struct adjustment_row row = {.kind = request->kind,
                                       .payment_id = request->payment_id,
                                       .amount_micros = request->amount_micros,
                                       .reason = request->reason,
                                       .actor = command_actor()};
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    if (adjustment_make(pg, &row, clock_now_ms(), &outcome, &made) != ERR_OK)
        return EXIT_FAILED;
    if (outcome == ADJUSTMENT_DONE)
        return tell(request, &made) ? EXIT_DONE : EXIT_FAILED;
    refuse(pg, request, outcome, &made);
    return EXIT_FAILED;
}

/* Exactly one of the three kinds, with an amount where it needs one. */
static bool read_kind(struct request *request, bool reversal, const char *refund, const char *credit)
{
    const char *amount = refund ? refund : credit;
    request->kind = reversal ? "reversal" : refund ? "refund" : "credit";
    if (reversal + (refund != NULL) + (credit != NULL) != 1) {
        command_misused("say one of --reversal, --refund AMOUNT and --credit AMOUNT", NULL,
                        "see crawltab adjust --help");
        return false;
    }
    if (amount && (!amount_parse(slice_of(amount), &request->amount_micros) || request->amount_micros == 0)) {
        command_misused("this is no amount", amount, "write a decimal such as 0.0025");
        return false;
    }
    return true;
}

static enum exit_status adjust_entry(const char *config_path, int argc, char **argv)
{
    struct request request = {.json = false};
    const char *refund = NULL, *credit = NULL;
    bool reversal = false;
    const struct command_option options[] = {
        {"--reversal", NULL, &reversal},     {"--refund", &refund, NULL},     {"--credit", &credit, NULL},
        {"--reason", &request.reason, NULL}, {"--json", NULL, &request.json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words) || !read_kind(&request, reversal, refund, credit))
        return EXIT_USAGE;
    if (words.count != 1 || !uuid_parse(slice_of(words.items[0]), request.payment_id))
        return command_misused("give one payment id", words.count > 0 ? words.items[0] : NULL,
                               "the 64 characters of the offer, or the UUID of an export");
    if (!request.reason || !*request.reason)
        return command_misused("--reason is missing", NULL, "it stands on the credit note");
    if (!command_confirm("The charge is taken back, or a part of it."))
        return EXIT_FAILED;
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab adjust") : NULL;
    if (pg)
        status = adjust(pg, &request);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command adjust_command = {
    "adjust", "take back a charge, or a part of it",
    "usage: crawltab adjust PAYMENT-ID --reversal --reason TEXT\n"
    "       crawltab adjust PAYMENT-ID --refund AMOUNT --reason TEXT\n"
    "       crawltab adjust PAYMENT-ID --credit AMOUNT --reason TEXT\n"
    "\n"
    "Entries are never changed: what was wrong is taken back by an adjustment, at\n"
    "most what was billed, so not what the agreement covers. It belongs to today;\n"
    "when today is closed it becomes a credit note to the invoice that the charge\n"
    "stands on, or a line of the next invoice if there is none yet.\n"
    "\n"
    "options:\n"
    "  --reversal       the charge was wrong: all that is left of it\n"
    "  --refund AMOUNT  money that is paid back\n"
    "  --credit AMOUNT  goodwill\n"
    "  --reason TEXT    stands on the credit note\n"
    "  --json           what was made, for programs\n"
    "  --yes            on a terminal: do not ask\n"
    "  --config FILE    the configuration (default: config.yaml)\n",
    "  crawltab adjust 01920f6e-5c00-7a31-9f00-8d5a1c2b3e4f --reversal \\\n"
    "      --reason 'the page was broken'\n",
    adjust_entry};
