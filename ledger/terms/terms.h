/* What a site and a crawler agree on, apart from who, when and why (ledger/terms/agreement.h). One table a
 * level yields the structure, the reader of YAML files, what `crawltab agreement show` and `template` print,
 * the JSON that the ledger stores, and the list of differences. */
#ifndef LEDGER_TERMS_TERMS_H
#define LEDGER_TERMS_TERMS_H

#include "ledger/base/config/config.h"

#include <jansson.h>

/* 100 billion of any currency: sums of such amounts stay far from the end of a bigint. */
#define TERMS_AMOUNT_MAX INT64_C(100000000000000000)
#define TERMS_COUNT_MAX  INT64_C(1000000000000)

/* X(member, key, kind, default, min, max, what it is), as in ledger/base/config/config.h. A number or amount
 * without default is -1 when it is not given. */
#define TERMS(X)                                                                                             \
    X(status, "status", TEXT, "active", 0, 0, "active or suspended: a suspended crawler cannot pay.")        \
    X(cadence, "cadence", TEXT, "daily", 0, 0,                                                               \
      "How often an invoice is made: daily, weekly (Sunday) or monthly.")                                    \
    X(subscription, "subscription", FLAG, "false", 0, 0,                                                     \
      "Crawls are recorded at their price and covered by the fee.")                                          \
    X(fee, "fee", AMOUNT, "0", 0, TERMS_AMOUNT_MAX,                                                          \
      "Flat fee of a period, whether or not there are crawls.")                                              \
    X(fee_proration, "fee_proration", TEXT, "none", 0, 0,                                                    \
      "none: the whole fee is due at the end of each period, by the terms in\nforce then, also if they "     \
      "began within it or the crawler is suspended.\ndaily: a share for each day at whose end they are in "  \
      "force and the\ncrawler is not suspended.")                                                            \
    X(included_crawls, "included_crawls", NUMBER, "0", 0, TERMS_COUNT_MAX,                                   \
      "The first so many crawls of a period cost nothing.")                                                  \
    X(minimum_fee, "minimum_fee", AMOUNT, "0", 0, TERMS_AMOUNT_MAX,                                          \
      "What fee and crawls of a period come to at least.")                                                   \
    X(minimum_invoice, "minimum_invoice", AMOUNT, "0", 0, TERMS_AMOUNT_MAX,                                  \
      "Less than this is carried forward to the next period.")                                               \
    X(due_days, "due_days", NUMBER, "30", 0, 366, "Days that the buyer has to pay an invoice.")              \
    X(day_limit, "limits.day", AMOUNT, "", 0, TERMS_AMOUNT_MAX,                                              \
      "The most that may be spent in one billing day; without it the\nconfiguration's limit holds.")         \
    X(balance_limit, "limits.balance", AMOUNT, "", 0, TERMS_AMOUNT_MAX,                                      \
      "The most that may be owed: crawls not invoiced, invoices not paid;\nwithout it the configuration's "  \
      "limit holds.")                                                                                        \
    X(dispute_window, "disputes.window_days", NUMBER, "", 0, 3650,                                           \
      "How long after a crawl, or its invoice, it can be disputed; without this\nand the next three the "    \
      "configuration's hold.")                                                                               \
    X(dispute_answer, "disputes.answer_days", NUMBER, "", 1, 366, "How long there is to decide a dispute.")  \
    X(dispute_share, "disputes.share", RATE, "", 0, 0,                                                       \
      "The share of what was charged within 30 days that rules give back\nwithout a person, in percent.")    \
    X(dispute_limit, "disputes.limit", AMOUNT, "", 0, TERMS_AMOUNT_MAX,                                      \
      "The most that they give back within 30 days.")                                                        \
    X(tax_treatment, "tax.treatment", TEXT, "none", 0, 0,                                                    \
      "none (outside the scope of tax), standard, zero, exempt or reverse-charge.")                          \
    X(tax_rate, "tax.rate", RATE, "0", 0, 0, "In percent, such as \"8.875\"; with treatment standard only.") \
    X(buyer_name, "buyer.name", TEXT, "", 0, 0, "Who is billed, as registered.")                             \
    X(buyer_street, "buyer.street", TEXT, "", 0, 0, "Street and number, or post box.")                       \
    X(buyer_street_2, "buyer.street_2", TEXT, "", 0, 0, "Second line of the address.")                       \
    X(buyer_postal_code, "buyer.postal_code", TEXT, "", 0, 0, "Postal code.")                                \
    X(buyer_city, "buyer.city", TEXT, "", 0, 0, "City.")                                                     \
    X(buyer_region, "buyer.region", TEXT, "", 0, 0, "State or province, where addresses have one.")          \
    X(buyer_country, "buyer.country", TEXT, "", 0, 0, "ISO 3166 code of two letters, such as DE.")           \
    X(buyer_tax_id, "buyer.tax_id", TEXT, "", 0, 0, "VAT number or the like, such as DE123456789.")          \
    X(buyer_registration, "buyer.registration", TEXT, "", 0, 0, "Number in the company register.")           \
    X(buyer_registration_scheme, "buyer.registration_scheme", TEXT, "", 0, 0,                                \
      "ICD code of that register (ISO/IEC 6523), such as 0208; without it the\ncountry's usual one, if the " \
      "number fits it.")                                                                                     \
    X(buyer_email, "buyer.email", TEXT, "", 0, 0, "Where invoices go.")                                      \
    X(buyer_purchase_order, "buyer.purchase_order", TEXT, "", 0, 0,                                          \
      "The buyer's reference, printed on invoices.")                                                         \
    X(buyer_reference, "buyer.reference", TEXT, "", 0, 0,                                                    \
      "What e-invoices quote to reach the right desk, such as a Leitweg-ID;\nwithout it the crawler's URL.") \
    X(buyer_endpoint, "buyer.endpoint", TEXT, "", 0, 0,                                                      \
      "Electronic address for e-invoices (Peppol), SCHEME:ID, such as\n0088:7300010000001.")                 \
    X(rail, "settlement.rail", TEXT, "none", 0, 0,                                                           \
      "How the buyer pays: none (by transfer), sepa-direct-debit, ach, card\nor x402.")                      \
    X(scheme, "settlement.scheme", TEXT, "", 0, 0, "sepa-direct-debit: b2b (also without it) or core.")      \
    X(iban, "settlement.iban", CODE, "", 0, 0, "sepa-direct-debit: the account.")                            \
    X(bic, "settlement.bic", CODE, "", 0, 0, "sepa-direct-debit: its bank; optional.")                       \
    X(mandate_id, "settlement.mandate_id", TEXT, "", 0, 0, "sepa-direct-debit: reference of the mandate.")   \
    X(mandate_date, "settlement.mandate_date", TEXT, "", 0, 0,                                               \
      "sepa-direct-debit: when it was signed, such as 2026-11-30.")                                          \
    X(routing_number, "settlement.routing_number", TEXT, "", 0, 0, "ach: nine digits of the bank.")          \
    X(account, "settlement.account", TEXT, "", 0, 0, "ach: the account's number.")                           \
    X(account_kind, "settlement.kind", TEXT, "", 0, 0, "ach: checking or savings.")                          \
    X(network, "settlement.network", TEXT, "", 0, 0, "x402: namespace:reference, such as eip155:8453.")      \
    X(asset, "settlement.asset", TEXT, "", 0, 0, "x402: the stablecoin's contract.")                         \
    X(pay_to, "settlement.pay_to", TEXT, "", 0, 0, "x402: the address that is paid to.")                     \
    X(asset_currency, "settlement.currency", TEXT, "", 0, 0,                                                 \
      "x402: the currency that the asset is worth, such as EUR; USD without it.")                            \
    X(decimals, "settlement.decimals", NUMBER, "", 0, 18, "x402: decimals of the asset, such as 6.")

