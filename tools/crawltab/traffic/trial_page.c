#include "tools/crawltab/traffic/trial_page.h"

#include "tools/crawltab/frame/csv.h"
#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/traffic/traffic_page.h"

#include "ledger/base/text/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_WIDTH  14
#define MOVES_SHOWN 20 /* in a table */

static const char *name_of(const char *rule)
{
    return *rule ? rule : "(no rule)";
}

/* A name that is too long for its column has a line of its own. */
static void print_name(const char *name)
{
    if (strlen(name) > NAME_WIDTH) {
        show_text(stdout, name);
        printf("\n%*s", NAME_WIDTH, "");
        return;
    }
    show_column(stdout, name, NAME_WIDTH);
}

static void print_pair(int64_t now, int64_t tried)
{
    char text[AMOUNT_TEXT_MAX];
    printf(" %11s", traffic_page_amount(now, text));
    printf(" %11s", traffic_page_amount(tried, text));
}

static void print_sums(const char *name, const struct trial_sums sums[TRIAL_SETS])
{
    char text[LOG_NUMBER_MAX];
    print_name(name);
    for (int i = 0; i < TRIAL_SETS; i++)
        printf(" %8s", traffic_page_number(sums[i].requests, 1000000, text));
    print_pair(sums[TRIAL_NOW].paid_micros, sums[TRIAL_TRIED].paid_micros);
    print_pair(sums[TRIAL_NOW].all_micros, sums[TRIAL_TRIED].all_micros);
    putchar('\n');
}

static void print_rules(const struct trial *trial)
{
    printf("%*s %17s %23s %23s\n", NAME_WIDTH, "", "requests", "from who paid", "if all had paid");
    show_column(stdout, "Rule", NAME_WIDTH);
    printf(" %8s %8s %11s %11s %11s %11s\n", "now", "tried", "now", "tried", "now", "tried");
    for (size_t i = 0; i < trial->rule_count; i++)
        print_sums(name_of(trial->rules[i].name), trial->rules[i].sums);
    print_sums("Total", trial->sums);
}

static void print_decision(const struct trial_decision *decision)
{
    char amount[AMOUNT_TEXT_MAX];
    show_text(stdout, name_of(decision->rule));
    printf(" %s",
           decision->price_micros > 0 ? amount_format(decision->price_micros, amount) : decision->action);
}

static void print_moves(const struct trial *trial)
{
    char amounts[TRIAL_SETS][AMOUNT_TEXT_MAX];
    if (trial->move_count == 0)
        return;
    puts("\nUnder another rule, those first that change most if all had paid:");
    for (size_t i = 0; i < trial->move_count && i < MOVES_SHOWN; i++) {
        const struct trial_move *move = &trial->moves[i];
        show_text(stdout, move->path);
        fputs("\n    ", stdout);
        print_decision(&move->decisions[TRIAL_NOW]);
        fputs(" -> ", stdout);
        print_decision(&move->decisions[TRIAL_TRIED]);
        int64_t requests = move->sums[TRIAL_NOW].requests;
        printf("\n    %" PRId64 " request%s, %s -> %s\n", requests, requests == 1 ? "" : "s",
               amount_format(move->sums[TRIAL_NOW].all_micros, amounts[0]),
               amount_format(move->sums[TRIAL_TRIED].all_micros, amounts[1]));
    }
    if (trial->move_count > MOVES_SHOWN)
        printf("(%zu more: --csv and --json have them)\n", trial->move_count - MOVES_SHOWN);
}

/* What the figures leave open. */
static void print_notes(const struct trial *trial)
{
    char money[SHOW_MONEY_MAX];
    int64_t requests = trial->sums[TRIAL_NOW].requests;
    if (trial->unknown > 0)
        printf("\n%" PRId64 " %% of requests are not known by path: they stay as they were counted.\n",
               trial->unknown <= INT64_MAX / 100 ? (trial->unknown * 100 + requests - 1) / requests : 100);
    if (trial->counted_micros != trial->sums[TRIAL_NOW].paid_micros)
        printf("\nIn fact %s were paid: rules or prices have changed meanwhile, or less was\n"
               "taken than was asked.\n",
               show_micros(trial->counted_micros, trial->span->currency, money));
    puts("\nEach is tried as a GET without a query, with today's agreements. Who was refused\n"
         "stays refused; what is free today is not counted by path, and so is not tried.");
}

/* Where nobody pays, in observe mode say, what all would have paid is all there is to tell. */
static void print_sentence(const struct trial *trial, const char *days)
{
    char tried[SHOW_MONEY_MAX], now[SHOW_MONEY_MAX];
    const struct trial_sums *sums = trial->sums;
    bool paid = sums[TRIAL_NOW].paid_micros > 0 || sums[TRIAL_TRIED].paid_micros > 0;
    show_micros(paid ? sums[TRIAL_TRIED].paid_micros : sums[TRIAL_TRIED].all_micros, trial->span->currency,
                tried);
    show_micros(paid ? sums[TRIAL_NOW].paid_micros : sums[TRIAL_NOW].all_micros, trial->span->currency, now);
    printf("With these rules %s would have earned %s\ninstead of %s, if %s.\n\n", days, tried, now,
           paid ? "the same crawlers had paid for the same pages" : "all had paid who asked; nobody has");
}

