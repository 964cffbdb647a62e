/* What a crawler signs is what the verifier accepts; what it keeps of a receipt is what the site said. */
#include "tests/unit/support.h"

#include "ledger/verify/web_bot_auth.h"
#include "ledger/verify/jwk_set.h"
#include "tools/crawler/receipt.h"
#include "tools/crawler/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1795176130

static struct key new_key(void)
{
    char folder[] = "/tmp/crawler-key-XXXXXX";
    char path[64];
    struct key made;
    struct key loaded;
    struct stat status;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/key", folder);
    assert_true(key_make(path, &made));
    assert_false(key_make(path, &loaded));
    assert_true(key_load(path, &loaded));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_string_equal(made.keyid, loaded.keyid);
    assert_memory_equal(made.seed, loaded.seed, sizeof(made.seed));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    return loaded;
}

static void verify_signed(struct slice commitment, bool with_payment, const char *target)
{
    struct arena *arena = fresh_arena();
    struct key key = new_key();
    struct sign_terms terms = {.created = NOW, .nonce = {1, 2, 3}};
    struct sign_fields signed_fields;
    struct message_field fields[4] = {{SLICE("signature-agent"), SLICE("\"https://crawler.example\"")}};
    struct message message = {.method = SLICE("GET"),
                              .scheme = SLICE("https"),
                              .authority = SLICE("example.com"),
                              .target = slice_of(target),
                              .fields = fields,
                              .field_count = 1};
    if (with_payment)
        fields[message.field_count++] = (struct message_field){
            SLICE("payment"), SLICE("scheme=\"deferred\", network=\"example:402\", id=\"abc\"")};
    assert_true(sign_request(arena, &key, &message, &terms, &signed_fields));
    fields[message.field_count++] = (struct message_field){SLICE("signature-input"), signed_fields.input};
    fields[message.field_count++] = (struct message_field){SLICE("signature"), signed_fields.signature};
    struct config_list none = {NULL, 0};
    struct web_bot_auth_policy policy = {.now = NOW + 10,
                                         .max_lifetime = 86400,
                                         .commitment = commitment,
                                         .target = WEB_BOT_AUTH_URL,
                                         .insecure_hosts = &none};
    struct web_bot_auth_candidate *candidate;
    assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_OK);
    assert_memory_equal(candidate->thumbprint, key.jwk.thumbprint, DIGEST_SIZE);
    struct signature_key *public = signature_key_ed25519(key.jwk.raw);
    assert_non_null(public);
    assert_int_equal(signature_verify(public, candidate->base, candidate->signature), ERR_OK);
    signature_key_free(public);
    policy.now = NOW + SIGN_LIFETIME_SECONDS;
    assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_SIGNATURE_EXPIRED);
}

/* For one request alone: the method and the body's digest are signed as well, under the tag. */
static void a_request_is_signed_as_it_is(void **state)
{
    struct arena *arena = fresh_arena();
    struct key key = new_key();
    struct sign_terms terms = {.created = NOW, .nonce = {1}, .tag = "crawltab-account"};
    struct sign_fields made;
    struct config_list none = {NULL, 0};
    struct message_field fields[4] = {
        {SLICE("signature-agent"), SLICE("\"https://crawler.example\"")},
        {SLICE("content-digest"), SLICE("sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")}};
    struct message message = {.method = SLICE("POST"),
                              .scheme = SLICE("https"),
                              .authority = SLICE("example.com"),
                              .target = SLICE("/a"),
                              .fields = fields,
                              .field_count = 2,
                              .body = SLICE("{}")};
    struct web_bot_auth_policy policy = {.now = NOW,
                                         .max_lifetime = SIGN_LIFETIME_SECONDS,
                                         .max_age = SIGN_LIFETIME_SECONDS,
                                         .target = WEB_BOT_AUTH_REQUEST,
                                         .tag = "crawltab-account",
                                         .changes_taken = true,
                                         .insecure_hosts = &none};
    struct web_bot_auth_candidate *candidate;
    (void)state;
    assert_true(sign_request(arena, &key, &message, &terms, &made));
    fields[message.field_count++] = (struct message_field){SLICE("signature-input"), made.input};
    fields[message.field_count++] = (struct message_field){SLICE("signature"), made.signature};
    assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_OK);
    policy.tag = NULL;
    assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_SIGNATURE_REQUIRED);
    policy.tag = "crawltab-account";
    message.body = SLICE("[]");
    assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_SIGNATURE_INVALID);
}

