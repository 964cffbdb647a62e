/* Money is booked only where there is no doubt which invoice it is for and that it was not booked before;
 * all else is left to a person, with a sentence. A wrong booking is found weeks later, by the payer; one
 * that was left is found the same day. */
#include "ledger/collect/intake.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/collect/event.h"
#include "ledger/format/bank/movement.h"
#include "ledger/format/bank/remittance.h"
#include "ledger/format/bank/settlement.h"
#include "sql/rows/collect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err intake_open(struct intake *intake)
{
    assert(!intake->numbers);
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    /* All of the site's numbers once, and not a query for each movement: any word of a text may be one. */
    intake->numbers = json_object();
    if (intake->dry_run)
        TRY(pg_begin(intake->pg));
    pg_params_number(&params, intake->site_id);
    TRY(pg_run(intake->pg, "invoice_numbers", &params, &rows));
    for (int i = 0; i < rows.count; i++)
        TRY(remittance_add(intake->numbers, invoice_numbers_row(&rows, i).number) == 0 ? ERR_OK
                                                                                       : ERR_INTERNAL);
out:
    pg_rows_free(&rows);
    return err;
}

void intake_close(struct intake *intake)
{
    /* Of a dry run, all is taken back; any other has nothing open. */
    json_decref(intake->numbers);
    intake->numbers = NULL;
    pg_rollback(intake->pg);
}

/* Sets the result, and returns ERR_OK so that a decision can be returned. */
static enum err __attribute__((format(printf, 3, 4)))
conclude(struct intake_result *result, enum intake_kind kind, const char *pattern, ...)
{
    assert(*pattern);
    va_list arguments;
    va_start(arguments, pattern);
    result->kind = kind;
    vsnprintf(result->told, sizeof(result->told), pattern, arguments);
    va_end(arguments);
    return ERR_OK;
}

static bool is(const json_t *movement, const char *kind)
{
    return strcmp(format_text(movement, "kind"), kind) == 0;
}

static bool flag(const json_t *movement, const char *member)
{
    return json_is_true(json_object_get(movement, member));
}

/* --- On one invoice, in a transaction --- */

/* A movement whose invoice is known. */
struct booking {
    const struct intake *intake;
    const json_t *movement;
    struct event_invoice invoice;
    struct event_state state;
    int64_t minor;         /* below zero: went back */
    const char *reference; /* that it is recorded by */
};

static const char *money(const struct booking *booking, int64_t minor, char out[AMOUNT_TEXT_MAX + 8])
{
    char amount[AMOUNT_TEXT_MAX];
    snprintf(out, AMOUNT_TEXT_MAX + 8, "%s %.7s",
             amount_format_minor(minor, (int)booking->state.decimals, amount), booking->state.currency);
    return out;
}

/* How a recorded payment and the movement are related, the weakest first. */
enum relation {
    RELATION_NONE,
    RELATION_NAMESAKE, /* the same reference, and another movement: the reference is no name */
    RELATION_UNCLEAR,  /* the same name and day, and another amount */
    RELATION_SAME
};

/* The identity decides, where both have one, unless the bank's name, day and amount agree: the text may
 * differ between two formats of one statement. What a person has told has a reference alone, and any day. */
static enum relation relation_of(const struct booking *booking, const struct invoice_payment_known_row *known)
{
    const json_t *movement = booking->movement;
    const char *identity = format_text(movement, "identity");
    /* By identity first: it is the same in every file that has the movement, whatever the bank calls it. */
    bool name = flag(movement, "unique"), equal = known->amount_minor == booking->minor;
    bool same_day = strcmp(known->received_on, format_text(movement, "booked_on")) == 0;
    if (strcmp(known->identity, identity) == 0 || strcmp(known->reference, identity) == 0)
        return RELATION_SAME;
    if (*known->identity)
        same_day = same_day && name;
    else
        same_day = name || (same_day && flag(movement, "first"));
    if (equal && same_day)
        return RELATION_SAME;
    bool same_side = (known->amount_minor < 0) == (booking->minor < 0);
    return name && same_day && same_side ? RELATION_UNCLEAR : RELATION_NAMESAKE;
}

