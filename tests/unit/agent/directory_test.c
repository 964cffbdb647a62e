/* Key directories, the pure parts: addresses, freshness, media types, heads of answers, budgets, proofs, and
 * which crawlers a site takes.
 * Tests server/agent/address.c, server/agent/answer.c, server/agent/budget.c, server/agent/freshness.c,
 * server/agent/head.c, server/agent/listing.c, server/agent/unpack.c, ledger/verify/content_digest.c */
#include "tests/unit/support.h"

#include "server/agent/address.h"
#include "server/agent/answer.h"
#include "server/agent/budget.h"
#include "server/agent/freshness.h"
#include "server/agent/head.h"
#include "server/agent/listing.h"
#include "server/agent/proof.h"
#include "server/agent/unpack.h"
#include "ledger/verify/content_digest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define NOW 1784541600 /* Mon, 20 Jul 2026 10:00:00 GMT */

static struct message answer_of(const char *fields)
{
    struct arena *arena = fresh_arena();
    return request_of(arena, arena_format(arena, "GET /\n%s", fields).data);
}

/* --- Addresses */

static bool address_of(const char *text, struct sockaddr_storage *storage)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memset(storage, 0, sizeof(*storage));
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        memcpy(storage, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(storage, &in6, sizeof(in6));
    return storage->ss_family != 0;
}

/* `texts` are separated by spaces. */
static void check_addresses(const char *texts, bool expected)
{
    for (size_t len; *texts; texts += len + (texts[len] == ' ')) {
        struct sockaddr_storage storage;
        char text[INET6_ADDRSTRLEN];
        len = strcspn(texts, " ");
        assert_true(len < sizeof(text));
        memcpy(text, texts, len);
        text[len] = '\0';
        assert_true(address_of(text, &storage));
        if (address_is_public((const struct sockaddr *)&storage) != expected)
            fail_msg("%s: %s", text, expected ? "refused" : "taken");
    }
}

/* First and last address of every entry of the IANA IPv4 and IPv6 special-purpose registries, of multicast
 * and of deprecated site-local space, and their neighbours. */
static const char special_addresses[] =
    "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 "
    "127.255.255.255 169.254.0.0 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.8 "
    "192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.255 192.0.2.0 192.0.2.255 192.31.196.0 "
    "192.31.196.255 192.52.193.0 192.52.193.255 192.88.99.0 192.88.99.255 192.168.0.0 "
    "192.168.255.255 192.175.48.0 192.175.48.255 198.18.0.0 198.19.255.255 198.51.100.0 "
    "198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 "
    "255.255.255.255 :: ::1 ::7f00:1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:0:0 ::ffff:0:8.8.8.8 "
    "64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1:: 64:ff9b:1:ffff:ffff:ffff:ffff:ffff "
    "64:ff9b:1::808:808 100:: 100::ffff:ffff:ffff:ffff 100:0:0:1::1 2001:: 2001:0:808::1 "
    "2001:1::1 2001:1::2 2001:1::3 2001:2:: 2001:3::1 2001:4:112::1 2001:10:: 2001:20::1 "
    "2001:30::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: "
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:a00:1:: 2002:7f00:1::1 2002:c0a8:1::1 "
    "2620:4f:8000:: 2620:4f:8000:ffff:ffff:ffff:ffff:ffff 3fff:: "
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000::1 5f00:: 5f00:ffff::1 fc00:: fdff:ffff::1 "
    "fe80:: febf:ffff::1 fec0:: feff:ffff::1 ff00:: ff02::1 "
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

static const char public_addresses[] =
    "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 "
    "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.31.195.255 "
    "192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 "
    "203.0.112.255 203.0.114.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2000::1 "
    "2001:200::1 2001:db7::1 2001:db9::1 2002:808:808::1 2606:4700::1 2620:4f:7fff::1 "
    "2620:4f:8001::1 2a00:1450::1 3ffe::1 3fff:1000::1";

static void registries_are_refused_to_their_edges(void **state)
{
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    (void)state;
    check_addresses(special_addresses, false);
    check_addresses(public_addresses, true);
    assert_false(address_is_public(&unix_socket));
}

