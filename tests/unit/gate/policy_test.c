/* What the gate asks for: the fields that a signature must cover, and the dearer of two rules. */
#include "tests/unit/support.h"

#include "server/rules/offer.h"
#include "server/rules/rules.h"

static void a_signature_is_asked_for_what_is_judged(void **state)
{
    static const struct {
        const char *commitment;
        enum web_bot_auth_target target;
        const char *nonce, *text;
    } cases[] = {
        {"payment", WEB_BOT_AUTH_AUTHORITY, "n",
         "sig=(\"@authority\" \"payment\" "
         "\"signature-agent\");created;expires;nonce=\"n\";tag=\"web-bot-auth\""},
        {"payment", WEB_BOT_AUTH_URL, "",
         "sig=(\"@authority\" \"@path\" \"@query\" \"payment\" \"signature-agent\");created;expires;"
         "tag=\"web-bot-auth\""},
        {"payment", WEB_BOT_AUTH_NO_TARGET, "",
         "sig=(\"payment\" \"signature-agent\");created;expires;tag=\"web-bot-auth\""},
        {"", WEB_BOT_AUTH_URL, "",
         "sig=(\"@authority\" \"@path\" \"@query\" "
         "\"signature-agent\");created;expires;tag=\"web-bot-auth\""},
        {"", WEB_BOT_AUTH_AUTHORITY, "",
         "sig=(\"@authority\" \"signature-agent\");created;expires;tag=\"web-bot-auth\""},
        {"", WEB_BOT_AUTH_REQUEST, "",
         "sig=(\"@method\" \"@authority\" \"@path\" \"@query\" "
         "\"signature-agent\");created;expires;nonce;tag=\"web-bot-auth\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct web_bot_auth_policy policy = {.commitment = slice_of(cases[i].commitment),
                                             .target = cases[i].target};
        const struct message get = {.method = SLICE("GET")};
        assert_string_equal(offer_accept_signature(fresh_arena(), &policy, &get, slice_of(cases[i].nonce)),
                            cases[i].text);
    }
    const struct message post = {.method = SLICE("POST"), .body = SLICE("x")};
    const struct web_bot_auth_policy policy = {.commitment = SLICE("payment"),
                                               .target = WEB_BOT_AUTH_AUTHORITY};
    assert_string_equal(offer_accept_signature(fresh_arena(), &policy, &post, SLICE("")),
                        "sig=(\"@authority\" \"content-digest\" \"payment\" "
                        "\"signature-agent\");created;expires;tag=\"web-bot-auth\"");
    const struct message delete = {.method = SLICE("DELETE")};
    assert_string_equal(offer_accept_signature(fresh_arena(), &policy, &delete, SLICE("")),
                        "sig=(\"@authority\" \"@method\" \"payment\" "
                        "\"signature-agent\");created;expires;tag=\"web-bot-auth\"");
}

static void the_dearer_rule_holds(void **state)
{
    static const struct slice account = SLICE("https://a.example");
    static const struct rules_decision order[] = {
        {.action = RULES_ALLOW},
        {.action = RULES_ALLOW, .account = &account},
        {.action = RULES_CHARGE, .price_micros = 1},
        {.action = RULES_CHARGE, .price_micros = 2, .account = &account},
        {.action = RULES_BLOCK},
    };
    const size_t count = sizeof(order) / sizeof(*order);
    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            assert_int_equal(rules_dearer(&order[i], &order[k]), i > k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_asked_for_what_is_judged),
        cmocka_unit_test(the_dearer_rule_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