/* Looks whether the movement is recorded, and chooses the reference that it is recorded by: the bank's, if it
 * names this movement alone. */
static enum err relate(struct booking *booking, enum relation *relation)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    const json_t *movement = booking->movement;
    enum err err;
    assert(*format_text(movement, "identity")); /* movement_add has given it one */
    *relation = RELATION_NONE;
    pg_params_number(&params, booking->invoice.site_id);
    pg_params_text(&params, booking->invoice.subject->number);
    pg_params_text(&params, format_text(movement, "reference"));
    pg_params_text(&params, format_text(movement, "identity"));
    TRY(pg_run(booking->intake->pg, "invoice_payment_known", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct invoice_payment_known_row known = invoice_payment_known_row(&rows, i);
        enum relation found = relation_of(booking, &known);
        *relation = found > *relation ? found : *relation;
    }
    bool free = flag(movement, "unique") && *relation == RELATION_NONE;
    /* The bank's name is what a person looks for; one that is another's already would make the two one. */
    booking->reference = format_text(movement, free ? "reference" : "identity");
    assert(*booking->reference);
out:
    pg_rows_free(&rows);
    return err;
}

/* Another site that shares the account may have an invoice of the same number. */
static enum err booked_elsewhere(const struct booking *booking, char site[64])
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *site = '\0';
    pg_params_number(&params, booking->invoice.site_id);
    pg_params_text(&params, booking->invoice.subject->number);
    pg_params_text(&params, format_text(booking->movement, "identity"));
    TRY(pg_run(booking->intake->pg, "invoice_payment_elsewhere", &params, &rows));
    if (rows.count > 0)
        snprintf(site, 64, "%s", invoice_payment_elsewhere_row(&rows, 0).name);
out:
    pg_rows_free(&rows);
    return err;
}

/* A decimal of the movement in minor units. False if it has more decimals than the currency. */
static bool minor_of(const struct booking *booking, const char *decimal, int64_t *minor)
{
    int64_t micros, unit = amount_minor_micros((int)booking->invoice.decimals);
    if (!amount_parse(slice_of(decimal), &micros) || micros % unit != 0)
        return false;
    *minor = micros / unit;
    return true;
}

/* Of a movement that is `minor` or a part of it. */
static struct event_money money_of(const struct booking *booking, int64_t minor)
{
    return (struct event_money){.amount_micros = minor * amount_minor_micros((int)booking->invoice.decimals),
                                .reference = booking->reference,
                                .received_on = format_text(booking->movement, "booked_on"),
                                .identity = format_text(booking->movement, "identity")};
}

/* More than an invoice once over, beyond what is open of it, is a slip of somebody's, and not for this. */
static enum err book_credit(struct booking *booking, struct intake_result *result)
{
    assert(booking->minor > 0 && booking->reference);
    struct pg *pg = booking->intake->pg;
    int64_t open = booking->state.open_minor, excess = booking->minor - (open > 0 ? open : 0);
    char came[AMOUNT_TEXT_MAX + 8], more[AMOUNT_TEXT_MAX + 8];
    enum event_outcome outcome = EVENT_DONE;
    enum err err;
    if (strcmp(booking->state.status, "void") == 0)
        return conclude(result, INTAKE_LEFT, "the invoice is void: left for you");
    money(booking, open > 0 ? open : 0, came);
    if (excess > booking->state.total_minor)
        return conclude(result, INTAKE_LEFT, "of the invoice only %s is open: left for you", came);
    /* Up to an invoice once over is taken: payers round, or pay twice, and the rest is credit of theirs. */
    const struct event_money paid = money_of(booking, booking->minor);
    TRY(event_pay(pg, &booking->invoice, &paid, &outcome, &booking->state));
    assert(outcome == EVENT_DONE);
    conclude(result, INTAKE_BOOKED, "booked");
    if (excess > 0)
        conclude(result, INTAKE_BOOKED, "booked; %s more than was open", money(booking, excess, more));
out:
    return err;
}

