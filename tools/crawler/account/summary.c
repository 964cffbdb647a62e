/* crawler account: what holds between the crawler and a site. */
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include "ledger/base/text/amount.h"

static const char help[] =
    "Usage: crawler account --key FILE --agent URL [OPTION]... SITE\n"
    "Shows what holds at SITE, a URL of it: the agreement, the prices, what was spent\n"
    "and is owed, and what is left of the limits.\n"
    "\n"
    "      --json               for programs, with all that the site says\n" SESSION_HELP "\n"
    "  crawler account --key crawler.key --agent https://my.crawler.example \\\n"
    "      https://gazette.example\n";

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void say_money(const char *what, const json_t *account, const json_t *micros)
{
    char amount[AMOUNT_TEXT_MAX];
    if (json_is_integer(micros))
        say_line("%-22s%s %s", what, text_of(account, "currency"),
                 amount_format(json_integer_value(micros), amount));
    else
        say_line("%-22s%s", what, "any amount");
}

static void say_account(const json_t *account)
{
    const json_t *credit = json_object_get(account, "credit"), *price, *agreement;
    size_t i;
    say_line("%-22s%s, network %s", "Site", text_of(account, "site"), text_of(account, "network"));
    say_line("%-22s%s", "Crawler", text_of(account, "agent"));
    say_line("%-22s%s", "Terms", text_of(account, "terms_url"));
    agreement = json_object_get(account, "agreement");
    if (json_is_object(agreement))
        say_line("%-22sversion %" JSON_INTEGER_FORMAT ", since %.10s; --json shows its terms", "Agreement",
                 json_integer_value(json_object_get(agreement, "version")), text_of(agreement, "valid_from"));
    else
        say_line("%-22s%s", "Agreement", "none: the price list holds");
    if (json_array_size(json_object_get(account, "pending")) > 0)
        say_line("%-22s%s", "", "another version follows; --json shows it");
    say_money("Spent today", account, json_object_get(credit, "spent_today_micros"));
    say_money("Owed", account, json_object_get(credit, "owed_micros"));
    say_money("Left of the limits", account, json_object_get(credit, "left_micros"));
    json_array_foreach(json_object_get(account, "prices"), i, price)
    {
        const json_t *paths = json_object_get(price, "paths");
        const char *path = json_string_value(json_array_get(paths, 0));
        say_line("%-22s%s %s for %s%s (%s)", i == 0 ? "Prices" : "", text_of(account, "currency"),
                 text_of(price, "price"), path ? path : "/**", json_array_size(paths) > 1 ? ", ..." : "",
                 text_of(price, "rule"));
    }
}

int account_main(int argc, char **argv)
{
    struct session session;
    bool json = false;
    const struct session_option options[] = {{"json", NULL, &json}, {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 1, 1, "a URL of the site"};
    int status = session_parse(&session, argc, argv, &usage);
    if (status >= 0)
        return status;
    json_t *account = session_open(&session) ? session_json(&session, "") : NULL;
    bool ok = account != NULL;
    if (ok && json)
        ok = session_print_json(json_incref(account));
    else if (ok)
        say_account(account);
    json_decref(account);
    session_close(&session);
    return ok && fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
}
