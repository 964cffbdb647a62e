/* Bodies of MCP messages. What is read is JSON to another reader as well, and what it costs is found by the
 * name that this one finds; the answer that is made of it can be read again. Input: ARENA JSON. */
#include "tests/fuzz/support.h"

#include "server/mcp/answer.h"
#include "server/mcp/rpc.h"

#include <jansson.h>
#include <stdlib.h>

static struct config_tool tools[] = {{.tool = "a*", .resource = "", .prompt = "", .price = 20000},
                                     {.tool = "", .resource = "**", .prompt = "", .price = 30000}};
static const struct config_site site = {.currency = "USD", .tools = tools, .tool_count = 2};

static bool costs(const json_t *message)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    const json_t *params = json_object_get(message, "params");
    const char *name = json_string_value(json_object_get(params, "name"));
    const char *uri = json_string_value(json_object_get(params, "uri"));
    return method && ((strcmp(method, "tools/call") == 0 && name && *name == 'a' && !strchr(name, '/')) ||
                      (strcmp(method, "resources/read") == 0 && uri && *uri));
}

static void check(const struct rpc *rpc, struct slice body)
{
    /* It refuses numbers that it cannot hold, which are none of its business. */
    json_t *json = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (json)
        HOLDS(costs(json) == (rpc->price != NULL));
    json_decref(json);
    if (!rpc->price)
        return;
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct slice answer = answer_unpaid(&arena, rpc, SLICE("{\"accepts\":[]}"));
    struct tree tree;
    HOLDS(slice_starts(rpc->target, SLICE("/")) && slice_find(rpc->target, ' ') == rpc->target.len);
    HOLDS(answer.data && tree_read(answer, &tree) == NULL);
    tree_free(&tree);
    fuzz_arena_free(&arena);
}

/* The same bytes as an answer. */
static void check_answer(struct slice text)
{
    struct tree tree, again;
    struct buffer result = {.data = NULL}, out = {.data = NULL};
    if (!tree_read(text, &tree) && answer_judge(&tree, SLICE("1")) == ANSWER_GIVEN) {
        answer_write_receipt(&result, &tree, SLICE("{\"success\":true}"));
        answer_write(&out, text, &tree, buffer_all(&result));
        const char *fault = tree_read(buffer_all(&out), &again);
        HOLDS(!fault || slice_contains_nocase(text, SLICE("x402")));
        tree_free(&again);
    }
    tree_free(&tree);
    buffer_free(&result);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    const struct message_field type = {SLICE("content-type"), SLICE("application/json")};
    const struct message message = {.method = SLICE("POST"), .fields = &type, .field_count = 1, .body = text};
    struct rpc rpc;
    struct rpc_refusal refusal = {0, NULL};
    if (text.len > 0) {
        if (rpc_read(&arena, &message, &site, &rpc, &refusal))
            check(&rpc, text);
        else
            HOLDS(refusal.code < 0 && refusal.why);
        if (rpc_read(&small, &message, &site, &rpc, &refusal) && rpc.price)
            HOLDS(rpc.target.data && rpc.rule.data);
        check_answer(text);
    }
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
