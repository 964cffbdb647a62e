/* Nothing is billed that its signer did not sign: entries forged with the gate's role, one of each kind,
 * between honest ones. Tests ledger/night/unproven.c, ledger/evidence/book.c, ledger/evidence/hearing.c,
 * ledger/evidence/offer_keys.c, ledger/audit/judgement.c and tools/crawltab/entries/unproven.c. */
#include "tests/pg/support_days.h"

#include "ledger/base/file/file.h"
#include "ledger/base/text/encoding.h"
#include "ledger/evidence/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define A    "https://a.example"
#define B    "https://b.example"
#define PAGE "http://127.0.0.1:8402/a"

#define PRICE 1250000

static char output[OUTPUT_MAX];

/* A forged entry, on its way into the table. */
struct forged {
    struct payment payment;
    int64_t late_ms;     /* recorded so long after its id */
    const char *crawler; /* whose it is said to be */
};

/* --- kinds --- */

static void resign(struct payment *payment, uint8_t number)
{
    const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {number};
    payment->charge.signature_base = slice_of(payment->own.base);
    assert_true(signature_sign_ed25519(seed, payment->charge.signature_base, payment->own.signature));
}

/* What was signed says something else, and is signed again by the crawler's key. */
static void reword(struct payment *payment, const char *old, const char *new)
{
    char after[sizeof(payment->own.base)];
    char *at = strstr(payment->own.base, old);
    assert_non_null(at);
    snprintf(after, sizeof(after), "%s", at + strlen(old));
    snprintf(at, sizeof(payment->own.base) - (size_t)(at - payment->own.base), "%s%s", new, after);
    resign(payment, 7);
}

static void no_signature(struct forged *forged)
{
    forged->payment.charge.signature = SLICE("\0");
}

static void stranger(struct forged *forged)
{
    payment_sign_as(&forged->payment, 9);
}

static void dearer(struct forged *forged)
{
    forged->payment.charge.amount_micros++;
}

static void other_page(struct forged *forged)
{
    forged->payment.charge.resource = SLICE("http://127.0.0.1:8402/b");
}

static void other_authority(struct forged *forged)
{
    reword(&forged->payment, "\"@authority\": 127.0.0.1:8402", "\"@authority\": other.example");
}

/* The last six characters of an id are of its MAC alone. */
static void wrong_mac(struct forged *forged)
{
    char *end = strstr(strstr(forged->payment.own.base, " id=\""), "\"\n");
    assert_non_null(end);
    memcpy(end - 6, memcmp(end - 6, "AAAAAA", 6) == 0 ? "BBBBBB" : "AAAAAA", 6);
    resign(&forged->payment, 7);
}

static void other_network(struct forged *forged)
{
    reword(&forged->payment, "network=\"example:402\"", "network=\"example:403\"");
}

static void late(struct forged *forged)
{
    forged->late_ms = 3 * 3600000;
}

static void short_signature(struct forged *forged)
{
    char old[64], new[64]; /* it had expired three hours before the payment */
    long long created = (long long)(uuid_ms(forged->payment.charge.payment_id) / 1000);
    snprintf(old, sizeof(old), "created=%lld;expires=%lld", created, created + 3600);
    snprintf(new, sizeof(new), "created=%lld;expires=%lld", created - 14400, created - 10800);
    reword(&forged->payment, old, new);
}

static void other_id(struct forged *forged)
{
    forged->payment.charge.payment_id[15] ^= 1;
}

static void no_base(struct forged *forged)
{
    forged->payment.charge.signature_base = SLICE("\"payment\": x\n\"@signature-params\": y");
}

static void no_form(struct forged *forged)
{
    forged->payment.charge.signature_base = SLICE("");
}

static void other_algorithm(struct forged *forged)
{
    reword(&forged->payment, ";tag=", ";alg=\"rsa-pss-sha512\";tag=");
}

static void other_crawler(struct forged *forged)
{
    forged->crawler = B;
}