/* --- Freshness */

static void freshness_follows_what_is_said(void **state)
{
    static const struct {
        const char *fields;
        int64_t seconds;
        bool stated;
    } cases[] = {
        {"", FRESHNESS_UNSTATED_SECONDS, false},
        {"cache-control: max-age=60", 60, true},
        {"cache-control: MAX-AGE = 60 , public", 60, true},
        {"cache-control: max-age=\"60\"", 60, true},
        {"cache-control: max-age=60, s-maxage=30", 30, true},
        {"cache-control: s-maxage=90\ncache-control: max-age=60", 90, true},
        {"cache-control: s-maxage=0, max-age=60", 0, true},
        {"cache-control: max-age=60, max-age=30", 30, true},
        {"cache-control: max-age=60\ncache-control: max-age=30", 30, true},
        {"cache-control: max-age=60, no-store", 0, true},
        {"cache-control: max-age=60, no-cache", 0, true},
        {"cache-control: no-cache=\"set-cookie, x\", max-age=60", 0, true},
        {"cache-control: private", 0, true},
        {"cache-control: x=\"no-store, max-age=1\", max-age=60", 60, true},
        {"cache-control: x=\"\\\", max-age=1\", max-age=60", 60, true},
        {"cache-control: max-age=", 0, true},
        {"cache-control: max-age", 0, true},
        {"cache-control: max-age=-1", 0, true},
        {"cache-control: max-age=1.5", 0, true},
        {"cache-control: max-age=60s", 0, true},
        {"cache-control: max-age=99999999999999999999999", (int64_t)1 << 31, true},
        {"cache-control: , ,must-revalidate,", FRESHNESS_UNSTATED_SECONDS, false},
        {"cache-control: max-age=60\nage: 20", 40, true},
        {"cache-control: max-age=60\nage: 70", 0, true},
        {"cache-control: max-age=60\nage: old", 60, true},
        {"cache-control: max-age=60\ndate: Mon, 20 Jul 2026 09:59:30 GMT", 30, true},
        {"cache-control: max-age=60\nage: 40\ndate: Mon, 20 Jul 2026 09:59:30 GMT", 20, true},
        {"cache-control: max-age=60\ndate: Mon, 20 Jul 2026 10:30:00 GMT", 60, true},
        {"expires: Mon, 20 Jul 2026 10:01:00 GMT", 60, true},
        {"expires: Monday, 20-Jul-26 10:01:00 GMT", 60, true},
        {"expires: Mon Jul 20 10:01:00 2026", 60, true},
        {"expires: Mon, 20 Jul 2026 10:01:00 GMT\ndate: Mon, 20 Jul 2026 10:00:50 GMT", 10, true},
        {"expires: Mon, 20 Jul 2026 10:01:00 GMT\ncache-control: max-age=5", 5, true},
        {"expires: 0", 0, true},
        {"expires: Mon, 20 Jul 2026 09:00:00 GMT", 0, true},
        {"last-modified: Mon, 20 Jul 2026 09:00:00 GMT", 360, false},
        {"last-modified: Mon, 20 Jul 2026 11:00:00 GMT", FRESHNESS_UNSTATED_SECONDS, false},
        {"last-modified: yesterday", FRESHNESS_UNSTATED_SECONDS, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message answer = answer_of(cases[i].fields);
        int64_t seconds = freshness_seconds(&answer, NOW);
        if (seconds != cases[i].seconds || freshness_stated(&answer) != cases[i].stated)
            fail_msg("\"%s\": %lld seconds", cases[i].fields, (long long)seconds);
    }
}

static void retry_after_is_a_number_or_a_date(void **state)
{
    static const struct {
        const char *fields;
        int64_t seconds;
    } cases[] = {
        {"", 0},
        {"retry-after: 120", 120},
        {"retry-after: Mon, 20 Jul 2026 10:02:00 GMT", 120},
        {"retry-after: Mon, 20 Jul 2026 09:02:00 GMT", 0},
        {"retry-after: soon", 0},
        {"retry-after: -5", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message answer = answer_of(cases[i].fields);
        assert_int_equal(freshness_retry_seconds(&answer, NOW), cases[i].seconds);
    }
}

/* --- Answers */

static void only_directories_are_answers(void **state)
{
    static const struct {
        long status;
        const char *fields;
        bool conditional;
        const char *refusal; /* at the well-known path */
    } cases[] = {
        {200, "content-type: application/http-message-signatures-directory+json", false, NULL},
        {200, "content-type: application/http-message-signatures-directory; a=b", false, NULL},
        {200, "content-type: Application/JWK-Set+json ;charset=utf-8", true, NULL},
        {200, "content-type: application/json\ncontent-encoding: identity", false, NULL},
        {304, "", true, NULL},
        {304, "", false, "redirects"},
        {300, "content-type: application/json", false, "redirects"},
        {301, "content-type: application/json", false, "redirects"},
        {206, "content-type: application/json", false, "status"},
        {500, "content-type: application/json", true, "status"},
        {200, "", false, "media type"},
        {200, "content-type: application/json\ncontent-type: application/json", false, "media type"},
        {200, "content-type: application/json5", false, "media type"},
        {200, "content-type: text/json", false, "media type"},
        {200, "content-type: application/json; x=\x01", false, "media type"},
        {200, "content-type: application/json\ncontent-encoding: gzip", false, NULL},
        {200, "content-type: application/json\ncontent-encoding: identity\ncontent-encoding: Deflate", false,
         NULL},
        {200, "content-type: application/json\ncontent-encoding: identity\ncontent-encoding: br", false,
         "encoded"},
        {200, "content-type: application/json\ncontent-encoding: gzip, gzip", false, "encoded"},
        {200, "content-type: application/json\ncontent-encoding: gzip\ncontent-encoding: gzip", false,
         "encoded"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message answer = answer_of(cases[i].fields);
        struct answer_question question = {cases[i].conditional, true};
        const char *refusal = answer_refusal(cases[i].status, &answer, question);
        if (!cases[i].refusal != !refusal || (refusal && !strstr(refusal, cases[i].refusal)))
            fail_msg("case %zu: %s", i, refusal ? refusal : "taken");
        /* Only there the media type must be a directory's. */
        question.well_known = false;
        const char *elsewhere = answer_refusal(cases[i].status, &answer, question);
        assert_true(refusal && strstr(refusal, "media type") ? !elsewhere : elsewhere == refusal);
    }
}

static const uint8_t gzipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                  0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0x40, 0xa2,
                                  0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00};
static const uint8_t deflated[] = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51,
                                   0xc8, 0x40, 0xa2, 0x00, 0x44, 0x28, 0x06, 0xd5};

static void packed_bodies_are_unpacked_to_a_bound(void **state)
{
    static const struct slice packed[] = {{(const char *)gzipped, sizeof(gzipped)},
                                          {(const char *)deflated, sizeof(deflated)}};
    static const char content[] = "hello, hello, hello";
    const char *why;
    size_t len;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *text = unpack_body(packed[i], strlen(content), &len, &why);
        assert_non_null(text);
        assert_slice(slice_bytes(text, len), content);
        free(text);
        assert_null(unpack_body(packed[i], strlen(content) - 1, &len, &why));
        assert_non_null(strstr(why, "larger than directory.max_bytes"));
        for (size_t cut = 0; cut < packed[i].len; cut++) {
            assert_null(unpack_body((struct slice){packed[i].data, cut}, 100, &len, &why));
            assert_non_null(strstr(why, "does not unpack"));
        }
    }
    assert_null(unpack_body(SLICE("{\"keys\":[]}"), 100, &len, &why));
    assert_non_null(strstr(why, "does not unpack"));
}

