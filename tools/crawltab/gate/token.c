#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/token/console_token.h"
#include "ledger/token/token.h"
#include "sql/rows/token.h"

struct options {
    const char *site, *role, *expires;
    bool json, console;
};

/* Those of the facilitator are for a site, those of the console are not. */
static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static const char *const gate_roles[] = {"settle", "verify", NULL};
static const char *const console_roles[] = {"owner", "finance", "auditor", "reader", NULL};

/* What was made is shown; `site` is NULL for a key of the console. */
static enum exit_status tell_made(const struct token_order *order, const char *site, const char *text,
                                  enum token_outcome outcome, const struct options *options)
{
    if (outcome != TOKEN_DONE) {
        LOG(ERROR,
            outcome == TOKEN_TAKEN ? "there is, or was, a key of this name" : "there are 1000 keys in force",
            {"name", order->name}, {"site", site},
            {"hint", outcome == TOKEN_TAKEN ? "take another name: what was done under one stays its own"
                                            : "revoke those that nobody uses"});
        return EXIT_FAILED;
    }
    if (options->json)
        return show_json(json_pack("{s:s?,s:s,s:s,s:s}", "site", site, "name", order->name, "role",
                                   order->role, "key", text),
                         JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    puts(text);
    fflush(stdout);
    LOG(INFO,
        site ? "this is shown once; gates know it within ledger.refresh_seconds"
             : "this is shown once; crawltab console lets in whoever has it",
        {"name", order->name}, {"site", site});
    return EXIT_DONE;
}

/* The date's midnight is that of the only site, or in UTC where there are several. */
static bool read_expiry(struct pg *pg, const struct config *config, const struct options *options,
                        int64_t *expires_ms)
{
    struct argument_site site = {.site_id = 0};
    if (!options->expires)
        return true;
    bool several = !options->site && config->site_count != 1;
    if (several && instant_is_date(slice_of(options->expires)))
        *expires_ms = instant_of_date(options->expires);
    else if (!argument_site(pg, config, options->site, &site) ||
             !argument_instant(pg, &site, options->expires, expires_ms))
        return false;
    if (*expires_ms > clock_now_ms())
        return true;
    command_misused("a key cannot expire in the past", options->expires, "name a later day");
    return false;
}

static enum exit_status add(struct pg *pg, const struct config *config, const char *name,
                            const struct options *options)
{
    struct argument_site site;
    char text[TOKEN_TEXT_MAX];
    enum token_outcome outcome;
    int64_t now_ms = clock_now_ms();
    struct token_order order = {
        .name = name, .role = options->role ? options->role : "settle", .actor = command_actor()};
    bool console = is_one_of(order.role, console_roles);
    if (!read_expiry(pg, config, options, &order.expires_ms))
        return EXIT_USAGE;
    if (!console && !argument_site(pg, config, options->site, &site))
        return EXIT_FAILED;
    order.site_id = console ? 0 : site.site_id;
    token_make(text);
    if ((console ? console_token_record(pg, &order, text, now_ms, &outcome)
                 : token_record(pg, &order, text, now_ms, &outcome)) != ERR_OK)
        return EXIT_FAILED;
    return tell_made(&order, console ? NULL : site.name, text, outcome, options);
}

static enum exit_status revoke(struct pg *pg, const struct config *config, const char *name,
                               const struct options *options)
{
    struct argument_site site = {.name = ""};
    enum token_outcome outcome;
    if (!options->console && !argument_site(pg, config, options->site, &site))
        return EXIT_FAILED;
    if ((options->console
             ? console_token_revoke(pg, name, command_actor(), clock_now_ms(), &outcome)
             : token_revoke(pg, site.site_id, name, command_actor(), clock_now_ms(), &outcome)) != ERR_OK)
        return EXIT_FAILED;
    if (outcome == TOKEN_NONE) {
        LOG(ERROR, options->console ? "the console has no such key" : "the site has no such key",
            {"name", name}, {"site", options->console ? NULL : site.name},
            {"hint", "crawltab token list shows them"});
        return EXIT_FAILED;
    }
    if (options->json)
        return show_json(json_pack("{s:s?,s:s,s:b}", "site", options->console ? NULL : site.name, "name",
                                   name, "revoked", outcome == TOKEN_DONE),
                         JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    puts(outcome != TOKEN_DONE ? "it was revoked before"
         : options->console    ? "revoked; the console refuses it from now on"
                               : "revoked; gates refuse it within ledger.refresh_seconds");
    return EXIT_DONE;
}

static json_t *instant_json(int64_t ms, bool null)
{
    char text[SHOW_INSTANT_MAX];
    return show_json_text(null ? NULL : show_instant(ms, text));
}

static json_t *json_of(const struct token_list_row *row)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:o}", "site", row->site, "name", row->name, "role",
                     row->role, "state", row->state, "made_at", instant_json(row->made_ms, false), "actor",
                     row->actor, "expires_at", instant_json(row->expires_ms, row->expires_ms_null),
                     "revoked_at", instant_json(row->revoked_ms, row->revoked_ms_null));
}

