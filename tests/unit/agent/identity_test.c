/* Our own keys: their states over time, rotation, the key file, and the signed directory.
 * Tests server/agent/key_file.c, server/agent/key_ring.c, server/published/own_directory.c,
 * ledger/base/http/exchange.c */
#include "tests/unit/support.h"

#include "server/agent/key_file.h"
#include "server/published/own_directory.h"
#include "ledger/verify/signature_agent.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW  1763640000
#define DAY  86400
#define YEAR (365 * DAY)

static const struct key_ring_timing timing_now = {NOW, DAY, YEAR};

static void add(struct key_ring *ring, uint8_t first_byte, int64_t now)
{
    uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {first_byte};
    struct key_ring_timing timing = timing_now;
    timing.now = now;
    assert_true(key_ring_add(ring, seed, &timing));
}

static void a_first_key_signs_at_once_and_a_second_when_it_is_known(void **state)
{
    struct key_ring ring = {.count = 0};
    (void)state;
    add(&ring, 1, NOW);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW), KEY_RING_IN_FORCE);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW - 1), KEY_RING_ANNOUNCED);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW + YEAR - 1), KEY_RING_IN_FORCE);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW + YEAR), KEY_RING_EXPIRED);
    add(&ring, 2, NOW + 100);
    assert_int_equal(ring.count, 2);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW + 100), KEY_RING_ANNOUNCED);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW + 99 + DAY), KEY_RING_ANNOUNCED);
    assert_int_equal(key_ring_state(&ring.keys[0], NOW + 100 + DAY), KEY_RING_IN_FORCE);
    assert_int_equal(key_ring_state(&ring.keys[1], NOW + 100 + DAY), KEY_RING_IN_FORCE);
    assert_int_equal(key_ring_next_change(&ring, NOW + 100), NOW + 100 + DAY);
    assert_int_equal(key_ring_next_change(&ring, NOW + 100 + DAY), NOW + YEAR);
    assert_int_equal(key_ring_next_change(&ring, NOW + 2 * (int64_t)YEAR), INT64_MAX);
    assert_int_equal(key_ring_end(&ring), NOW + 100 + DAY + YEAR);
    assert_int_equal(key_ring_drop_expired(&ring, NOW + YEAR - 1), 0);
    assert_int_equal(key_ring_drop_expired(&ring, NOW + YEAR), 1);
    assert_int_equal(ring.count, 1);
    assert_int_equal(ring.keys[0].seed[0], 2);
}

static void there_is_always_a_key_that_signs(void **state)
{
    struct key_ring ring = {.count = 0};
    (void)state;
    add(&ring, 1, NOW);
    /* An hour before the first one expires there is no day left to announce the second. */
    add(&ring, 2, NOW + YEAR - 3600);
    assert_int_equal(ring.keys[0].not_before, NOW + YEAR);
    /* All have expired: at once. */
    add(&ring, 3, NOW + 3 * (int64_t)YEAR);
    assert_int_equal(ring.keys[0].not_before, NOW + 3 * (int64_t)YEAR);
    assert_int_equal(key_ring_drop_expired(&ring, NOW + 3 * (int64_t)YEAR), 2);
}

static void a_ring_has_an_end(void **state)
{
    struct key_ring ring = {.count = 0};
    uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {99};
    (void)state;
    assert_int_equal(key_ring_end(&ring), INT64_MIN);
    for (uint8_t i = 0; i < KEY_RING_MAX; i++)
        add(&ring, i, NOW);
    assert_false(key_ring_add(&ring, seed, &timing_now));
    assert_int_equal(ring.count, KEY_RING_MAX);
    key_ring_forget(&ring);
    assert_int_equal(ring.count, 0);
}