static bool add(struct head *head, const char *line)
{
    return head_line(head, slice_of(line));
}

static void heads_are_bounded_and_strict(void **state)
{
    struct head *head = calloc(1, sizeof(*head));
    char line[HEAD_BYTES_MAX + 8] = "x:";
    (void)state;
    assert_non_null(head);
    assert_true(add(head, "HTTP/1.1 103 Early Hints\r\n") && add(head, "Link: x\r\n") && add(head, "\r\n"));
    assert_true(add(head, "HTTP/1.1 200 OK\r\n") && add(head, "ETag:  \"a:b\" \r\n") && add(head, "X:\r\n"));
    assert_int_equal(head->count, 2);
    assert_slice(head->fields[0].name, "etag");
    assert_slice(head->fields[0].value, "\"a:b\"");
    assert_slice(head->fields[1].value, "");
    assert_false(add(head, " folded: x\r\n"));
    assert_false(add(head, "\tfolded: x\r\n"));
    assert_false(add(head, "no colon\r\n"));
    assert_false(add(head, ": no name\r\n"));
    memset(line + 2, 'y', HEAD_BYTES_MAX);
    assert_false(add(head, line));
    for (size_t i = head->count; i < HEAD_FIELDS_MAX; i++)
        assert_true(add(head, "a: b\r\n"));
    assert_false(add(head, "a: b\r\n"));
    assert_true(add(head, "\r\n") && add(head, "ETag: trailer\r\n"));
    assert_int_equal(head->count, HEAD_FIELDS_MAX);
    free(head);
}

