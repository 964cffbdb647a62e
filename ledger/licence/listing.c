/* The forms in JSON, and the lines for robots.txt. */
#include "ledger/base/instant.h"
#include "ledger/licence/form.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *licence_accepts(const struct config_site *site, const struct config_rule *rule, int64_t life_seconds)
{
    char amount[32];
    assert(rule->price >= 0);
    snprintf(amount, sizeof(amount), "%" PRId64, rule->price);
    return json_pack("[{s:s, s:s, s:s, s:s, s:s, s:I, s:{s:s, s:i}}]", "scheme", "deferred", "network",
                     site->network, "amount", amount, "asset", site->currency, "payTo", site->pay_to,
                     "maxTimeoutSeconds", (json_int_t)life_seconds, "extra", "termsUrl", site->terms_url,
                     "decimals", 6);
}

/* `document` is given up. */
static char *dump(json_t *document)
{
    char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
    json_decref(document);
    return text;
}

/* False without memory. */
static bool add_item(json_t *items, const struct config_site *site, const struct config_rule *rule,
                     const char *glob, int64_t life_seconds)
{
    char origin[LICENCE_URL_MAX], pattern[LICENCE_URL_MAX], url[2 * LICENCE_URL_MAX];
    snprintf(url, sizeof(url), "%s%s", licence_origin(site, origin), licence_pattern(glob, pattern));
    json_t *item = json_pack("{s:{s:s, s:s}, s:s, s:o}", "resource", "url", url, "description", rule->name,
                             "type", "http", "accepts", licence_accepts(site, rule, life_seconds));
    return item && json_array_append_new(items, item) == 0;
}

char *licence_write_x402(const struct config_site *site, int64_t life_seconds, int64_t now_ms)
{
    char made[INSTANT_TEXT_MAX];
    bool ok = true;
    json_t *items = json_array();
    for (size_t i = 0; items && i < site->rule_count; i++) {
        const struct config_rule *rule = &site->rules[i];
        bool sells = licence_tells(site, rule) && strcmp(rule->action, "charge") == 0;
        for (size_t k = 0; sells && ok && k < rule->paths.count; k++)
            ok = add_item(items, site, rule, rule->paths.items[k], life_seconds);
    }
    if (!ok) {
        json_decref(items);
        return NULL;
    }
    return dump(json_pack("{s:i, s:s, s:o}", "x402Version", 2, "lastUpdated", instant_format(now_ms, made),
                          "items", items));
}

char *licence_write_tdmrep(const struct config_site *site)
{
    char pattern[LICENCE_URL_MAX];
    bool ok = true;
    json_t *places = json_array();
    for (size_t i = 0; places && i < site->rule_count; i++) {
        const struct config_rule *rule = &site->rules[i];
        bool reserved = strcmp(rule->action, "allow") != 0;
        for (size_t k = 0; ok && licence_tells(site, rule) && k < rule->paths.count; k++) {
            json_t *place =
                json_pack("{s:s, s:i}", "location", licence_pattern(rule->paths.items[k], pattern),
                          "tdm-reservation", reserved);
            ok = place && json_array_append(places, place) == 0 &&
                 (!reserved || json_object_set_new(place, "tdm-policy", json_string(site->terms_url)) == 0);
            json_decref(place);
        }
    }
    if (!ok) {
        json_decref(places);
        return NULL;
    }
    return dump(places);
}

char *licence_write_robots(const struct config_site *site)
{
    char origin[LICENCE_URL_MAX];
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    fprintf(out, "# Add to robots.txt. Crawlers that pay are answered by the gate: %s\n", site->terms_url);
    fprintf(out, "License: %s%s\n", licence_origin(site, origin), licence_path(LICENCE_RSL));
    if (*site->licence_content_usage)
        fprintf(out, "\nUser-agent: *\nContent-Usage: %s\nAllow: /\n", site->licence_content_usage);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
