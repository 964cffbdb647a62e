#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/token/token.h"
#include "sql/rows/token.h"

struct options {
    const char *site, *role, *expires;
    bool json;
};

static enum exit_status add(struct pg *pg, const struct config *config, const char *name,
                            const struct options *options)
{
    struct argument_site site;
    char text[TOKEN_TEXT_MAX];
    enum token_outcome outcome;
    int64_t now_ms = clock_now_ms();
    struct token_order order = {
        .name = name, .role = options->role ? options->role : "settle", .actor = command_actor()};
    if (!argument_site(pg, config, options->site, &site))
        return EXIT_FAILED;
    if (options->expires && !argument_instant(pg, &site, options->expires, &order.expires_ms))
        return EXIT_USAGE;
    if (options->expires && order.expires_ms <= now_ms)
        return command_misused("a key cannot expire in the past", options->expires, "name a later day");
    order.site_id = site.site_id;
    if (token_record(pg, &order, token_make(text), now_ms, &outcome) != ERR_OK)
        return EXIT_FAILED;
    if (outcome != TOKEN_DONE) {
        LOG(ERROR,
            outcome == TOKEN_TAKEN ? "there is, or was, a key of this name" : "there are 1000 keys in force",
            {"name", name}, {"site", site.name},
            {"hint", outcome == TOKEN_TAKEN ? "take another name: what was done under one stays its own"
                                            : "revoke those that nobody uses"});
        return EXIT_FAILED;
    }
    if (options->json)
        return show_json(json_pack("{s:s,s:s,s:s,s:s}", "site", site.name, "name", name, "role", order.role,
                                   "key", text),
                         JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    puts(text);
    fflush(stdout);
    LOG(INFO, "this is shown once; gates know it within ledger.refresh_seconds", {"name", name},
        {"site", site.name});
    return EXIT_DONE;
}

static enum exit_status revoke(struct pg *pg, const struct config *config, const char *name,
                               const struct options *options)
{
    struct argument_site site;
    enum token_outcome outcome;
    if (!argument_site(pg, config, options->site, &site) ||
        token_revoke(pg, site.site_id, name, command_actor(), clock_now_ms(), &outcome) != ERR_OK)
        return EXIT_FAILED;
    if (outcome == TOKEN_NONE) {
        LOG(ERROR, "the site has no such key", {"name", name}, {"site", site.name},
            {"hint", "crawltab token list shows them"});
        return EXIT_FAILED;
    }
    if (options->json)
        return show_json(json_pack("{s:s,s:s,s:b}", "site", site.name, "name", name, "revoked",
                                   outcome == TOKEN_DONE),
                         JSON_INDENT(2))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    puts(outcome == TOKEN_DONE ? "revoked; gates refuse it within ledger.refresh_seconds"
                               : "it was revoked before");
    return EXIT_DONE;
}

static json_t *json_of(const struct token_list_row *row)
{
    char made[SHOW_INSTANT_MAX], expires[SHOW_INSTANT_MAX], revoked[SHOW_INSTANT_MAX];
    show_instant(row->made_ms, made);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "site", row->site, "name", row->name, "role",
                     row->role, "state", row->state, "made_at", made, "actor", row->actor, "expires_at",
                     show_json_text(row->expires_ms_null ? NULL : show_instant(row->expires_ms, expires)),
                     "revoked_at",
                     show_json_text(row->revoked_ms_null ? NULL : show_instant(row->revoked_ms, revoked)));
}

static void print(const struct token_list_row *row)
{
    char text[SHOW_INSTANT_MAX];
    show_column(stdout, row->site, 16);
    putchar(' ');
    show_column(stdout, row->name, 20);
    printf(" %-6s  %-8s  %.10s  ", row->role, row->state, show_instant(row->made_ms, text));
    printf("%.10s\n", row->expires_ms_null ? "never" : show_instant(row->expires_ms, text));
}

static enum exit_status list(struct pg *pg, const struct options *options)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, options->site);
    pg_params_number(&params, clock_now_ms());
    if (pg_run(pg, "token_list", &params, &rows) != ERR_OK)
        return EXIT_FAILED;
    json_t *keys = options->json ? json_array() : NULL;
    if (!keys)
        printf("%-16s %-20s %-6s  %-8s  %-10s  %s\n", "SITE", "NAME", "ROLE", "STATE", "MADE", "EXPIRES");
    for (int i = 0; i < rows.count; i++) {
        const struct token_list_row row = token_list_row(&rows, i);
        if (keys)
            json_array_append_new(keys, json_of(&row));
        else
            print(&row);
    }
    pg_rows_free(&rows);
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
    if (options->role && strcmp(options->role, "settle") != 0 && strcmp(options->role, "verify") != 0)
        return command_misused("there is no such role", options->role, "a key may settle, or only verify");
    return EXIT_DONE;
}

static enum exit_status manage_tokens(const char *config_path, int argc, char **argv)
{
    struct options options = {0};
    const struct command_option known[] = {{"--site", &options.site, NULL},
                                           {"--role", &options.role, NULL},
                                           {"--expires", &options.expires, NULL},
                                           {"--json", NULL, &options.json},
                                           {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, known, &words))
        return EXIT_USAGE;
    enum exit_status status = check_words(&words, &options);
    if (status != EXIT_DONE)
        return status;
    if (strcmp(words.items[0], "revoke") == 0 && !command_confirm("The server bills no more by this key."))
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
    "token", "keys of servers that bill through the facilitator",
    "usage: crawltab token add NAME [--site NAME] [--role ROLE] [--expires TIME]\n"
    "       crawltab token revoke NAME [--site NAME] [--json]\n"
    "       crawltab token list [--site NAME] [--json]\n"
    "\n"
    "A server that sells pages by itself, with x402, bills them through\n"
    "facilitator.listen with a bearer key. A key is for one site. It is shown once,\n"
    "when it is made: the ledger keeps its hash. What was made is never changed: to\n"
    "give a server another key, add one under a new name and revoke the old one.\n"
    "\n"
    "options:\n"
    "  --site NAME     the site, where there is more than one\n"
    "  --role ROLE     settle (the default), or verify: nothing that changes anything\n"
    "  --expires TIME  2027-01-01, or with a time of day; without it: never\n"
    "  --json          for programs\n"
    "  --yes           on a terminal: do not ask\n"
    "  --config FILE   the configuration (default: config.yaml)\n",
    "  crawltab token add shop-1 --site gazette > shop.key\n"
    "  crawltab token revoke shop-1 --site gazette\n"
    "  crawltab token list --json\n",
    manage_tokens};
