#include "server/console/intro.h"

#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"
#include "server/console/view/plot.h"
#include "server/console/view/markup.h"
#include "server/console/view/traffic_rows.h"

#include <stdlib.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* --- Today --- */

struct day_sums {
    const char *site, *currency;
    int64_t paid, offered, refused, earned, would, buyers, refusers, asked;
};

static struct day_sums sum_of(const json_t *rows, const char *site)
{
    struct day_sums sums = {.site = site, .currency = ""};
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(text_of(row, "site"), site) != 0)
            continue;
        int64_t paid = number_of(row, "paid"), offered = number_of(row, "offered");
        sums.currency = text_of(row, "currency");
        sums.paid += paid;
        sums.offered += offered;
        sums.refused += number_of(row, "refused");
        sums.earned += number_of(row, "earned_micros");
        sums.would += number_of(row, "would_have_earned_micros");
        sums.buyers += paid > 0;
        sums.refusers += paid == 0 && offered > 0;
        sums.asked += paid == 0 ? offered : 0;
    }
    return sums;
}

static void write_sentence(FILE *out, const struct day_sums *sums)
{
    markup(out, "<p class=\"lead\">Today <b>");
    markup_number(out, sums->paid);
    markup(out, "</b> page%s sold to <b>%d</b> crawler%s for <b>", sums->paid == 1 ? " was" : "s were",
           sums->buyers, sums->buyers == 1 ? "" : "s");
    markup_money(out, sums->earned, sums->currency);
    fputs("</b>", out);
    if (sums->refusers > 0) {
        markup(out, "; %d crawler%s offered ", sums->refusers, sums->refusers == 1 ? " was" : "s were");
        markup_number(out, sums->asked);
        fputs(sums->asked == 1 ? " page and took none" : " pages and took none", out);
    }
    fputs(".", out);
    if (sums->would > 0) {
        fputs(" In observe mode, ", out);
        markup_money(out, sums->would, sums->currency);
        fputs(" would have been earned if every request had paid.", out);
    }
    fputs("</p>\n", out);
}

static void write_number(FILE *out, const struct day_sums *sums, const char *name, const char *what,
                         int64_t value, bool money)
{
    markup(out,
           "<div class=\"%s\"><dt>%s</dt><dd><a href=\"#crawlers-today\" data-live=\"%s\" "
           "data-site=\"%s\">",
           what, what, name, sums->site);
    if (money)
        markup_money(out, value, sums->currency);
    else
        markup_number(out, value);
    fputs("</a></dd></div>", out);
}

static void write_numbers(FILE *out, const struct day_sums *sums)
{
    fputs("<dl class=\"numbers\">", out);
    write_number(out, sums, "earned_micros", "sold", sums->earned, true);
    write_number(out, sums, "paid", "paid", sums->paid, false);
    write_number(out, sums, "offered", "offered", sums->offered, false);
    write_number(out, sums, "refused", "refused", sums->refused, false);
    if (sums->would > 0)
        write_number(out, sums, "would_have_earned_micros", "observed", sums->would, true);
    fputs("</dl>\n", out);
}

/* What an hour has earned, or would have; keys are "2026-11-29T10:00+00:00". */
static void take_hours(const json_t *rows, const char *site, int64_t *values, struct plot *chart)
{
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *key = text_of(row, "key");
        int hour = strlen(key) >= 13 ? (key[11] - '0') * 10 + key[12] - '0' : -1;
        if (strcmp(text_of(row, "site"), site) != 0 || hour < 0 || hour > 23)
            continue;
        chart->currency = text_of(row, "currency");
        values[hour] += number_of(row, "earned_micros") + number_of(row, "would_have_earned_micros");
    }
}

/* The rows of the hours of the same day a week before that of the answer. */
static json_t *week_ago(const struct view_source *source, const json_t *answer)
{
    char date[INSTANT_TEXT_MAX];
    struct view_fault fault = {0};
    const char *today = text_of(json_array_get(answer, 0), "from");
    if (strlen(today) != 10)
        return json_array();
    instant_format(instant_of_date(today) - 7 * INSTANT_DAY_MS, date);
    date[10] = '\0';
    json_t *given = json_pack("{s:s,s:s}", "from", date, "to", date);
    json_t *before = view_command(source, "traffic --json --by hour --from={from} --to={to}", given, &fault);
    json_t *rows = before ? traffic_rows(before, NULL) : json_array();
    json_decref(before);
    json_decref(given);
    return rows;
}

