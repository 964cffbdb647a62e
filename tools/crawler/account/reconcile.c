/* crawler reconcile: the receipts that `crawler fetch` has kept against the publisher's entries. Both sides
 * are cut by the times of ids, which neither can choose: the id was offered, and signed. */
#include "tools/crawler/account/compare.h"
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/purse.h"
#include "tools/crawler/say.h"

#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DIFFER 2 /* exit status */

static const char help[] = "Usage: crawler reconcile --key FILE --agent URL [OPTION]... SITE\n"
                           "Compares the receipts that `crawler fetch` has kept with what the publisher of\n"
                           "SITE, a URL of it, has recorded, and names each difference: missing there,\n"
                           "missing here, another amount, another URL, an id that stands twice.\n"
                           "\n"
                           "      --receipts FILE      the receipts (default: out/receipts.jsonl)\n"
                           "      --from, --to DATE    only payments offered on these days (UTC)\n"
                           "      --json               for programs\n" SESSION_HELP "\n"
                           "Days that the publisher has moved to his archive are named, and not compared.\n"
                           "Exit status: 0 all agree, 2 there are differences, 1 they could not be\n"
                           "compared, 64 the command line is wrong.\n"
                           "\n"
                           "  crawler reconcile --key crawler.key --agent https://my.crawler.example \\\n"
                           "      https://gazette.example\n";

struct reconciliation {
    struct session session;
    const char *receipts, *from, *to;
    bool json;
    char network[512], currency[8];
    struct compare_list here, there;
    json_t *archived, *told;
    size_t unbilled, in_archive, skipped;
};

/* The UTC day of an id. */
static const char *day_of(const uint8_t id[UUID_SIZE], char day[INSTANT_TEXT_MAX])
{
    instant_format(uuid_ms(id), day);
    day[10] = '\0';
    return day;
}

static bool is_within(const struct reconciliation *work, const uint8_t id[UUID_SIZE])
{
    char day[INSTANT_TEXT_MAX];
    day_of(id, day);
    return (!work->from || strcmp(day, work->from) >= 0) && (!work->to || strcmp(day, work->to) <= 0);
}

/* --- Here --- */

/* What was charged or, where the site did not say, the price. */
static bool read_amount(const json_t *receipt, struct compare_payment *payment)
{
    const char *charged = json_string_value(json_object_get(receipt, "charged"));
    const char *price = json_string_value(json_object_get(receipt, "price"));
    return (charged && purse_parse(slice_of(charged), payment->currency, &payment->micros)) ||
           (price && purse_parse(slice_of(price), payment->currency, &payment->micros));
}

/* NULL, or what is wrong with the line. */
static const char *take_receipt(struct reconciliation *work, const char *line)
{
    struct compare_payment payment = {.micros = 0};
    json_t *receipt = json_loads(line, 0, NULL);
    const char *id = json_string_value(json_object_get(receipt, "id"));
    const char *network = json_string_value(json_object_get(receipt, "network"));
    const char *url = json_string_value(json_object_get(receipt, "url"));
    const char *problem = NULL;
    if (!receipt || !id || !network || !url)
        problem = "no receipt: id, network or url is missing";
    else if (strcmp(network, work->network) != 0)
        work->skipped++; /* another site's */
    else if (!uuid_parse(slice_of(id), payment.id))
        problem = "the id is none that a site gives";
    else if (!read_amount(receipt, &payment))
        problem = "neither charged nor price can be read";
    else if (is_within(work, payment.id)) {
        problem = compare_add(&work->here, &payment, url) ? NULL : "no memory";
    }
    json_decref(receipt);
    return problem;
}

static bool read_receipts(struct reconciliation *work)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    bool ok = true;
    FILE *file = fopen(work->receipts, "r");
    if (!file) {
        say_problem("%s: %s; name the receipts with --receipts", work->receipts, strerror(errno));
        return false;
    }
    while (ok && getline(&line, &room, file) >= 0) {
        const char *problem = take_receipt(work, line);
        number++;
        ok = !problem;
        if (problem)
            say_problem("%s:%zu: %s", work->receipts, number, problem);
    }
    if (ferror(file)) {
        say_problem("%s: %s", work->receipts, strerror(errno));
        ok = false;
    }
    fclose(file);
    free(line);
    return ok;
}

/* --- There --- */

