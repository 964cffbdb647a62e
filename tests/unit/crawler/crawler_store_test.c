/* File names of pages, and that nothing is written outside the folder. */
#define _GNU_SOURCE /* nftw */
#include "tests/unit/support.h"

#include "tools/crawler/store.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int files;

static struct slice name_of(const char *url)
{
    struct arena *arena = fresh_arena();
    struct target target;
    assert_true(target_parse(arena, slice_of(url), &target));
    return store_name(arena, &target);
}

static void names_follow_host_and_path(void **state)
{
    static const struct {
        const char *url;
        const char *name;
    } cases[] = {
        {"https://example.com", "example.com/index.html"},
        {"https://example.com/", "example.com/index.html"},
        {"HTTPS://Example.COM:443/a/b.html#part", "example.com/a/b.html"},
        {"http://127.0.0.1:8402/a/", "127.0.0.1_8402/a/index.html"},
        {"http://[::1]:8402/a", "___1__8402/a"},
        {"https://example.com/a?x=1&y=../z", "example.com/a%3Fx=1%26y=..%2Fz"},
        {"https://example.com/?q", "example.com/%3Fq"},
        {"https://example.com/a//b", "example.com/a/%/b"},
        {"https://example.com/a%20b%2f..%2fc", "example.com/a%20b%2F..%2Fc"},
        {"https://example.com/*:;&[x]", "example.com/%2A%3A%3B%26%5Bx%5D"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_slice(name_of(cases[i].url), cases[i].name);
}

static void dots_lead_nowhere(void **state)
{
    static const char *const urls[] = {
        "https://example.com/../../etc/passwd",
        "https://example.com/%2e%2e/%2E%2e/etc/passwd",
        "https://example.com/a/../../etc/passwd",
        "https://example.com/./.%2e/etc/passwd",
        "https://example.com/..",
        "https://example.com/a/..",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        const char *name = name_of(urls[i]).data;
        assert_null(strstr(name, "/../"));
        assert_null(strstr(name, "//"));
        assert_memory_equal(name, "example.com/", 12);
    }
    assert_slice(name_of(urls[0]), "example.com/etc/passwd");
    /* Whatever a path was before it came here. */
    struct target target = {.url = {.path = SLICE("/../a/./..")}, .authority = SLICE("..")};
    assert_slice(store_name(fresh_arena(), &target), "_./%%%/a/%%/%%%");
}

static void long_segments_end_in_a_digest(void **state)
{
    char url[1200];
    char other[1200];
    (void)state;
    int len = snprintf(url, sizeof(url), "https://example.com/%01000d", 1);
    snprintf(other, sizeof(other), "https://example.com/%01000d", 2);
    assert_int_equal(len, 1020);
    struct slice name = name_of(url);
    assert_true(name.len < 220);
    char kept[256];
    snprintf(kept, sizeof(kept), "%s", name.data);
    assert_string_not_equal(kept, name_of(other).data);
}

static void write_page(struct store *store, const char *url, const char *expected)
{
    struct arena *arena = fresh_arena();
    struct target target;
    assert_true(target_parse(arena, slice_of(url), &target));
    struct slice name = store_page(store, arena, &target, SLICE("content"));
    assert_non_null(name.data);
    if (expected)
        assert_slice(name, expected);
    else
        assert_non_null(strchr(name.data, '%'));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void pages_stay_in_the_folder(void **state)
{
    char folder[] = "/tmp/crawler-store-XXXXXX";
    char outside[] = "/tmp/crawler-outside-XXXXXX";
    char path[256];
    char receipts[300];
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_non_null(mkdtemp(outside));
    struct store *store = store_open(folder);
    assert_non_null(store);
    write_page(store, "https://e.example/a", "e.example/a");
    write_page(store, "https://e.example/a", "e.example/a");
    write_page(store, "https://e.example/a/b", NULL); /* a file is in the way */
    write_page(store, "https://e.example/c/d", "e.example/c/d");
    write_page(store, "https://e.example/c", NULL); /* a folder is in the way */
    snprintf(path, sizeof(path), "%s/e.example/link", folder);
    assert_int_equal(symlink(outside, path), 0);
    write_page(store, "https://e.example/link/x", NULL);
    write_page(store, "https://e.example/link", "e.example/link"); /* the link gives way to the page */
    assert_true(store_receipt(store, "{}\n"));
    store_close(store);
    assert_int_equal(rmdir(outside), 0); /* still empty */
    struct stat status;
    snprintf(receipts, sizeof(receipts), "%s/" STORE_RECEIPTS, folder);
    assert_int_equal(stat(receipts, &status), 0);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int count_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)path, (void)status, (void)where;
    files += type == FTW_F;
    return 0;
}

static void half_a_page_is_not_kept(void **state)
{
    char folder[] = "/tmp/crawler-store-XXXXXX";
    struct rlimit before;
    struct target target;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct store *store = store_open(folder);
    write_page(store, "https://e.example/a", "e.example/a");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){3, before.rlim_max}), 0);
    struct arena *arena = fresh_arena();
    assert_true(target_parse(arena, SLICE("https://e.example/b"), &target));
    assert_null(store_page(store, arena, &target, SLICE("content")).data);
    assert_true(target_parse(arena, SLICE("https://e.example/a"), &target));
    assert_null(store_page(store, arena, &target, SLICE("content")).data);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    store_close(store);
    files = 0;
    assert_int_equal(nftw(folder, count_one, 8, FTW_PHYS), 0);
    assert_int_equal(files, 2); /* the page from before, and the receipts */
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_host_and_path),    cmocka_unit_test(dots_lead_nowhere),
        cmocka_unit_test(long_segments_end_in_a_digest), cmocka_unit_test(pages_stay_in_the_folder),
        cmocka_unit_test(half_a_page_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
