#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/post.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/outbox/outbox.h"
#include "ledger/outbox/webhook.h"
#include "sql/rows/outbox.h"
#include "sql/rows/site.h"

#include <inttypes.h>

#define LISTED 50

/* Where the messages of one site go. */
struct receiver {
    const struct config_site *site;
    struct webhook_secret secret;
    bool quiet;
};

/* NULL for a site that tells nobody, too. */
static const struct config_site *configured(const struct config *config, const char *name)
{
    const struct config_site *site = config_site_called(config, name);
    return site && *site->webhook_url ? site : NULL;
}

static struct outbox_result send(const struct outbox_message *message, void *context)
{
    static char detail[POST_DETAIL_MAX];
    const struct receiver *receiver = context;
    char id[128], stamp[64], signature[WEBHOOK_SIGNATURE_MAX], header[128];
    int64_t now = clock_now_ms() / 1000;
    if (!webhook_sign(&receiver->secret, message->id, now, slice_of(message->body), signature))
        return (struct outbox_result){0, "no memory"};
    snprintf(id, sizeof(id), "webhook-id: %s", message->id);
    snprintf(stamp, sizeof(stamp), "webhook-timestamp: %" PRId64, now);
    snprintf(header, sizeof(header), "webhook-signature: %s", signature);
    const struct post post = {
        .url = receiver->site->webhook_url, .headers = {id, stamp, header}, .body = slice_of(message->body)};
    struct outbox_result result = {post_send(&post, detail), detail};
    if (!receiver->quiet)
        printf("%s  %-24s %s\n", message->id, message->type,
               result.status >= 200 && result.status <= 299 ? "delivered"
               : *detail                                    ? detail
                                                            : "refused");
    return result;
}

static bool receiver_of(const struct config_site *site, bool quiet, struct receiver *receiver)
{
    receiver->site = site;
    receiver->quiet = quiet;
    return webhook_secret_load(site->webhook_secret_file, &receiver->secret);
}

static void print_count(const char *site, const struct outbox_count *count)
{
    printf("%s: %" PRId64 " delivered, %" PRId64 " failed, %" PRId64 " waiting for their next try", site,
           count->delivered, count->failed, count->waiting);
    if (count->given_up > 0)
        printf(", %" PRId64 " given up", count->given_up);
    putchar('\n');
}

/* One row of site_list. */
static enum exit_status deliver_site(struct pg *pg, const struct config_site *site, int64_t site_id,
                                     json_t *sites)
{
    struct receiver receiver;
    struct outbox_count count;
    int64_t now_ms = clock_now_ms();
    bool ok = receiver_of(site, sites != NULL, &receiver) &&
              outbox_collect(pg, site_id, site->name, now_ms) == ERR_OK &&
              outbox_each(pg, site_id, clock_now_ms(), send, &receiver, &count) == ERR_OK;
    if (!ok)
        return EXIT_FAILED;
    if (sites)
        json_array_append_new(sites, json_pack("{s:s,s:I,s:I,s:I,s:I}", "site", site->name, "delivered",
                                               count.delivered, "failed", count.failed, "waiting",
                                               count.waiting, "given_up", count.given_up));
    else
        print_count(site->name, &count);
    return count.failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status deliver(const struct config *config, struct pg *pg, const char *only, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *sites = json ? json_array() : NULL;
    enum exit_status status = EXIT_DONE;
    bool any = false;
    pg_params_text(&params, only);
    if (pg_run(pg, "site_list", &params, &rows) != ERR_OK)
        status = EXIT_FAILED;
    if (status == EXIT_DONE && only && rows.count == 0) {
        LOG(ERROR, "the ledger has no such site", {"site", only}, {"hint", "see the names in sites"});
        status = EXIT_FAILED;
    }
    for (int i = 0; i < rows.count; i++) {
        const struct site_list_row row = site_list_row(&rows, i);
        const struct config_site *site = configured(config, row.name);
        any = any || site;
        if (site && deliver_site(pg, site, row.site_id, sites) != EXIT_DONE)
            status = EXIT_FAILED;
    }
    pg_rows_free(&rows);
    if (!any && !sites && status == EXIT_DONE)
        puts("no site has a webhook.url; there is nobody to tell");
    if (sites && !show_json(sites, JSON_INDENT(2)))
        status = EXIT_FAILED;
    return status;
}

static enum err read_list(struct pg *pg, const char *site, const char *id, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, site);
    pg_params_number(&params, LISTED);
    pg_params_text(&params, id);
    return pg_run(pg, "outbox_list", &params, rows);
}

static const char *state_of(const struct outbox_list_row *message)
{
    if (message->attempts_null)
        return "not sent yet";
    if (message->delivered)
        return "delivered";
    return webhook_wait_ms(message->attempts) < 0 ? "given up" : "failed";
}

