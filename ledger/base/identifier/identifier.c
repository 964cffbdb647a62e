/* Check digits tell a slip of the finger from a number, which is all that can be known without asking a
 * register. What is not known here, of a country or a scheme, is let through: a right bill must never fail
 * for a list that has grown old. */
#include "ledger/base/identifier/identifier.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DIGITS    "0123456789"
#define CAPITALS  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define EMAIL_MAX 254

static bool made_of(const char *text, size_t len, const char *characters)
{
    return strlen(text) == len && strspn(text, characters) == len;
}

/* The position of a code in a list of codes of `width`, each followed by one more character; -1: not there.
 */
static int find_code(const char *codes, size_t width, const char *code)
{
    /* The last code has no character behind it: the step from it leads past the end of the list. */
    for (size_t i = 0, len = strlen(codes); i + width <= len; i += width + 1)
        if (strncmp(codes + i, code, width) == 0)
            return (int)i;
    return -1;
}

bool identifier_is_country(const char *code)
{
    static const char codes[] =
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT "
        "BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH "
        "ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT "
        "HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS "
        "LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI "
        "NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG "
        "SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG "
        "UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";
    return made_of(code, 2, CAPITALS) && find_code(codes, 2, code) >= 0;
}

/* --- Check digits --- */

/* ISO 7064 mod 97-10 over the text read from `start` on, around its end, with letters as 10 to 35. */
static int mod_97(const char *text, size_t len, size_t start)
{
    int rest = 0;
    for (size_t i = 0; i < len; i++) {
        assert(start < len);
        int value = text[(i + start) % len] >= 'A' ? text[(i + start) % len] - 'A' + 10
                                                   : text[(i + start) % len] - '0';
        assert(value >= 0 && value < 36);
        rest = (rest * (value >= 10 ? 100 : 10) + value) % 97;
    }
    return rest;
}

/* The sum of the first digits, each times its weight. */
static int weigh(const char *digits, const int *weights, size_t count)
{
    assert(strlen(digits) >= count);
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        assert(digits[i] >= '0' && digits[i] <= '9');
        sum += (digits[i] - '0') * weights[i];
    }
    return sum;
}

/* GS1: from the right, every second digit counts three times. */
static bool is_gln(const char *id)
{
    int sum = 0;
    if (!made_of(id, 13, DIGITS))
        return false;
    for (size_t i = 0; i < 13; i++)
        sum += (id[i] - '0') * (i % 2 == 1 ? 3 : 1);
    return sum % 10 == 0;
}

/* Luhn: from the right, every second digit is doubled, and its digits are summed up. */
static bool is_luhn(const char *id)
{
    int sum = 0;
    for (size_t len = strlen(id), i = 0; i < len; i++) {
        int digit = id[len - 1 - i] - '0';
        assert(digit >= 0 && digit <= 9);
        int twice = i % 2 == 1 ? 2 * digit : digit;
        sum += twice / 10 + twice % 10;
    }
    return sum % 10 == 0;
}

static bool is_norwegian(const char *id)
{
    static const int weights[] = {3, 2, 7, 6, 5, 4, 3, 2, 1};
    return made_of(id, 9, DIGITS) && weigh(id, weights, 9) % 11 == 0 && strspn(id, "0") < 9;
}

static bool is_danish(const char *id)
{
    return made_of(strncmp(id, "DK", 2) == 0 ? id + 2 : id, 8, DIGITS);
}

static bool is_danish_prefixed(const char *id)
{
    return strncmp(id, "DK", 2) == 0 && made_of(id + 2, 8, DIGITS);
}

static bool is_belgian(const char *id)
{
    int rest = 0;
    if (!made_of(id, 10, DIGITS))
        return false;
    for (size_t i = 0; i < 8; i++)
        rest = (rest * 10 + id[i] - '0') % 97;
    /* 97 and not 0 for no rest: its check digits run from 01 to 97. */
    return 97 - rest == (id[8] - '0') * 10 + id[9] - '0';
}

static bool is_swedish(const char *id)
{
    return made_of(id, 10, DIGITS) && is_luhn(id);
}

static bool is_greek(const char *id)
{
    static const int weights[] = {256, 128, 64, 32, 16, 8, 4, 2};
    return made_of(id, 9, DIGITS) && weigh(id, weights, 8) % 11 % 10 == id[8] - '0';
}

static bool is_australian(const char *id)
{
    static const int weights[] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
    return made_of(id, 11, DIGITS) && *id != '0' && (weigh(id, weights, 11) - 10) % 89 == 0;
}

static bool is_digits_8(const char *id)
{
    return made_of(id, 8, DIGITS);
}

static bool is_digits_9(const char *id)
{
    return made_of(id, 9, DIGITS);
}

static bool is_digits_10(const char *id)
{
    return made_of(id, 10, DIGITS);
}

