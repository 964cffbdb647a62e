/* What is put into answers, and that all else of them stays as it was.
 * Tests server/mcp/answer.c, server/mcp/buffer.c */
#include "tests/unit/support.h"

#include "server/mcp/answer.h"

static void judged(const char *text, const char *id, enum answer_kind expected)
{
    struct tree tree;
    assert_null(tree_read(slice_of(text), &tree));
    if (answer_judge(&tree, slice_of(id)) != expected)
        fail_msg("%s for %s is %d", text, id, (int)answer_judge(&tree, slice_of(id)));
    tree_free(&tree);
}

static void an_answer_is_known(void **state)
{
    (void)state;
    judged("{\"id\":1,\"result\":{\"content\":[]}}", "1", ANSWER_GIVEN);
    judged("{\"id\":1,\"result\":{\"isError\":false,\"resultType\":\"complete\"}}", "1", ANSWER_GIVEN);
    judged("{\"id\":\"\\u0061\",\"result\":{}}", "\"a\"", ANSWER_GIVEN);
    judged("{\"id\":9007199254740993,\"result\":{}}", "9007199254740993", ANSWER_GIVEN);
    judged("{\"id\":9007199254740992,\"result\":{}}", "9007199254740993", ANSWER_REFUSED);
    judged("{\"id\":\"1\",\"result\":{}}", "1", ANSWER_REFUSED);
    judged("{\"id\":1,\"result\":{\"isError\":true}}", "1", ANSWER_REFUSED);
    judged("{\"id\":1,\"result\":{\"isError\":1}}", "1", ANSWER_REFUSED);
    judged("{\"id\":1,\"result\":{\"resultType\":\"input_required\"}}", "1", ANSWER_REFUSED);
    judged("{\"id\":1,\"result\":{},\"error\":{}}", "1", ANSWER_REFUSED);
    judged("{\"id\":1,\"error\":{\"code\":1}}", "1", ANSWER_REFUSED);
    judged("{\"method\":\"notifications/progress\"}", "1", ANSWER_ASIDE);
    judged("[]", "1", ANSWER_REFUSED);
}

static void with_receipt(const char *text, const char *expected)
{
    struct tree tree;
    struct buffer result = {.data = NULL}, out = {.data = NULL};
    assert_null(tree_read(slice_of(text), &tree));
    answer_write_receipt(&result, &tree, SLICE("{\"r\":1}"));
    answer_write(&out, slice_of(text), &tree, buffer_all(&result));
    assert_slice(buffer_all(&out), expected);
    buffer_free(&result);
    buffer_free(&out);
    tree_free(&tree);
}

static void a_receipt_is_put_in(void **state)
{
    (void)state;
    with_receipt("{ \"id\":1, \"result\" : { \"n\" : 18446744073709551616.50 } }",
                 "{ \"id\":1, \"result\" : {\"_meta\":{\"x402/payment-response\":{\"r\":1}}, \"n\" : "
                 "18446744073709551616.50 } }");
    with_receipt("{\"result\":{},\"id\":1}",
                 "{\"result\":{\"_meta\":{\"x402/payment-response\":{\"r\":1}}},\"id\":1}");
    with_receipt("{\"id\":1,\"result\":{\"a\":1,\"_meta\":{\"x\":2,\"x402/payment-response\":3},\"b\":4}}",
                 "{\"id\":1,\"result\":{\"a\":1,\"_meta\":{\"x402/payment-response\":{\"r\":1},\"x\":2},"
                 "\"b\":4}}");
    with_receipt("{\"result\":{\"_meta\":{\"x402/amount\":\"5\"}}}",
                 "{\"result\":{\"_meta\":{\"x402/payment-response\":{\"r\":1}}}}");
}

