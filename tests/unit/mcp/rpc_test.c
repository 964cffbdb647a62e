/* What a message of MCP calls, what it costs, and what two readers could take for two messages.
 * Tests server/mcp/rpc.c, server/mcp/tree.c, server/mcp/units.c, server/mcp/canonical.c */
#include "tests/unit/support.h"

#include "server/mcp/rpc.h"
#include "server/mcp/tree.h"

#include <string.h>

static struct config_tool tools[] = {
    {.tool = "free", .resource = "", .prompt = "", .price = 0},
    {.tool = "find*", .resource = "", .prompt = "", .price = 20000},
    {.tool = "", .resource = "data://tides/**", .prompt = "", .price = 30000},
    {.tool = "", .resource = "", .prompt = "letter", .price = 10000},
};
static const struct config_site site = {
    .name = "shop", .currency = "USD", .tools = tools, .tool_count = sizeof(tools) / sizeof(*tools)};

static struct message message_of(struct arena *arena, const char *fields, const char *body)
{
    struct message message = request_of(
        arena,
        arena_format(arena, "POST /mcp\nhost: shop.example\ncontent-type: application/json\n%s", fields)
            .data);
    message.body = slice_of(body);
    return message;
}

#define CALL(name, more)                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":" name more "}}"

static const struct {
    const char *fields, *body;
    int code; /* 0: it is taken */
} messages[] = {
    {"", CALL("\"find\"", ""), 0},
    {"", CALL("\"free\"", ""), 0},
    {"", "{\"method\":\"tools/list\"}", 0},
    {"", "[]", 0},
    {"", "[{\"method\":\"ping\"},{\"method\":\"tools/call\",\"params\":{\"name\":\"free\"}}]", 0},
    {"", "[{\"method\":\"ping\"},{\"method\":\"tools/call\",\"params\":{\"name\":\"find\"}}]",
     RPC_INVALID_REQUEST},
    {"", "[[" CALL("\"find\"", "") "]]", RPC_INVALID_REQUEST},
    {"", "\xef\xbb\xbf" CALL("\"find\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"find\"", "") "x", RPC_PARSE_ERROR},
    {"", CALL("\"find\"", ",\"name\":\"free\""), RPC_PARSE_ERROR},
    {"", CALL("\"find\"", ",\"n\\u0061me\":\"free\""), RPC_PARSE_ERROR},
    {"", CALL("\"find\"", ",\"arguments\":{\"a\":{\"b\":1,\"b\":2}}"), RPC_PARSE_ERROR},
    {"", CALL("\"free\"", ",\"Name\":\"find\""), RPC_INVALID_REQUEST},
    {"", "{\"id\":7,\"method\":\"ping\",\"METHOD\":\"tools/call\",\"params\":{\"name\":\"find\"}}",
     RPC_INVALID_REQUEST},
    {"", "{\"id\":7,\"method\":\"ping\",\"param\xc5\xbf\":{\"name\":\"find\"}}", RPC_INVALID_REQUEST},
    {"", CALL("\"find\\ud800\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"find\\udc00\\ud800\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"find\\ud83d\\ude00\"", ""), 0},
    {"", CALL("\"find\xed\xa0\x80\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"find\xc0\xaf\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"find\\u0000\"", ""), RPC_PARSE_ERROR},
    {"", CALL("\"f\\u0069nd\"", ""), 0},
    {"", CALL("[\"find\"]", ""), RPC_INVALID_PARAMS},
    {"", CALL("\"find\"", ",\"task\":{}"), RPC_INVALID_PARAMS},
    {"", CALL("\"find\"", ",\"_meta\":{\"x402/payment\":7}"), RPC_INVALID_PARAMS},
    {"", CALL("\"find\"", ",\"_meta\":{\"x402/payment\":{}}"), 0},
    {"", "{\"method\":\"tools/call\",\"params\":{\"name\":\"find\"}}", RPC_INVALID_REQUEST},
    {"", "{\"id\":null,\"method\":\"tools/call\",\"params\":{\"name\":\"find\"}}", RPC_INVALID_REQUEST},
    {"", "{\"id\":1.5,\"method\":\"tools/call\",\"params\":{\"name\":\"find\"}}", RPC_INVALID_REQUEST},
    {"", "{\"id\":18446744073709551616,\"method\":\"tools/call\",\"params\":{\"name\":\"find\"}}", 0},
    {"content-encoding: gzip\n", CALL("\"free\"", ""), RPC_INVALID_REQUEST},
    {"mcp-method: tools/call\nmcp-name: find\n", CALL("\"find\"", ""), 0},
    {"mcp-method: tools/call\nmcp-name: free\n", CALL("\"find\"", ""), RPC_HEADER_MISMATCH},
    {"mcp-method: tools/call\nmcp-name: find\n", CALL("\"free\"", ""), RPC_HEADER_MISMATCH},
    {"mcp-method: tools/call\nmcp-name: =?base64?ZmluZA==?=\n", CALL("\"free\"", ""), RPC_HEADER_MISMATCH},
    {"mcp-method: ping\n", CALL("\"find\"", ""), RPC_HEADER_MISMATCH},
    {"mcp-method: tools/call\nmcp-name: find\n", "[]", RPC_HEADER_MISMATCH},
};