/* What had come in by the day of the movement. */
static enum err received_until(const struct booking *booking, int64_t *minor)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, booking->invoice.site_id);
    pg_params_text(&params, booking->invoice.subject->number);
    pg_params_text(&params, format_text(booking->movement, "booked_on"));
    TRY(pg_run(booking->intake->pg, "invoice_payment_until", &params, &rows));
    *minor = invoice_payment_until_row(&rows, 0).minor;
out:
    pg_rows_free(&rows);
    return err;
}

/* Says what became of a return; `back` of it was booked, 0: nothing. */
static enum err tell_return(struct booking *booking, int64_t back, int64_t received,
                            struct intake_result *result)
{
    assert(back == 0 || back <= -booking->minor);
    const char *reason = format_text(booking->movement, "reason");
    const char *what = is(booking->movement, "rejection") ? "rejected" : "returned";
    char open[AMOUNT_TEXT_MAX + 8], other[AMOUNT_TEXT_MAX + 8];
    enum err err;
    TRY(event_read(booking->intake->pg, &booking->invoice, &booking->state));
    money(booking, booking->state.open_minor, open);
    if (back == 0 && is(booking->movement, "rejection"))
        conclude(result, INTAKE_RETURNED, "rejected (%.160s): nothing was booked as received; %s open",
                 reason, open);
    else if (back == 0)
        conclude(result, INTAKE_LEFT, "returned (%.160s), but only %s was booked as received: left for you",
                 reason, money(booking, received > 0 ? received : 0, other));
    else if (back < -booking->minor)
        conclude(result, INTAKE_RETURNED, "%s (%.100s): %s open; %s are the bank's charges", what, reason,
                 open, money(booking, -booking->minor - back, other));
    else
        conclude(result, INTAKE_RETURNED, "%s (%.160s): %s open", what, reason, open);
out:
    return err;
}

/* What went back is taken from what had come in for the invoice, never more: what is more are the bank's
 * charges, if the file says so, or else it is for a person, and noted on the invoice. A file may be given
 * again when other money has come in meanwhile: what was noted takes back only what had come in by its own
 * day, and a rejection nothing at all. */
static enum err book_return(struct booking *booking, struct intake_result *result)
{
    assert(booking->reference && !booking->invoice.credit_note);
    struct pg *pg = booking->intake->pg;
    const char *reason = format_text(booking->movement, "reason");
    int64_t back = -booking->minor, original, received = booking->state.paid_minor;
    char detail[512];
    bool known;
    enum err err;
    /* The reason and the movement's own name: the same file given again comes to the same detail. */
    snprintf(detail, sizeof(detail), "%.400s; %.100s", *reason ? reason : "no reason given",
             booking->reference);
    TRY(event_known(pg, &booking->invoice, "returned", detail, &known));
    if (known && is(booking->movement, "rejection"))
        return conclude(result, INTAKE_BEFORE, "booked before");
    if (known)
        TRY(received_until(booking, &received));
    if (back > received && minor_of(booking, format_text(booking->movement, "original"), &original) &&
        original <= received)
        back = original;
    if (back > received)
        back = 0;
    const struct event_money out_again = money_of(booking, -back);
    TRY(event_return(pg, &booking->invoice, detail, back > 0 ? &out_again : NULL));
    err = tell_return(booking, back, received, result);
out:
    return err;
}

/* pain.002 need not say how much was to be collected. */
static enum err amount_asked(struct booking *booking)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, booking->invoice.site_id);
    pg_params_text(&params, booking->invoice.subject->number);
    TRY(pg_run(booking->intake->pg, "settlement_attempt", &params, &rows));
    /* Below zero, as it is money that goes back; never collected by us: nothing does. */
    booking->minor = rows.count > 0 ? -settlement_attempt_row(&rows, 0).amount_minor : 0;
out:
    pg_rows_free(&rows);
    return err;
}

