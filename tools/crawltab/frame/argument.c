#include "tools/crawltab/frame/argument.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/verify/signature_agent.h"
#include "sql/rows/entry.h"
#include "sql/rows/pg.h"
#include "sql/rows/site.h"

#include <stdio.h>
#include <string.h>

bool argument_site(struct pg *pg, const struct config *config, const char *name, struct argument_site *site)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool found = false;
    if (!name && config->site_count != 1) {
        command_misused("the configuration has several sites", NULL, "say which one with --site NAME");
        return false;
    }
    name = name ? name : config->sites[0].name;
    pg_params_text(&params, name);
    pg_params_number(&params, clock_now_ms());
    if (pg_run(pg, "site_read", &params, &rows) != ERR_OK)
        goto out;
    found = rows.count == 1;
    if (!found) {
        LOG(ERROR, "the ledger has no such site", {"site", name},
            {"hint", "a gate registers its sites when it starts; was it misspelled?"});
        goto out;
    }
    const struct site_read_row row = site_read_row(&rows, 0);
    *site = (struct argument_site){.site_id = row.site_id, .configured = config_site_called(config, name)};
    snprintf(site->name, sizeof(site->name), "%s", name);
    snprintf(site->time_zone, sizeof(site->time_zone), "%s", row.time_zone);
    snprintf(site->currency, sizeof(site->currency), "%s", row.currency);
out:
    pg_rows_free(&rows);
    return found;
}

const char *argument_agent(struct arena *arena, const struct config *config, const char *agent)
{
    struct signature_agent located;
    struct slice location = strstr(agent, "://") ? slice_of(agent) : arena_format(arena, "https://%s", agent);
    if (!location.data ||
        signature_agent_locate(arena, location, &config->directory_insecure_hosts, &located) != ERR_OK)
        return NULL;
    return arena_format(arena, "%.*s", (int)located.account.len, located.account.data).data;
}

enum err argument_named(struct pg *pg, const char *agent, int64_t *crawler_id)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, agent);
    TRY(pg_run(pg, "crawler_read", &params, &rows));
    *crawler_id = rows.count > 0 ? crawler_read_row(&rows, 0).crawler_id : 0;
out:
    pg_rows_free(&rows);
    return err;
}

enum err argument_find(struct pg *pg, const struct config *config, const char *agent, int64_t *crawler_id)
{
    char room[8192];
    struct arena arena;
    arena_init(&arena, room, sizeof(room));
    const char *account = argument_agent(&arena, config, agent);
    return argument_named(pg, account ? account : agent, crawler_id);
}

bool argument_crawler(struct pg *pg, const struct config *config, const char *agent, int64_t *crawler_id)
{
    *crawler_id = 0;
    if (argument_find(pg, config, agent, crawler_id) != ERR_OK)
        return false;
    if (*crawler_id == 0)
        LOG(ERROR, "there is no such crawler", {"agent", agent},
            {"hint", "crawltab crawler list shows those that were seen; crawler add makes an account ahead"});
    return *crawler_id != 0;
}

/* A digit for each 0 of the pattern; returns what is behind it, or NULL. */
static const char *matches(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return NULL;
    return text;
}

static bool in_clock(const char *text)
{
    return strncmp(text, "24", 2) < 0 && text[3] < '6';
}

/* `fixed`: with an offset of its own. */
static bool is_instant(const char *text, bool *fixed)
{
    *fixed = false;
    if (strlen(text) < 10 || !instant_is_date(slice_bytes(text, 10)))
        return false;
    text += 10;
    if (!*text)
        return true;
    const char *time = text + 1;
    const char *rest = *text == 'T' || *text == ' ' ? matches(time, "00:00") : NULL;
    if (!rest || !in_clock(time))
        return false;
    if (*rest == ':' && (!(rest = matches(rest, ":00")) || rest[-2] >= '6'))
        return false;
    *fixed = *rest != '\0';
    if (strcmp(rest, "Z") == 0 || !*rest)
        return true;
    const char *offset = rest + 1;
    rest = *rest == '+' || *rest == '-' ? matches(offset, "00:00") : NULL;
    return rest && !*rest && strncmp(offset, "15", 2) < 0 && offset[3] < '6';
}

bool argument_instant(struct pg *pg, const struct argument_site *site, const char *text, int64_t *ms)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool fixed;
    if (!is_instant(text, &fixed)) {
        command_misused("this is no date and no instant", text,
                        "write 2026-12-01, or 2026-12-01T08:30, both in the site's time zone, or "
                        "2026-12-01T07:30Z");
        return false;
    }
    pg_params_number(&params, site->site_id);
    pg_params_text(&params, text);
    pg_params_text(&params, fixed ? "true" : "false");
    bool ok = pg_run(pg, "instant_read", &params, &rows) == ERR_OK && rows.count == 1;
    if (ok)
        *ms = instant_read_row(&rows, 0).instant_ms;
    pg_rows_free(&rows);
    return ok;
}