/* --- Budgets */

static struct exchange_client client_of(const char *text)
{
    struct exchange_client client;
    assert_int_equal(inet_pton(AF_INET6, text, client.address), 1);
    return client;
}

static void networks_have_a_budget_each(void **state)
{
    struct budget *budget = budget_new(2);
    struct budget *unlimited = budget_new(0);
    struct exchange_client one = client_of("::ffff:192.0.2.1");
    struct exchange_client neighbour = client_of("::ffff:192.0.2.200");
    struct exchange_client other = client_of("::ffff:192.0.3.1");
    struct exchange_client six = client_of("2001:db8:1:2::3");
    struct exchange_client six_neighbour = client_of("2001:db8:1:2:ffff::9");
    struct exchange_client six_other = client_of("2001:db8:1:3::3");
    struct exchange_client local_six = client_of("::1"), local_four = client_of("::ffff:127.0.0.1");
    struct exchange_client compatible = client_of("::192.0.2.1");
    struct exchange_client unknown = client_of("::");
    (void)state;
    assert_true(budget_take(budget, &one, 1000) && budget_take(budget, &neighbour, 1000));
    assert_false(budget_take(budget, &one, 1000));
    static const uint8_t name[16] = {[15] = 1}, other_name[16] = {[15] = 2}; /* all of a name counts */
    assert_true(budget_take_of(budget, name, 1000) && budget_take_of(budget, name, 1000));
    assert_false(budget_take_of(budget, name, 1000));
    assert_true(budget_take_of(budget, other_name, 1000) && budget_take_of(unlimited, name, 1000));
    assert_true(budget_take(budget, &other, 1000));
    assert_true(budget_take(budget, &six, 1000) && budget_take(budget, &six_neighbour, 1000));
    assert_false(budget_take(budget, &six, 1000));
    assert_true(budget_take(budget, &six_other, 1000));
    /* This machine is one client, by whatever address it comes. */
    assert_true(budget_take(budget, &local_six, 1000) && budget_take(budget, &local_four, 1000));
    assert_false(budget_take(budget, &local_six, 1000) || budget_take(budget, &local_four, 1000));
    assert_false(budget_take(budget, &compatible, 1000));
    assert_false(budget_take(budget, &one, 30999));
    assert_true(budget_take(budget, &one, 31000));
    assert_false(budget_take(budget, &one, 31000));
    assert_true(budget_take(budget, &one, 500000) && budget_take(budget, &one, 500000));
    assert_false(budget_take(budget, &one, 500000));
    /* Who did not spend all has no more afterwards. */
    assert_true(budget_take(budget, &other, 500000) && budget_take(budget, &other, 500000));
    assert_false(budget_take(budget, &other, 500000));
    for (int i = 0; i < 10; i++)
        assert_true(budget_take(budget, &unknown, 0) && budget_take(unlimited, &one, 0));
    /* The table is bounded, whoever comes. */
    for (uint32_t i = 0; i < 100000; i++) {
        struct exchange_client many = six;
        memcpy(many.address + 2, &i, sizeof(i));
        assert_true(budget_take(budget, &many, 600000 + i));
    }
    /* What was seen last is still known: with nine hundred more in as many places, nearly all of them. */
    size_t known = 0;
    for (uint32_t i = 99100; i < 100000; i++) {
        struct exchange_client many = six;
        memcpy(many.address + 2, &i, sizeof(i));
        known += budget_take(budget, &many, 700000) && !budget_take(budget, &many, 700000);
    }
    assert_true(known > 850);
    budget_free(budget);
    budget_free(unlimited);
    budget_free(NULL);
}

