/* Addresses and networks as people write them. */
#include "tests/unit/support.h"

#include "ledger/base/network.h"

#include <string.h>

static bool has(const char *network, const char *address)
{
    struct network parsed;
    uint8_t bytes[NETWORK_ADDRESS_SIZE];
    assert_null(network_parse(slice_of(network), &parsed));
    assert_true(network_parse_address(slice_of(address), bytes));
    return network_has(&parsed, bytes);
}

static void an_address_is_a_network_of_one(void **state)
{
    (void)state;
    assert_true(has("192.0.2.7", "192.0.2.7"));
    assert_false(has("192.0.2.7", "192.0.2.6"));
    assert_true(has("2001:db8::1", "2001:DB8:0::1"));
    assert_false(has("2001:db8::1", "2001:db8::1:1"));
    assert_true(has("::ffff:192.0.2.7", "192.0.2.7"));
}

static void networks_end_at_any_bit(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("192.0.2.128/25", "192.0.2.128"));
    assert_true(has("192.0.2.128/25", "192.0.2.255"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("172.16.0.0/12", "172.31.0.1"));
    assert_false(has("172.16.0.0/12", "172.32.0.1"));
    assert_true(has("192.0.2.7/32", "192.0.2.7"));
    assert_false(has("192.0.2.7/32", "192.0.2.8"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::"));
    assert_true(has("0.0.0.0/0", "255.1.2.3"));
    assert_false(has("0.0.0.0/0", "2001:db8::1")); /* of IPv4 only */
    assert_true(has("::/0", "2001:db8::1"));
}

static void what_is_wrong_is_told(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"", "is no address"},
        {"localhost", "is no address"},
        {"10.0.0", "is no address"},
        {"10.0.0.256", "is no address"},
        {"10.0.0.1 ", "is no address"},
        {"/8", "is no address"},
        {"2001:db8::1::", "is no address"},
        {"10.0.0.0/", "must have 0 to 32 behind the slash"},
        {"10.0.0.0/33", "must have 0 to 32 behind the slash"},
        {"10.0.0.0/0008", "must have 0 to 32 behind the slash"},
        {"10.0.0.0/4294967304", "must have 0 to 32 behind the slash"},
        {"2001:db8::/129", "must have 0 to 128 behind the slash"},
        {"10.0.0.0/-8", "has no number behind the slash"},
        {"10.0.0.0/8 ", "has no number behind the slash"},
        {"10.0.0.1/8", "is an address inside the network, not the network's own"},
        {"2001:db8::1/32", "is an address inside the network, not the network's own"},
    };
    struct network network;
    uint8_t address[NETWORK_ADDRESS_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *fault = network_parse(slice_of(cases[i].text), &network);
        assert_non_null(fault);
        assert_string_equal(fault, cases[i].fault);
    }
    assert_false(network_parse_address(SLICE("10.0.0.1\0.9"), address));
}

static void addresses_are_written_the_short_way(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"2001:db8:1111:2222:3333:4444:5555:6666", "2001:db8:1111:2222:3333:4444:5555:6666"}};
    char text[NETWORK_TEXT_MAX];
    uint8_t address[NETWORK_ADDRESS_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        assert_true(network_parse_address(slice_of(pairs[i][0]), address));
        assert_string_equal(network_format(address, text), pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_network_of_one),
        cmocka_unit_test(networks_end_at_any_bit),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(addresses_are_written_the_short_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
