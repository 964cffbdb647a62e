#include "server/console/view/view.h"

#include "server/console/view/traffic_rows.h"

#include <string.h>

#define CRAWLER "/crawler?crawler={crawler}"
#define INVOICE "/invoice?site={site}&number={number}"
#define PAYMENT "/lookup?q={payment_id}"

const struct view_filter view_filters[] = {
    {"site", "The name of a site.", "", "Site"},
    {"crawler", "A crawler's account, such as https://crawler.example.", "", "Crawler"},
    {"from", "The first date.", "date", "From"},
    {"to", "The last date, included.", "date", "To"},
    {"status", "What it must have come to.", "", "Status"},
    {"rule", "The name of a rule.", "", "Rule"},
    {"action", "What kind of deed.", "", "Action"},
    {"number", "The number of an invoice or credit note.", "", "Number"},
    {"id", "The id of a dispute.", "", "Dispute"},
    {"piece", "The number of a piece of a dispute's evidence.", "", "Piece"},
    {"q", "A payment id, UUID, invoice, credit note, crawler, thumbprint, or URL.", "", "Look up"},
    {"at", "About when it was paid, for a URL: 2026-11-20T08:30, in the site's zone.", "", "At"},
    {"try", "Prices to try: rule=price, rule=price.", "", "Prices to try"},
    {"order", "newest (first), or oldest.", "", "Order"},
    {"sort", "A column to sort by, with - in front: the largest first.", "", "Sort by"},
    {"limit", "How many rows, 1 to 1000; 50 without it.", "count", "Rows"},
    {"view", "The one table of the page that is wanted.", "", "Table"},
    {"after", "Where the page before ended: its \"next\".", "", "After"},
    {NULL, NULL, NULL, NULL},
};

#define TRAFFIC_COLUMNS(title, link)                                                                         \
    {"key", title, VIEW_TEXT, link}, {"site", "Site", VIEW_TEXT, NULL},                                      \
        {"requests", "Requests", VIEW_COUNT, NULL}, {"offered", "Offered", VIEW_COUNT, NULL},                \
        {"paid", "Paid", VIEW_COUNT, NULL}, {"refused", "Refused", VIEW_COUNT, NULL},                        \
        {"free", "Free", VIEW_COUNT, NULL}, {"pages", "Pages", VIEW_COUNT, NULL},                            \
        {"bytes", "Bytes", VIEW_COUNT, NULL}, {"earned_micros", "Earned", VIEW_MONEY, NULL},                 \
    {                                                                                                        \
        "would_have_earned_micros", "Would have earned", VIEW_MONEY, NULL                                    \
    }

