/* Nonces: each is taken once for as long as its signature holds, and memory stays bounded. */
#include "tests/unit/support.h"

#include "server/gate/nonces.h"

#include <stdio.h>

static void a_nonce_is_taken_once(void **state)
{
    static const uint8_t key[DIGEST_SIZE] = {1}, other[DIGEST_SIZE] = {2};
    struct nonces *nonces = nonces_new(1 << 12);
    char text[16];
    (void)state;
    assert_non_null(nonces);
    assert_true(nonces_take(nonces, key, SLICE("a"), 100, 160));
    assert_false(nonces_take(nonces, key, SLICE("a"), 100, 160));
    assert_false(nonces_take(nonces, key, SLICE("a"), 159, 400));
    assert_true(nonces_take(nonces, key, SLICE("b"), 159, 160));
    assert_true(nonces_take(nonces, other, SLICE("a"), 159, 160)); /* somebody else's */
    assert_true(nonces_take(nonces, key, SLICE("a"), 160, 220));   /* expired by now in any case */
    nonces_free(nonces);
    /* A quarter of the room: all of them are known. Then many more, of which the latest are. */
    nonces = nonces_new(1 << 12);
    assert_non_null(nonces);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1 << 10; i++) {
            snprintf(text, sizeof(text), "n%d", i);
            assert_int_equal(nonces_take(nonces, key, slice_of(text), 100, 160 + i), round == 0);
        }
    for (int i = 0; i < 1 << 16; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        (void)nonces_take(nonces, key, slice_of(text), 100, 160 + i);
        assert_false(nonces_take(nonces, key, slice_of(text), 100, 160 + i));
    }
    nonces_free(nonces);
    nonces_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
