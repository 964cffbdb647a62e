/* Exported files beside their index, with thousands of rows, and what somebody did to them.
 * Tests ledger/export/packed_file.c, ledger/export/packed_lines.c, ledger/export/manifest.c and
 * Tests ledger/export/row_text.c */
#include "tests/unit/support.h"

#include "ledger/base/file/file.h"
#include "ledger/base/text/encoding.h"
#include "ledger/export/manifest.h"
#include "ledger/export/row_check.h"
#include "ledger/export/row_text.h"

#include <stdlib.h>
#include <unistd.h>

#define ROWS 12000

static char folder[] = "/tmp/crawltab-rows-XXXXXX";
static char file[64], list[64];
static char told[8192];
static int told_count;

static void tell(void *context, const char *sentence)
{
    (void)context;
    size_t len = strlen(told);
    snprintf(told + len, sizeof(told) - len, "%s%s", len > 0 ? "; " : "", sentence);
    told_count++;
}

static int make_row(int number, char out[256])
{
    return snprintf(out, 256, "id-%05d,\"a cell with \"\"quotes\"\", \r\nlines and number %d\"\r\n", number,
                    number);
}

static void write_row(struct packed_file *to, const char *row, int len)
{
    packed_file_write(to, (struct slice){row, (size_t)len});
}

/* The index of rows 1 to ROWS. */
static void make_index(enum packing packing)
{
    struct packed_file *to = packed_file_begin(list, packing);
    struct packed_file_whole whole;
    char row[256], hex[2 * MANIFEST_HASH_SIZE + 1];
    uint8_t hash[MANIFEST_HASH_SIZE];
    for (int i = 0; i <= ROWS; i++) {
        int len = i == 0 ? snprintf(row, sizeof(row), "id,text\r\n") : make_row(i, row);
        manifest_hash((struct slice){row, (size_t)len}, hash);
        encoding_hex(hash, sizeof(hash), hex);
        len = i == 0 ? snprintf(row, sizeof(row), "%s id\n", hex)
                     : snprintf(row, sizeof(row), "%s id-%05d\n", hex, i);
        write_row(to, row, len);
    }
    packed_file_end(to, &whole);
    assert_true(packed_file_name(to));
}

/* Rows `from` to `to` as they are. */
static void write_rows(struct packed_file *out, int from, int to)
{
    char row[256];
    for (int i = from; i <= to; i++)
        write_row(out, row, make_row(i, row));
}

static struct packed_file *begin(void)
{
    struct packed_file *out = packed_file_begin(file, PACKING_ZSTD);
    assert_non_null(out);
    write_row(out, "id,text\r\n", 9);
    return out;
}

static struct row_check_result check(struct packed_file *out)
{
    struct packed_file_whole whole;
    struct row_check_result result;
    const struct row_check_order order = {file, list, PACKING_ZSTD, true, tell, NULL};
    packed_file_end(out, &whole);
    assert_true(packed_file_name(out));
    told[0] = '\0';
    told_count = 0;
    assert_true(row_check_run(&order, &result));
    assert_memory_equal(result.file.sha256, whole.sha256, DIGEST_SIZE);
    assert_int_equal(result.file.bytes, whole.bytes);
    assert_int_equal(result.findings, told_count);
    assert_false(result.file_broken || result.index_broken);
    return result;
}

static void test_whole(void **state)
{
    (void)state;
    struct packed_file *out = begin();
    write_rows(out, 1, ROWS);
    assert_int_equal(check(out).rows, ROWS);
    assert_string_equal(told, "");
}

/* Several differences far from each other, and a block that went further than is looked ahead. */
static void test_several(void **state)
{
    (void)state;
    struct packed_file *out = begin();
    write_rows(out, 1, 99);
    write_rows(out, 101, 5000);
    write_row(out, "id-x,new\r\n", 10);
    write_rows(out, 5001, 7999);
    write_row(out, "id-08000,other\r\n", 16);
    write_rows(out, 8001, ROWS);
    write_rows(out, 100, 100);
    assert_int_equal(check(out).rows, ROWS + 1);
    assert_string_equal(told,
                        "row 8000 (id-08000) was changed; row 12001 (id-00100) was moved: it was row 100; "
                        "row 5000 (id-x) was added");
}