static void signatures_verify(void **state)
{
    (void)state;
    verify_signed(SLICE(""), false, "/page");
    verify_signed(SLICE("payment"), true, "/page");
    verify_signed(SLICE("payment"), true, "/page?a=1&b");
}

static void the_directory_has_the_public_half_alone(void **state)
{
    (void)state;
    struct key key = new_key();
    static struct jwk_set set;
    char *text = key_directory(&key);
    assert_non_null(text);
    assert_null(strstr(text, "\"d\""));
    assert_non_null(strstr(text, key.keyid));
    assert_null(jwk_set_parse(slice_of(text), &set));
    assert_int_equal(set.count, 1);
    assert_int_equal(set.entries[0].verdict, JWK_MAY_SIGN);
    assert_memory_equal(set.entries[0].jwk.thumbprint, key.jwk.thumbprint, DIGEST_SIZE);
    free(text);
}

static void receipts_are_compared_with_the_commitment(void **state)
{
    (void)state;
    struct arena *arena = fresh_arena();
    struct receipt receipt;
    struct slice none = {NULL, 0};
    struct quote quote = {.id = "abc", .network = "n:1", .currency = "USD", .price_micros = 2500};
    assert_true(receipt_parse(
        arena, SLICE("scheme=\"deferred\", network=\"n:1\", id=\"abc\", timestamp=1730872968"), &receipt));
    assert_int_equal(receipt.timestamp, 1730872968);
    assert_null(receipt_check(arena, &receipt, &quote, none));
    assert_null(receipt_check(arena, &receipt, &quote, SLICE("USD 0.0025")));
    assert_null(receipt_check(arena, &receipt, &quote, SLICE("USD 0.001"))); /* the site has asked for less */
    assert_int_equal(receipt_amount(&quote, SLICE("USD 0.001")), 1000);
    assert_int_equal(receipt_amount(&quote, SLICE("USD 0.00")), 0);
    assert_int_equal(receipt_amount(&quote, SLICE("EUR 0.001")), 2500);
    assert_int_equal(receipt_amount(&quote, SLICE("USD 1")), 2500);
    assert_int_equal(receipt_amount(&quote, none), 2500);
    assert_string_equal(receipt_check(arena, &receipt, &quote, SLICE("USD 0.25")),
                        "USD 0.25 was charged, not USD 0.0025");
    assert_non_null(receipt_check(arena, &receipt, &quote, SLICE("EUR 0.0025")));
    assert_non_null(receipt_check(arena, &receipt, &quote, SLICE("much")));
    quote.id = "abd";
    assert_string_equal(receipt_check(arena, &receipt, &quote, none),
                        "the receipt is for payment abc, not for abd");
    quote.id = "abc";
    quote.network = "n:2";
    assert_non_null(receipt_check(arena, &receipt, &quote, none));
    static const char *const bad[] = {
        "",
        "scheme=\"deferred\", network=\"n:1\", id=\"abc\"",
        "scheme=\"deferred\", network=\"n:1\", id=\"abc\", timestamp=\"1\"",
        "scheme=\"other\", network=\"n:1\", id=\"abc\", timestamp=1",
        "scheme=\"deferred\", network=\"n:1\", id=abc, timestamp=1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(receipt_parse(arena, slice_of(bad[i]), &receipt));
}

static void a_receipt_is_one_line_of_json(void **state)
{
    (void)state;
    struct receipt receipt = {"abc", "n:1", 7};
    struct quote quote = {.id = "abd", .network = "n:1", .currency = "USD", .price_micros = 2500};
    struct receipt_record record = {.url = "https://example.com/",
                                    .keyid = "k",
                                    .time = "2026-11-20T12:00:00.000Z",
                                    .charged = SLICE("\xff"),
                                    .content = SLICE("")};
    char *line = receipt_line(fresh_arena(), &receipt, &quote, &record);
    assert_string_equal(
        line,
        "{\"url\":\"https://example.com/\",\"id\":\"abc\",\"network\":\"n:1\",\"price\":\"USD 0.0025\","
        "\"timestamp\":7,\"charged\":null,\"file\":null,\"sha256\":"
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"bytes\":0,\"keyid\":\"k\","
        "\"time\":\"2026-11-20T12:00:00.000Z\",\"committed\":\"abd\"}\n");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_signed_as_it_is),
        cmocka_unit_test(signatures_verify),
        cmocka_unit_test(the_directory_has_the_public_half_alone),
        cmocka_unit_test(receipts_are_compared_with_the_commitment),
        cmocka_unit_test(a_receipt_is_one_line_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
