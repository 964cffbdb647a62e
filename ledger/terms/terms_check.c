/* Every mistake is told, with its line and what to write instead, before anything is recorded: an agreement
 * cannot be corrected afterwards but by another version. */
#include "ledger/terms/terms_table.h"

#include "ledger/base/identifier/identifier.h"
#include "ledger/base/instant.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 200

#define DIGITS  "0123456789"
#define CAPITAL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SMALL   "abcdefghijklmnopqrstuvwxyz"

/* The terms under examination. */
struct check {
    const struct terms *terms;
    const char *currency;
    struct config_report *report;
};

static size_t line_of(const struct check *check, const char *key)
{
    assert(check->terms->where.fields);
    for (size_t i = 0; i < terms_table.count; i++)
        if (strcmp(terms_table.fields[i].key, key) == 0)
            return check->terms->where.fields[i];
    assert(!"a key of the terms");
    return 0;
}

static void wrong(const struct check *check, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tells a mistake in a setting, with its line. */
static void wrong(const struct check *check, const char *key, const char *format, ...)
{
    char what[512];
    va_list values;
    va_start(values, format);
    assert(*format);
    vsnprintf(what, sizeof(what), format, values);
    va_end(values);
    config_error(check->report, line_of(check, key), "%s: %s", key, what);
}

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Exactly `len` of these characters at the start. */
static bool starts_with(const char *text, size_t len, const char *characters)
{
    return strspn(text, characters) >= len;
}

static bool made_of(const char *text, size_t len, const char *characters)
{
    return strlen(text) == len && starts_with(text, len, characters);
}

/* --- Texts --- */

/* Control characters, also those of Unicode that break or turn a line: they would falsify what is printed. In
 * UTF-8, U+0080 to U+009F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF, U+FFFE and U+FFFF. */
static bool is_control(const unsigned char *c)
{
    if (*c < 0x20 || *c == 0x7f)
        return true;
    if (*c == 0xc2)
        return c[1] < 0xa0;
    if (*c == 0xe2)
        return (c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
               (c[1] == 0x81 && c[2] >= 0xa0 && c[2] <= 0xaf);
    if (*c == 0xef)
        return (c[1] == 0xbb && c[2] == 0xbf) || (c[1] == 0xbf && c[2] >= 0xbe);
    return false;
}

static void check_text(struct config_report *report, const char *key, const char *text, size_t line)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (is_control(c)) {
            config_error(report, line, "%s: has a control character, remove it", key);
            return;
        }
    if (strlen(text) > TEXT_MAX)
        config_error(report, line, "%s: is longer than %d bytes", key, TEXT_MAX);
}

static void check_texts(const struct config_table *table, const void *structure,
                        const struct config_where *where, struct config_report *report)
{
    assert(where->fields);
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        const void *member = (const char *)structure + field->offset;
        const struct config_list *list = member;
        if (field->kind == CONFIG_IS_TEXT || field->kind == CONFIG_IS_CODE)
            check_text(report, field->key, *(const char *const *)member, where->fields[i]);
        for (size_t k = 0; field->kind == CONFIG_IS_LIST && k < list->count; k++) {
            check_text(report, field->key, list->items[k], where->fields[i]);
            if (!*list->items[k])
                config_error(report, where->fields[i], "%s: an item is empty, remove it", field->key);
        }
    }
}

/* --- Billing --- */

static void check_words(struct check *check)
{
    static const char *const statuses[] = {"active", "suspended", NULL};
    static const char *const cadences[] = {"daily", "weekly", "monthly", NULL};
    static const char *const prorations[] = {"none", "daily", NULL};
    static const char *const treatments[] = {"none", "standard", "zero", "exempt", "reverse-charge", NULL};
    const struct terms *terms = check->terms;
    if (!one_of(terms->status, statuses))
        wrong(check, "status", "\"%s\" is unknown, use active or suspended", terms->status);
    if (!one_of(terms->cadence, cadences))
        wrong(check, "cadence", "\"%s\" is unknown, use daily, weekly or monthly", terms->cadence);
    if (!one_of(terms->fee_proration, prorations))
        wrong(check, "fee_proration", "\"%s\" is unknown, use none or daily", terms->fee_proration);
    if (!one_of(terms->tax_treatment, treatments))
        wrong(check, "tax.treatment", "\"%s\" is unknown, use none, standard, zero, exempt or reverse-charge",
              terms->tax_treatment);
}