/* --- Proofs */

static void digests_are_checked(void **state)
{
    static const struct {
        const char *fields;
        const char *refusal; /* NULL: it fits */
    } cases[] = {
        /* RFC 9530 appendix D, of {"hello": "world"} and a line feed. */
        {"content-digest: sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", NULL},
        {"content-digest: "
         "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/Wk"
         "ppmM44T3qg==:",
         NULL},
        {"content-digest: md5=:RK/0qy18MlBSVnWgjwz6lQ==:", "neither sha-256 nor sha-512"},
        {"content-digest: sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDk=:",
         "not what its Content-Digest says"},
        {"content-digest: sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, sha-512=:AAAA:",
         "not what its"},
        {"content-digest: sha-256=\"RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=\"", "not what its"},
        {"content-digest: sha-256", "not what its"},
        {"content-digest: sha-256=:AA", "does not parse"},
        {"", "there is no Content-Digest"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message answer = answer_of(cases[i].fields);
        char memory[4096];
        struct arena arena;
        arena_init(&arena, memory, sizeof(memory));
        const char *refusal = content_digest_refusal(&arena, &answer, SLICE("{\"hello\": \"world\"}\n"));
        if (!refusal != !cases[i].refusal || (refusal && !strstr(refusal, cases[i].refusal)))
            fail_msg("case %zu: %s", i, refusal ? refusal : "fits");
    }
}

static const char a_set[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"nbf\":100,\"exp\":200,"
                            "\"x\":\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"}]}";

static void listings_know_their_keys_times(void **state)
{
    struct fetch_answer answer = {.status = 200, .body = SLICE(a_set)};
    struct listing_terms terms = {.now_ms = 150000};
    const char *refusal;
    struct slice url = SLICE("https://crawler.example/keys?a");
    struct listing *listing = listing_read(url, &answer, &terms, &refusal);
    (void)state;
    assert_non_null(listing);
    assert_int_equal(listing->good, 1);
    const uint8_t *thumbprint = listing->keys[0].listed.jwk.thumbprint;
    assert_null(listing_find(listing, thumbprint, 99999));
    assert_ptr_equal(listing_find(listing, thumbprint, 100000), &listing->keys[0]);
    assert_non_null(listing_find(listing, thumbprint, 199999));
    assert_null(listing_find(listing, thumbprint, 200000));
    assert_null(listing_find(listing, listing->snapshot->digest, 150000));
    assert_null(listing_find(NULL, thumbprint, 150000));
    assert_slice(listing->snapshot->body, a_set);
    assert_slice(listing->snapshot->url, "https://crawler.example/keys?a");
    listing_free(listing);
    listing_free(NULL);
    terms.require_proof = true;
    listing = listing_read(url, &answer, &terms, &refusal);
    assert_non_null(listing);
    assert_int_equal(listing->good, 0); /* no proof */
    listing_free(listing);
    answer.body = SLICE("{\"keys\":1}");
    assert_null(listing_read(url, &answer, &terms, &refusal));
    assert_string_equal(refusal, "its member keys is no array");
}

#define PUBLIC  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\""
#define KEYID   "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
#define ANOTHER "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

static struct listing *list_of(const char *entries)
{
    char body[1024];
    const char *refusal = NULL;
    const struct listing_terms terms = {.now_ms = 150000};
    snprintf(body, sizeof(body), "{\"keys\":[%s]}", entries);
    struct fetch_answer answer = {.status = 200, .body = slice_of(body)};
    struct listing *listing = listing_read(SLICE("https://a.example/"), &answer, &terms, &refusal);
    assert_non_null(listing);
    return listing;
}

