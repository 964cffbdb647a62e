/* Trees, leaves and notes: what closed days are proved by, against known vectors and against change.
 * Tests ledger/proof/leaf.c, ledger/proof/merkle.c, ledger/proof/note.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/leaf.h"
#include "ledger/proof/merkle.h"
#include "ledger/proof/note.h"
#include "ledger/verify/signature.h"

#include <stdio.h>

/* --- trees --- */

/* The eight entries of Certificate Transparency's reference tests, in hex, and the roots over the first ones.
 */
static const struct {
    const char *entry, *root;
} known[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void assert_hex(const uint8_t hash[DIGEST_SIZE], const char *expected)
{
    char text[2 * DIGEST_SIZE + 1];
    assert_string_equal(encoding_hex(hash, DIGEST_SIZE, text), expected);
}

static void roots_are_those_of_the_reference(void **state)
{
    struct merkle_tree tree = {.size = 0};
    uint8_t hash[DIGEST_SIZE], entry[16];
    (void)state;
    merkle_root(&tree, hash);
    assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        size_t len = strlen(known[i].entry) / 2;
        assert_true(encoding_unhex(slice_of(known[i].entry), entry, len));
        merkle_leaf(slice_bytes(entry, len), hash);
        merkle_add(&tree, hash);
        merkle_root(&tree, hash);
        assert_hex(hash, known[i].root);
    }
}

/* The definition of RFC 6962 section 2.1, word for word. */
static void by_definition(const uint8_t (*leaves)[DIGEST_SIZE], size_t count, uint8_t out[DIGEST_SIZE])
{
    uint8_t left[DIGEST_SIZE], right[DIGEST_SIZE];
    size_t split = 1;
    if (count == 1) {
        memcpy(out, leaves, DIGEST_SIZE);
        return;
    }
    while (split * 2 < count)
        split *= 2;
    by_definition(leaves, split, left);
    by_definition(leaves + split, count - split, right);
    merkle_node(left, right, out);
}

#define LEAVES 70
static uint8_t leaves[LEAVES][DIGEST_SIZE];

static void make_leaves(void)
{
    for (size_t i = 0; i < LEAVES; i++)
        merkle_leaf(slice_bytes(&i, sizeof(i)), leaves[i]);
}

/* Tiles of eight as a day has them of 256. */
static void trees_over_tiles_have_the_same_root(void **state)
{
    (void)state;
    make_leaves();
    for (size_t count = 1; count <= LEAVES; count++) {
        struct merkle_tree whole = {.size = 0}, tiles = {.size = 0};
        uint8_t expected[DIGEST_SIZE], root[DIGEST_SIZE];
        by_definition(leaves, count, expected);
        for (size_t i = 0; i < count; i += 8) {
            struct merkle_tree tile = {.size = 0};
            for (size_t j = i; j < i + 8 && j < count; j++) {
                merkle_add(&tile, leaves[j]);
                merkle_add(&whole, leaves[j]);
            }
            merkle_root(&tile, root);
            merkle_add(&tiles, root);
        }
        merkle_root(&whole, root);
        assert_memory_equal(root, expected, DIGEST_SIZE);
        merkle_root(&tiles, root);
        assert_memory_equal(root, expected, DIGEST_SIZE);
    }
}

static void paths_lead_to_the_root_and_nowhere_else(void **state)
{
    uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE], root[DIGEST_SIZE];
    (void)state;
    make_leaves();
    for (uint64_t count = 1; count <= LEAVES; count++) {
        by_definition(leaves, count, root);
        for (uint64_t index = 0; index < count; index++) {
            size_t steps = merkle_path(leaves, count, index, path);
            struct merkle_claim claim = {index, count, path, steps};
            assert_true(merkle_includes(&claim, leaves[index], root));
            assert_false(merkle_includes(&claim, leaves[(index + 1) % LEAVES], root));
            claim.index = count;
            assert_false(merkle_includes(&claim, leaves[index], root));
            claim.index = index;
            /* In a tree twice as large the same steps lead to the same hash, which is not yet its root. */
            claim.count = 2 * count + 1;
            assert_false(merkle_includes(&claim, leaves[index], root));
            claim.count = count;
            claim.steps = steps + 1;
            assert_false(merkle_includes(&claim, leaves[index], root));
            if (steps > 0) {
                claim.steps = steps - 1;
                assert_false(merkle_includes(&claim, leaves[index], root));
                claim.steps = steps;
                path[steps / 2][5] ^= 1;
                assert_false(merkle_includes(&claim, leaves[index], root));
            }
        }
    }
}