static enum exit_status list(struct pg *pg, const char *site, bool json)
{
    struct pg_rows rows = {0};
    char made[SHOW_INSTANT_MAX];
    json_t *messages = json ? json_array() : NULL;
    if (read_list(pg, site, NULL, &rows) != ERR_OK)
        return EXIT_FAILED;
    for (int i = 0; i < rows.count; i++) {
        const struct outbox_list_row message = outbox_list_row(&rows, i);
        show_instant(message.made_ms, made);
        if (json)
            json_array_append_new(messages,
                                  json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s}", "id", message.message_id,
                                            "site", message.site, "type", message.type, "made_at", made,
                                            "state", state_of(&message), "attempts", message.attempts,
                                            "status", message.status, "detail", message.detail));
        else
            printf("%s  %-20.20s %.10s %s\n", message.message_id, message.type, made, state_of(&message));
    }
    if (rows.count == 0 && !json)
        puts("no messages yet: crawltab webhook deliver makes and sends them");
    pg_rows_free(&rows);
    return !json || show_json(messages, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status replay(const struct config *config, struct pg *pg, const char *id)
{
    struct pg_rows rows = {0};
    struct receiver receiver;
    enum exit_status status = EXIT_FAILED;
    if (read_list(pg, NULL, id, &rows) != ERR_OK)
        return EXIT_FAILED;
    const struct outbox_list_row row =
        rows.count == 1 ? outbox_list_row(&rows, 0) : (struct outbox_list_row){.site = NULL};
    const struct config_site *site = row.site ? configured(config, row.site) : NULL;
    if (!row.site) {
        LOG(ERROR, "there is no such message", {"id", id}, {"hint", "crawltab webhook list shows them"});
    } else if (!site) {
        LOG(ERROR, "the message's site has no webhook.url", {"site", row.site});
    } else if (receiver_of(site, false, &receiver)) {
        const struct outbox_message message = {row.message_id, row.type, row.body, 0};
        struct outbox_result result = send(&message, &receiver);
        if (outbox_record(pg, message.id, &result, clock_now_ms()) == ERR_OK && result.status >= 200 &&
            result.status <= 299)
            status = EXIT_DONE;
    }
    pg_rows_free(&rows);
    return status;
}

static enum exit_status secret(const struct config *config, const char *name)
{
    struct webhook_secret secret;
    const struct config_site *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < config->site_count; i++)
        if (*config->sites[i].webhook_url && (!name || strcmp(name, config->sites[i].name) == 0)) {
            only = &config->sites[i];
            count++;
        }
    if (count != 1) {
        LOG(ERROR, count ? "several sites have a webhook" : "no such site has a webhook.url",
            {"hint", "name one with --site"});
        return EXIT_FAILED;
    }
    if (!webhook_secret_load(only->webhook_secret_file, &secret))
        return EXIT_FAILED;
    puts(secret.text);
    explicit_bzero(&secret, sizeof(secret));
    return EXIT_DONE;
}

static enum exit_status manage_webhook(const char *config_path, int argc, char **argv)
{
    const char *site = NULL;
    bool json = false;
    const struct command_option options[] = {
        {"--site", &site, NULL}, {"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    const char *verb = words.count > 0 ? words.items[0] : "";
    bool replaying = strcmp(verb, "replay") == 0 && words.count == 2;
    bool alone = words.count == 1;
    bool known = strcmp(verb, "deliver") == 0 || strcmp(verb, "list") == 0 || strcmp(verb, "secret") == 0;
    if (!replaying && !(alone && known))
        return command_misused("use: crawltab webhook deliver, list, secret or replay ID", NULL,
                               "see crawltab webhook --help");
    struct config *config = command_config(config_path);
    if (!config)
        return EXIT_FAILED;
    enum exit_status status = EXIT_FAILED;
    struct pg *pg = NULL;
    if (strcmp(verb, "secret") == 0)
        status = secret(config, site);
    else if ((pg = command_open(config, "crawltab webhook")))
        status = replaying                   ? replay(config, pg, words.items[1])
                 : strcmp(verb, "list") == 0 ? list(pg, site, json)
                                             : deliver(config, pg, site, json);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command webhook_command = {
    "webhook", "tell the publisher's own systems what happened to invoices",
    "usage: crawltab webhook deliver [--site NAME] [--json]\n"
    "       crawltab webhook list [--site NAME] [--json]\n"
    "       crawltab webhook replay ID\n"
    "       crawltab webhook secret [--site NAME]\n"
    "\n"
    "deliver makes a message of everything that happened to invoices (issued, sent,\n"
    "paid, ...) and posts what has not been taken yet to the site's webhook.url, by\n"
    "the conventions of Standard Webhooks. A message that is not answered with 2xx is\n"
    "sent again by later runs, after 5 s, 5 min, 30 min, ... for three days. Run it\n"
    "every few minutes. Messages may come twice: webhook-id tells.\n"
    "\n"
    "list shows the newest messages, replay sends one again, secret prints what the\n"
    "receiver checks webhook-signature with.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n"
    "\n"
    "exit status: 1 when a message was not taken\n",
    "  crawltab webhook deliver\n"
    "  crawltab webhook list --json\n",
    manage_webhook};
