/* The cache of key directories: whatever strangers make the gate fetch, it stays within its bounds, and what
 * is too old goes. The file under test is included, and the doors to network and time have this side. */
#include "tests/unit/support.h"

#include "server/agent/directory.c"

#include <stdio.h>

#define DAY_MS 86400000

static int64_t now_ms; /* of both clocks */

int64_t clock_now_ms(void)
{
    return now_ms;
}

int64_t clock_monotonic_ms(void)
{
    return now_ms;
}

void clock_set_offset_ms(int64_t offset_ms)
{
    (void)offset_ms;
}

void random_bytes(void *out, size_t len)
{
    memset(out, 7, len);
}

/* The fetch under way; at most one at a time here. */
static struct {
    fetch_done *done;
    void *context;
    size_t count;
} fetching;

bool fetch_get(struct fetch *fetch, const struct fetch_request *request, fetch_done *done, void *context)
{
    (void)fetch;
    assert_null(fetching.done);
    assert_true(request->url.len > 0);
    fetching.done = done;
    fetching.context = context;
    fetching.count++;
    return true;
}

static void answer_with(long status, struct slice body)
{
    static const struct message_field type = {SLICE("content-type"), SLICE("application/json")};
    struct fetch_answer answer = {.status = status,
                                  .head = {.fields = &type, .field_count = 1},
                                  .body = body,
                                  .room = 1 << 20,
                                  .failure = status ? NULL : "no route"};
    fetch_done *done = fetching.done;
    fetching.done = NULL;
    done(fetching.context, &answer);
}

/* A directory with one key, padded. */
static struct slice body_of(size_t size)
{
    static char body[1 << 18];
    static const char start[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                                "\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"}]}";
    assert_true(size >= strlen(start) && size <= sizeof(body));
    memset(body, ' ', size);
    memcpy(body, start, strlen(start));
    return (struct slice){body, size};
}

static const char keyid[] = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";

static enum directory_answer look(struct directory *directory, const char *url, bool waited)
{
    uint8_t thumbprint[DIGEST_SIZE];
    size_t len;
    struct directory_key key = {.key = NULL};
    assert_true(encoding_unbase64url(slice_of(keyid), thumbprint, DIGEST_SIZE, &len));
    enum directory_answer answer = directory_find(directory, slice_of(url), thumbprint, now_ms, waited, &key);
    directory_key_clear(&key);
    return answer;
}

static size_t woken;

static void on_ready(struct directory_wait *wait)
{
    (void)wait;
    woken++;
}

/* As a request does: looks, waits for the fetch, and looks again. */
static enum directory_answer ask(struct directory *directory, const char *url, long status, size_t size)
{
    struct directory_wait wait = {.ready = on_ready};
    enum directory_answer answer = look(directory, url, false);
    if (answer != DIRECTORY_ASK)
        return answer;
    woken = 0;
    assert_int_equal(directory_await(directory, slice_of(url), &wait), ERR_OK);
    answer_with(status, body_of(size));
    assert_int_equal(woken, 1);
    return look(directory, url, true);
}

static struct directory *start(struct config *config)
{
    config->directory_cache_bytes = 1 << 20;
    now_ms = 1000LL * DAY_MS;
    fetching.count = 0;
    struct directory *directory = directory_start(config, NULL);
    assert_non_null(directory);
    return directory;
}

static const char *url_of(int i)
{
    static char url[64];
    snprintf(url, sizeof(url), "https://crawler%d.example/keys", i);
    return url;
}

/* Every one of a thousand large directories is served, and at no time do they take more than the bound. */
static void memory_is_bounded(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        now_ms++;
        assert_int_equal(ask(directory, url_of(i), 200, 200000), DIRECTORY_KEY);
        assert_true(directory->bytes <= 1 << 20);
        assert_true(directory->count <= 6);
    }
    assert_int_equal(fetching.count, 1000);
    /* Who was asked for last is still known, the others were dropped in the order of their use. */
    assert_int_equal(look(directory, url_of(999), false), DIRECTORY_KEY);
    assert_int_equal(look(directory, url_of(996), false), DIRECTORY_KEY);
    assert_int_equal(look(directory, url_of(900), false), DIRECTORY_ASK);
    directory_stop(directory);
    config_free(config);
}