static json_t *json_of_console(const struct console_token_list_row *row)
{
    return json_pack("{s:n,s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:o}", "site", "name", row->name, "role", row->role,
                     "state", row->state, "made_at", instant_json(row->made_ms, false), "actor", row->actor,
                     "expires_at", instant_json(row->expires_ms, row->expires_ms_null), "revoked_at",
                     instant_json(row->revoked_ms, row->revoked_ms_null), "last_used",
                     instant_json(row->used_ms, row->used_ms_null));
}

static void print(const char *site, const char *name, const char *role, const char *state, int64_t made_ms,
                  const char *expires)
{
    char text[SHOW_INSTANT_MAX];
    show_column(stdout, site, 16);
    putchar(' ');
    show_column(stdout, name, 20);
    printf(" %-7s  %-8s  %.10s  %.10s\n", role, state, show_instant(made_ms, text), expires);
}

static void list_gate(const struct pg_rows *rows, json_t *keys)
{
    char text[SHOW_INSTANT_MAX];
    for (int i = 0; i < rows->count; i++) {
        const struct token_list_row row = token_list_row(rows, i);
        if (keys)
            json_array_append_new(keys, json_of(&row));
        else
            print(row.site, row.name, row.role, row.state, row.made_ms,
                  row.expires_ms_null ? "never" : show_instant(row.expires_ms, text));
    }
}

static void list_console(const struct pg_rows *rows, json_t *keys)
{
    char text[SHOW_INSTANT_MAX];
    for (int i = 0; i < rows->count; i++) {
        const struct console_token_list_row row = console_token_list_row(rows, i);
        if (keys)
            json_array_append_new(keys, json_of_console(&row));
        else
            print("(console)", row.name, row.role, row.state, row.made_ms,
                  row.expires_ms_null ? "never" : show_instant(row.expires_ms, text));
    }
}

