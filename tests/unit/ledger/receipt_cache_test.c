/* The cache of receipts: never a wrong one, never more than it has room for, the newest for longest. */
#include "tests/unit/support.h"

#include "ledger/entry/receipt_cache.h"

#include <pthread.h>
#include <string.h>

static void make(uint64_t number, uint8_t id[UUID_SIZE], uint8_t content[DIGEST_SIZE])
{
    const struct slice part = slice_bytes((const uint8_t *)&number, sizeof(number));
    digest_sha256(&part, 1, content);
    uuid_make((int64_t)(1700000000000u + number), content, id);
}

static void put(struct receipt_cache *cache, uint64_t number)
{
    uint8_t id[UUID_SIZE], content[DIGEST_SIZE];
    make(number, id, content);
    const struct receipt receipt = {(int64_t)number, (int64_t)number * 3, false};
    receipt_cache_put(cache, id, content, &receipt);
}

static bool finds(struct receipt_cache *cache, uint64_t number)
{
    uint8_t id[UUID_SIZE], content[DIGEST_SIZE];
    struct receipt receipt = {-1, -3, false};
    make(number, id, content);
    bool found = receipt_cache_find(cache, id, content, &receipt);
    assert_int_equal(receipt.recorded_at_ms, found ? (int64_t)number : -1);
    assert_int_equal(receipt.amount_micros, 3 * receipt.recorded_at_ms);
    return found;
}

static void only_the_same_content_is_found(void **state)
{
    uint8_t id[UUID_SIZE], content[DIGEST_SIZE], other_id[UUID_SIZE], other[DIGEST_SIZE];
    struct receipt recorded;
    const struct receipt seven = {7, 2500000, false}, eight = {8, 0, false};
    (void)state;
    struct receipt_cache *cache = receipt_cache_new(64);
    make(1, id, content);
    make(2, other_id, other);
    assert_false(receipt_cache_find(cache, id, content, &recorded));
    receipt_cache_put(cache, id, content, &seven);
    assert_true(receipt_cache_find(cache, id, content, &recorded));
    assert_int_equal(recorded.recorded_at_ms, 7);
    assert_int_equal(recorded.amount_micros, 2500000);
    assert_false(receipt_cache_find(cache, id, other, &recorded));
    assert_false(receipt_cache_find(cache, other_id, content, &recorded));
    receipt_cache_put(cache, id, content, &seven); /* again takes no second place */
    receipt_cache_forget(cache);
    assert_false(receipt_cache_find(cache, id, content, &recorded));
    receipt_cache_put(cache, id, content, &eight);
    assert_true(receipt_cache_find(cache, id, content, &recorded));
    assert_int_equal(recorded.recorded_at_ms, 8);
    assert_int_equal(recorded.amount_micros, 0);
    receipt_cache_free(cache);
    receipt_cache_free(NULL);
}

static void what_is_undelivered_stays_so(void **state)
{
    uint8_t id[UUID_SIZE], content[DIGEST_SIZE];
    struct receipt receipt = {7, 50000, false};
    (void)state;
    struct receipt_cache *cache = receipt_cache_new(64);
    make(1, id, content);
    receipt_cache_kill(cache, id); /* of nothing that is remembered */
    receipt_cache_put(cache, id, content, &receipt);
    put(cache, 2);
    receipt_cache_kill(cache, id);
    assert_true(receipt_cache_find(cache, id, content, &receipt));
    assert_true(receipt.undelivered);
    receipt.undelivered = false; /* from whoever has read the entry before */
    receipt_cache_put(cache, id, content, &receipt);
    assert_true(receipt_cache_find(cache, id, content, &receipt));
    assert_true(receipt.undelivered);
    assert_true(finds(cache, 2));
    receipt_cache_forget(cache); /* another server may not know of it */
    receipt.undelivered = false;
    receipt_cache_put(cache, id, content, &receipt);
    assert_true(receipt_cache_find(cache, id, content, &receipt));
    assert_false(receipt.undelivered);
    receipt_cache_free(cache);
}

static void it_is_bounded_and_keeps_the_newest(void **state)
{
    enum { ROOM = 1024, MANY = 20 * ROOM };
    size_t found = 0, newest = 0;
    (void)state;
    struct receipt_cache *cache = receipt_cache_new(ROOM);
    for (uint64_t i = 0; i < MANY; i++) {
        put(cache, i);
        assert_true(finds(cache, i)); /* the newest is never turned away */
    }
    for (uint64_t i = 0; i < MANY; i++) {
        bool hit = finds(cache, i);
        found += hit;
        newest += hit && i >= MANY - 2 * ROOM;
    }
    assert_int_equal(found, ROOM);
    assert_true(newest > ROOM * 8 / 10);
    receipt_cache_free(cache);
}

static void without_room_it_remembers_nothing(void **state)
{
    (void)state;
    struct receipt_cache *cache = receipt_cache_new(0);
    put(cache, 1);
    assert_false(finds(cache, 1));
    receipt_cache_forget(cache);
    receipt_cache_free(cache);
}

static void *churn(void *context)
{
    struct receipt_cache *cache = context;
    for (uint64_t i = 0; i < 20000; i++) {
        put(cache, i % 300);
        finds(cache, (i * 7) % 300); /* whatever is found is right */
        if (i % 5000 == 0)
            receipt_cache_forget(cache);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    pthread_t threads[4];
    (void)state;
    struct receipt_cache *cache = receipt_cache_new(128);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, cache), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    put(cache, 1);
    assert_true(finds(cache, 1));
    receipt_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_content_is_found),
        cmocka_unit_test(what_is_undelivered_stays_so),
        cmocka_unit_test(it_is_bounded_and_keeps_the_newest),
        cmocka_unit_test(without_room_it_remembers_nothing),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