/* With a key of its own that the gate's role has put into the ledger. */
static void insert_key(const struct forged *forged, const char *public_key)
{
    char text[2048], thumbprint[2 * DIGEST_SIZE + 1];
    encoding_hex(forged->payment.charge.thumbprint, DIGEST_SIZE, thumbprint);
    snprintf(text, sizeof(text),
             "INSERT INTO crawler_key SELECT crawler_id, '\\x%s', '%s', '" A "', now() FROM crawler"
             " WHERE agent = '" A "'",
             thumbprint, public_key);
    if (!sql_as("crawltab_gate", text, output))
        fail_msg("%s", output);
}

static void key_of_no_directory(struct forged *forged)
{
    payment_sign_as(&forged->payment, 10);
    insert_key(forged, forged->payment.own.key);
}

/* A body that does not have it. */
static void key_of_another_body(struct forged *forged)
{
    payment_sign_as(&forged->payment, 11);
    insert_key(forged, forged->payment.own.key);
    if (!sql_as("crawltab_gate",
                "INSERT INTO crawler_key_source SELECT k.crawler_id, k.thumbprint, s.url, s.body_digest,"
                " instant(0) FROM crawler_key k, directory_snapshot s WHERE s.url = '" A "'"
                " ON CONFLICT DO NOTHING",
                output))
        fail_msg("%s", output);
}

static void key_of_another_thumbprint(struct forged *forged)
{
    char key[JWK_TEXT_MAX];
    snprintf(key, sizeof(key), "%s", forged->payment.own.key);
    payment_sign_as(&forged->payment, 12);
    insert_key(forged, key);
}

static void thumbprint_of_another_key(struct forged *forged)
{
    uint8_t thumbprint[DIGEST_SIZE];
    payment_sign_as(&forged->payment, 13);
    insert_key(forged, forged->payment.own.key);
    memcpy(thumbprint, forged->payment.charge.thumbprint, DIGEST_SIZE);
    payment_sign(&forged->payment);
    memcpy(forged->payment.charge.thumbprint, thumbprint, DIGEST_SIZE);
}

static void other_site(struct forged *forged)
{
    struct config_site *site = &ledger_config()->sites[0];
    const struct config_site was = *site;
    sql_own("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
            " VALUES ('east', 'USD', 2, 'UTC', 'east:402', 'x', instant(0));"
            "INSERT INTO offer_terms SELECT site_id, 'https://east.example/', 300, instant(0) FROM site"
            " WHERE name = 'east'");
    site->name = "east";
    site->network = "east:402";
    site->terms_url = "https://east.example/";
    payment_sign(&forged->payment);
    *site = was;
}