static void check_billing(struct check *check)
{
    const struct terms *terms = check->terms;
    bool standard = strcmp(terms->tax_treatment, "standard") == 0;
    if (terms->subscription && terms->fee == 0)
        wrong(check, "subscription", "without a fee nothing would ever be billed; set fee");
    /* What has no effect is refused: it was meant to have one. */
    if (terms->subscription && (terms->included_crawls > 0 || terms->tier_count > 0))
        wrong(check, "subscription",
              "covers every crawl, so included_crawls and tiers have no effect; "
              "remove them");
    if (standard && terms->tax_rate == 0)
        wrong(check, "tax.rate", "treatment standard needs a rate above zero; use treatment zero otherwise");
    if (!standard && terms->tax_rate > 0)
        wrong(check, "tax.rate", "only with treatment standard, remove it or change the treatment");
    if (strcmp(terms->tax_treatment, "reverse-charge") == 0 && !*terms->buyer_tax_id)
        wrong(check, "buyer.tax_id", "is missing: treatment reverse-charge needs it");
}

static void check_prices(struct check *check)
{
    for (size_t i = 0; i < check->terms->price_count; i++) {
        const struct terms_price *price = &check->terms->prices[i];
        check_texts(&terms_price_table, price, &price->where, check->report);
        if (!*price->rule == (price->paths.count == 0))
            config_error(check->report, price->where.line,
                         "prices: say for what the price is, with either rule or paths");
        assert(strcmp(terms_price_table.fields[1].key, "paths") == 0);
        for (size_t k = 0; k < price->paths.count; k++)
            if (price->paths.items[k][0] != '/')
                config_error(check->report, price->where.fields[1], "paths: \"%s\" must start with a slash",
                             price->paths.items[k]);
    }
}

static void check_tiers(struct check *check)
{
    /* Rising: a crawl is in the last tier that it reaches. */
    for (size_t i = 1; i < check->terms->tier_count; i++)
        if (check->terms->tiers[i].from_crawl <= check->terms->tiers[i - 1].from_crawl)
            config_error(check->report, check->terms->tiers[i].where.line,
                         "tiers: from_crawl must rise from one to the next");
}

/* --- The buyer --- */

static void check_buyer(struct check *check)
{
    const struct terms *terms = check->terms;
    const char *fault = *terms->buyer_endpoint ? identifier_endpoint_fault(terms->buyer_endpoint) : NULL;
    if (*terms->buyer_country && !identifier_is_country(terms->buyer_country))
        wrong(check, "buyer.country", "\"%s\" is not an ISO 3166 code of two letters such as DE",
              terms->buyer_country);
    if (*terms->buyer_email && !identifier_is_email(terms->buyer_email))
        wrong(check, "buyer.email", "\"%s\" is not an address such as billing@crawler.example",
              terms->buyer_email);
    if (fault)
        wrong(check, "buyer.endpoint", "\"%s\" %s", terms->buyer_endpoint, fault);
}

/* --- Settlement --- */

/* ABA: the digits weighed 3, 7, 1 sum up to a multiple of ten. Those of nine zeros do, too, but are nobody's.
 */
static bool is_routing_number(const char *number)
{
    static const int weights[] = {3, 7, 1};
    int sum = 0;
    if (!made_of(number, 9, DIGITS))
        return false;
    for (size_t i = 0; i < 9; i++)
        sum += (number[i] - '0') * weights[i % 3];
    return sum > 0 && sum % 10 == 0;
}

static void check_sepa(struct check *check)
{
    static const char *const schemes[] = {"", "b2b", "core", NULL};
    const struct terms *terms = check->terms;
    const char *fault = identifier_iban_fault(terms->iban);
    /* NULL: terms are looked at for no site. */
    if (check->currency && strcmp(check->currency, "EUR") != 0)
        wrong(check, "settlement.rail", "sepa-direct-debit collects EUR, but the site bills in %s",
              check->currency);
    if (!one_of(terms->scheme, schemes))
        wrong(check, "settlement.scheme", "\"%s\" is unknown, use b2b or core", terms->scheme);
    if (fault)
        wrong(check, "settlement.iban", "\"%s\" %s", terms->iban, fault);
    if (*terms->bic && !identifier_is_bic(terms->bic))
        wrong(check, "settlement.bic", "\"%s\" is not a BIC of 8 or 11 characters", terms->bic);
    size_t len = strlen(terms->mandate_id);
    if (len < 1 || len > 35 || !starts_with(terms->mandate_id, len, CAPITAL SMALL DIGITS "/-?:().,'+ "))
        wrong(check, "settlement.mandate_id", "\"%s\" is not 1 to 35 letters, digits and + ? / - : ( ) . , '",
              terms->mandate_id);
    if (!instant_is_date(slice_of(terms->mandate_date)))
        wrong(check, "settlement.mandate_date", "\"%s\" is not a date such as 2026-11-30",
              terms->mandate_date);
}