static void hostile_messages_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        struct arena *arena = fresh_arena();
        struct message message = message_of(arena, messages[i].fields, messages[i].body);
        struct rpc rpc;
        struct rpc_refusal refusal = {0, NULL};
        bool read = rpc_read(arena, &message, &site, &rpc, &refusal);
        if (read != (messages[i].code == 0) || (!read && refusal.code != messages[i].code))
            fail_msg("message %zu: %s, %d %s", i, read ? "read" : "refused", refusal.code,
                     refusal.why ? refusal.why : "");
    }
}

static void a_charset_is_utf_8(void **state)
{
    static const struct {
        const char *type;
        bool taken;
    } types[] = {{"application/json; charset=UTF-8", true},
                 {"application/json;charset=\"utf-8\"", true},
                 {"application/json; charset=utf-7", false},
                 {"application/json; charset=utf-8; charset=utf-7", false},
                 {"text/plain", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(
            arena,
            arena_format(arena, "POST /mcp\nhost: shop.example\ncontent-type: %s\n", types[i].type).data);
        struct rpc rpc;
        struct rpc_refusal refusal;
        message.body = SLICE("{\"method\":\"ping\"}");
        assert_int_equal(rpc_read(arena, &message, &site, &rpc, &refusal), types[i].taken);
    }
}

static void a_call_is_named_and_priced(void **state)
{
    (void)state;
    struct arena *arena = fresh_arena();
    struct rpc rpc;
    struct rpc_refusal refusal;
    struct message message = message_of(
        arena, "",
        CALL("\"find it\"", ",\"arguments\":{\"b\":1,\"a\":[true,\"\\u00e9\"]},\"_meta\":{\"x402/payment\":"
                            "\"YWJj\",\"io.modelcontextprotocol/clientCapabilities\":{\"extensions\":{"
                            "\"org.x402/payment\":{}}}}"));
    assert_true(rpc_read(arena, &message, &site, &rpc, &refusal));
    assert_int_equal(rpc.price->price, 20000);
    assert_slice(rpc.id, "7");
    assert_slice(rpc.item, "tools/find%20it");
    assert_slice(rpc.rule, "tools/find*");
    assert_slice(rpc.payment, "YWJj");
    assert_true(rpc.extension);
    /* printf '{"a":[true,"é"],"b":1}' | sha256sum, in base64url */
    assert_slice(rpc.target, "/tools/find%20it?arguments=g6OXkFmuyOOFexyOIyqKVKQV8CoiOuqjupdlTr70QCA");
    message = message_of(
        arena, "", "{\"id\":\"x\",\"method\":\"resources/read\",\"params\":{\"uri\":\"data://tides/a/b\"}}");
    assert_true(rpc_read(arena, &message, &site, &rpc, &refusal));
    assert_slice(rpc.target, "/resources/data%3A%2F%2Ftides%2Fa%2Fb");
    assert_slice(rpc.item, "resources/data://tides/**");
}

/* As deep as is read, and one level more; many members, of which two are alike. */
static void bounds_hold(void **state)
{
    (void)state;
    static char text[400000];
    struct tree tree;
    memset(text, '[', TREE_DEPTH_MAX);
    memset(text + TREE_DEPTH_MAX, ']', TREE_DEPTH_MAX);
    assert_null(tree_read((struct slice){text, (size_t)2 * TREE_DEPTH_MAX}, &tree));
    tree_free(&tree);
    memset(text, '[', 200000);
    assert_string_equal(tree_read((struct slice){text, 200000}, &tree), "it is deeper than 64 levels");
    tree_free(&tree);
    size_t len = 0;
    text[len++] = '{';
    for (int i = 0; i < 20000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "\"m%d\":%d,", i, i);
    memcpy(text + len, "\"m7\":0}", 7);
    assert_string_equal(tree_read((struct slice){text, len + 7}, &tree),
                        "an object has two members of one name");
    tree_free(&tree);
    text[len + 1] = 'x';
    assert_null(tree_read((struct slice){text, len + 7}, &tree));
    tree_free(&tree);
}

static void digest_as_text(const char *text, char hex[2 * DIGEST_SIZE + 1])
{
    struct tree tree;
    uint8_t digest[DIGEST_SIZE];
    assert_null(tree_read(slice_of(text), &tree));
    assert_true(tree_digest(&tree, &tree.nodes[0], digest));
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    tree_free(&tree);
}

/* RFC 8785 section 3.2.3 sorts by UTF-16 units: U+10000 stands before U+FB33. */
static void the_canonical_form_has_one_order(void **state)
{
    static const char *const same[][2] = {
        {"{\"a\":1,\"b\":\"/\"}", " { \"b\" : \"\\/\", \"\\u0061\":1 }"},
        {"{\"\xf0\x90\x80\x80\":1,\"\xef\xac\xb3\":2}", "{\"\\ufb33\":2,\"\\ud800\\udc00\":1}"},
        {"[\"\\n\\u001f\"]", "[\"\\u000a\\u001F\"]"},
        {"18446744073709551617", "18446744073709551617"}};
    static const char *const other[][2] = {{"{\"a\":1}", "{\"a\":1.0}"},
                                           {"[1,2]", "[2,1]"},
                                           {"\"a\"", "\"A\""},
                                           {"18446744073709551617", "18446744073709551616"}};
    char a[2 * DIGEST_SIZE + 1], b[2 * DIGEST_SIZE + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        digest_as_text(same[i][0], a);
        digest_as_text(same[i][1], b);
        assert_string_equal(a, b);
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
        digest_as_text(other[i][0], a);
        digest_as_text(other[i][1], b);
        assert_string_not_equal(a, b);
    }
}

static void only_new_clients_cancel_by_leaving(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        bool ends;
    } cases[] = {{"", false},
                 {"mcp-protocol-version: 2025-11-25\n", false},
                 {"mcp-protocol-version: 2026-07-28\n", true},
                 {"mcp-protocol-version: 2027-01-01\n", true},
                 {"mcp-protocol-version: 3\n", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena arena;
        char room[4096];
        arena_init(&arena, room, sizeof(room));
        struct message message = message_of(&arena, cases[i].fields, "[]");
        assert_int_equal(rpc_ends_with_client(&message), cases[i].ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_messages_are_refused),
                                       cmocka_unit_test(a_charset_is_utf_8),
                                       cmocka_unit_test(a_call_is_named_and_priced),
                                       cmocka_unit_test(bounds_hold),
                                       cmocka_unit_test(the_canonical_form_has_one_order),
                                       cmocka_unit_test(only_new_clients_cancel_by_leaving)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