static void write_hours(FILE *out, const struct view_source *source, const char *site, const json_t *answer,
                        const json_t *before)
{
    struct plot chart = {.title = "Earned by the hour",
                         .name = "today",
                         .line_name = "the same day last week",
                         .currency = "",
                         .slots = 24};
    json_t *rows = traffic_rows(answer, NULL);
    (void)source;
    for (int hour = 0; hour < 24; hour++)
        snprintf(chart.labels[hour], sizeof(chart.labels[hour]), "%02d", hour);
    take_hours(rows, site, chart.columns, &chart);
    take_hours(before, site, chart.line, &chart);
    plot_write(out, &chart);
    json_decref(rows);
}

/* How many of those who were offered pages took them, by crawler. */
static void write_takers(FILE *out, const json_t *rows, const char *site)
{
    const json_t *row;
    size_t i, shown = 0;
    json_array_foreach(rows, i, row)
    {
        int64_t paid = number_of(row, "paid"), asked = paid + number_of(row, "offered");
        char says[96];
        if (strcmp(text_of(row, "site"), site) != 0 || asked == 0 || shown == 8)
            continue;
        if (shown++ == 0)
            fputs("<figure class=\"bars\"><figcaption>Offered, and paid, by crawler</figcaption><ul>", out);
        snprintf(says, sizeof(says), "%lld of %lld paid", (long long)paid, (long long)asked);
        markup(out, "<li><span>%s</span>", text_of(row, "key"));
        plot_bar(out, paid, asked, says);
        markup(out, "<span class=\"n\">%s</span></li>", says);
    }
    fputs(shown ? "</ul></figure>\n" : "", out);
}

static void today(FILE *out, const struct view_source *source, const struct asked *ask)
{
    struct view_fault fault = {0};
    json_t *answer = view_command(source, "today --json [--site={site}]", ask->given, &fault);
    json_t *hours = view_command(source, "today --json --by hour [--site={site}]", ask->given, &fault);
    json_t *rows = answer ? traffic_rows(answer, NULL) : NULL, *site;
    json_t *before = hours ? week_ago(source, hours) : NULL;
    size_t i;
    json_array_foreach(answer, i, site)
    {
        const char *name = text_of(site, "site");
        struct day_sums sums = sum_of(rows, name);
        sums.currency = text_of(site, "currency");
        markup(out, json_array_size(answer) > 1 ? "<h2>%s</h2>" : "", name);
        write_sentence(out, &sums);
        write_numbers(out, &sums);
        fputs("<div class=\"pair\">", out);
        write_hours(out, source, name, hours, before);
        write_takers(out, rows, name);
        fputs("</div>\n", out);
    }
    json_decref(answer);
    json_decref(hours);
    json_decref(before);
    json_decref(rows);
}

/* --- objects --- */

static void write_download(FILE *out, const struct asked *ask, const char *format, const char *label)
{
    markup(out, "<a href=\"/invoice/document?format=%s&amp;number=%u", format, asked_text(ask, "number"));
    markup(out, asked_text(ask, "site") ? "&amp;site=%u" : "", asked_text(ask, "site"));
    markup(out, "\">%s</a> ", label);
}

static void invoice(FILE *out, const struct asked *ask, const json_t *object)
{
    char amount[AMOUNT_TEXT_MAX], open[AMOUNT_TEXT_MAX];
    int decimals = (int)number_of(object, "currency_decimals");
    const char *currency = text_of(object, "currency");
    amount_format_minor(number_of(object, "total_minor"), decimals, amount);
    amount_format_minor(number_of(object, "open_minor"), decimals, open);
    markup(out,
           "<p class=\"lead\">%s of <b>%s %s</b> to <a href=\"/crawler?crawler=%u\">%s</a>, issued on %s: "
           "<b>%s</b>; %s %s are open",
           strcmp(text_of(object, "kind"), "invoice") == 0 ? "Invoice" : "Credit note", amount, currency,
           text_of(object, "agent"), text_of(object, "agent"), text_of(object, "issue_date"),
           text_of(object, "status"), open, currency);
    markup(out,
           *text_of(object, "due_date") ? ", due on %s.</p>\n<p class=\"downloads\">"
                                        : ".</p>\n<p class=\"downloads\">",
           text_of(object, "due_date"));
    write_download(out, ask, "pdf", "PDF");
    write_download(out, ask, "html", "HTML");
    write_download(out, ask, "ubl", "UBL");
    write_download(out, ask, "csv", "CSV");
    write_download(out, ask, "json", "JSON");
    fputs("</p>\n<details><summary>All that is on it</summary>", out);
    markup_object(out, object);
    fputs("</details>\n", out);
}