static const struct view_column today_columns[] = {
    TRAFFIC_COLUMNS("Crawler", "/crawler?crawler={account}"),
    {"requests_yesterday", "Yesterday", VIEW_COUNT, NULL},
    {"requests_week_ago", "A week ago", VIEW_COUNT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column refuser_columns[] = {
    {"key", "Crawler", VIEW_TEXT, "/crawler?crawler={account}"},
    {"site", "Site", VIEW_TEXT, NULL},
    {"offered", "Offered", VIEW_COUNT, NULL},
    {"refused", "Refused", VIEW_COUNT, NULL},
    {"reason", "Why", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column hour_columns[] = {
    TRAFFIC_COLUMNS("Hour", NULL),
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column day_columns[] = {
    TRAFFIC_COLUMNS("Day", NULL),
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column path_columns[] = {
    TRAFFIC_COLUMNS("Path", NULL),
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column price_columns[] = {
    {"key", "Rule", VIEW_TEXT, "/entries?rule={key}&site={site}"},
    {"site", "Site", VIEW_TEXT, NULL},
    {"price_micros", "Price", VIEW_MONEY, NULL},
    {"requests", "Requests", VIEW_COUNT, NULL},
    {"offered", "Offered", VIEW_COUNT, NULL},
    {"paid", "Paid", VIEW_COUNT, NULL},
    {"refused", "Refused", VIEW_COUNT, NULL},
    {"pages", "Pages", VIEW_COUNT, NULL},
    {"earned_micros", "Earned", VIEW_MONEY, NULL},
    {"tried_micros", "Price tried", VIEW_MONEY, NULL},
    {"same_payers_micros", "From who paid", VIEW_MONEY, NULL},
    {"all_pay_micros", "If all had paid", VIEW_MONEY, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column health_columns[] = {
    {"site", "Site", VIEW_TEXT, "/ledger?site={site}"},
    {"last_night", "Last day closed", VIEW_DATE, NULL},
    {"closed_at", "Closed at", VIEW_INSTANT, NULL},
    {"days_open", "Days to close", VIEW_COUNT, NULL},
    {"log_size", "Days signed", VIEW_COUNT, NULL},
    {"failing_messages", "Messages not delivered", VIEW_COUNT, "/messages?site={site}"},
    {"open_disputes", "Open disputes", VIEW_COUNT, "/disputes?site={site}&status=open"},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column crawler_columns[] = {
    {"crawler", "Crawler", VIEW_TEXT, CRAWLER},
    {"site", "Site", VIEW_TEXT, NULL},
    {"status", "Status", VIEW_TEXT, NULL},
    {"agreement", "Agreement", VIEW_COUNT, "/agreement?crawler={crawler}&site={site}"},
    {"cadence", "Billed", VIEW_TEXT, NULL},
    {"unbilled_entries", "Not billed yet", VIEW_COUNT, "/entries?crawler={crawler}&site={site}"},
    {"unbilled_micros", "Amount", VIEW_MONEY, NULL},
    {"owed_micros", "Invoices open", VIEW_MONEY, "/invoices?crawler={crawler}&status=open"},
    {"day_limit_micros", "Limit a day", VIEW_MONEY, NULL},
    {"balance_limit_micros", "Limit in all", VIEW_MONEY, NULL},
    {"first_seen", "First seen", VIEW_INSTANT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column coverage_columns[] = {
    {"site", "Site", VIEW_TEXT, NULL},
    {"first_date", "From", VIEW_DATE, NULL},
    {"last_date", "To", VIEW_DATE, NULL},
    {"pages_taken", "Pages taken", VIEW_COUNT, NULL},
    {"pages_asked", "Asked for", VIEW_COUNT, NULL},
    {"pages_of_site", "Asked for by anybody", VIEW_COUNT, NULL},
    {"taken_percent", "Taken, %", VIEW_COUNT, NULL},
    {"asked_percent", "Asked for, %", VIEW_COUNT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column key_columns[] = {
    {"thumbprint", "Thumbprint", VIEW_TEXT, "/lookup?q={thumbprint}"},
    {"directory", "Found at", VIEW_TEXT, NULL},
    {"first_seen", "First seen", VIEW_INSTANT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column timeline_columns[] = {
    {"at", "When", VIEW_INSTANT, NULL},
    {"event", "What", VIEW_TEXT, NULL},
    {"site", "Site", VIEW_TEXT, NULL},
    {"number", "Invoice", VIEW_TEXT, INVOICE},
    {"dispute_id", "Dispute", VIEW_TEXT, "/dispute?id={dispute_id}"},
    {"detail", "Detail", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column invoice_columns[] = {
    {"number", "Number", VIEW_TEXT, INVOICE},   {"site", "Site", VIEW_TEXT, NULL},
    {"crawler", "Crawler", VIEW_TEXT, CRAWLER}, {"kind", "Kind", VIEW_TEXT, NULL},
    {"first_date", "From", VIEW_DATE, NULL},    {"last_date", "To", VIEW_DATE, NULL},
    {"issue_date", "Issued", VIEW_DATE, NULL},  {"due_date", "Due", VIEW_DATE, NULL},
    {"entries", "Crawls", VIEW_COUNT, NULL},    {"total_micros", "Total", VIEW_MONEY, NULL},
    {"open_micros", "Open", VIEW_MONEY, NULL},  {"age_days", "Age in days", VIEW_COUNT, NULL},
    {"status", "Status", VIEW_TEXT, NULL},      {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column aging_columns[] = {
    {"site", "Site", VIEW_TEXT, "/invoices?site={site}&status=open"},
    {"invoices", "Invoices", VIEW_COUNT, NULL},
    {"to_30_micros", "0 to 30 days", VIEW_MONEY, NULL},
    {"to_60_micros", "31 to 60", VIEW_MONEY, NULL},
    {"to_90_micros", "61 to 90", VIEW_MONEY, NULL},
    {"over_micros", "Over 90", VIEW_MONEY, NULL},
    {"total_micros", "In all", VIEW_MONEY, NULL},
    {"written_off_micros", "Written off", VIEW_MONEY, "/invoices?site={site}&status=written-off"},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column line_columns[] = {
    {"line", "Line", VIEW_COUNT, NULL},
    {"description", "What", VIEW_TEXT, NULL},
    {"quantity", "Quantity", VIEW_COUNT, NULL},
    {"unit_price_micros", "Price", VIEW_MONEY, NULL},
    {"amount_micros", "Amount", VIEW_MONEY, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column event_columns[] = {
    {"at", "When", VIEW_INSTANT, NULL}, {"event", "What", VIEW_TEXT, NULL},
    {"actor", "Who", VIEW_TEXT, NULL},  {"detail", "Detail", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column billed_columns[] = {
    {"line", "Line", VIEW_COUNT, NULL},
    {"date", "Day", VIEW_DATE, NULL},
    {"payment_id", "Payment", VIEW_TEXT, PAYMENT},
    {"resource", "Page", VIEW_TEXT, NULL},
    {"rule", "Rule", VIEW_TEXT, NULL},
    {"amount_micros", "Amount", VIEW_MONEY, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column entry_columns[] = {
    {"payment_id", "Payment", VIEW_TEXT, PAYMENT},
    {"recorded_at", "When", VIEW_INSTANT, NULL},
    {"site", "Site", VIEW_TEXT, NULL},
    {"crawler", "Crawler", VIEW_TEXT, CRAWLER},
    {"rule", "Rule", VIEW_TEXT, NULL},
    {"resource", "Page", VIEW_TEXT, NULL},
    {"amount_micros", "Amount", VIEW_MONEY, NULL},
    {"taken_back_micros", "Taken back", VIEW_MONEY, NULL},
    {"undelivered", "Not delivered", VIEW_FLAG, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column taken_columns[] = {
    {"resource", "Page", VIEW_TEXT, NULL},
    {"site", "Site", VIEW_TEXT, NULL},
    {"rule", "Rule", VIEW_TEXT, "/entries?rule={rule}&site={site}"},
    {"paid", "Paid", VIEW_COUNT, NULL},
    {"crawlers", "Crawlers", VIEW_COUNT, NULL},
    {"earned_micros", "Earned", VIEW_MONEY, NULL},
    {"last_paid", "Last paid", VIEW_INSTANT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column dispute_columns[] = {
    {"dispute_id", "Dispute", VIEW_TEXT, "/dispute?id={dispute_id}"},
    {"site", "Site", VIEW_TEXT, NULL},
    {"crawler", "Crawler", VIEW_TEXT, CRAWLER},
    {"reason", "Reason", VIEW_TEXT, NULL},
    {"opened_by", "Opened by", VIEW_TEXT, NULL},
    {"opened_at", "Opened", VIEW_INSTANT, NULL},
    {"due_at", "Decide by", VIEW_INSTANT, NULL},
    {"claimed_micros", "Claimed", VIEW_MONEY, NULL},
    {"upheld_micros", "Upheld", VIEW_MONEY, NULL},
    {"status", "Status", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column subject_columns[] = {
    {"payment_id", "Payment", VIEW_TEXT, PAYMENT},
    {"invoice", "Invoice", VIEW_TEXT, NULL},
    {"line", "Line", VIEW_COUNT, NULL},
    {"amount_micros", "Amount", VIEW_MONEY, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column finding_columns[] = {
    {"payment_id", "Payment", VIEW_TEXT, PAYMENT},
    {"rule", "Decided by", VIEW_TEXT, NULL},
    {"amount_micros", "Given back", VIEW_MONEY, NULL},
    {"stands_on", "Stands on", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column piece_columns[] = {
    {"piece", "Piece", VIEW_COUNT, NULL},
    {"name", "File", VIEW_TEXT, "/dispute/evidence?id={dispute_id}&piece={piece}"},
    {"note", "What it shows", VIEW_TEXT, NULL},
    {"media_type", "Type", VIEW_TEXT, NULL},
    {"bytes", "Bytes", VIEW_COUNT, NULL},
    {"sha256", "SHA-256", VIEW_TEXT, NULL},
    {"added_at", "Put to it", VIEW_INSTANT, NULL},
    {"actor", "Who", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column check_columns[] = {
    {"check", "Check", VIEW_TEXT, NULL},
    {"result", "Result", VIEW_TEXT, NULL},
    {"detail", "Detail", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column ledger_columns[] = {
    {"date", "Day", VIEW_DATE, NULL},
    {"site", "Site", VIEW_TEXT, NULL},
    {"time_zone", "Zone", VIEW_TEXT, NULL},
    {"state", "State", VIEW_TEXT, NULL},
    {"entries", "Entries", VIEW_COUNT, "/entries?site={site}&from={date}&to={date}"},
    {"sum_micros", "Sum", VIEW_MONEY, NULL},
    {"closed_at", "Closed", VIEW_INSTANT, NULL},
    {"log_size", "In the log", VIEW_COUNT, NULL},
    {"root", "Root", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column checkpoint_columns[] = {
    {"site", "Site", VIEW_TEXT, NULL},      {"date", "Day", VIEW_DATE, NULL},
    {"log_size", "Size", VIEW_COUNT, NULL}, {"log_root", "Root", VIEW_TEXT, NULL},
    {"key", "Key", VIEW_TEXT, NULL},        {"note", "Signed note", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column deed_columns[] = {
    {"at", "When", VIEW_INSTANT, NULL},
    {"actor", "Who", VIEW_TEXT, NULL},
    {"action", "What", VIEW_TEXT, "/deeds?action={action}"},
    {"detail", "Detail", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column audit_columns[] = {
    {"at", "When", VIEW_INSTANT, NULL},
    {"actor", "Who", VIEW_TEXT, NULL},
    {"detail", "What came of it", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column archive_columns[] = {
    {"date", "Day (UTC)", VIEW_DATE, NULL},
    {"entries", "Entries", VIEW_COUNT, NULL},
    {"file", "File", VIEW_TEXT, NULL},
    {"sha256", "SHA-256", VIEW_TEXT, NULL},
    {"archived_at", "Archived", VIEW_INSTANT, NULL},
    {"actor", "Who", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column token_columns[] = {
    {"name", "Name", VIEW_TEXT, NULL},
    {"role", "Role", VIEW_TEXT, NULL},
    {"state", "State", VIEW_TEXT, NULL},
    {"made_at", "Made", VIEW_INSTANT, NULL},
    {"expires_at", "Expires", VIEW_INSTANT, NULL},
    {"last_used", "Last used", VIEW_INSTANT, NULL},
    {"actor", "Made by", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column message_columns[] = {
    {"message_id", "Message", VIEW_TEXT, NULL}, {"site", "Site", VIEW_TEXT, NULL},
    {"type", "What", VIEW_TEXT, NULL},          {"made_at", "Made", VIEW_INSTANT, NULL},
    {"attempts", "Attempts", VIEW_COUNT, NULL}, {"answer", "Last answer", VIEW_TEXT, NULL},
    {"state", "State", VIEW_TEXT, NULL},        {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column setting_columns[] = {
    {"key", "Setting", VIEW_TEXT, NULL},
    {"value", "Value", VIEW_TEXT, NULL},
    {NULL, NULL, VIEW_TEXT, NULL},
};
static const struct view_column version_columns[] = {
    {"version", "Version", VIEW_COUNT, NULL},     {"valid_from", "In force from", VIEW_TEXT, NULL},
    {"recorded_at", "Recorded", VIEW_TEXT, NULL}, {"actor", "Who", VIEW_TEXT, NULL},
    {"reason", "Why", VIEW_TEXT, NULL},           {NULL, NULL, VIEW_TEXT, NULL},
};

/* Rows that the object has already. */
#define OF_OBJECT(called, shown, list, sees, nothing)                                                        \
    .name = called, .title = shown, .member = list, .right = sees, .empty = nothing, .filters = ""

const struct view views[] = {
    {.name = "crawlers-today",
     .title = "Who takes",
     .right = RIGHT_TRAFFIC,
     .filters = "site",
     .empty = "No crawler has come today. crawltab doctor tells whether the gate writes its counts.",
     .command = "today --json [--site={site}]",
     .rows = traffic_rows,
     .columns = today_columns},
    {.name = "refusers-today",
     .title = "Who refuses",
     .right = RIGHT_TRAFFIC,
     .filters = "site",
     .empty = "Every crawler that was offered a page today has paid for one.",
     .command = "today --json [--site={site}]",
     .rows = traffic_rows_refused,
     .columns = refuser_columns},
    {.name = "hours-today",
     .title = "By the hour",
     .right = RIGHT_TRAFFIC,
     .filters = "site",
     .empty = "Nothing was counted today yet.",
     .command = "today --json --by hour [--site={site}]",
     .rows = traffic_rows,
     .columns = hour_columns},
    {.name = "health",
     .title = "Health",
     .right = RIGHT_TRAFFIC,
     .filters = "",
     .empty = "The ledger has no site yet: a gate registers its own when it starts.",
     .statement = "console_health",
     .columns = health_columns},
    {.name = "traffic",
     .title = "Traffic by crawler",
     .right = RIGHT_TRAFFIC,
     .filters = "site from to",
     .empty = "Nothing was counted on these days. Take others with From and To.",
     .command = "traffic --json [--site={site}] [--from={from}] [--to={to}]",
     .rows = traffic_rows,
     .columns = today_columns},
    {.name = "days-traffic",
     .title = "Traffic by day",
     .right = RIGHT_TRAFFIC,
     .filters = "site from to",
     .empty = "Nothing was counted on these days. Take others with From and To.",
     .command = "traffic --json --by day [--site={site}] [--from={from}] [--to={to}]",
     .rows = traffic_rows,
     .columns = day_columns},
    {.name = "rules",
     .title = "Rules",
     .right = RIGHT_TRAFFIC,
     .filters = "site from to try",
     .empty = "No rule has answered a request on these days. Take others with From and To.",
     .command = "traffic --json --by rule [--site={site}] [--from={from}] [--to={to}]",
     .rows = traffic_rows_prices,
     .columns = price_columns},
    {.name = "paths",
     .title = "Paths",
     .right = RIGHT_TRAFFIC,
     .filters = "site from to",
     .empty = "No crawler asked for a path with a price on these days. Take others with From and To.",
     .command = "traffic --json --by path [--site={site}] [--from={from}] [--to={to}]",
     .rows = traffic_rows,
     .columns = path_columns},
    {.name = "pages",
     .title = "Pages that were paid for",
     .right = RIGHT_TRAFFIC,
     .filters = "site crawler rule from to",
     .empty = "No page was paid for on these days. Take others with From and To.",
     .statement = "console_taken",
     .columns = taken_columns},
    {.name = "crawlers",
     .title = "Crawlers",
     .right = RIGHT_BOOKS,
     .filters = "site crawler",
     .empty =
         "No crawler has an account here yet. It gets one when it first pays; crawltab crawler add makes "
         "one ahead of that.",
     .statement = "console_crawlers",
     .columns = crawler_columns},
    {.name = "coverage",
     .title = "How much of the site",
     .right = RIGHT_TRAFFIC,
     .filters = "site crawler from to",
     .empty = "It did not ask for anything on these days. Take others with From and To.",
     .command = "traffic --json [--site={site}] [--from={from}] [--to={to}]",
     .rows = traffic_rows_coverage,
     .columns = coverage_columns},
    {.name = "keys",
     .title = "Keys",
     .right = RIGHT_BOOKS,
     .filters = "crawler",
     .empty = "It has not paid with any key yet.",
     .statement = "console_keys",
     .columns = key_columns},
    {.name = "timeline",
     .title = "Timeline",
     .right = RIGHT_BOOKS,
     .filters = "crawler",
     .empty = "There is no such crawler. crawltab crawler list shows those that were seen.",
     .statement = "console_timeline",
     .columns = timeline_columns},
    {.name = "invoices",
     .title = "Invoices",
     .right = RIGHT_BOOKS,
     .filters = "site crawler status from to order",
     .empty = "There is no such invoice. crawltab nightly closes the days that are over, and makes them.",
     .statement = "console_invoices",
     .paged = true,
     .columns = invoice_columns},
    {.name = "aging",
     .title = "Aging",
     .right = RIGHT_BOOKS,
     .filters = "site",
     .empty = "Every invoice is paid.",
     .statement = "console_aging",
     .columns = aging_columns},
    {.name = "entries",
     .title = "Payments",
     .right = RIGHT_BOOKS,
     .filters = "site crawler rule from to",
     .empty = "Nothing was paid on these days. Take others with From and To; archived days are in files.",
     .statement = "console_entries",
     .paged = true,
     .columns = entry_columns},
    {OF_OBJECT("lines", "Lines", "lines", RIGHT_BOOKS, "It has no lines."), .columns = line_columns},
    {.name = "billed",
     .title = "Crawls",
     .right = RIGHT_BOOKS,
     .filters = "site number",
     .empty = "No crawl stands on it: it bills fees or corrections alone.",
     .command = "invoice entries {number} --json [--site={site}]",
     .member = "entries",
     .columns = billed_columns},
    {OF_OBJECT("events", "Events", "events", RIGHT_BOOKS, "Nothing has happened to it yet."),
     .columns = event_columns},
    {.name = "disputes",
     .title = "Disputes",
     .right = RIGHT_BOOKS,
     .filters = "site crawler status",
     .empty = "There is no such dispute. crawltab dispute open makes one for a crawler who wrote a letter.",
     .statement = "console_disputes",
     .paged = true,
     .columns = dispute_columns},
    {OF_OBJECT("subjects", "What is disputed", "subjects", RIGHT_BOOKS, "Nothing is."),
     .columns = subject_columns},
    {OF_OBJECT("findings", "What was found", "findings", RIGHT_BOOKS, "Nothing was decided yet."),
     .columns = finding_columns},
    {OF_OBJECT("evidence", "Evidence", "pieces", RIGHT_BOOKS, "None was put to it yet."),
     .columns = piece_columns},
    {OF_OBJECT("checks", "What was checked", "checks", RIGHT_BOOKS, "There is nothing to check."),
     .columns = check_columns},
    {.name = "days",
     .title = "Days",
     .right = RIGHT_RECORDS,
     .filters = "site from to",
     .empty = "There is no such day. A gate makes days when it starts.",
     .statement = "console_days",
     .paged = true,
     .columns = ledger_columns},
    {.name = "checkpoints",
     .title = "Newest checkpoints",
     .right = RIGHT_RECORDS,
     .filters = "site",
     .empty = "No day was closed yet: crawltab nightly closes those that are over, and signs them.",
     .statement = "console_checkpoints",
     .columns = checkpoint_columns},
    {.name = "deeds",
     .title = "Operators' deeds",
     .right = RIGHT_RECORDS,
     .filters = "action from to",
     .empty = "Nobody has done such a thing on these days.",
     .statement = "console_deeds",
     .paged = true,
     .columns = deed_columns},
    {.name = "audits",
     .title = "Audits",
     .right = RIGHT_RECORDS,
     .filters = "from to",
     .empty = "No audit is on record on these days: crawltab audit runs one.",
     .statement = "console_audits",
     .paged = true,
     .columns = audit_columns},
    {.name = "archives",
     .title = "Archived days",
     .right = RIGHT_RECORDS,
     .filters = "",
     .empty = "Every entry is in the ledger. crawltab archive takes those of old days into files.",
     .statement = "console_archives",
     .columns = archive_columns},
    {.name = "settings",
     .title = "Configuration",
     .right = RIGHT_RECORDS,
     .filters = "",
     .empty = "Nothing is configured.",
     .member = "settings",
     .columns = setting_columns},
    {.name = "tokens",
     .title = "Keys of the console",
     .right = RIGHT_RECORDS,
     .filters = "",
     .empty = "There are none: crawltab token add NAME --role owner makes one.",
     .statement = "console_tokens",
     .columns = token_columns},
    {.name = "messages",
     .title = "Messages to your systems",
     .right = RIGHT_RECORDS,
     .filters = "site",
     .empty = "None was made. webhooks in the configuration says where they go.",
     .statement = "console_messages",
     .paged = true,
     .columns = message_columns},
    {.name = "versions",
     .title = "Versions",
     .right = RIGHT_BOOKS,
     .filters = "crawler site",
     .empty = "Nothing is agreed: the rules' prices hold.",
     .command = "agreement show {crawler} --history --json [--site={site}]",
     .columns = version_columns},
    {.name = NULL},
};

const struct view *view_called(const char *name)
{
    for (const struct view *view = views; view->name; view++)
        if (strcmp(view->name, name) == 0)
            return view;
    return NULL;
}

bool view_lists(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words ? words : ""; *at; at += strspn(at, " ")) {
        size_t end = strcspn(at, " ");
        if (end == len && strncmp(at, word, len) == 0)
            return true;
        at += end;
    }
    return false;
}
