/* What the configuration's types cannot say of invoices: identifiers, and the patterns of numbers. Invoices
 * are never changed once made, so that a mistyped number is worth refusing to start. What only an e-invoice
 * lacks is a warning: the seller may send other bills meanwhile. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/identifier/einvoice.h"
#include "ledger/base/identifier/identifier.h"
#include "ledger/base/identifier/series.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* The site under examination. */
struct check {
    const struct config_site *site;
    struct config_report *report;
};

/* Tells that the text of a setting is wrong; "" is none. `fault` is the end of the sentence, or NULL. */
static void tell(const struct check *check, const char *key, const char *text, const char *fault)
{
    assert(text);
    if (*text && fault)
        config_error(check->report, config_site_line(check->site, key), "%s: \"%s\" %s", key, text, fault);
}

static bool starts_like(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void check_series(const struct check *check)
{
    static const char date[] = "2000-01-01",
                      hint[] = "is no pattern, write it like \"INV-{year}-{number:6}\"";
    const struct config_site *site = check->site;
    /* Any date does: only the form is looked at, and whether two series could meet. */
    struct series invoice, credit;
    bool read = series_read(site->invoice_number, date, &invoice);
    bool credit_read = series_read(site->invoice_credit_number, date, &credit);
    tell(check, "invoice.number", site->invoice_number, read ? NULL : hint);
    tell(check, "invoice.credit_note_number", site->invoice_credit_number, credit_read ? NULL : hint);
    /* An invoice and a credit note of one number could not be told apart in books, and the ledger would
     * refuse the second. "INV-" and "INV-C" may meet as well: what follows the shorter may be anything. */
    if (read && credit_read &&
        (starts_like(invoice.before, credit.before) || starts_like(credit.before, invoice.before)))
        config_error(check->report, config_site_line(check->site, "invoice.credit_note_number"),
                     "invoice.credit_note_number: \"%s\" could give the numbers of \"%s\", begin it with "
                     "something else",
                     site->invoice_credit_number, site->invoice_number);
}

static const char *setting(const struct config_site *site, const char *key)
{
    size_t at = 0;
    while (at < config_site_table.count && strcmp(config_site_table.fields[at].key, key) != 0)
        at++;
    assert(at < config_site_table.count);
    const struct config_field *field = &config_site_table.fields[at];
    assert(field->kind == CONFIG_IS_TEXT || field->kind == CONFIG_IS_CODE || field->kind == CONFIG_IS_PATH);
    return *(const char *const *)((const char *)site + field->offset);
}

/* Whoever has an electronic address sends e-invoices: what they would lack is told before they are made. */
static void check_einvoices(const struct check *check)
{
    const struct config_site *site = check->site;
    for (const struct einvoice_need *need = einvoice_needs; *site->billing_endpoint && *need->country;
         need++) {
        char key[64];
        int len = snprintf(key, sizeof(key), "billing.%s", need->member);
        assert(len > 0 && (size_t)len < sizeof(key));
        if (strcmp(need->country, site->billing_country) != 0 || strcmp(need->party, "seller") != 0 ||
            need->when & EINVOICE_GIVEN || *setting(site, key))
            continue;
        config_warning(check->report, config_site_line(check->site, "billing.endpoint"),
                       "%s: is missing, and e-invoices %s %s need it (Peppol rule %s)", key,
                       need->when & EINVOICE_DOMESTIC ? "within" : "from", need->country, need->rule);
    }
}

static void check_registration(const struct check *check)
{
    const struct config_site *site = check->site;
    const char *scheme = site->billing_registration_scheme;
    char number[80];
    if (!*scheme)
        return;
    /* Only with a scheme: without one the number is the country's usual one if it fits, and else is printed
     * as it is. */
    if (strlen(scheme) != 4 || strspn(scheme, "0123456789") != 4)
        tell(check, "billing.registration_scheme", scheme, "is not an ICD code of four digits such as 0208");
    else
        tell(
            check, "billing.registration", site->billing_registration,
            identifier_fault(scheme, identifier_compact(site->billing_registration, number, sizeof(number))));
}

/* Sellers outside the forms that are known have other numbers, which are taken as they are. */
static void check_tax_id(const struct check *check)
{
    const char *number = check->site->billing_tax_id;
    char compact[80];
    tell(check, "billing.tax_id", number,
         identifier_vat_fault(identifier_compact(number, compact, sizeof(compact))));
}

/* `words` ends with NULL. */
static void check_word(const struct check *check, const char *key, const char *word, const char *const *words,
                       const char *hint)
{
    assert(*words);
    while (*words && strcmp(*words, word) != 0)
        words++;
    if (!*words)
        config_error(check->report, config_site_line(check->site, key), "%s: \"%s\" is unknown, use %s", key,
                     word, hint);
}

/* What is billed without an agreement. */
static void check_defaults(const struct check *check)
{
    static const char *const without[] = {"bill", "hold", NULL};
    static const char *const cadences[] = {"daily", "weekly", "monthly", NULL};
    static const char *const treatments[] = {"none", "standard", "zero", "exempt", NULL};
    const struct config_site *site = check->site;
    /* The two must agree: a rate without the treatment would never be charged, and nobody would see it. */
    bool standard = strcmp(site->invoice_tax_treatment, "standard") == 0;
    check_word(check, "invoice.without_agreement", site->invoice_without_agreement, without, "bill or hold");
    check_word(check, "invoice.cadence", site->invoice_cadence, cadences, "daily, weekly or monthly");
    check_word(check, "invoice.tax_treatment", site->invoice_tax_treatment, treatments,
               "none, standard, zero or exempt");
    if (standard && site->invoice_tax_rate == 0)
        config_error(check->report, config_site_line(check->site, "invoice.tax_treatment"),
                     "invoice.tax_rate: treatment standard needs a rate above zero; use zero otherwise");
    if (!standard && site->invoice_tax_rate > 0)
        config_error(check->report, config_site_line(check->site, "invoice.tax_rate"),
                     "invoice.tax_rate: only with treatment standard, remove it or change the treatment");
}

void config_check_billing(const struct config_site *site, struct config_report *report)
{
    const struct check check = {site, report};
    assert(report->checking && site->where.fields);
    check_series(&check);
    check_defaults(&check);
    tell(&check, "billing.country", site->billing_country,
         identifier_is_country(site->billing_country) ? NULL : "is not two capital letters such as FR");
    tell(&check, "billing.email", site->billing_email,
         identifier_is_email(site->billing_email) ? NULL
                                                  : "is not an address such as billing@gazette.example");
    tell(&check, "billing.endpoint", site->billing_endpoint,
         identifier_endpoint_fault(site->billing_endpoint));
    check_tax_id(&check);
    check_registration(&check);
    check_einvoices(&check);
    tell(&check, "billing.iban", site->billing_iban, identifier_iban_fault(site->billing_iban));
    tell(&check, "billing.bic", site->billing_bic,
         identifier_is_bic(site->billing_bic) ? NULL : "is not a BIC of 8 or 11 characters");
    tell(&check, "billing.creditor_id", site->billing_creditor_id,
         identifier_is_creditor(site->billing_creditor_id)
             ? NULL
             : "is not a SEPA creditor identifier such as DE98ZZZ09999999999");
    tell(&check, "billing.logo", site->billing_logo,
         access(site->billing_logo, R_OK) == 0 ? NULL : "cannot be read");
}