static void test_blocks(void **state)
{
    (void)state;
    struct packed_file *out = begin();
    write_rows(out, 1, 10);
    write_rows(out, 14, 20);
    write_rows(out, 11, 13);
    write_rows(out, 21, 5999);
    write_rows(out, 6003, ROWS);
    check(out);
    assert_string_equal(
        told, "row 18 (id-00011) was moved: it was row 11; row 19 (id-00012) was moved: it was row 12; "
              "row 20 (id-00013) was moved: it was row 13; row 6000 (id-06000) was removed; "
              "row 6001 (id-06001) was removed; row 6002 (id-06002) was removed");
}

/* Quotes that are opened or closed where they were not. */
static void test_quotes(void **state)
{
    (void)state;
    struct packed_file *out = begin();
    write_rows(out, 1, 49);
    write_row(out, "id-00050,\"open\r\n", 16);
    write_rows(out, 51, 69);
    write_row(out, "id-00070,\"\"\"\r\n", 14);
    write_rows(out, 71, ROWS);
    check(out);
    assert_string_equal(told, "row 50 (id-00050) was changed; row 70 (id-00070) was changed");
}

static void test_another_file(void **state)
{
    (void)state;
    char row[64];
    struct packed_file *out = begin();
    for (int i = 0; i < ROWS; i++)
        write_row(out, row, snprintf(row, sizeof(row), "other-%d,x\r\n", i));
    const struct row_check_result result = check(out);
    assert_true(result.stopped);
    assert_true(result.findings >= ROW_CHECK_FINDINGS_MAX && result.findings <= 2 * ROW_CHECK_FINDINGS_MAX);
}

static void name_is(bool csv, const char *line, const char *wanted)
{
    struct row_text text = {.data = NULL};
    row_text_name(csv, slice_of(line), &text);
    assert_int_equal(text.len, strlen(wanted));
    assert_memory_equal(text.data ? text.data : "", wanted, text.len);
    row_text_free(&text);
}

static void test_names_of_rows(void **state)
{
    (void)state;
    name_is(true, "018f,x\r\n", "018f");
    name_is(true, "\"a \"\"b\"\", c\",x\r\n", "a \"b\", c");
    name_is(true, "\"line\r\nfeed\",x\r\n", "line  feed");
    name_is(true, "alone\r\n", "alone");
    name_is(true, "", "");
    name_is(true, "\"open", "open");
    name_is(false, "{\"id\":\"018f\",\"x\":1}\n", "018f");
    name_is(false, "{\"id\":\"a \\\"b\\\"\\n\"}\n", "a \"b\" ");
    name_is(false, "{\"id\":-12,\"x\":1}\n", "-12");
    name_is(false, "no json\n", "");
    name_is(false, "{\"id\":\"", "");
}

static void test_manifest(void **state)
{
    (void)state;
    static const char good[] =
        MANIFEST_TITLE "\nkind entries\nformat csv\ncompression zstd\nfile a b.csv\nbytes 12\n"
                       "rows 3\nindex a b.csv.index\nsum EUR 3 0.15\n";
    struct manifest manifest;
    assert_null(manifest_read(slice_of(good), &manifest));
    assert_true(slice_eq(manifest.file, SLICE("a b.csv")));
    assert_int_equal(manifest.rows, 3);
    assert_int_equal(manifest.packing, PACKING_ZSTD);
    assert_true(manifest.csv);
    assert_non_null(manifest_read(SLICE("crawltab-export/2\nrows 3\n"), &manifest));
    assert_non_null(manifest_read(SLICE(MANIFEST_TITLE "\nrows -3\n"), &manifest));
    assert_non_null(manifest_read(SLICE(MANIFEST_TITLE "\nrows 99999999999999999999\n"), &manifest));
    assert_non_null(manifest_read(SLICE(MANIFEST_TITLE "\nsha256 00\n"), &manifest));
    assert_non_null(manifest_read(SLICE(MANIFEST_TITLE "\nformat xml\n"), &manifest));
    assert_non_null(manifest_read(SLICE(MANIFEST_TITLE "\nrows 3\nbytes 1\n"), &manifest));
    assert_non_null(manifest_read(SLICE(""), &manifest));
    assert_true(slice_eq(manifest_text(SLICE("a\nb\n\nsigned\n")), SLICE("a\nb\n")));
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/rows", folder);
    snprintf(list, sizeof(list), "%s/rows.index", folder);
    make_index(PACKING_ZSTD);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    unlink(list);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),        cmocka_unit_test(test_several),
        cmocka_unit_test(test_blocks),       cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_another_file), cmocka_unit_test(test_names_of_rows),
        cmocka_unit_test(test_manifest),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