static void a_private_set_comes_back_and_the_public_one_has_no_secret(void **state)
{
    struct key_ring ring = {.count = 0};
    struct key_ring again;
    (void)state;
    add(&ring, 1, NOW);
    add(&ring, 2, NOW);
    json_t *set = key_ring_private(&ring);
    char *text = json_dumps(set, 0);
    assert_null(key_ring_parse(slice_of(text), &again));
    assert_int_equal(again.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(&again.keys[i], &ring.keys[i], sizeof(ring.keys[i]));
    free(text);
    json_decref(set);
    set = key_ring_public(&ring, NOW);
    assert_int_equal(json_array_size(json_object_get(set, "keys")), 2);
    const json_t *key = json_array_get(json_object_get(set, "keys"), 0);
    assert_null(json_object_get(key, "d"));
    assert_string_equal(json_string_value(json_object_get(key, "kid")), ring.keys[0].keyid);
    assert_string_equal(json_string_value(json_object_get(key, "use")), "sig");
    assert_int_equal(json_integer_value(json_object_get(key, "nbf")), NOW + DAY);
    assert_int_equal(json_integer_value(json_object_get(key, "exp")), NOW + DAY + YEAR);
    json_decref(set);
    set = key_ring_public(&ring, NOW + YEAR);
    assert_int_equal(json_array_size(json_object_get(set, "keys")), 1);
    json_decref(set);
}

static void garbled_sets_are_refused_with_the_reason(void **state)
{
#define D    "\"d\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define X    "\"x\":\"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw\""
#define TYPE "\"kty\":\"OKP\",\"crv\":\"Ed25519\","
#define TIME ",\"nbf\":1,\"exp\":2}"
    static const struct {
        const char *json;
        const char *problem;
    } cases[] = {
        {"", "not a JSON Web Key Set"},
        {"{\"keys\":[", "not a JSON Web Key Set"},
        {"{\"keys\":{}}", "not a JSON Web Key Set"},
        {"[]", "not a JSON Web Key Set"},
        {"{\"keys\":[1,2,3,4,5,6,7,8,9]}", "more than 8"},
        {"{\"keys\":[1]}", "not an Ed25519"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\"}]}", "not an Ed25519"},
        {"{\"keys\":[{" TYPE X TIME "]}", "d is not 32 bytes"},
        {"{\"keys\":[{" TYPE X ",\"d\":\"AQ\"" TIME "]}", "d is not 32 bytes"},
        {"{\"keys\":[{" TYPE D TIME "]}", "x is not the public half"},
        {"{\"keys\":[{" TYPE D ",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"" TIME "]}",
         "x is not the public half"},
        {"{\"keys\":[{" TYPE D "," X "}]}", "lacks nbf or exp"},
        {"{\"keys\":[{" TYPE D "," X ",\"nbf\":1.5,\"exp\":2}]}", "lacks nbf or exp"},
        {"{\"keys\":[{" TYPE D "," X ",\"nbf\":2,\"exp\":2}]}", "not after its nbf"},
        {"{\"keys\":[{" TYPE D "," X ",\"nbf\":-1,\"exp\":2}]}", "not after its nbf"},
        {"{\"keys\":[{" TYPE D "," X TIME ",{" TYPE D "," X TIME "]}", "twice"},
    };
    struct key_ring ring;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *problem = key_ring_parse(slice_of(cases[i].json), &ring);
        if (!problem || !strstr(problem, cases[i].problem) || ring.count != 0)
            fail_msg("%s: %s", cases[i].json, problem ? problem : "taken");
    }
    assert_null(key_ring_parse(SLICE("{\"keys\":[]}"), &ring));
    assert_null(key_ring_parse(SLICE("{\"keys\":[{" TYPE D "," X TIME "]}"), &ring));
    assert_int_equal(ring.count, 1);
}

/* --- the file */

