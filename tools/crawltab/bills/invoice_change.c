#include "tools/crawltab/bills/invoice_change.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "ledger/collect/event.h"
#include "tools/crawltab/frame/show.h"

/* A decimal that may be below zero, not 0. */
static bool read_amount(const char *text, int64_t *micros)
{
    bool negative = text[0] == '-';
    if (!amount_parse(slice_of(text + negative), micros) || *micros == 0)
        return false;
    if (negative)
        *micros = -*micros;
    return true;
}

static bool check_paid(struct invoice_change *change)
{
    if (!change->amount || !read_amount(change->amount, &change->amount_micros)) {
        command_misused("--amount is missing, or no amount", change->amount,
                        "write a decimal such as 12.34; -12.34 is money paid back");
        return false;
    }
    if (!change->reference || !*change->reference) {
        command_misused("--reference is missing", NULL,
                        "the bank's reference keeps a payment from being recorded twice");
        return false;
    }
    return command_date("--date is no date", change->date);
}

bool invoice_change_check(const char *verb, struct invoice_change *change)
{
    if (strcmp(verb, "paid") == 0)
        return check_paid(change);
    if (strcmp(verb, "void") == 0 && (!change->reason || !*change->reason)) {
        command_misused("--reason is missing", NULL, "it stands on the credit note");
        return false;
    }
    if (strcmp(verb, "write-off") == 0 && (!change->reason || !*change->reason)) {
        command_misused("--reason is missing", NULL, "it stands among the invoice's events");
        return false;
    }
    return true;
}

static enum exit_status tell(const struct invoice_change *change, bool repeated,
                             const struct event_state *state)
{
    char money[SHOW_MONEY_MAX];
    if (change->json)
        return show_json(json_pack("{s:s,s:s,s:I,s:s,s:b}", "number", change->number, "status", state->status,
                                   "open_minor", state->open_minor, "currency", state->currency, "repeated",
                                   repeated),
                         JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    printf("%s is %s%s", change->number, state->status,
           repeated ? "; this was recorded before, nothing was changed" : "");
    if (strcmp(state->status, "written-off") == 0)
        printf("; %s is owed, and not counted on any more",
               show_minor(state->open_minor, state->decimals, state->currency, money));
    else if (state->open_minor > 0)
        printf("; %s is open", show_minor(state->open_minor, state->decimals, state->currency, money));
    if (state->open_minor < 0)
        printf("; %s too much was paid",
               show_minor(-state->open_minor, state->decimals, state->currency, money));
    puts("");
    if (strcmp(state->status, "void") == 0)
        puts(change->reissue ? "When today is closed its credit note is made, and an invoice over the same "
                               "crawls\nto the buyer of the agreement that is in force then."
                             : "Its credit note is made when today is closed.");
    return EXIT_DONE;
}

static enum exit_status refuse(const struct invoice_change *change, enum event_outcome outcome)
{
    static const char *const reasons[][2] = {
        [EVENT_CONFLICT] = {"this reference was recorded with another amount",
                            "a correction is a payment with a reference of its own"},
        [EVENT_NO_NUMBER] = {"there is no such invoice, or several sites have it",
                             "crawltab invoice list shows them all; say which site with --site"},
        [EVENT_NO_DEBT] = {"a credit note is not paid and cannot be void or written off",
                           "money paid back is recorded for the invoice, with a negative amount"},
        [EVENT_MISFIT] = {"the amount has more decimals than the currency", NULL},
        [EVENT_PAID] = {"the invoice cannot be void: money was received, or nothing is left of it",
                        "take back single charges with crawltab adjust"},
        [EVENT_VOID] = {"the invoice is void already",
                        "with --reissue it is billed again, once; crawltab invoice show tells by which one"},
        [EVENT_TOO_LITTLE] = {"too little is left of the invoice to bill it again: not one coin",
                              "without --reissue it can be void"},
        [EVENT_SETTLED] = {"nothing of the invoice is open, or it is void", "there is nothing to write off"},
    };
    LOG(ERROR, reasons[outcome][0], {"number", change->number}, {"hint", reasons[outcome][1]});
    return EXIT_FAILED;
}

enum exit_status invoice_change_run(struct pg *pg, const char *verb, const struct invoice_change *change)
{
    const struct event_subject subject = {change->number, change->site, command_actor(), clock_now_ms(),
                                          false};
    const struct event_money money = {change->amount_micros, change->reference, change->date, NULL};
    enum event_outcome outcome;
    struct event_state state = {.open_minor = 0};
    enum err err;
    if (strcmp(verb, "paid") == 0)
        err = event_receive(pg, &subject, &money, &outcome, &state);
    else if (strcmp(verb, "sent") == 0)
        err = event_sent(pg, &subject, &outcome, &state);
    else if (strcmp(verb, "write-off") == 0)
        err = event_write_off(pg, &subject, change->reason, &outcome, &state);
    else
        err = event_void(pg, &subject, &(struct event_cancel){change->reason, change->reissue}, &outcome,
                         &state);
    if (err != ERR_OK)
        return EXIT_FAILED;
    if (outcome == EVENT_DONE || outcome == EVENT_REPEATED)
        return tell(change, outcome == EVENT_REPEATED, &state);
    return refuse(change, outcome);
}