static void check_ach(struct check *check)
{
    static const char *const kinds[] = {"checking", "savings", NULL};
    const struct terms *terms = check->terms;
    size_t len = strlen(terms->account);
    if (check->currency && strcmp(check->currency, "USD") != 0)
        wrong(check, "settlement.rail", "ach collects USD, but the site bills in %s", check->currency);
    if (!is_routing_number(terms->routing_number))
        wrong(check, "settlement.routing_number", "\"%s\" is not a routing number of nine digits: mistyped?",
              terms->routing_number);
    if (len < 1 || len > 17 || !starts_with(terms->account, len, CAPITAL SMALL DIGITS "-"))
        wrong(check, "settlement.account", "\"%s\" is not 1 to 17 letters, digits and dashes",
              terms->account);
    if (!one_of(terms->account_kind, kinds))
        wrong(check, "settlement.kind", "\"%s\" is unknown, use checking or savings", terms->account_kind);
}

static void check_x402(struct check *check)
{
    const struct terms *terms = check->terms;
    const char *colon = strchr(terms->network, ':');
    /* Empty means USD, which most such assets are worth. */
    const char *currency = *terms->asset_currency ? terms->asset_currency : "USD";
    if (!colon || colon == terms->network || !colon[1])
        wrong(check, "settlement.network", "\"%s\" is not namespace:reference, e.g. eip155:8453",
              terms->network);
    if (!*terms->asset)
        wrong(check, "settlement.asset", "is missing: rail x402 needs it");
    if (!*terms->pay_to)
        wrong(check, "settlement.pay_to", "is missing: rail x402 needs it");
    if (terms->decimals < 0)
        wrong(check, "settlement.decimals", "is missing: rail x402 needs it");
    if (!made_of(currency, 3, CAPITAL))
        wrong(check, "settlement.currency", "\"%s\" is not an ISO 4217 code such as EUR", currency);
    else if (check->currency && strcmp(check->currency, currency) != 0)
        wrong(check, *terms->asset_currency ? "settlement.currency" : "settlement.rail",
              "the asset of x402 is worth %s, but the site bills in %s; settlement.currency says what it is",
              currency, check->currency);
}

/* Particulars of another rail would be copied into invoices and mislead. */
static void check_strangers(struct check *check)
{
    static const char *const sepa[] = {"rail", "scheme", "iban", "bic", "mandate_id", "mandate_date", NULL};
    static const char *const ach[] = {"rail", "routing_number", "account", "kind", NULL};
    static const char *const x402[] = {"rail", "network", "asset", "pay_to", "currency", "decimals", NULL};
    static const char *const other[] = {"rail", NULL};
    const char *rail = check->terms->rail;
    const char *const *own = strcmp(rail, "sepa-direct-debit") == 0 ? sepa
                             : strcmp(rail, "ach") == 0             ? ach
                             : strcmp(rail, "x402") == 0            ? x402
                                                                    : other;
    assert(strcmp(own[0], "rail") == 0);
    for (size_t i = 0; i < terms_table.count; i++) {
        const struct config_field *field = &terms_table.fields[i];
        if (strncmp(field->key, "settlement.", 11) == 0 && terms_given(field, check->terms) &&
            !one_of(field->key + 11, own))
            wrong(check, field->key, "does not belong to rail %s, remove it", rail);
    }
}

static void check_settlement(struct check *check)
{
    static const char *const plain[] = {"none", "card", NULL};
    const char *rail = check->terms->rail;
    if (strcmp(rail, "sepa-direct-debit") == 0)
        check_sepa(check);
    else if (strcmp(rail, "ach") == 0)
        check_ach(check);
    else if (strcmp(rail, "x402") == 0)
        check_x402(check);
    else if (!one_of(rail, plain)) {
        wrong(check, "settlement.rail", "\"%s\" is unknown, use none, sepa-direct-debit, ach, card or x402",
              rail);
        return;
    }
    check_strangers(check);
}

void terms_check(const struct terms *terms, const char *currency, struct config_report *report)
{
    struct check check = {terms, currency, report};
    assert(report->error_count == 0); /* what does not parse is not looked at any closer */
    check_texts(&terms_table, terms, &terms->where, report);
    check_words(&check);
    check_billing(&check);
    check_prices(&check);
    check_tiers(&check);
    check_buyer(&check);
    check_settlement(&check);
}