/* What is used stays, however many strangers come. */
static void what_is_used_stays(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    (void)state;
    assert_int_equal(ask(directory, "https://payer.example/keys", 200, 2000), DIRECTORY_KEY);
    for (int i = 0; i < 100; i++) {
        now_ms++;
        assert_int_equal(ask(directory, url_of(i), 200, 200000), DIRECTORY_KEY);
        assert_int_equal(look(directory, "https://payer.example/keys", false), DIRECTORY_KEY);
    }
    assert_int_equal(fetching.count, 101);
    directory_stop(directory);
    config_free(config);
}

static void one_that_is_larger_than_all_may_be_serves_who_waits(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    (void)state;
    config->directory_cache_bytes = 100000;
    assert_int_equal(ask(directory, url_of(1), 200, 200000), DIRECTORY_KEY);
    assert_int_equal(directory->count, 1);
    now_ms++;
    assert_int_equal(ask(directory, url_of(2), 200, 2000), DIRECTORY_KEY);
    assert_int_equal(directory->count, 1);
    assert_true(directory->bytes < 100000);
    directory_stop(directory);
    config_free(config);
}

/* After its life and directory.stale_seconds a directory is of no use; one that failed, when it may be asked
 * again. */
static void what_is_too_old_goes(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    int64_t life_ms = FRESHNESS_UNSTATED_SECONDS * 1000 + config->directory_stale_seconds * 1000;
    (void)state;
    assert_int_equal(ask(directory, url_of(1), 200, 2000), DIRECTORY_KEY);
    assert_int_equal(ask(directory, url_of(2), 404, 2000), DIRECTORY_UNAVAILABLE);
    assert_int_equal(ask(directory, url_of(3), 0, 2000), DIRECTORY_UNAVAILABLE);
    assert_int_equal(directory->count, 3);
    now_ms += 60000;
    assert_int_equal(look(directory, url_of(9), false), DIRECTORY_ASK);
    assert_int_equal(directory->count, 1);
    now_ms += life_ms - 60001;
    assert_int_equal(look(directory, url_of(9), false), DIRECTORY_ASK);
    assert_int_equal(directory->count, 1);
    now_ms += SWEEP_MS + 1;
    assert_int_equal(look(directory, url_of(9), false), DIRECTORY_ASK);
    assert_int_equal(directory->count, 0);
    assert_int_equal(directory->bytes, 0);
    directory_stop(directory);
    config_free(config);
}

/* Nothing that is being fetched, and waited for, is dropped. */
static void what_is_waited_for_stays(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    struct directory_wait wait = {.ready = on_ready};
    (void)state;
    assert_int_equal(directory_await(directory, slice_of(url_of(1)), &wait), ERR_OK);
    now_ms += 10LL * DAY_MS;
    assert_int_equal(look(directory, url_of(2), false), DIRECTORY_ASK);
    assert_int_equal(directory->count, 1);
    woken = 0;
    answer_with(200, body_of(2000));
    assert_int_equal(woken, 1);
    assert_int_equal(look(directory, url_of(1), true), DIRECTORY_KEY);
    directory_stop(directory);
    config_free(config);
}

static void a_failure_is_explained(void **state)
{
    struct config *config = config_defaults();
    struct directory *directory = start(config);
    const uint8_t thumbprint[DIGEST_SIZE] = {1};
    struct directory_key key = {.key = NULL};
    struct slice url = SLICE("https://crawler.example/keys");
    (void)state;
    assert_int_equal(ask(directory, url.data, 503, 2000), DIRECTORY_UNAVAILABLE);
    assert_int_equal(directory_find(directory, url, thumbprint, now_ms, false, &key), DIRECTORY_UNAVAILABLE);
    assert_string_equal(key.why, "the status is not 200 (status 503)");
    now_ms += 60000;
    assert_int_equal(ask(directory, url.data, 0, 2000), DIRECTORY_UNAVAILABLE);
    assert_int_equal(directory_find(directory, url, thumbprint, now_ms, false, &key), DIRECTORY_UNAVAILABLE);
    assert_string_equal(key.why, "no route");
    now_ms += 60000;
    assert_int_equal(ask(directory, url.data, 200, 2000), DIRECTORY_KEY);
    assert_int_equal(directory_find(directory, url, thumbprint, now_ms, true, &key), DIRECTORY_NO_KEY);
    assert_string_equal(key.why, "no entry has this thumbprint; there is 1");
    directory_stop(directory);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(what_is_used_stays),
        cmocka_unit_test(one_that_is_larger_than_all_may_be_serves_who_waits),
        cmocka_unit_test(what_is_too_old_goes),
        cmocka_unit_test(what_is_waited_for_stays),
        cmocka_unit_test(a_failure_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