/* Inside the transaction. */
static enum err book(struct booking *booking, struct intake_result *result)
{
    const json_t *movement = booking->movement;
    bool credit = is(movement, "credit"), rejected = is(movement, "rejection");
    enum relation relation;
    char site[64];
    enum err err;
    if (booking->invoice.credit_note)
        return conclude(result, INTAKE_LEFT, "it names a credit note, which nobody pays: left for you");
    TRY(event_read(booking->intake->pg, &booking->invoice, &booking->state));
    /* What it is compared with is read first, under the lock that event_begin took. */
    if (minor_of(booking, result->amount, &booking->minor))
        booking->minor = credit ? booking->minor : -booking->minor;
    else if (!rejected)
        return conclude(result, INTAKE_LEFT, "the amount has more decimals than the currency: left for you");
    else
        TRY(amount_asked(booking));
    TRY(relate(booking, &relation));
    TRY(booked_elsewhere(booking, site));
    if (rejected)
        booking->reference = format_text(movement, "identity");
    if (relation == RELATION_SAME)
        return conclude(result, INTAKE_BEFORE, "booked before");
    if (relation == RELATION_UNCLEAR)
        return conclude(result, INTAKE_LEFT, "booked before, with another amount: left for you");
    if (*site)
        return conclude(result, INTAKE_LEFT, "booked before for site %s: left for you", site);
    return credit ? book_credit(booking, result) : book_return(booking, result);
out:
    return err;
}

/* Books what the result says of the movement on the result's invoice. */
static enum err take_one(const struct intake *intake, const json_t *movement, struct intake_result *result)
{
    assert(result->number);
    const struct event_subject subject = {.number = result->number,
                                          .site = intake->site,
                                          .actor = intake->actor,
                                          .now_ms = clock_now_ms(),
                                          .dry_run = intake->dry_run};
    struct booking booking = {.intake = intake, .movement = movement};
    enum event_outcome outcome;
    enum err err;
    TRY(event_begin(intake->pg, &subject, &booking.invoice, &outcome));
    assert(outcome == EVENT_DONE); /* the number was read from the site's invoices, which stay */
    TRY(book(&booking, result));
    TRY(event_end(intake->pg, &booking.invoice));
out:
    if (err != ERR_OK)
        pg_rollback(intake->pg);
    return err;
}

/* --- Collections --- */

/* The debits of the collection that the movement names, if it is one of this site's; NULL if not. */
static enum err read_collection(const struct intake *intake, const char *id, json_t **debits)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char batch[UUID_TEXT_MAX];
    uint8_t uuid[UUID_SIZE], *bytes = NULL;
    enum err err = ERR_OK;
    *debits = NULL;
    /* A message has the batch's digits as its id, a block of it one letter more. */
    if (strlen(id) < 2 * UUID_SIZE || !encoding_unhex(slice_bytes(id, 2 * UUID_SIZE), uuid, UUID_SIZE))
        return ERR_OK;
    /* From the file itself, as it was given to the bank: it says which debits were in which block. */
    pg_params_number(&params, intake->site_id);
    pg_params_text(&params, uuid_format(uuid, batch));
    TRY(pg_run(intake->pg, "settlement_content", &params, &rows));
    if (rows.count == 0)
        goto out;
    const struct settlement_content_row row = settlement_content_row(&rows, 0);
    size_t len = pg_hex_bytes(row.content, NULL, 0);
    bytes = malloc(len + 1);
    TRY(bytes ? ERR_OK : ERR_INTERNAL);
    pg_hex_bytes(row.content, bytes, len);
    if (strcmp(row.rail, "sepa-direct-debit") == 0)
        *debits = sepa_debits(slice_bytes(bytes, len), id);
out:
    free(bytes);
    pg_rows_free(&rows);
    return err;
}

static int64_t sum_of(const json_t *debits)
{
    const json_t *debit;
    int64_t sum = 0, one;
    size_t i;
    /* -1 is no sum of debits, so that it is equal to no amount. */
    json_array_foreach(debits, i, debit)
    {
        if (!amount_parse(slice_of(format_text(debit, "amount")), &one) || !amount_add(sum, one, &sum))
            return -1;
    }
    return sum;
}

/* Books each debit of a collection that was paid, or rejected, as a whole. *taken is false if the movement
 * names none of the site's, or pays not all of it. */
