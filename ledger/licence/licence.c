/* Rules are told in their order and as they stand: the forms have no "first that fits", so that a reader who
 * takes the longest pattern, as robots.txt does, may see a price where a rule before it gives the page away.
 * The offer decides, and costs nothing to ask for. */
#include "ledger/licence/licence.h"

#include "ledger/licence/form.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *path, *media_type;
} forms[] = {
    [LICENCE_RSL] = {"rsl", "/rsl.xml", "application/rsl+xml"},
    [LICENCE_X402] = {"x402", "/.well-known/x402.json", "application/json"},
    [LICENCE_TDMREP] = {"tdmrep", "/.well-known/tdmrep.json", "application/json"},
    [LICENCE_ROBOTS] = {"robots", NULL, NULL},
};

const char *licence_name(enum licence_form form)
{
    assert(form <= LICENCE_ROBOTS);
    return forms[form].name;
}

bool licence_form_parse(const char *name, enum licence_form *form)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (strcmp(forms[i].name, name) == 0) {
            *form = (enum licence_form)i;
            return true;
        }
    return false;
}

const char *licence_path(enum licence_form form)
{
    assert(form < LICENCE_FORMS);
    return forms[form].path;
}

const char *licence_media_type(enum licence_form form)
{
    assert(form < LICENCE_FORMS);
    return forms[form].media_type;
}

bool licence_published(const struct config_site *site, enum licence_form form)
{
    assert(form < LICENCE_FORMS);
    const bool published[] = {[LICENCE_RSL] = site->licence_rsl,
                              [LICENCE_X402] = site->licence_x402,
                              [LICENCE_TDMREP] = site->licence_tdmrep};
    return published[form];
}

char *licence_write(enum licence_form form, const struct config_site *site, int64_t life_seconds,
                    int64_t now_ms)
{
    assert(site && life_seconds > 0);
    switch (form) {
    case LICENCE_RSL:
        return licence_write_rsl(site, life_seconds);
    case LICENCE_X402:
        return licence_write_x402(site, life_seconds, now_ms);
    case LICENCE_TDMREP:
        return licence_write_tdmrep(site);
    default:
        return licence_write_robots(site);
    }
}

bool licence_tells(const struct config_site *site, const struct config_rule *rule)
{
    bool observes = strcmp(*rule->mode ? rule->mode : site->mode, "observe") == 0;
    bool gets = rule->methods.count == 0;
    for (size_t i = 0; i < rule->methods.count; i++)
        gets = gets || strcmp(rule->methods.items[i], "GET") == 0;
    return !observes && gets && rule->user_agents.count == 0 && rule->agents.count == 0 &&
           rule->query.count == 0;
}

const char *licence_pattern(const char *glob, char out[LICENCE_URL_MAX])
{
    size_t len = 0;
    bool open = false;
    for (; *glob && len + sizeof("%24$") < LICENCE_URL_MAX; glob++) {
        open = glob[0] == '*' && glob[1] == '*';
        glob += open;
        /* A dollar sign of the path itself must not end the pattern. */
        len += (size_t)snprintf(out + len, LICENCE_URL_MAX - len, "%s", *glob == '$' ? "%24" : "");
        if (*glob != '$')
            out[len++] = *glob;
    }
    if (!open)
        out[len++] = '$';
    out[len] = '\0';
    assert(len < LICENCE_URL_MAX);
    return out;
}

const char *licence_origin(const struct config_site *site, char out[LICENCE_URL_MAX])
{
    assert(site->hosts.count > 0); /* config_check asks for one */
    snprintf(out, LICENCE_URL_MAX, "%s://%s", site->scheme, site->hosts.items[0]);
    return out;
}
