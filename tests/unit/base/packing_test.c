/* What is packed comes back byte for byte, whatever the sizes of the pieces are; what is cut off or damaged
 * is told. */
#include "tests/unit/support.h"

#include "ledger/base/file/packing.h"

#include <stdlib.h>

struct buffer {
    char *data;
    size_t len, room;
};

static void take(void *context, struct slice piece)
{
    struct buffer *buffer = context;
    assert_true(piece.len > 0);
    if (buffer->len + piece.len > buffer->room) {
        buffer->room = 2 * (buffer->len + piece.len);
        buffer->data = realloc(buffer->data, buffer->room);
        assert_non_null(buffer->data);
    }
    memcpy(buffer->data + buffer->len, piece.data, piece.len);
    buffer->len += piece.len;
}

/* In pieces of `step` bytes. */
static bool run(enum packing packing, bool unpacks, struct slice in, size_t step, struct buffer *out)
{
    bool ok = true;
    struct packer *packer = packer_new(packing, unpacks, take, out);
    assert_non_null(packer);
    for (size_t at = 0; at < in.len && ok; at += step)
        ok = packer_add(packer, (struct slice){in.data + at, in.len - at < step ? in.len - at : step});
    ok = ok && packer_end(packer);
    packer_free(packer);
    return ok;
}

static struct buffer noise(size_t len, unsigned kinds)
{
    struct buffer made = {malloc(len + 1), len, len};
    uint32_t state = 7;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        made.data[i] = (char)((state >> 24) % kinds);
    }
    return made;
}

static void test_there_and_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 131071, 131072, 131073, 1000000};
    static const size_t steps[] = {1 << 20, 4099};
    for (int packing = PACKING_NONE; packing <= PACKING_ZSTD; packing++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
            for (size_t k = 0; k < 4; k++) {
                struct buffer in = noise(lengths[i], k < 2 ? 256 : 2), packed = {.len = 0}, out = {.len = 0};
                struct buffer again = {.len = 0};
                const struct slice whole = {in.data, in.len};
                assert_true(run((enum packing)packing, false, whole, steps[k % 2], &packed));
                assert_true(run((enum packing)packing, false, whole, steps[k % 2], &again));
                assert_int_equal(again.len, packed.len);
                if (packed.len > 0)
                    assert_memory_equal(again.data, packed.data, packed.len);
                if (packing != PACKING_NONE && in.len > 1000 && k >= 2)
                    assert_true(packed.len < in.len / 4);
                assert_true(
                    run((enum packing)packing, true, (struct slice){packed.data, packed.len}, 977, &out));
                assert_int_equal(out.len, in.len);
                if (in.len > 0)
                    assert_memory_equal(out.data, in.data, in.len);
                free(in.data), free(packed.data), free(out.data), free(again.data);
            }
}

static void test_damage_is_told(void **state)
{
    (void)state;
    for (int packing = PACKING_GZIP; packing <= PACKING_ZSTD; packing++) {
        struct buffer in = noise(300000, 7), packed = {.len = 0}, out = {.len = 0};
        assert_true(run((enum packing)packing, false, (struct slice){in.data, in.len}, 1 << 20, &packed));
        for (size_t cut = 1; cut < packed.len; cut += packed.len / 3) {
            out.len = 0;
            assert_false(
                run((enum packing)packing, true, (struct slice){packed.data, packed.len - cut}, 4096, &out));
        }
        packed.data[packed.len / 2] ^= 1;
        assert_false(run((enum packing)packing, true, (struct slice){packed.data, packed.len}, 4096, &out));
        assert_false(run((enum packing)packing, true, SLICE("this is not packed"), 4096, &out));
        free(in.data), free(packed.data), free(out.data);
    }
}

/* As `cat a.gz b.gz` makes it. */
static void test_parts(void **state)
{
    (void)state;
    for (int packing = PACKING_GZIP; packing <= PACKING_ZSTD; packing++) {
        struct buffer packed = {.len = 0}, out = {.len = 0};
        assert_true(run((enum packing)packing, false, SLICE("one "), 9, &packed));
        assert_true(run((enum packing)packing, false, SLICE("two"), 9, &packed));
        assert_true(run((enum packing)packing, true, (struct slice){packed.data, packed.len}, 5, &out));
        assert_int_equal(out.len, 7);
        assert_memory_equal(out.data, "one two", 7);
        free(packed.data), free(out.data);
    }
}

static void test_names(void **state)
{
    (void)state;
    enum packing packing;
    for (int i = PACKING_NONE; i <= PACKING_ZSTD; i++) {
        assert_true(packing_named(slice_of(packing_name((enum packing)i)), &packing));
        assert_int_equal(packing, i);
    }
    assert_false(packing_named(SLICE("bzip2"), &packing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_damage_is_told),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