static bool is_digits_12(const char *id)
{
    return made_of(id, 12, DIGITS);
}

static bool is_digits_14(const char *id)
{
    return made_of(id, 14, DIGITS);
}

static bool is_digits_20(const char *id)
{
    return made_of(id, 20, DIGITS);
}

static bool is_dutch_vat(const char *id)
{
    return strncmp(id, "NL", 2) == 0 && !identifier_vat_fault(id);
}

/* --- Schemes --- */

/* `country`: companies of it are registered in the scheme. A country's schemes stand in the order in which a
 * number is tried. */
static const struct scheme {
    const char *code, *country;
    bool (*fits)(const char *id);
    const char *fault;
} schemes[] = {
    {"0002", "FR", is_digits_9, "is not a SIREN of nine digits"},
    {"0007", "SE", is_swedish,
     "is not a Swedish organisation number: ten digits, the last one a check digit"},
    {"0009", "FR", is_digits_14, "is not a SIRET of fourteen digits"},
    {"0088", "", is_gln, "is not a GLN: thirteen digits, the last one a check digit"},
    {"0096", "", is_digits_10, "is not a Danish P number of ten digits"},
    {"0106", "NL", is_digits_8, "is not a KVK number of eight digits"},
    {"0151", "AU", is_australian, "is not an ABN: eleven digits that check each other"},
    {"0184", "DK", is_danish, "is not a CVR number of eight digits"},
    {"0190", "NL", is_digits_20, "is not an OIN of twenty digits"},
    {"0192", "NO", is_norwegian,
     "is not a Norwegian organisation number: nine digits, the last one a check digit"},
    {"0196", "IS", is_digits_10, "is not a kennitala of ten digits"},
    {"0198", "", is_danish_prefixed, "is not a Danish SE number, DK and eight digits"},
    {"0208", "BE", is_belgian, "is not a Belgian enterprise number: ten digits, the last two check digits"},
    {"0217", "", is_digits_12, "is not a KVK establishment number of twelve digits"},
    {"9933", "", is_greek, "is not a Greek tax number: nine digits, the last one a check digit"},
    {"9944", "", is_dutch_vat, "is not a Dutch VAT number such as NL123456789B01"},
    {"EM", "", identifier_is_email, "is not an e-mail address"},
};

const char *identifier_fault(const char *scheme, const char *id)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (strcmp(schemes[i].code, scheme) == 0)
            return schemes[i].fits(id) ? NULL : schemes[i].fault;
    return NULL;
}

const char *identifier_registration_scheme(const char *country, const char *number)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (*country && strcmp(schemes[i].country, country) == 0 && schemes[i].fits(number))
            return schemes[i].code;
    return "";
}

const char *identifier_endpoint_fault(const char *endpoint)
{
    size_t len = strcspn(endpoint, ":");
    char scheme[5];
    bool shaped =
        (len == 4 && strspn(endpoint, DIGITS) == 4) || (len == 2 && strspn(endpoint, CAPITALS) == 2);
    if (!shaped || !endpoint[len] || !endpoint[len + 1])
        return "is not SCHEME:ID with an EAS code, such as 0088:7300010000001";
    assert(len < sizeof(scheme));
    snprintf(scheme, sizeof(scheme), "%.*s", (int)len, endpoint);
    return identifier_fault(scheme, endpoint + len + 1);
}

/* --- Accounts and addresses --- */

const char *identifier_iban_fault(const char *iban)
{
    /* The IBAN registry: countries, and how long their IBANs are. */
    static const char countries[] =
        "AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE GI GL GR GT "
        "HN HR HU IE IL IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS "
        "PT QA RO RS RU SA SC SD SE SI SK SM SO ST SV TL TN TR UA VA VG XK YE";
    static const unsigned char lengths[] = {
        24, 23, 28, 20, 28, 20, 16, 22, 22, 27, 29, 28, 21, 22, 28, 24, 22, 27, 18, 28, 20, 29, 24,
        18, 18, 18, 27, 22, 22, 23, 18, 27, 28, 28, 21, 28, 22, 23, 23, 26, 27, 30, 30, 20, 28, 32,
        21, 20, 20, 21, 25, 27, 24, 22, 19, 20, 27, 31, 30, 28, 18, 15, 23, 24, 28, 29, 25, 29, 24,
        22, 33, 24, 31, 18, 24, 19, 24, 27, 23, 25, 28, 23, 24, 26, 29, 22, 24, 20, 30};
    _Static_assert(sizeof(countries) == 3 * sizeof(lengths), "a length for each country");
    size_t len = strlen(iban);
    if (len < 5 || strspn(iban, CAPITALS) < 2 || strspn(iban + 2, DIGITS) < 2 ||
        strspn(iban, CAPITALS DIGITS) != len)
        return "is not an IBAN: two letters of the country, two check digits, letters and digits";
    int at = find_code(countries, 2, iban);
    if (at < 0)
        return "is not an IBAN: no country that has them begins so";
    assert((size_t)at / 3 < sizeof(lengths));
    if (lengths[at / 3] != len)
        return "is not an IBAN: its country's have another length";
    return mod_97(iban, len, 4) == 1 ? NULL : "is not an IBAN: the check digits say that it is mistyped";
}

