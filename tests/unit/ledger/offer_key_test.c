/* The offer key: its file, and that a gate that does not start leaves it nowhere in memory. */
#include "tests/unit/support.h"

#include "ledger/base/config/config.h"
#include "server/gate/gate.h"
#include "ledger/entry/offer_key.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPPING_MAX (64 << 20) /* larger ones are a sanitizer's */

static char folder[] = "/tmp/offer_key_test.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
    assert_int_equal(chmod(path_of(name), 0600), 0);
}

/* The test's key, byte by byte, so that the test keeps no copy of it. */
static uint8_t key_byte(size_t i)
{
    return (uint8_t)(i * 37 + 11);
}

static char hex_digit(size_t i)
{
    unsigned digit = i % 2 ? key_byte(i / 2) & 15 : key_byte(i / 2) >> 4;
    return (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}

static void write_key(const char *name, size_t digits)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < digits; i++) {
        char digit = hex_digit(i);
        assert_int_equal(write(fd, &digit, 1), 1);
    }
    close(fd);
}

static bool is_key(const volatile uint8_t *at)
{
    size_t same = 0;
    while (same < OFFER_KEY_SIZE && at[same] == key_byte(same))
        same++;
    return same == OFFER_KEY_SIZE;
}

static bool is_hex_key(const volatile uint8_t *at)
{
    size_t same = 0;
    while (same < 2 * OFFER_KEY_SIZE && at[same] == hex_digit(same))
        same++;
    return same == 2 * OFFER_KEY_SIZE;
}

/* Copies of the key in all memory that the process can write to. */
static size_t copies(void)
{
    char line[512], rights[8];
    uintptr_t from, to;
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        assert_int_equal(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, rights), 3);
        if (strncmp(rights, "rw", 2) != 0 || to - from > MAPPING_MAX)
            continue;
        for (uintptr_t at = from; at + 2 * OFFER_KEY_SIZE <= to; at++)
            count += is_key((const volatile uint8_t *)at) || is_hex_key((const volatile uint8_t *)at);
    }
    fclose(maps);
    return count;
}

static void a_key_is_found_where_it_is(void **state)
{
    (void)state;
    uint8_t *key = malloc(OFFER_KEY_SIZE);
    assert_int_equal(copies(), 0);
    for (size_t i = 0; i < OFFER_KEY_SIZE; i++)
        key[i] = key_byte(i);
    assert_int_equal(copies(), 1);
    explicit_bzero(key, OFFER_KEY_SIZE);
    free(key);
    assert_int_equal(copies(), 0);
}

/* Everything but the gate's own identity is as it should be. */
static void a_gate_that_does_not_start_leaves_no_key(void **state)
{
    (void)state;
    write_key("offer.key", 2 * OFFER_KEY_SIZE);
    write_text("identity.json", "this is no key");
    write_text("config.yaml", "offer: {key_file: offer.key}\nidentity: {key_file: identity.json}\n"
                              "ledger: {connection: dbname=none}\nsites:\n - {name: a, hosts: [a.example],"
                              " root: ., network: 'a:402', terms_url: 'https://a.example/terms'}\n");
    struct config *config = config_load(path_of("config.yaml"), stderr, NULL);
    assert_non_null(config);
    assert_null(gate_new(&(struct gate_parts){.config = config}));
    assert_int_equal(copies(), 0);
    config_free(config);
}

static void a_file_that_is_refused_leaves_no_key(void **state)
{
    struct offer_key key;
    (void)state;
    write_key("offer.key", 2 * OFFER_KEY_SIZE);
    FILE *file = fopen(path_of("offer.key"), "a");
    assert_non_null(file);
    assert_true(fputs("\nthis is no key\n", file) >= 0 && fclose(file) == 0);
    assert_false(offer_key_load(path_of("offer.key"), &key));
    assert_int_equal(copies(), 0);
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"
#define A   A63 "a"
#define B   "5555555555555555555555555555555555555555555555555555555555555555"

static void a_file_has_one_key_or_two(void **state)
{
    static const struct {
        const char *text;
        bool good, two;
    } files[] = {
        {A, true, false},        {A "\n", true, false},           {A "\r\n", true, false},
        {A "\n\n", true, false}, {A "\n" B, true, true},          {A "\n" B "\n" A "\n", true, true},
        {"", false, false},      {"\n" A "\n", false, false},     {A "0\n", false, false},
        {A " \n", false, false}, {B "\n" A63 "\n", false, false},
    };
    struct offer_key key;
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        write_text("offer.key", files[i].text);
        bool good = offer_key_load(path_of("offer.key"), &key);
        assert_int_equal(good, files[i].good);
        if (!good)
            continue;
        assert_int_equal(key.has_previous, files[i].two);
        assert_int_equal(key.current[0], 0xaa);
        assert_int_equal(key.current[31], 0xaa);
        if (files[i].two)
            assert_int_equal(key.previous[31], 0x55);
    }
}

static void a_file_that_everybody_reads_is_refused(void **state)
{
    static const mode_t modes[] = {0644, 0604, 0602, 0620, 0666};
    struct offer_key key;
    (void)state;
    write_key("offer.key", 2 * OFFER_KEY_SIZE);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(chmod(path_of("offer.key"), modes[i]), 0);
        assert_false(offer_key_load(path_of("offer.key"), &key));
        assert_int_equal(copies(), 0);
    }
    assert_int_equal(chmod(path_of("offer.key"), 0440), 0);
    assert_true(offer_key_load(path_of("offer.key"), &key));
    explicit_bzero(&key, sizeof(key));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"offer.key", "identity.json", "config.yaml"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_where_it_is),
        cmocka_unit_test(a_gate_that_does_not_start_leaves_no_key),
        cmocka_unit_test(a_file_that_is_refused_leaves_no_key),
        cmocka_unit_test(a_file_has_one_key_or_two),
        cmocka_unit_test(a_file_that_everybody_reads_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