static const struct {
    const char *reason;
    void (*forge)(struct forged *forged);
} kinds[] = {
    {"signature", no_signature},
    {"key", stranger},
    {"price", dearer},
    {"url", other_page},
    {"target", other_authority},
    {"offer", wrong_mac},
    {"network", other_network},
    {"offered", late},
    {"signed", short_signature},
    {"id", other_id},
    {"form", no_base},
    {"form", no_form},
    {"alg", other_algorithm},
    {"agent", other_crawler},
    {"directory", key_of_no_directory},
    {"directory", key_of_another_body},
    {"thumbprint", key_of_another_thumbprint},
    {"keyid", thumbprint_of_another_key},
    {"site", other_site},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *hex(struct slice bytes)
{
    static char text[4][4096];
    static size_t next;
    char *out = text[next++ % 4];
    assert_true(bytes.len < 2000);
    return encoding_hex(bytes.data, bytes.len, out);
}

static void insert(const struct forged *forged, char id[UUID_TEXT_MAX])
{
    static char text[16384];
    const struct charge *charge = &forged->payment.charge;
    uuid_format(charge->payment_id, id);
    snprintf(text, sizeof(text),
             "INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,"
             " recorded_at, thumbprint, signature, signature_base) SELECT '%s', %d, 1, crawler_id, %lld,"
             " 'all', '%.*s', instant(%lld), '\\x%s', '\\x%s', '\\x%s' FROM crawler WHERE agent = '%s'",
             id, charge->payment_id[15], (long long)charge->amount_micros, (int)charge->resource.len,
             charge->resource.data, (long long)(uuid_ms(charge->payment_id) + forged->late_ms),
             hex(slice_bytes(charge->thumbprint, DIGEST_SIZE)), hex(charge->signature),
             hex(charge->signature_base), forged->crawler);
    if (!sql_as("crawltab_gate", text, output))
        fail_msg("%s", output);
}

/* An entry of A at noon of the day, made dishonest; its id. */
static const char *forge(int days, void (*kind)(struct forged *forged))
{
    static char id[4][UUID_TEXT_MAX];
    static size_t next;
    char *out = id[next++ % 4];
    struct forged forged = {
        .payment = payment_make(days_base_ms() - days * DAY_MS + DAY_MS / 2, A, PRICE, PAGE), .crawler = A};
    payment_sign(&forged.payment);
    kind(&forged);
    insert(&forged, out);
    return out;
}

/* --- tests --- */

__attribute__((format(printf, 1, 2))) static const char *format(const char *pattern, ...)
{
    static char text[1024];
    va_list values;
    va_start(values, pattern);
    vsnprintf(text, sizeof(text), pattern, values);
    va_end(values);
    return text;
}

static void forged_entries_are_named_and_not_billed(void **state)
{
    (void)state;
    char ids[KINDS][UUID_TEXT_MAX], expected[256];
    days_charge(4, A, PRICE, 3);
    days_charge(3, A, PRICE, 150);
    days_charge(3, B, 3333333, 160);
    days_charge(2, B, 3333333, 2);
    for (size_t i = 0; i < KINDS; i++)
        snprintf(ids[i], sizeof(ids[i]), "%s", forge(3, kinds[i].forge));
    forge(4, no_signature);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 3);
    assert_non_null(strstr(output, "entry not proven (site example"));
    assert_non_null(strstr(output, "NOT PROVEN and not billed: 1 entry for 1.25 USD"));
    for (size_t i = 0; i < KINDS; i++) {
        const char *got = sql(format("SELECT reason FROM unproven WHERE payment_id = '%s'", ids[i]));
        if (strcmp(got, kinds[i].reason) != 0)
            fail_msg("kind %zu is \"%s\", not \"%s\"", i, got, kinds[i].reason);
    }
    /* To the micro-unit, and no entry is lost: 150 times 1.25 and 160 times 3.333333. */
    snprintf(expected, sizeof(expected), "3|1|3750000\n310|%zu|720833280", KINDS);
    assert_string_equal(sql("SELECT entries, unproven, sum_micros FROM day_close ORDER BY local_date"),
                        expected);
    assert_string_equal(
        sql(format("SELECT sum(net_micros) FROM invoice WHERE local_date = '%s'", days_date(3))),
        "720830000");
    /* The operator is told, by list and by id. */
    assert_int_equal(CRAWLTAB(output, "unproven", "--from", days_date(3)), 0);
    for (size_t i = 0; i < KINDS; i++)
        assert_non_null(strstr(output, ids[i]));
    assert_int_equal(CRAWLTAB(output, "lookup", ids[2]), 1);
    assert_non_null(strstr(output, "never billed"));
    assert_non_null(strstr(output, "charges more than the price"));
    assert_int_equal(CRAWLTAB(output, "adjust", ids[2], "--reversal", "--reason", "x"), 1);
    assert_non_null(strstr(output, "not billed"));
    /* Nor is it ever: not by the next night, nor by this one run again. */
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(2)), 0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    snprintf(expected, sizeof(expected), "%zu", KINDS + 1);
    assert_string_equal(sql("SELECT count(*) FROM unproven"), expected);
    assert_string_equal(sql("SELECT sum(entries) FROM day_close"), "315");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_non_null(strstr(output, "entries are not proven and not billed; everything adds up"));
}