static bool take_entry(struct reconciliation *work, const json_t *entry)
{
    struct compare_payment payment = {.micros = json_integer_value(json_object_get(entry, "amount_micros"))};
    const json_t *final = json_object_get(entry, "final_micros");
    const char *id = json_string_value(json_object_get(entry, "payment_id"));
    const char *url = json_string_value(json_object_get(entry, "url"));
    if (!id || !url || !uuid_parse(slice_of(id), payment.id)) {
        say_problem("an entry of the site has no payment_id or no url");
        return false;
    }
    if (!is_within(work, payment.id))
        return true;
    if (json_is_integer(final)) /* what its server has told last, also in the receipt */
        payment.micros = json_integer_value(final);
    payment.unbilled = json_is_true(json_object_get(entry, "undelivered")) ||
                       json_is_string(json_object_get(entry, "unproven"));
    work->unbilled += payment.unbilled;
    memcpy(payment.currency, work->currency, sizeof(payment.currency));
    return compare_add(&work->there, &payment, url);
}

/* A billing day is of the site's zone, and begins up to a day before or after UTC's. */
static char *first_page(const struct reconciliation *work)
{
    char from[INSTANT_TEXT_MAX] = "", to[INSTANT_TEXT_MAX] = "", *target = NULL;
    const char *dates[] = {work->from, work->to};
    char *shifted[] = {from, to};
    for (int i = 0; i < 2; i++) {
        if (!dates[i])
            continue;
        instant_format(instant_of_date(dates[i]) + (i == 0 ? -1 : 1) * INSTANT_DAY_MS, shifted[i]);
        shifted[i][10] = '\0';
    }
    size_t room = sizeof("/entries?limit=5000&from=&to=") + sizeof(from) + sizeof(to);
    target = malloc(room);
    if (target)
        snprintf(target, room, "/entries?limit=5000%s%s%s%s", *from ? "&from=" : "", from, *to ? "&to=" : "",
                 to);
    return target;
}

static bool read_page(struct reconciliation *work, const char *below, char **next)
{
    json_t *page = session_json(&work->session, below), *item;
    size_t i;
    bool ok = page != NULL;
    json_array_foreach(json_object_get(page, "entries"), i, item) ok = ok && take_entry(work, item);
    json_array_foreach(json_object_get(page, "archived"), i,
                       item) if (json_is_string(json_object_get(item, "day")) &&
                                 json_is_string(json_object_get(item, "amount")))
        json_array_append(work->archived, item);
    const char *target = json_string_value(json_object_get(page, "next"));
    *next = target ? strdup(target) : NULL;
    json_decref(page);
    return ok;
}

static bool read_entries(struct reconciliation *work)
{
    char *target = first_page(work);
    bool ok = target != NULL;
    while (ok && target) {
        char *next;
        ok = read_page(work, target, &next);
        free(target);
        target = next;
    }
    free(target);
    return ok;
}

static bool read_account(struct reconciliation *work)
{
    json_t *account = session_json(&work->session, "");
    const char *network = json_string_value(json_object_get(account, "network"));
    const char *currency = json_string_value(json_object_get(account, "currency"));
    bool ok = network && currency;
    if (ok) {
        snprintf(work->network, sizeof(work->network), "%s", network);
        snprintf(work->currency, sizeof(work->currency), "%s", currency);
    } else if (account) {
        say_problem("%s: the account has no network or no currency", work->session.words[0]);
    }
    json_decref(account);
    return ok;
}

/* --- Both --- */

/* Whether the id may be of a day whose entries are in a file: its own in UTC, or a neighbour's in another
 * zone. */
static bool is_archived(const struct reconciliation *work, const uint8_t id[UUID_SIZE])
{
    json_t *day;
    size_t i;
    for (int shift = -1; shift <= 1; shift++) {
        char date[INSTANT_TEXT_MAX];
        instant_format(uuid_ms(id) + shift * INSTANT_DAY_MS, date);
        date[10] = '\0';
        json_array_foreach(work->archived, i,
                           day) if (strcmp(date, json_string_value(json_object_get(day, "day"))) ==
                                    0) return true;
    }
    return false;
}

static json_t *amount_json(const struct compare_payment *payment)
{
    char amount[AMOUNT_TEXT_MAX];
    if (!payment)
        return json_null();
    return json_sprintf("%s %s", payment->currency, amount_format(payment->micros, amount));
}