static enum exit_status list(struct pg *pg, const struct options *options)
{
    struct pg_params params = {0}, console_params = {0};
    struct pg_rows rows = {0}, console_rows = {0};
    pg_params_text(&params, options->site);
    pg_params_number(&params, clock_now_ms());
    pg_params_number(&console_params, clock_now_ms());
    if (pg_run(pg, "token_list", &params, &rows) != ERR_OK ||
        pg_run(pg, "console_token_list", &console_params, &console_rows) != ERR_OK) {
        pg_rows_free(&rows);
        return EXIT_FAILED;
    }
    json_t *keys = options->json ? json_array() : NULL;
    if (!keys)
        printf("%-16s %-20s %-7s  %-8s  %-10s  %s\n", "SITE", "NAME", "ROLE", "STATE", "MADE", "EXPIRES");
    if (!options->console)
        list_gate(&rows, keys);
    if (!options->site)
        list_console(&console_rows, keys);
    pg_rows_free(&rows);
    pg_rows_free(&console_rows);
    return !keys || show_json(keys, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status check_words(const struct command_words *words, const struct options *options)
{
    const char *verb = words->count > 0 ? words->items[0] : "";
    bool adding = strcmp(verb, "add") == 0;
    bool named = (adding || strcmp(verb, "revoke") == 0) && words->count == 2;
    if (!named && (strcmp(verb, "list") != 0 || words->count != 1))
        return command_misused("use: crawltab token add NAME, revoke NAME, or list", NULL,
                               "see crawltab token --help");
    if (named && !token_name_fits(words->items[1]))
        return command_misused("this cannot be a key's name", words->items[1],
                               "small letters, digits and . _ - make one, at most 64");
    if ((options->role || options->expires) && !adding)
        return command_misused("--role and --expires are for crawltab token add", NULL,
                               "a key is not changed: revoke it, and make another");
    if (options->role && !is_one_of(options->role, gate_roles) && !is_one_of(options->role, console_roles))
        return command_misused("there is no such role", options->role,
                               "a server's key may settle, or only verify; one of the console is an owner, "
                               "finance, auditor or reader");
    if (options->role && is_one_of(options->role, console_roles) && options->site)
        return command_misused("a key of the console is for every site", options->site, "leave --site out");
    return EXIT_DONE;
}

static enum exit_status manage_tokens(const char *config_path, int argc, char **argv)
{
    struct options options = {0};
    const struct command_option known[] = {
        {"--site", &options.site, NULL},       {"--role", &options.role, NULL},
        {"--expires", &options.expires, NULL}, {"--json", NULL, &options.json},
        {"--console", NULL, &options.console}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, known, &words))
        return EXIT_USAGE;
    enum exit_status status = check_words(&words, &options);
    if (status != EXIT_DONE)
        return status;
    if (strcmp(words.items[0], "revoke") == 0 &&
        !command_confirm(options.console ? "Nobody comes into the console with this key any more."
                                         : "The server bills no more by this key."))
        return EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab token") : NULL;
    status = EXIT_FAILED;
    if (pg && strcmp(words.items[0], "add") == 0)
        status = add(pg, config, words.items[1], &options);
    else if (pg && strcmp(words.items[0], "revoke") == 0)
        status = revoke(pg, config, words.items[1], &options);
    else if (pg)
        status = list(pg, &options);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command token_command = {
    "token", "keys of the console, and of servers that bill",
    "usage: crawltab token add NAME [--site NAME] [--role ROLE] [--expires TIME]\n"
    "                          [--json]\n"
    "       crawltab token revoke NAME [--site NAME | --console] [--json]\n"
    "       crawltab token list [--site NAME | --console] [--json]\n"
    "\n"
    "Whoever comes into crawltab console, with a browser or a program, has a key, and\n"
    "so has a server that sells pages by itself, with x402, and bills them through\n"
    "facilitator.listen; a server's key is for one site. A key is shown once, when it\n"
    "is made: the ledger keeps its hash. What was made is never changed: to give\n"
    "somebody another key, add one under a new name and revoke the old one.\n"
    "\n"
    "options:\n"
    "  --role ROLE     of a server: settle (the default), or verify, which changes\n"
    "                  nothing; of the console: owner, finance, auditor or reader\n"
    "                  (crawltab console --help says what they may)\n"
    "  --site NAME     the server's site, where there is more than one\n"
    "  --console       revoke: a key of the console; list: only those\n"
    "  --expires TIME  2027-01-01, or with a time of day; without it: never\n"
    "  --json          for programs\n"
    "  --yes           on a terminal: do not ask\n"
    "  --config FILE   the configuration (default: config.yaml)\n",
    "  crawltab token add shop-1 --site gazette > shop.key\n"
    "  crawltab token add alice --role owner --expires 2027-12-31\n"
    "  crawltab token revoke alice --console\n"
    "  crawltab token list --json\n",
    manage_tokens};