/* Whoever changes afterwards what is billed is found, and the row is named. */
static void audit_judges_again(void **state)
{
    (void)state;
    char id[UUID_TEXT_MAX], honest[UUID_TEXT_MAX];
    uuid_format(days_charge(3, A, PRICE, 5), honest);
    snprintf(id, sizeof(id), "%s", forge(3, dearer));
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 3);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    sql("ALTER TABLE unproven DISABLE TRIGGER append_only");
    sql("UPDATE unproven SET reason = 'signature'");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, format("unproven %s: says \"signature\", it is \"price\"", id)));
    sql("DELETE FROM unproven");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, format("charge %s: is billed and is not proven: the entry charges", id)));
    assert_non_null(strstr(output, "says 1 entries are not proven, listed are 0"));
    sql(format("INSERT INTO unproven SELECT payment_id, site_id, crawler_id, amount_micros, 'url' FROM charge"
               " WHERE payment_id = '%s'",
               honest));
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, format("unproven %s: says \"url\" and is not billed", honest)));
}

static void write_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/var/%s", ledger_config()->folder, name);
    assert_null(file_replace(path, text, strlen(text), FILE_PRIVATE));
}

static void remove_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/var/%s", ledger_config()->folder, name);
    unlink(path);
}

/* An offer key that was in use stays known to the nights, under whatever terms the offers were made. */
static void former_keys_and_terms_are_known(void **state)
{
    (void)state;
    char key[2 * OFFER_KEY_SIZE + 1], command[1024];
    encoding_hex(payment_offer_key, OFFER_KEY_SIZE, key);
    days_charge(5, A, PRICE, 2);
    days_charge(4, A, PRICE, 2);
    days_charge(3, A, PRICE, 2);
    /* Without any key nothing is closed, and nothing is lost. */
    remove_file("offer.key");
    remove_file("offer.history");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(5)), 1);
    assert_non_null(strstr(output, "there is no offer key here"));
    assert_string_equal(sql("SELECT count(*) FROM day_close"), "0");
    write_file("offer.key", key);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(5)), 0);
    write_file("offer.key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    snprintf(command, sizeof(command), "s#example.com/terms#example.com/other#");
    const char *const change[] = {"sed", "-i", command, ledger_config_path(), NULL};
    assert_int_equal(run_program(change, output), 0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    /* The gate's role tells a crawler of its own entries which are not billed, and has no say in it. */
    assert_true(sql_as("crawltab_gate", "SELECT * FROM unproven", output));
    assert_false(sql_as("crawltab_gate", "INSERT INTO unproven SELECT * FROM unproven", output));
    assert_false(sql_as("crawltab_gate", "DELETE FROM unproven", output));
    remove_file("offer.history");
    /* With the wrong key alone the day stays open, since what is not proven is so for good. */
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 1);
    assert_non_null(strstr(output, "no entry of the day has an id of an offer key that is known here"));
    assert_string_equal(sql("SELECT count(*) FROM unproven"), "0");
    assert_string_equal(sql("SELECT count(*) FROM day_close"), "2");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3), "--unknown-offers"), 3);
    assert_string_equal(sql("SELECT DISTINCT reason FROM unproven"), "offer");
    write_file("offer.key", key);
}

static void nothing_is_judged_where_that_is_off(void **state)
{
    (void)state;
    ledger_judged(false);
    ledger_setup(NULL);
    days_charge(3, A, PRICE, 2);
    forge(3, no_signature);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    assert_string_equal(sql("SELECT entries, unproven IS NULL FROM day_close"), "3|t");
    assert_int_equal(
        CRAWLTAB(output, "lookup", sql("SELECT payment_id FROM charge WHERE signature = '\\x00'")), 1);
    ledger_judged(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forged_entries_are_named_and_not_billed, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(audit_judges_again, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(former_keys_and_terms_are_known, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_judged_where_that_is_off, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