#define TERMS_PRICE(X)                                                                                       \
    X(rule, "rule", TEXT, "", 0, 0, "Name of a rule of the site.")                                           \
    X(paths, "paths", LIST, "", 0, 0, "Or globs over the path: * stops at a slash, ** does not.")            \
    X(price, "price", AMOUNT, NULL, 0, AMOUNT_PRICE_MAX, "Price of one crawl, in the site's currency.")

#define TERMS_TIER(X)                                                                                        \
    X(from_crawl, "from_crawl", NUMBER, NULL, 1, TERMS_COUNT_MAX,                                            \
      "The first crawl of a period in the tier.")                                                            \
    X(discount, "discount", RATE, NULL, 0, 0, "In percent of the price, for the crawls within the tier.")

struct terms_price {
    TERMS_PRICE(CONFIG_MEMBER)
    struct config_where where;
};

struct terms_tier {
    TERMS_TIER(CONFIG_MEMBER)
    struct config_where where;
};

struct terms {
    TERMS(CONFIG_MEMBER)
    struct terms_price *prices; /* in order: the first that fits decides */
    size_t price_count;
    struct terms_tier *tiers; /* ascending */
    size_t tier_count;
    struct config_where where;
};

/* The terms that hold without an agreement. */
struct terms *terms_new(void);
void terms_free(struct terms *terms);

/* Reads and checks a file that holds all the terms. `currency` is the site's (ISO 4217), or NULL: not
 * checked. Every mistake is written to `errors` as "name:line: what, why, hint". NULL if there was any. */
struct terms *terms_read(FILE *file, const char *name, const char *currency, FILE *errors);

/* A copy with single terms changed, each "key=value": the value of a list is YAML, any other is taken as it
 * is; an empty one is the default. Checked; mistakes are told as above, NULL if there was any. */
struct terms *terms_change(const struct terms *terms, const char *const *changes, size_t count,
                           const char *currency, FILE *errors);

/* The terms as the ledger stores them and as --json prints them: sections are objects, amounts have the
 * suffix _micros and rates _ppm; what is not given is left out. NULL without memory, or when a text is not
 * UTF-8. */
json_t *terms_json(const struct terms *terms);

/* What terms_json made, or the ledger. NULL if it has not that form. */
struct terms *terms_from_json(const json_t *json);

/* Writes YAML that terms_read takes. */
void terms_write(const struct terms *terms, FILE *out);

/* Writes YAML that explains every key, as a file to start from. */
void terms_write_template(FILE *out);

/* Writes what differs, a line of the old with a minus and a line of the new with a plus. Returns the number
 * of settings that differ. */
size_t terms_write_changes(const struct terms *before, const struct terms *after, FILE *out);

#endif