static char folder[] = "/tmp/crawltab-identity-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof(path), "%s/deeper/identity.key", folder);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static int remove_folder(void **state)
{
    char deeper[128];
    remove_file(state);
    snprintf(deeper, sizeof(deeper), "%s/deeper", folder);
    return rmdir(deeper) != 0 || rmdir(folder) != 0; /* both only if nothing was left in them */
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void the_file_is_made_once_and_for_its_owner_alone(void **state)
{
    struct key_ring ring;
    struct key_ring again;
    struct file_stamp stamp;
    struct stat status;
    (void)state;
    assert_true(key_file_make(path, &timing_now, &ring, &stamp));
    assert_int_equal(ring.count, 1);
    assert_int_equal(ring.keys[0].not_before, NOW);
    assert_int_equal(ring.keys[0].expires, NOW + YEAR);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(key_file_make(path, &timing_now, &again, NULL));
    assert_string_equal(again.keys[0].keyid, ring.keys[0].keyid);
    struct file_stamp now = file_stamp(path);
    assert_true(file_same(&now, &stamp));
}

static void a_rotation_replaces_the_file(void **state)
{
    struct key_file_rotation rotation;
    struct key_ring_timing later = timing_now;
    (void)state;
    assert_true(key_file_rotate(path, &timing_now, &rotation));
    assert_true(rotation.made);
    assert_int_equal(rotation.ring.count, 1);
    struct file_stamp first = file_stamp(path);
    assert_true(key_file_rotate(path, &timing_now, &rotation));
    assert_false(rotation.made);
    assert_int_equal(rotation.ring.count, 2);
    assert_int_equal(rotation.dropped, 0);
    struct file_stamp second = file_stamp(path);
    assert_false(file_same(&first, &second));
    later.now = NOW + 3 * (int64_t)YEAR;
    assert_true(key_file_rotate(path, &later, &rotation));
    assert_int_equal(rotation.dropped, 2);
    assert_int_equal(rotation.ring.count, 1);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* A link in the configuration is there on purpose: what it leads to is replaced. */
static void a_rotation_replaces_what_a_link_leads_to(void **state)
{
    struct key_file_rotation rotation;
    struct key_ring ring;
    struct stat status;
    char target[300];
    (void)state;
    snprintf(target, sizeof(target), "%s.target", path);
    assert_true(key_file_rotate(target, &timing_now, &rotation));
    assert_int_equal(symlink(target, path), 0);
    assert_true(key_file_rotate(path, &timing_now, &rotation));
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(key_file_read(target, &ring, NULL));
    assert_int_equal(ring.count, 2);
    /* One that leads nowhere is no place for a first key. */
    assert_int_equal(unlink(target), 0);
    assert_false(key_file_make(path, &timing_now, &ring, NULL));
    assert_int_equal(access(target, F_OK), -1);
}

static void keys_that_everybody_reads_are_refused(void **state)
{
    struct key_ring ring;
    (void)state;
    assert_true(key_file_make(path, &timing_now, &ring, NULL));
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(key_file_read(path, &ring, NULL));
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(key_file_read(path, &ring, NULL));
}

static void *rotate_once(void *context)
{
    struct key_file_rotation rotation;
    (void)context;
    return key_file_rotate(path, &timing_now, &rotation) ? path : NULL;
}

static void rotations_at_once_lose_no_key(void **state)
{
    pthread_t threads[KEY_RING_MAX];
    struct key_ring ring;
    (void)state;
    for (size_t i = 0; i < KEY_RING_MAX; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rotate_once, NULL), 0);
    for (size_t i = 0; i < KEY_RING_MAX; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    assert_true(key_file_read(path, &ring, NULL));
    assert_int_equal(ring.count, KEY_RING_MAX);
    assert_null(rotate_once(NULL)); /* full */
}

static void a_garbled_file_is_left_alone(void **state)
{
    struct key_file_rotation rotation;
    struct key_ring ring;
    char text[32];
    (void)state;
    write_file("nonsense");
    assert_false(key_file_make(path, &timing_now, &ring, NULL));
    assert_false(key_file_rotate(path, &timing_now, &rotation));
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "nonsense");
}

/* --- the directory */

static struct config config_of_directory(void)
{
    return (struct config){
        .identity_key_file = path, .identity_publish_seconds = DAY, .identity_key_days = 365};
}

static struct exchange ask(struct own_directory *own, const char *authority, int64_t now)
{
    struct exchange exchange = {.arena = *fresh_arena()};
    exchange.message.authority = slice_of(authority);
    assert_int_equal(own_directory_reply(own, &exchange, now * 1000), ERR_OK);
    assert_int_equal(exchange.reply.status, 200);
    return exchange;
}

static const char *header_of(const struct exchange *exchange, const char *name)
{
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next)
        if (strcmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

/* `created` of the first signature. */
static int64_t created_of(const struct exchange *exchange)
{
    const char *created = strstr(header_of(exchange, "Signature-Input"), ";created=");
    assert_non_null(created);
    return strtoll(created + 9, NULL, 10);
}

static size_t signatures_of(const struct exchange *exchange)
{
    size_t count = 0;
    for (const char *at = header_of(exchange, "Signature-Input"); at && (at = strstr(at, "keyid=")); at++)
        count++;
    return count;
}

static void the_answer_is_signed_for_its_authority(void **state)
{
    struct config config = config_of_directory();
    struct own_directory *own = own_directory_new(&config, NOW * 1000LL);
    struct key_ring ring;
    (void)state;
    assert_non_null(own);
    assert_true(key_file_read(path, &ring, NULL));
    struct exchange exchange = ask(own, "a.example", NOW);
    assert_string_equal(header_of(&exchange, "Content-Type"),
                        "application/http-message-signatures-directory+json");
    assert_string_equal(header_of(&exchange, "Cache-Control"), "max-age=3600");
    const char *input = header_of(&exchange, "Signature-Input");
    const char *value = header_of(&exchange, "Signature");
    assert_true(strtoll(strstr(input, ";expires=") + 9, NULL, 10) >=
                NOW + 3600); /* at least while it is fresh */
    char base[1024];
    uint8_t raw[SIGNATURE_ED25519_SIZE];
    size_t len;
    snprintf(base, sizeof(base),
             "\"@authority\";req: a.example\n\"content-digest\": %s\n\"@signature-params\": %s",
             header_of(&exchange, "Content-Digest"), input + strlen("sig1="));
    assert_true(encoding_unbase64(slice_bytes(value + strlen("sig1=:"), ENCODING_BASE64_LEN(sizeof(raw))),
                                  false, raw, sizeof(raw), &len));
    struct signature_key *key = signature_key_ed25519(ring.keys[0].raw);
    assert_int_equal(signature_verify(key, slice_of(base), slice_bytes(raw, len)), ERR_OK);
    signature_key_free(key);
    own_directory_free(own);
}

static void signing_is_done_again_at_half_time_only(void **state)
{
    struct config config = config_of_directory();
    struct own_directory *own = own_directory_new(&config, NOW * 1000LL);
    struct exchange exchange;
    char authority[32];
    (void)state;
    exchange = ask(own, "a.example", NOW);
    exchange = ask(own, "a.example", NOW + 3599);
    assert_int_equal(created_of(&exchange), NOW);
    exchange = ask(own, "b.example", NOW + 3599);
    assert_int_equal(created_of(&exchange), NOW + 3599);
    exchange = ask(own, "a.example", NOW + 3600);
    assert_int_equal(created_of(&exchange), NOW + 3600);
    exchange = ask(own, "a.example", NOW + 10); /* the clock was set back */
    assert_int_equal(created_of(&exchange), NOW + 10);
    /* More authorities than are kept. */
    for (int i = 0; i < 100; i++) {
        snprintf(authority, sizeof(authority), "%d.example", i);
        exchange = ask(own, authority, NOW + 20);
        assert_int_equal(created_of(&exchange), NOW + 20);
    }
    exchange = ask(own, "a.example", NOW + 30);
    assert_int_equal(created_of(&exchange), NOW + 30);
    own_directory_free(own);
}

static void a_rotation_is_noticed_and_takes_effect_in_time(void **state)
{
    struct config config = config_of_directory();
    struct own_directory *own = own_directory_new(&config, NOW * 1000LL);
    struct key_file_rotation rotation;
    struct exchange exchange = ask(own, "a.example", NOW);
    (void)state;
    assert_int_equal(signatures_of(&exchange), 1);
    assert_true(key_file_rotate(path, &timing_now, &rotation));
    exchange = ask(own, "a.example", NOW + 1);
    assert_non_null(strstr(exchange.reply.body.data, rotation.ring.keys[0].keyid));
    assert_non_null(strstr(exchange.reply.body.data, rotation.ring.keys[1].keyid));
    assert_int_equal(signatures_of(&exchange), 1);
    assert_int_equal(created_of(&exchange), NOW + 1); /* over the new list, not over the one before */
    exchange = ask(own, "a.example", NOW + DAY);
    assert_int_equal(signatures_of(&exchange), 2);
    exchange = ask(own, "a.example", NOW + YEAR);
    assert_int_equal(signatures_of(&exchange), 1);
    assert_null(strstr(exchange.reply.body.data, rotation.ring.keys[1].keyid));
    /* Nothing is left: an empty list, with nothing to sign it. */
    exchange = ask(own, "a.example", NOW + 2 * (int64_t)YEAR);
    assert_slice(exchange.reply.body, "{\"keys\":[]}");
    assert_null(header_of(&exchange, "Signature"));
    own_directory_free(own);
}

static void a_file_garbled_meanwhile_changes_nothing(void **state)
{
    struct config config = config_of_directory();
    struct own_directory *own = own_directory_new(&config, NOW * 1000LL);
    char before[1024];
    struct exchange exchange = ask(own, "a.example", NOW);
    (void)state;
    snprintf(before, sizeof(before), "%s", exchange.reply.body.data);
    write_file("nonsense");
    exchange = ask(own, "a.example", NOW + 1);
    assert_slice(exchange.reply.body, before);
    unlink(path);
    exchange = ask(own, "a.example", NOW + 2);
    assert_slice(exchange.reply.body, before);
    own_directory_free(own);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct config config = config_of_directory();
    struct own_directory *own = own_directory_new(&config, NOW * 1000LL);
    char authority[400];
    (void)state;
    for (size_t size = 0; size < 2048; size += 16) {
        struct exchange exchange = {.arena = *fresh_arena()};
        exchange.arena.size = size;
        exchange.message.authority = SLICE("a.example");
        enum err err = own_directory_reply(own, &exchange, NOW * 1000LL);
        assert_int_equal(err, size < 512 ? ERR_REQUEST_TOO_LARGE : err);
    }
    memset(authority, 'a', sizeof(authority));
    struct exchange exchange = {.arena = *fresh_arena()};
    exchange.message.authority = slice_bytes(authority, sizeof(authority));
    assert_int_equal(own_directory_reply(own, &exchange, NOW * 1000LL), ERR_INTERNAL);
    own_directory_free(own);
    write_file("nonsense");
    assert_null(own_directory_new(&config, NOW * 1000LL));
    own_directory_free(NULL);
}

static void the_directory_has_one_place(void **state)
{
    (void)state;
    assert_true(own_directory_is_at(SLICE("/.well-known/http-message-signatures-directory")));
    assert_false(own_directory_is_at(SLICE("/.well-known/http-message-signatures-directory/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_key_signs_at_once_and_a_second_when_it_is_known),
        cmocka_unit_test(there_is_always_a_key_that_signs),
        cmocka_unit_test(a_ring_has_an_end),
        cmocka_unit_test(a_private_set_comes_back_and_the_public_one_has_no_secret),
        cmocka_unit_test(garbled_sets_are_refused_with_the_reason),
        cmocka_unit_test_teardown(the_file_is_made_once_and_for_its_owner_alone, remove_file),
        cmocka_unit_test_teardown(a_rotation_replaces_the_file, remove_file),
        cmocka_unit_test_teardown(rotations_at_once_lose_no_key, remove_file),
        cmocka_unit_test_teardown(a_rotation_replaces_what_a_link_leads_to, remove_file),
        cmocka_unit_test_teardown(keys_that_everybody_reads_are_refused, remove_file),
        cmocka_unit_test_teardown(a_garbled_file_is_left_alone, remove_file),
        cmocka_unit_test_teardown(the_answer_is_signed_for_its_authority, remove_file),
        cmocka_unit_test_teardown(signing_is_done_again_at_half_time_only, remove_file),
        cmocka_unit_test_teardown(a_rotation_is_noticed_and_takes_effect_in_time, remove_file),
        cmocka_unit_test_teardown(a_file_garbled_meanwhile_changes_nothing, remove_file),
        cmocka_unit_test_teardown(what_does_not_fit_is_refused, remove_file),
        cmocka_unit_test(the_directory_has_one_place),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