/* From each size to each other; and no proof is good for anything else. */
static void trees_are_shown_to_have_grown(void **state)
{
    uint8_t proof[MERKLE_HEIGHT_MAX][DIGEST_SIZE], old[DIGEST_SIZE], new[DIGEST_SIZE];
    (void)state;
    make_leaves();
    for (uint64_t second = 1; second <= LEAVES; second++) {
        by_definition(leaves, second, new);
        for (uint64_t first = 1; first <= second; first++) {
            by_definition(leaves, first, old);
            struct merkle_growth growth = {first, second, proof, 0};
            growth.steps = merkle_consistency(leaves, second, first, proof);
            assert_true(merkle_grew(&growth, old, new));
            assert_false(merkle_grew(&growth, leaves[first % LEAVES + (first == 1)], new));
            assert_false(merkle_grew(&growth, old, leaves[LEAVES - 1 - second % 2]));
            memset(proof + growth.steps, 0, DIGEST_SIZE);
            growth.steps++;
            assert_false(merkle_grew(&growth, old, new));
            growth.steps--;
            if (growth.steps == 0)
                continue;
            growth.steps--;
            assert_false(merkle_grew(&growth, old, new));
            growth.steps++;
            proof[growth.steps / 2][9] ^= 4;
            assert_false(merkle_grew(&growth, old, new));
            proof[growth.steps / 2][9] ^= 4;
            growth.first = second + 1;
            assert_false(merkle_grew(&growth, old, new));
            growth.first = 0;
            assert_false(merkle_grew(&growth, old, new));
        }
    }
}

/* --- leaves --- */

static struct leaf example_leaf(void)
{
    static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 0x77, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};
    static uint8_t thumbprint[DIGEST_SIZE];
    memset(thumbprint, 0x5a, sizeof(thumbprint));
    return (struct leaf){.payment_id = id,
                         .recorded_at_ms = 0x0102030405,
                         .amount_micros = 2500,
                         .agreement_version = 7,
                         .thumbprint = thumbprint,
                         .site = SLICE("gazette"),
                         .agent = SLICE("https://a.example"),
                         .rule = SLICE("all"),
                         .resource = SLICE("https://g.example/x"),
                         .signature = SLICE("\xff"),
                         .signature_base = SLICE("base")};
}

static void an_entrys_bytes_never_change(void **state)
{
    static const char expected[] = "01"
                                   "0102030405067708890a0b0c0d0e0f10"
                                   "0000000102030405"
                                   "00000000000009c4"
                                   "00000007"
                                   "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
                                   /* printf base | sha256sum */
                                   "cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2"
                                   "000767617a65747465"
                                   "001168747470733a2f2f612e6578616d706c65"
                                   "0003616c6c"
                                   "001368747470733a2f2f672e6578616d706c652f78"
                                   "0001ff";
    static uint8_t bytes[LEAF_MAX];
    static char text[2 * LEAF_MAX + 1];
    struct leaf leaf = example_leaf();
    (void)state;
    size_t len = leaf_write(&leaf, bytes);
    assert_string_equal(encoding_hex(bytes, len, text), expected);
}

static void long_fields_stand_as_digests(void **state)
{
    static char text[LEAF_FIELD_MAX + 1];
    static uint8_t bytes[LEAF_MAX];
    struct leaf leaf = example_leaf();
    (void)state;
    memset(text, 'x', sizeof(text));
    size_t len = leaf_write(&leaf, bytes);
    leaf.resource = slice_bytes(text, LEAF_FIELD_MAX);
    assert_int_equal(leaf_write(&leaf, bytes), len - 19 + LEAF_FIELD_MAX);
    leaf.resource = slice_bytes(text, LEAF_FIELD_MAX + 1);
    assert_int_equal(leaf_write(&leaf, bytes), len - 19 + DIGEST_SIZE);
    assert_memory_equal(bytes + len - 19 - 3 - 2, "\xff\xff", 2);
    leaf.site = leaf.agent = leaf.rule = leaf.signature = slice_bytes(text, LEAF_FIELD_MAX);
    leaf.resource = leaf.site;
    assert_int_equal(leaf_write(&leaf, bytes), LEAF_MAX);
    assert_true(LEAF_MAX <= 65535);
}