/* At second 150: which entry is found (0: none), and what its crawler's operator is told. */
static void the_entry_in_force_counts_and_others_are_explained(void **state)
{
    static const struct {
        const char *entries;
        size_t found;
        const char *why;
    } cases[] = {
        {PUBLIC ",\"exp\":150}," PUBLIC ",\"exp\":151}", 2, ""},
        {PUBLIC ",\"nbf\":151}," PUBLIC ",\"exp\":150}," PUBLIC "}", 3, ""},
        {PUBLIC ",\"use\":\"enc\"}," PUBLIC "}", 2, ""},
        {PUBLIC ",\"nbf\":100,\"exp\":200}," PUBLIC ",\"exp\":150}", 1, ""},
        {PUBLIC ",\"exp\":140}", 0, "entry 1 has expired: it held until 140, 10 s ago"},
        {PUBLIC ",\"nbf\":200}", 0, "entry 1 is not in force yet: its nbf, 200, lies 50 s ahead"},
        {"5," PUBLIC ",\"nbf\":1743465600000}", 0,
         "entry 2 is not in force yet: its nbf, 1743465600000, lies 1743465599850 s ahead; it looks like "
         "milliseconds, seconds are meant"},
        {PUBLIC ",\"use\":\"enc\"}", 0, "entry 1 does not count: use is \"enc\", not \"sig\""},
        {PUBLIC "}," PUBLIC ",\"d\":\"AA\"}", 0,
         "entry 1 does not count: its private half is published (d): whoever reads it can sign"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" KEYID
         "\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         0,
         "no entry has this thumbprint; entry 1 has it as its kid, but the thumbprint of its key "
         "is " ANOTHER},
        {"{\"kty\":\"oct\"}", 0,
         "no entry has this thumbprint; entry 1 does not count: kty is \"oct\", not \"OKP\", \"EC\" or "
         "\"RSA\""},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", 0,
         "no entry has this thumbprint; there is 1"},
        {"", 0, "no entry has this thumbprint; there are 0"},
    };
    uint8_t thumbprint[DIGEST_SIZE];
    size_t len;
    (void)state;
    assert_true(encoding_unbase64url(SLICE(KEYID), thumbprint, DIGEST_SIZE, &len));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct listing *listing = list_of(cases[i].entries);
        const struct listing_key *key = listing_find(listing, thumbprint, 150000);
        char why[LISTING_WHY_MAX] = "";
        if (!key)
            listing_explain(listing, thumbprint, 150000, why);
        size_t found = key ? (size_t)(key - listing->keys) + 1 : 0;
        if (found != cases[i].found || strcmp(why, cases[i].why) != 0)
            fail_msg("%zu, %s: %s", found, why, cases[i].entries);
        listing_free(listing);
    }
}

/* The point of small order verifies anything. */
static void numbers_that_are_no_key_do_not_count(void **state)
{
    struct listing *listing = list_of(
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
    char why[LISTING_WHY_MAX];
    (void)state;
    assert_int_equal(listing->good, 0);
    assert_null(listing_find(listing, listing->keys[0].listed.jwk.thumbprint, 150000));
    listing_explain(listing, listing->keys[0].listed.jwk.thumbprint, 150000, why);
    assert_string_equal(why, "entry 1 does not count: its numbers are no public key that can be relied on");
    listing_free(listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registries_are_refused_to_their_edges),
        cmocka_unit_test(freshness_follows_what_is_said),
        cmocka_unit_test(retry_after_is_a_number_or_a_date),
        cmocka_unit_test(only_directories_are_answers),
        cmocka_unit_test(packed_bodies_are_unpacked_to_a_bound),
        cmocka_unit_test(heads_are_bounded_and_strict),
        cmocka_unit_test(networks_have_a_budget_each),
        cmocka_unit_test(digests_are_checked),
        cmocka_unit_test(listings_know_their_keys_times),
        cmocka_unit_test(the_entry_in_force_counts_and_others_are_explained),
        cmocka_unit_test(numbers_that_are_no_key_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
