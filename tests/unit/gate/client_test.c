/* Whom a request is from, when proxies have handed it on. Tests server/http/client.c */
#include "tests/unit/support.h"

#include "ledger/base/network.h"
#include "server/http/client.h"

#include <stdio.h>
#include <string.h>

static const char *trusted[] = {"127.0.0.1", "10.0.0.0/8", "2001:db8:f::/48", "unix"};

static struct exchange_client address_of(const char *text)
{
    struct exchange_client client;
    assert_true(network_parse_address(slice_of(text), client.address));
    return client;
}

/* The client of a request with these fields from the peer 127.0.0.1, as text. Static. */
static const char *client_of(size_t trusted_count, const char *fields)
{
    static char text[NETWORK_TEXT_MAX];
    char request[1024];
    const struct config_list list = {trusted, trusted_count};
    const struct exchange_client peer = address_of("127.0.0.1");
    snprintf(request, sizeof(request), "GET /\nhost: shop.example\n%s", fields);
    const struct message message = request_of(fresh_arena(), request);
    struct client_trust *trust = client_trust_new(&list);
    assert_non_null(trust);
    const struct exchange_client client = client_behind(trust, &peer, &message);
    client_trust_free(trust);
    return network_format(client.address, text);
}

static void who_is_trusted_is_listed(void **state)
{
    const struct config_list none = {NULL, 0}, some = {trusted, 3}, all = {trusted, 4};
    const struct exchange_client here = address_of("127.0.0.1"), other = address_of("127.0.0.2"),
                                 inside = address_of("10.1.2.3");
    struct client_trust *trust = client_trust_new(&none);
    (void)state;
    assert_false(client_trusted(trust, &here, false));
    assert_false(client_trusted(trust, &here, true));
    client_trust_free(trust);
    trust = client_trust_new(&some);
    assert_true(client_trusted(trust, &here, false));
    assert_true(client_trusted(trust, &inside, false));
    assert_false(client_trusted(trust, &other, false));
    assert_false(client_trusted(trust, &here, true)); /* on a unix socket: not for its address */
    client_trust_free(trust);
    trust = client_trust_new(&all);
    assert_true(client_trusted(trust, &here, true));
    client_trust_free(trust);
}

static void the_right_most_address_that_is_not_trusted_is_the_client(void **state)
{
    static const struct {
        const char *fields, *client;
    } cases[] = {
        {"", "127.0.0.1"},
        {"x-forwarded-for: 192.0.2.7\n", "192.0.2.7"},
        {"x-forwarded-for: 9.9.9.9, 192.0.2.7\n", "192.0.2.7"},
        {"x-forwarded-for: 9.9.9.9, 192.0.2.7, 10.0.0.4\n", "192.0.2.7"},
        {"x-forwarded-for: 9.9.9.9\nx-forwarded-for: 192.0.2.7,10.0.0.4\nx-forwarded-for: 10.0.0.5\n",
         "192.0.2.7"},
        {"x-forwarded-for: 10.0.0.3, 10.0.0.4\n", "10.0.0.3"}, /* all trusted */
        {"x-forwarded-for: 192.0.2.7 ,, \n", "192.0.2.7"},
        {"x-forwarded-for: 192.0.2.7:4711\n", "192.0.2.7"},
        {"x-forwarded-for: 2001:db8::7\n", "2001:db8::7"},
        {"x-forwarded-for: [2001:db8::7]:4711, 2001:db8:f::1\n", "2001:db8::7"},
        {"x-forwarded-for: [2001:db8::7]\n", "2001:db8::7"},
        {"x-forwarded-for: 192.0.2.7, unix:\n", "192.0.2.7"},
        /* What cannot be read hides whatever is left of it. */
        {"x-forwarded-for: 192.0.2.7, unknown, 10.0.0.4\n", "10.0.0.4"},
        {"x-forwarded-for: 192.0.2.7, evil.example\n", "127.0.0.1"},
        {"x-forwarded-for: 192.0.2.7:x\n", "127.0.0.1"},
        {"x-forwarded-for: [192.0.2.7\n", "127.0.0.1"},
        {"x-forwarded-for: [2001:db8::7]4711\n", "127.0.0.1"},
        {"x_forwarded_for: 192.0.2.7\n", "127.0.0.1"},
        {"forwarded: for=192.0.2.7\n", "192.0.2.7"},
        {"forwarded: for=9.9.9.9, proto=https;FOR=\"192.0.2.7:80\";by=10.0.0.4, for=10.0.0.4\n", "192.0.2.7"},
        {"forwarded: for=\"[2001:db8::7]:4711\";host=\"a\"\n", "2001:db8::7"},
        {"forwarded: for=\"9.9.9.9, for=192.0.2.7\n", "192.0.2.7"}, /* a quote that was left open */
        {"forwarded: for=192.0.2.7;for=9.9.9.9\n", "127.0.0.1"},
        {"forwarded: for=192.0.2.7, for=_hidden\n", "127.0.0.1"},
        {"forwarded: for=192.0.2.7, by=10.0.0.4\n", "127.0.0.1"},
        /* Of two that do not agree the client has written one. */
        {"forwarded: for=9.9.9.9\nx-forwarded-for: 192.0.2.7\n", "127.0.0.1"},
        {"forwarded: for=192.0.2.7\nx-forwarded-for: 9.9.9.9, 192.0.2.7, 10.0.0.4\n", "192.0.2.7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(client_of(4, cases[i].fields), cases[i].client);
    assert_string_equal(client_of(3, "x-forwarded-for: 192.0.2.7, unix:\n"), "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_trusted_is_listed),
        cmocka_unit_test(the_right_most_address_that_is_not_trusted_is_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