static void costs(const char *amount, int64_t micros, bool counts)
{
    char text[256];
    struct tree tree;
    const char *fault;
    snprintf(text, sizeof(text), "{\"id\":1,\"result\":{\"_meta\":{%s}}}", amount);
    assert_null(tree_read(slice_of(text), &tree));
    assert_int_equal(answer_amount(&tree, 20000, &fault), micros);
    assert_int_equal(!fault, counts);
    tree_free(&tree);
}

static void a_call_costs_less_and_never_more(void **state)
{
    (void)state;
    costs("", 20000, true);
    costs("\"x402/amount\":\"20000\"", 20000, true);
    costs("\"x402/amount\":\"19999\"", 19999, true);
    costs("\"x402/amount\":1", 1, true);
    costs("\"x402/amount\":\"0\"", 0, true);
    costs("\"x402/amount\":\"20001\"", 20000, false);
    costs("\"x402/amount\":\"99999999999999999999999999\"", 20000, false);
    costs("\"x402/amount\":\"\"", 20000, false);
    costs("\"x402/amount\":\"-1\"", 20000, false);
    costs("\"x402/amount\":-1", 20000, false);
    costs("\"x402/amount\":0.5", 20000, false);
    costs("\"x402/amount\":1e3", 20000, false);
    costs("\"x402/amount\":\"1\\u0030\"", 20000, false);
    costs("\"x402/amount\":null", 20000, false);
    costs("\"x402/amount\":[1]", 20000, false);
}

static struct config_tool tools[] = {{.tool = "free", .resource = "", .prompt = "", .price = 0},
                                     {.tool = "*", .resource = "", .prompt = "", .price = 20000}};
static const struct config_site site = {.currency = "EUR", .tools = tools, .tool_count = 2};

static void annotated(const char *text, enum rpc_kind kind, const char *expected)
{
    struct buffer out = {.data = NULL};
    assert_int_equal(answer_annotate(&out, slice_of(text), kind, &site), expected != NULL);
    if (expected)
        assert_slice(buffer_all(&out), expected);
    buffer_free(&out);
}

static void prices_are_told(void **state)
{
    (void)state;
    annotated(
        "{\"id\":1,\"result\":{\"tools\":[{\"name\":\"a\"}, {\"name\":\"free\"}],\"nextCursor\":\"x\"}}",
        RPC_TOOLS,
        "{\"id\":1,\"result\":{\"tools\":[{\"_meta\":{\"agents-x402/paymentRequired\":true,"
        "\"x402/price\":{\"amount\":\"0.02\",\"asset\":\"EUR\"}},\"name\":\"a\"}, "
        "{\"name\":\"free\"}],\"nextCursor\":\"x\"}}");
    annotated("{\"id\":1,\"error\":{}}", RPC_TOOLS, NULL);
    annotated("no", RPC_TOOLS, NULL);
    annotated("{\"result\":{\"capabilities\":{\"tools\":{}}}}", RPC_DISCOVER,
              "{\"result\":{\"capabilities\":{\"extensions\":{\"org.x402/payment\":{}},\"tools\":{}}}}");
    annotated("{\"result\":{\"capabilities\":{\"extensions\":{\"a\":{}}}}}", RPC_DISCOVER,
              "{\"result\":{\"capabilities\":{\"extensions\":{\"org.x402/payment\":{},\"a\":{}}}}}");
}

static void a_buffer_gives_what_it_got(void **state)
{
    (void)state;
    struct buffer buffer = {.data = NULL};
    for (int i = 0; i < 1000; i++) {
        buffer_add(&buffer, SLICE("0123456789"));
        buffer_drop(&buffer, 7);
    }
    assert_int_equal(buffer_all(&buffer).len, 3000);
    assert_int_equal(buffer_all(&buffer).data[0], '0' + 7000 % 10);
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_known), cmocka_unit_test(a_receipt_is_put_in),
        cmocka_unit_test(a_call_costs_less_and_never_more), cmocka_unit_test(prices_are_told),
        cmocka_unit_test(a_buffer_gives_what_it_got)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