static void a_days_text_never_changes(void **state)
{
    char text[LEAF_DAY_MAX];
    uint8_t root[DIGEST_SIZE];
    struct leaf_day day = {.origin = "example:402/gazette",
                           .date = "2026-11-20",
                           .zone = "Europe/Paris",
                           .currency = "USD",
                           .starts_ms = 1795129200000,
                           .ends_ms = 1795215600000,
                           .entries = 3,
                           .sum_micros = 7500,
                           .root = root};
    (void)state;
    memset(root, 0, sizeof(root));
    size_t len = leaf_write_day(&day, text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "crawltab-day/1\nlog example:402/gazette\ndate 2026-11-20\n"
                              "starts 2026-11-19T23:00:00.000Z\nends 2026-11-20T23:00:00.000Z\n"
                              "zone Europe/Paris\ncurrency USD\nentries 3\nsum 7500\n"
                              "root AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    day.facts = 17;
    day.facts_root = root;
    leaf_write_day(&day, text);
    assert_non_null(strstr(text, "crawltab-day/2\nlog example:402/gazette\ndate 2026-11-20\n"));
    assert_non_null(strstr(text, "\nroot AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nfacts 17\n"
                                 "facts-root AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
    static char huge[LEAF_DAY_MAX];
    memset(huge, 'x', sizeof(huge) - 1);
    day.zone = huge;
    assert_int_equal(leaf_write_day(&day, text), 0);
}

static void origins_are_names_of_keys(void **state)
{
    char origin[LEAF_ORIGIN_MAX], huge[LEAF_ORIGIN_MAX];
    (void)state;
    assert_true(leaf_origin("example:402", "The Gazette+/\xc3\xa9\n", origin));
    assert_string_equal(origin, "example:402/The%20Gazette%2B%2F%C3%A9%0A");
    memset(huge, 'x', sizeof(huge));
    huge[sizeof(huge) - 1] = '\0';
    assert_false(leaf_origin("example:402", huge, origin));
    assert_false(leaf_origin(huge, "x", origin));
}

/* --- notes --- */

#define NAME "example:402/gazette"
#define TEXT NAME "\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static bool verifies(const uint8_t raw[NOTE_KEY_SIZE], struct slice text,
                     const uint8_t signature[NOTE_SIGNATURE_SIZE])
{
    struct signature_key *key = signature_key_ed25519(raw);
    bool good = key && signature_verify(key, text, slice_bytes(signature, NOTE_SIGNATURE_SIZE)) == ERR_OK;
    signature_key_free(key);
    return good;
}

static struct note_key example_key(uint8_t seed)
{
    struct note_key key = {.signs = signature_sign_ed25519};
    memset(key.seed, seed, sizeof(key.seed));
    assert_true(signature_public_ed25519(key.seed, key.public_key));
    return key;
}

/* The verifier key that c2sp.org/signed-note prints. */
static void verifier_keys_are_those_of_the_specification(void **state)
{
    static const char printed[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    uint8_t typed[33];
    size_t len;
    char verifier[NOTE_VERIFIER_MAX];
    (void)state;
    assert_true(encoding_unbase64(slice_of(printed + 25), false, typed, sizeof(typed), &len));
    assert_true(note_verifier("example.com/foo", typed + 1, verifier));
    assert_string_equal(verifier, printed);
    assert_false(note_verifier("", typed + 1, verifier));
    assert_false(note_verifier("a b", typed + 1, verifier));
    assert_false(note_verifier("a+b", typed + 1, verifier));
}

static void notes_hold_what_was_signed(void **state)
{
    struct note_key key = example_key(1), other = example_key(2);
    char note[NOTE_MAX], second[NOTE_MAX], verifier[NOTE_VERIFIER_MAX], stranger[NOTE_VERIFIER_MAX];
    struct slice text;
    (void)state;
    assert_true(note_sign(TEXT, NAME, &key, note));
    assert_true(note_verifier(NAME, key.public_key, verifier));
    assert_true(note_verifier(NAME, other.public_key, stranger));
    assert_true(note_open(slice_of(note), verifier, verifies, &text));
    assert_true(slice_eq(text, SLICE(TEXT)));
    assert_false(note_open(slice_of(note), stranger, verifies, &text));
    /* A second signature, by another key, is passed over, wherever it stands. */
    assert_true(note_sign(TEXT, NAME, &other, second));
    strncat(note, second + sizeof(TEXT), sizeof(note) - strlen(note) - 1);
    assert_true(note_open(slice_of(note), verifier, verifies, &text));
    assert_true(note_open(slice_of(note), stranger, verifies, &text));
    assert_true(slice_eq(text, SLICE(TEXT)));
    assert_false(note_sign("no line feed", NAME, &key, note));
    assert_false(note_sign("", NAME, &key, note));
    assert_false(note_sign(TEXT, "a b", &key, note));
}

/* Every single bit counts. */
static void changed_notes_are_refused(void **state)
{
    struct note_key key = example_key(1);
    char note[NOTE_MAX], verifier[NOTE_VERIFIER_MAX];
    struct slice text;
    (void)state;
    assert_true(note_sign(TEXT, NAME, &key, note));
    assert_true(note_verifier(NAME, key.public_key, verifier));
    size_t len = strlen(note);
    for (size_t i = 0; i < len * 8; i++) {
        note[i / 8] = (char)(note[i / 8] ^ 1 << i % 8);
        assert_false(note_open(slice_bytes(note, len), verifier, verifies, &text));
        note[i / 8] = (char)(note[i / 8] ^ 1 << i % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_false(note_open(slice_bytes(note, cut), verifier, verifies, &text));
    for (size_t i = 0; i < strlen(verifier); i++) {
        verifier[i] ^= 1;
        assert_false(note_open(slice_of(note), verifier, verifies, &text));
        verifier[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_reference),
        cmocka_unit_test(trees_over_tiles_have_the_same_root),
        cmocka_unit_test(paths_lead_to_the_root_and_nowhere_else),
        cmocka_unit_test(trees_are_shown_to_have_grown),
        cmocka_unit_test(an_entrys_bytes_never_change),
        cmocka_unit_test(long_fields_stand_as_digests),
        cmocka_unit_test(a_days_text_never_changes),
        cmocka_unit_test(origins_are_names_of_keys),
        cmocka_unit_test(verifier_keys_are_those_of_the_specification),
        cmocka_unit_test(notes_hold_what_was_signed),
        cmocka_unit_test(changed_notes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