bool identifier_is_bic(const char *bic)
{
    size_t len = strlen(bic);
    return (len == 8 || len == 11) && strspn(bic, CAPITALS DIGITS) == len && strspn(bic + 4, CAPITALS) >= 2;
}

bool identifier_is_creditor(const char *creditor)
{
    char counted[36];
    size_t len = strlen(creditor);
    if (len < 8 || len > 35 || strspn(creditor, CAPITALS DIGITS) != len || strspn(creditor, CAPITALS) < 2 ||
        strspn(creditor + 2, DIGITS) < 2)
        return false;
    /* Without the three characters of the business code, which a creditor may choose (EPC 262-08). */
    int written = snprintf(counted, sizeof(counted), "%.4s%s", creditor, creditor + 7);
    assert(written == (int)len - 3);
    return mod_97(counted, len - 3, 4) == 1;
}

bool identifier_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || at == text || !at[1] || at[1] == '.' || at[-1] == '.' || *text == '.' || strchr(at + 1, '@'))
        return false;
    /* As forms have it, and not as RFC 5322 would allow: quotes and comments are mistakes on an invoice. */
    return strchr(at + 1, '.') && !strstr(text, "..") && text[strlen(text) - 1] != '.' &&
           !strpbrk(text, " ,;<>\"()") && strlen(text) <= EMAIL_MAX;
}

/* --- Value added tax --- */

/* '9' is a digit, '*' a digit or letter, anything else itself. */
static bool matches(const char *pattern, const char *text)
{
    for (; *pattern && *text; pattern++, text++)
        if (*pattern == '9'   ? !isdigit((unsigned char)*text)
            : *pattern == '*' ? !strchr(CAPITALS DIGITS, *text)
                              : *pattern != *text)
            return false;
    return !*pattern && !*text;
}

/* Numbers are told from mistyped ones by check digits only where all of a country's have them: the forms of a
 * country may be older than its rule, and a bill must not fail over a right number. */
const char *identifier_vat_fault(const char *number)
{
    /* Romania's have two to ten digits, and are not checked. */
    static const char *const forms[] = {
        "ATU99999999",      "BE9999999999",    "BG999999999",     "BG9999999999",   "CHE999999999",
        "CHE999999999MWST", "CHE999999999TVA", "CHE999999999IVA", "CY99999999*",    "CZ99999999",
        "CZ999999999",      "CZ9999999999",    "DE999999999",     "DK99999999",     "EE999999999",
        "EL999999999",      "ES*9999999*",     "FI99999999",      "FR**999999999",  "GB999999999",
        "GB999999999999",   "GBGD999",         "GBHA999",         "HR99999999999",  "HU99999999",
        "IE9*99999*",       "IE9999999**",     "IS99999",         "IS999999",       "IT99999999999",
        "LT999999999",      "LT999999999999",  "LU99999999",      "LV99999999999",  "MT99999999",
        "NL999999999B99",   "NO999999999MVA",  "PL9999999999",    "PT999999999",    "SE999999999999",
        "SI99999999",       "SK9999999999",    "XI999999999",     "XI999999999999", NULL};
    bool known = false;
    if (strncmp(number, "GR", 2) == 0)
        return "begins with GR, but Greek VAT numbers begin with EL";
    if (strncmp(number, "NO", 2) == 0 && matches("NO999999999MVA", number)) {
        char organisation[10];
        snprintf(organisation, sizeof(organisation), "%.9s", number + 2);
        return is_norwegian(organisation) ? NULL : "has a wrong check digit: it is mistyped";
    }
    if (strncmp(number, "EL", 2) == 0 && matches("EL999999999", number))
        return is_greek(number + 2) ? NULL : "has a wrong check digit: it is mistyped";
    for (size_t i = 0; forms[i]; i++) {
        if (matches(forms[i], number))
            return NULL;
        /* A country that is not in the list is let through: its numbers are not known here. */
        known = known || strncmp(forms[i], number, 2) == 0;
    }
    return known ? "has not the form that VAT numbers of its country have" : NULL;
}

const char *identifier_compact(const char *text, char *out, size_t room)
{
    assert(room > 0);
    size_t len = 0;
    for (; *text && len + 1 < room; text++)
        if (isalnum((unsigned char)*text))
            out[len++] = (char)toupper((unsigned char)*text);
    assert(len < room);
    out[len] = '\0';
    return out;
}