void trial_page_print(const struct trial *trial, const char *days)
{
    const struct traffic_spans_row *span = trial->span;
    printf("RULES TRIED at %s\n%s to %s (%s), in %s\n\n", span->site, span->first_date, span->last_date,
           span->time_zone, span->currency);
    if (trial->rows.count == 0) {
        puts("nothing was counted by path");
        return;
    }
    print_sentence(trial, days);
    print_rules(trial);
    print_moves(trial);
    print_notes(trial);
}

static json_t *sums_json(const struct trial_sums *sums)
{
    return json_pack("{s:I,s:I,s:I}", "requests", sums->requests, "paid_micros", sums->paid_micros,
                     "all_paid_micros", sums->all_micros);
}

static json_t *decision_json(const struct trial_decision *decision, const struct trial_sums *sums)
{
    json_t *object = json_pack("{s:s,s:s,s:I}", "rule", decision->rule, "action", decision->action,
                               "price_micros", decision->price_micros);
    json_t *more = sums_json(sums);
    json_object_update(object, more);
    json_decref(more);
    return object;
}

json_t *trial_page_json(const struct trial *trial)
{
    const struct traffic_spans_row *span = trial->span;
    json_t *rules = json_array(), *paths = json_array();
    for (size_t i = 0; i < trial->rule_count; i++) {
        const struct trial_rule *rule = &trial->rules[i];
        json_array_append_new(rules, json_pack("{s:s,s:o,s:o}", "rule", rule->name, "now",
                                               sums_json(&rule->sums[TRIAL_NOW]), "tried",
                                               sums_json(&rule->sums[TRIAL_TRIED])));
    }
    for (size_t i = 0; i < trial->move_count; i++) {
        const struct trial_move *move = &trial->moves[i];
        json_t *now = decision_json(&move->decisions[TRIAL_NOW], &move->sums[TRIAL_NOW]);
        json_t *tried = decision_json(&move->decisions[TRIAL_TRIED], &move->sums[TRIAL_TRIED]);
        json_array_append_new(paths,
                              json_pack("{s:s,s:o,s:o}", "path", move->path, "now", now, "tried", tried));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o}", "site", span->site, "currency",
                     span->currency, "from", span->first_date, "to", span->last_date, "time_zone",
                     span->time_zone, "requests_without_path", trial->unknown, "counted_micros",
                     trial->counted_micros, "now", sums_json(&trial->sums[TRIAL_NOW]), "tried",
                     sums_json(&trial->sums[TRIAL_TRIED]), "rules", rules, "paths", paths);
}

void trial_page_csv_head(void)
{
    fputs("site,path,rule_now,price_now,rule_tried,price_tried,requests_now,requests_tried,paid_now,"
          "paid_tried,all_paid_now,all_paid_tried,currency\r\n",
          stdout);
}

static void csv_decision(const char *rule, int64_t price_micros)
{
    char amount[AMOUNT_TEXT_MAX];
    csv_text(rule);
    printf(",%s,", price_micros > 0 ? amount_format(price_micros, amount) : "");
}

static void csv_sums(const struct trial *trial, const struct trial_sums sums[TRIAL_SETS])
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%" PRId64 ",%" PRId64, sums[TRIAL_NOW].requests, sums[TRIAL_TRIED].requests);
    for (int i = 0; i < TRIAL_SETS; i++)
        printf(",%s", amount_format(sums[i].paid_micros, amount));
    for (int i = 0; i < TRIAL_SETS; i++)
        printf(",%s", amount_format(sums[i].all_micros, amount));
    printf(",%s\r\n", trial->span->currency);
}

static void csv_begin(const struct trial *trial, const char *path)
{
    csv_text(trial->span->site);
    putchar(',');
    csv_text(path);
    putchar(',');
}

void trial_page_csv(const struct trial *trial)
{
    for (size_t i = 0; i < trial->rule_count; i++) {
        csv_begin(trial, "");
        csv_decision(trial->rules[i].name, 0);
        csv_decision(trial->rules[i].name, 0);
        csv_sums(trial, trial->rules[i].sums);
    }
    for (size_t i = 0; i < trial->move_count; i++) {
        const struct trial_move *move = &trial->moves[i];
        csv_begin(trial, move->path);
        for (int k = 0; k < TRIAL_SETS; k++)
            csv_decision(move->decisions[k].rule, move->decisions[k].price_micros);
        csv_sums(trial, move->sums);
    }
}