static void on_difference(void *context, enum compare_difference difference,
                          const struct compare_payment *here, const struct compare_payment *there)
{
    struct reconciliation *work = context;
    const struct compare_payment *one = here ? here : there;
    char id[UUID_TEXT_MAX];
    if (difference == COMPARE_MISSING_THERE && is_archived(work, here->id)) {
        work->in_archive++;
        return;
    }
    json_t *told = json_pack("{s:s,s:s,s:s,s:o,s:o}", "difference", compare_name(difference), "payment_id",
                             uuid_format(one->id, id), "url", one->url, "here", amount_json(here), "there",
                             amount_json(there));
    if (difference == COMPARE_URL)
        json_object_set_new(told, "url_there", json_string(there->url));
    json_array_append_new(work->told, told);
    if (work->json)
        return;
    const char *amounts[] = {json_string_value(json_object_get(told, "here")),
                             json_string_value(json_object_get(told, "there"))};
    say_line("%s  %s", id, compare_sentence(difference));
    say_line("     %s", one->url);
    if (difference == COMPARE_URL)
        say_line("     there: %s", there->url);
    say_line("     here %s, there %s", amounts[0] ? amounts[0] : "none", amounts[1] ? amounts[1] : "none");
}

static int64_t sum_of(const struct compare_list *list)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!amount_add(sum, list->items[i].micros, &sum))
            return INT64_MAX;
    return sum;
}

static void tell_sums(const struct reconciliation *work, size_t agree, size_t differences)
{
    char here[AMOUNT_TEXT_MAX], there[AMOUNT_TEXT_MAX];
    json_t *day;
    size_t i;
    json_array_foreach(work->archived, i, day) say_line(
        "%s: %" JSON_INTEGER_FORMAT " entries, %s %s, are in the publisher's archive: not compared",
        json_string_value(json_object_get(day, "day")), json_integer_value(json_object_get(day, "entries")),
        work->currency, json_string_value(json_object_get(day, "amount")));
    if (work->in_archive > 0)
        say_line("%zu receipts of such days, or beside them, have no entry that is at hand",
                 work->in_archive);
    say_line("%zu receipts here, %s %s; %zu entries there, %s %s", work->here.count, work->currency,
             amount_format(sum_of(&work->here), here), work->there.count, work->currency,
             amount_format(sum_of(&work->there), there));
    if (work->unbilled > 0)
        say_line("%zu entries are not billed: undelivered, or not proven", work->unbilled);
    say_line(differences > 0 ? "%zu agree, %zu differences" : "%zu agree, no differences", agree,
             differences);
}

static bool tell_json(struct reconciliation *work, size_t agree)
{
    return session_print_json(json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:O,s:O}", "network", work->network, "currency", work->currency,
        "receipts", (json_int_t)work->here.count, "receipts_micros", (json_int_t)sum_of(&work->here),
        "entries", (json_int_t)work->there.count, "entries_micros", (json_int_t)sum_of(&work->there), "agree",
        (json_int_t)agree, "unbilled", (json_int_t)work->unbilled, "receipts_archived",
        (json_int_t)work->in_archive, "archived", work->archived, "differences", work->told));
}

static int reconcile(struct reconciliation *work)
{
    if (!session_open(&work->session) || !read_account(work) || !read_receipts(work) || !read_entries(work))
        return COMMANDS_FAILED;
    struct compare_result result = compare_lists(&work->here, &work->there, on_difference, work);
    size_t differences = json_array_size(work->told);
    if (work->json && !tell_json(work, result.agree))
        return COMMANDS_FAILED;
    if (!work->json)
        tell_sums(work, result.agree, differences);
    return fflush(stdout) != 0 ? COMMANDS_FAILED : differences > 0 ? DIFFER : COMMANDS_OK;
}

static bool is_date(const char *option, const char *text)
{
    if (!text || instant_is_date(slice_of(text)))
        return true;
    say_problem("--%s: \"%s\" is not a date such as 2026-11-30", option, text);
    return false;
}

int reconcile_main(int argc, char **argv)
{
    struct reconciliation work = {.receipts = "out/receipts.jsonl"};
    const struct session_option options[] = {{"receipts", &work.receipts, NULL},
                                             {"from", &work.from, NULL},
                                             {"to", &work.to, NULL},
                                             {"json", NULL, &work.json},
                                             {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 1, 1, "a URL of the site"};
    int status = session_parse(&work.session, argc, argv, &usage);
    if (status >= 0)
        return status;
    if (!is_date("from", work.from) || !is_date("to", work.to))
        return COMMANDS_USAGE;
    work.archived = json_array();
    work.told = json_array();
    status = reconcile(&work);
    session_close(&work.session);
    compare_free(&work.here);
    compare_free(&work.there);
    json_decref(work.archived);
    json_decref(work.told);
    return status;
}