static void write_price(FILE *out, const json_t *object)
{
    markup_money(out, number_of(object, "amount_micros"), text_of(object, "currency"));
}

/* Of an entry. */
static void paid_sentence(FILE *out, const json_t *object)
{
    const json_t *taken = json_object_get(object, "adjustments"), *one;
    int64_t micros = 0;
    size_t i;
    json_array_foreach(taken, i, one)
    {
        micros += number_of(one, "amount_micros");
    }
    markup(out, "<a href=\"/crawler?crawler=%u\">%s</a> signed for <b>%s</b> at <b>",
           text_of(object, "agent"), text_of(object, "agent"), text_of(object, "resource"));
    write_price(out, object);
    markup(out, "</b>, and got it on <b>%s</b>; ", text_of(object, "receipt_at"));
    if (*text_of(object, "invoice"))
        markup(out, "it is on <a href=\"/invoice?number=%u&amp;site=%u\">%s</a>; ",
               text_of(object, "invoice"), text_of(object, "site"), text_of(object, "invoice"));
    else
        fputs("it is on no invoice yet; ", out);
    if (micros > 0) {
        markup_money(out, micros, text_of(object, "currency"));
        fputs(" of it were taken back", out);
    } else {
        fputs("nothing was taken back", out);
    }
    fputs(json_is_true(json_object_get(object, "holds")) ? ". Everything that was checked holds."
                                                         : ". <b>Not everything that was checked holds.</b>",
          out);
}

void intro_sentence(FILE *out, const json_t *object)
{
    static const struct {
        const char *status, *says;
    } others[] = {
        {"unproven",
         "It was recorded and is never billed: the night found that it is not what its signer signed."},
        {"offered", "It was offered and is not paid yet: no entry has this payment id."},
        {"expired", "It was offered and never paid; nothing was charged for it, and the offer has expired."},
        {"mistyped", "No entry has this payment id: it is mistyped."},
        {"foreign", "No entry has this payment id, and no offer key here made it."},
        {"archived", "The entries of its day are archived; crawltab archive list names the file."},
        {"unknown", "No entry has this payment id: nothing was charged for it."},
        {"invoice", "It is the number of the documents below."},
        {"key", "It is the thumbprint of a key."},
    };
    const char *status = text_of(object, "status");
    fputs("<p class=\"lead\">", out);
    if (strcmp(status, "paid") == 0)
        paid_sentence(out, object);
    else
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
            markup(out, strcmp(others[i].status, status) == 0 ? "%s" : "", others[i].says);
    fputs("</p>\n", out);
}

static void lookup(FILE *out, const struct asked *ask, const json_t *object)
{
    const char *status = text_of(object, "status");
    bool proven = strcmp(status, "paid") == 0 || strcmp(status, "unproven") == 0;
    if (!object) {
        fputs(
            "<p class=\"empty\">One box for everything: a payment id or its UUID, the number of an invoice "
            "or "
            "credit note, a crawler, the thumbprint of a key, or the URL of a page with the time at which it "
            "was paid.</p>\n<form class=\"filters\" action=\"/lookup\"><label>URL <input name=\"q\" type="
            "\"text\" required></label><label>About when <input name=\"at\" type=\"text\" placeholder="
            "\"2026-11-20T08:30\" required></label><button>Look up</button></form>\n",
            out);
        return;
    }
    intro_sentence(out, object);
    if (proven)
        markup(
            out,
            "<p class=\"downloads\"><a href=\"/lookup/proof?q=%u\">Proof bundle</a></p>"
            "<p class=\"about\">It proves, to anybody and without this ledger, that the key's owner signed "
            "for this page at this price. It does not prove who read it, or that it was worth it.</p>\n",
            asked_text(ask, "q"));
    fputs("<details><summary>All that is known</summary>", out);
    markup_object(out, object);
    fputs("</details>\n", out);
}

