#include "ledger/base/text/amount.h"
#include "ledger/format/xml.h"
#include "ledger/licence/form.h"

#include <stdlib.h>
#include <string.h>

#define MAX_AGE_DAYS "1" /* prices may change with any reload */

/* RSL 1.0, <payment type="crawl">: per page fetched, which is what the rules price. */
static void add_payment(struct xml *xml, const struct config_site *site, const struct config_rule *rule,
                        int64_t life_seconds)
{
    char amount[AMOUNT_TEXT_MAX];
    json_t *list = licence_accepts(site, rule, life_seconds);
    char *accepts = list ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    xml_open(xml, "payment");
    xml_attribute(xml, "type", "crawl");
    xml_leaf(xml, "standard", site->terms_url);
    xml_open(xml, "amount");
    xml_attribute(xml, "currency", site->currency);
    xml_text(xml, amount_format(rule->price, amount));
    xml_close(xml);
    if (accepts) {
        xml_open(xml, "accepts");
        xml_attribute(xml, "type", "application/x402+json");
        xml_text(xml, accepts);
        xml_close(xml);
    }
    xml_close(xml);
    free(accepts);
}

static void add_licence(struct xml *xml, const struct config_site *site, const struct config_rule *rule,
                        int64_t life_seconds)
{
    xml_open(xml, "license");
    if (strcmp(rule->action, "block") == 0) {
        /* Nobody is let in for anything that RSL calls a use by AI. */
        xml_open(xml, "prohibits");
        xml_attribute(xml, "type", "usage");
        xml_text(xml, "ai-all");
        xml_close(xml);
    } else if (strcmp(rule->action, "charge") == 0) {
        add_payment(xml, site, rule, life_seconds);
    } else {
        xml_open(xml, "payment");
        xml_attribute(xml, "type", "free");
        xml_close(xml);
    }
    xml_close(xml);
}

char *licence_write_rsl(const struct config_site *site, int64_t life_seconds)
{
    char pattern[LICENCE_URL_MAX];
    struct xml *xml = xml_new("rsl", "https://rslstandard.org/rsl");
    if (!xml)
        return NULL;
    xml_attribute(xml, "max-age", MAX_AGE_DAYS);
    for (size_t i = 0; i < site->rule_count; i++) {
        const struct config_rule *rule = &site->rules[i];
        for (size_t k = 0; licence_tells(site, rule) && k < rule->paths.count; k++) {
            xml_open(xml, "content");
            xml_attribute(xml, "url", licence_pattern(rule->paths.items[k], pattern));
            add_licence(xml, site, rule, life_seconds);
            xml_leaf(xml, "terms", site->terms_url);
            xml_close(xml);
        }
    }
    size_t len;
    return xml_finish(xml, &len);
}
