#include "tools/crawltab/disputes/dispute_page.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/dispute/opening.h"
#include "ledger/dispute/rules.h"
#include "sql/rows/dispute.h"

#include <inttypes.h>

#define COLUMN "%-12s"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void print_fact(const char *name, const char *value)
{
    if (!*value)
        return;
    printf(COLUMN, name);
    show_text(stdout, value);
    putchar('\n');
}

static void print_money(const char *name, int64_t micros, const char *currency)
{
    char money[SHOW_MONEY_MAX];
    print_fact(name, show_micros(micros, currency, money));
}

static void print_subject(const json_t *subject, const char *currency, bool first)
{
    char money[SHOW_MONEY_MAX];
    const char *payment = text_of(subject, "payment_id"), *invoice = text_of(subject, "invoice");
    printf(COLUMN, first ? "About" : "");
    if (*payment) {
        printf("payment %s, %s", payment, show_micros(number_of(subject, "amount_micros"), currency, money));
        if (*invoice)
            printf(", on %s", invoice);
    } else {
        printf("line %" PRId64 " of %s, %s", number_of(subject, "line"), invoice,
               show_micros(number_of(subject, "amount_micros"), currency, money));
    }
    putchar('\n');
}

static void print_finding(const json_t *finding, const char *currency, bool first)
{
    char money[SHOW_MONEY_MAX];
    const char *number = text_of(finding, "stands_on");
    printf(COLUMN "payment %s: %s, by %s%s%s\n", first ? "Upheld" : "", text_of(finding, "payment_id"),
           show_micros(number_of(finding, "amount_micros"), currency, money),
           strcmp(text_of(finding, "rule"), "person") == 0 ? "a person" : text_of(finding, "rule"),
           *number ? ", on " : "", number);
}

static void print_piece(const json_t *piece, bool first)
{
    const char *note = text_of(piece, "note");
    printf(COLUMN "%" PRId64 ": ", first ? "Evidence" : "", number_of(piece, "piece"));
    show_text(stdout, text_of(piece, "name"));
    printf(", %" PRId64 " bytes, SHA-256 %s", number_of(piece, "bytes"), text_of(piece, "sha256"));
    if (*note) {
        fputs(": ", stdout);
        show_text(stdout, note);
    }
    putchar('\n');
}

static void print_event(const json_t *event, bool first)
{
    const char *detail = text_of(event, "detail");
    printf(COLUMN "%.19sZ %s by ", first ? "Events" : "", text_of(event, "at"), text_of(event, "event"));
    show_text(stdout, text_of(event, "actor"));
    if (*detail) {
        fputs(": ", stdout);
        show_text(stdout, detail);
    }
    putchar('\n');
}

void dispute_page_print(const json_t *document)
{
    const char *currency = text_of(document, "currency");
    size_t at;
    const json_t *item;
    print_fact("Dispute", text_of(document, "dispute_id"));
    print_fact("Status", text_of(document, "status"));
    print_fact("Site", text_of(document, "site"));
    print_fact("Crawler", text_of(document, "agent"));
    print_fact("Opened by", text_of(document, "opened_by"));
    print_fact("Reason", text_of(document, "reason"));
    print_fact("Statement", text_of(document, "statement"));
    printf(COLUMN "%.19sZ\n", "Decide by", text_of(document, "due_at"));
    print_money("Disputed", number_of(document, "claimed_micros"), currency);
    print_money("Upheld", number_of(document, "upheld_micros"), currency);
    json_array_foreach(json_object_get(document, "subjects"), at, item)
        print_subject(item, currency, at == 0);
    json_array_foreach(json_object_get(document, "findings"), at, item)
        print_finding(item, currency, at == 0);
    json_array_foreach(json_object_get(document, "pieces"), at, item) print_piece(item, at == 0);
    json_array_foreach(json_object_get(document, "events"), at, item) print_event(item, at == 0);
}

void dispute_page_list(const struct pg_rows *rows)
{
    char money[SHOW_MONEY_MAX], at[SHOW_INSTANT_MAX];
    if (rows->count == 0)
        puts("no disputes");
    for (int i = 0; i < rows->count; i++) {
        const struct dispute_list_row row = dispute_list_row(rows, i);
        printf("%s  %-11s %s%s\n  ", row.dispute_id, row.status, row.reason, row.overdue ? ", OVERDUE" : "");
        printf("%s of ", show_micros(row.upheld_micros, row.currency, money));
        printf("%s upheld; %s %s; ", show_micros(row.claimed_micros, row.currency, money),
               row.open ? "decide by" : "opened", show_instant(row.open ? row.due_ms : row.opened_ms, at));
        show_text(stdout, row.agent);
        putchar('\n');
    }
}

json_t *dispute_page_list_json(const struct pg_rows *rows)
{
    json_t *list = json_array();
    for (int i = 0; i < rows->count; i++) {
        const struct dispute_list_row row = dispute_list_row(rows, i);
        char opened[SHOW_INSTANT_MAX], due[SHOW_INSTANT_MAX];
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:I,s:I,s:s,s:I}", "dispute_id",
                            row.dispute_id, "site", row.site, "agent", row.agent, "opened_by", row.opened_by,
                            "reason", row.reason, "opened_at", show_instant(row.opened_ms, opened), "due_at",
                            show_instant(row.due_ms, due), "status", row.status, "open", row.open, "overdue",
                            row.overdue, "claimed_micros", row.claimed_micros, "upheld_micros",
                            row.upheld_micros, "currency", row.currency, "subjects", row.subjects));
    }
    return list;
}

static const struct {
    const char *name, *what;
} reasons[] = {
#define DISPUTE_ROW(name, what) {name, what},
    DISPUTE_REASONS(DISPUTE_ROW)
#undef DISPUTE_ROW
};

void dispute_page_rules(void)
{
    puts("Rules: what is given back at once, whatever reason was given, the first that holds\n");
    for (int i = 0; i < DISPUTE_RULE_NONE; i++)
        printf("  %s: gives back %s\n    if %s\n", dispute_rule_name((enum dispute_rule)i),
               dispute_rule_what((enum dispute_rule)i), dispute_rule_when((enum dispute_rule)i));
    puts("\nEverything else waits for a person, and so does what is beyond disputes.share or\n"
         "disputes.limit of the agreement or the configuration.\n\nReasons:\n");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        printf("  %-22s %s\n", reasons[i].name, reasons[i].what);
}

json_t *dispute_page_rules_json(void)
{
    json_t *list = json_array(), *words = json_array();
    for (int i = 0; i < DISPUTE_RULE_NONE; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s}", "rule", dispute_rule_name((enum dispute_rule)i),
                                        "when", dispute_rule_when((enum dispute_rule)i), "gives_back",
                                        dispute_rule_what((enum dispute_rule)i)));
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        json_array_append_new(words,
                              json_pack("{s:s,s:s}", "reason", reasons[i].name, "meaning", reasons[i].what));
    return json_pack("{s:o,s:o}", "rules", list, "reasons", words);
}