static void dispute(FILE *out, const json_t *object)
{
    markup(out, "<p class=\"lead\"><a href=\"/crawler?crawler=%u\">%s</a> disputes <b>",
           text_of(object, "agent"), text_of(object, "agent"));
    markup_money(out, number_of(object, "claimed_micros"), text_of(object, "currency"));
    markup(out, "</b> (%s): <b>%s</b>; to be decided by %s.</p>\n", text_of(object, "reason"),
           text_of(object, "status"), text_of(object, "due_at"));
    markup(out, *text_of(object, "statement") ? "<blockquote>%s</blockquote>\n" : "",
           text_of(object, "statement"));
}

/* How much of its limits is used, as far as there are any. */
static void write_owed(FILE *out, const json_t *rows)
{
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        int64_t limit = number_of(row, "balance_limit_micros");
        int64_t owed = number_of(row, "unbilled_micros") + number_of(row, "owed_micros");
        markup(out, "<p class=\"lead\">At %s it owes <b>",
               *text_of(row, "site") ? text_of(row, "site") : "no site");
        markup_money(out, owed, text_of(row, "currency"));
        fputs("</b>", out);
        if (limit > 0) {
            fputs(" of the ", out);
            markup_money(out, limit, text_of(row, "currency"));
            fputs(" that it may owe. ", out);
            plot_bar(out, owed, limit, "part of its limit that is used");
        } else {
            fputs(", and has no limit.", out);
        }
        markup(out, " <a href=\"/agreement?crawler=%u&amp;site=%u\">Its agreement</a></p>\n",
               text_of(row, "crawler"), text_of(row, "site"));
    }
}

static void write_coverage(FILE *out, const json_t *rows)
{
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        int64_t taken = number_of(row, "pages_taken"), part = number_of(row, "taken_percent");
        markup(out, "<p class=\"lead\">From %s to %s it took about <b>", text_of(row, "first_date"),
               text_of(row, "last_date"));
        markup_number(out, taken);
        markup(out, "</b> different page%s of %s, %s<b>%d %%</b> of the about ", taken == 1 ? "" : "s",
               text_of(row, "site"), taken > 0 && part == 0 ? "less than " : "",
               taken > 0 && part == 0 ? (int64_t)1 : part);
        markup_number(out, number_of(row, "pages_of_site"));
        fputs(" that anybody asked for there; it asked for about ", out);
        markup_number(out, number_of(row, "pages_asked"));
        markup(out, ". <a href=\"#coverage\">How much of the site</a></p>\n");
    }
}

static void crawler(FILE *out, const struct page_content *content)
{
    for (size_t i = 0; i < content->count; i++) {
        if (strcmp(content->views[i]->name, "crawlers") == 0)
            write_owed(out, content->rows[i].rows);
        if (strcmp(content->views[i]->name, "coverage") == 0)
            write_coverage(out, content->rows[i].rows);
    }
}

static void agreement(FILE *out, const json_t *object)
{
    if (number_of(object, "version") == 0)
        fputs("<p class=\"empty\">Nothing is agreed: the rules' prices and the site's terms hold. A version "
              "recorded below comes into force at once, or when you say.</p>\n",
              out);
    else
        markup(out, "<p class=\"lead\">Version <b>%d</b> is in force from %s: %s.</p>\n",
               number_of(object, "version"), text_of(object, "valid_from"), text_of(object, "reason"));
}

void intro_write(FILE *out, const struct seat *seat, const struct caller *caller, const struct asked *ask,
                 const struct page_content *content)
{
    const struct view_source source = seat_source(seat, caller);
    const char *path = content->page->path;
    if (strcmp(path, "/today") == 0)
        today(out, &source, ask);
    else if (strcmp(path, "/invoice") == 0)
        invoice(out, ask, content->object);
    else if (strcmp(path, "/lookup") == 0)
        lookup(out, ask, content->object);
    else if (strcmp(path, "/dispute") == 0)
        dispute(out, content->object);
    else if (strcmp(path, "/crawler") == 0)
        crawler(out, content);
    else if (strcmp(path, "/agreement") == 0)
        agreement(out, content->object);
}