static enum err take_collection(const struct intake *intake, const json_t *movement, intake_tell *tell,
                                void *context, bool *taken)
{
    json_t *debits;
    const json_t *debit;
    int64_t amount = 0;
    size_t i;
    enum err err;
    *taken = false;
    TRY(read_collection(intake, format_text(movement, "collection"), &debits));
    bool whole =
        is(movement, "rejection") ||
        (amount_parse(slice_of(format_text(movement, "amount")), &amount) && sum_of(debits) == amount);
    if (!debits || !whole)
        goto out;
    *taken = true;
    json_array_foreach(debits, i, debit)
    {
        struct intake_result result = {.amount = format_text(debit, "amount")};
        if (remittance_find(intake->numbers, format_text(debit, "number"), &result.number) == REMITTANCE_ONE)
            TRY(take_one(intake, movement, &result));
        else
            conclude(&result, INTAKE_LEFT, "the collection names no invoice of the site's: left for you");
        assert(*result.told);
        tell(context, movement, &result);
    }
out:
    json_decref(debits);
    return err;
}

/* --- Movements --- */

/* What is not for this site, or odd; NULL if nothing is. */
static bool is_unfit(const struct intake *intake, const json_t *movement, struct intake_result *result)
{
    const char *account = format_text(movement, "account"), *currency = format_text(movement, "currency"),
               *problem = format_text(movement, "problem");
    /* The account first: a statement of another account is not odd, it is somebody else's. */
    if (*account && *intake->account && strcmp(account, intake->account) != 0)
        conclude(result, INTAKE_LEFT, "on account %.40s, but the site's is %.40s: left for you", account,
                 intake->account);
    else if (*problem)
        conclude(result, INTAKE_LEFT, "%s: left for you", problem);
    else if (*currency && strcmp(currency, intake->currency) != 0)
        conclude(result, INTAKE_LEFT, "in another currency: left for you");
    else
        return false;
    return true;
}

/* Of a movement that names no invoice, several, or one that it does not pay. */
static void leave(const json_t *movement, enum remittance found, struct intake_result *result)
{
    int64_t payments = format_number(movement, "payments");
    if (payments > 1)
        conclude(result, INTAKE_LEFT, "a batch of %" PRId64 " payments that does not list them: left for you",
                 payments);
    else if (found == REMITTANCE_NONE)
        conclude(result, INTAKE_LEFT, "names no invoice: left for you");
    else if (found == REMITTANCE_SEVERAL)
        conclude(result, INTAKE_LEFT, "names several invoices: left for you");
    else
        conclude(result, INTAKE_LEFT,
                 "money that went out and names an invoice, but is no return: left for you");
}

enum err intake_take(const struct intake *intake, const json_t *movement, intake_tell *tell, void *context)
{
    struct intake_result result = {.amount = format_text(movement, "amount")};
    enum remittance found = remittance_find(intake->numbers, format_text(movement, "text"), &result.number);
    bool debit = is(movement, "debit"), taken = false, whole = format_number(movement, "payments") <= 1;
    enum err err = ERR_OK;
    if (found != REMITTANCE_ONE)
        result.number = NULL;
    /* From what is nobody's affair to what is for a person: each movement gets one sentence. */
    if (is(movement, "announced")) {
        conclude(&result, INTAKE_NONE, "not booked by the bank");
    } else if (debit && found == REMITTANCE_NONE) {
        conclude(&result, INTAKE_NONE, "money that went out");
    } else if (is_unfit(intake, movement, &result)) {
        ; /* told */
    } else if (found == REMITTANCE_ONE && whole && (!debit || flag(movement, "unmarked"))) {
        TRY(take_one(intake, movement, &result));
    } else {
        if (found == REMITTANCE_NONE && *format_text(movement, "collection"))
            TRY(take_collection(intake, movement, tell, context, &taken));
        leave(movement, found, &result);
    }
    assert(taken || *result.told); /* no movement without a sentence */
    if (!taken)
        tell(context, movement, &result);
out:
    return err;
}
