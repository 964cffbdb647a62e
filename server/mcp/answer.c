/* Answers are not written anew: what is put in is put between bytes that stay as they are, since numbers and
 * members that we know nothing of would not survive a reading and a writing. */
#include "server/mcp/answer.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/text.h"

#include <assert.h>

/* --- Our own --- */

static struct text begin(struct arena *arena, struct slice id)
{
    struct text text = text_begin(arena);
    text_add(&text, SLICE("{\"jsonrpc\":\"2.0\",\"id\":"));
    text_add(&text, id.len > 0 ? id : SLICE("null"));
    return text;
}

/* For clients of MCP before 2026-07-28, or that do not know the extension: structuredContent and the same as
 * text say it to those of x402, and _meta to those of the Agents SDK. */
static void add_tool_result(struct text *text, struct slice offer)
{
    text_add(text, SLICE(",\"result\":{\"resultType\":\"complete\",\"isError\":true,\"content\":[{\"type\":"
                         "\"text\",\"text\":\""));
    text_json(text, offer);
    text_add(text, SLICE("\"}],\"structuredContent\":"));
    text_add(text, offer);
    text_add(text, SLICE(",\"_meta\":{\"x402/error\":"));
    text_add(text, offer);
    text_add(text, SLICE("}}}"));
}

struct slice answer_unpaid(struct arena *arena, const struct rpc *rpc, struct slice offer)
{
    struct text text = begin(arena, rpc->id);
    assert(rpc->price && rpc->id.len > 0 && offer.len > 0);
    if (rpc->extension) {
        text_add(&text, SLICE(",\"result\":{\"resultType\":\"payment_required\",\"paymentRequired\":"));
        text_add(&text, offer);
        text_add(&text, SLICE("}}"));
    } else if (rpc->kind == RPC_TOOL) {
        add_tool_result(&text, offer);
    } else {
        /* A resource or a prompt has no result that is an error. */
        text_add(&text, SLICE(",\"error\":{\"code\":"));
        text_number(&text, ANSWER_PAYMENT_ERROR);
        text_add(&text, SLICE(",\"message\":\"payment required\",\"data\":"));
        text_add(&text, offer);
        text_add(&text, SLICE("}}"));
    }
    return text_end(&text);
}

struct slice answer_error(struct arena *arena, struct slice id, int code, const char *sentence,
                          const char *reason)
{
    struct text text = begin(arena, id);
    text_add(&text, SLICE(",\"error\":{\"code\":"));
    text_number(&text, code);
    text_add(&text, SLICE(",\"message\":\""));
    text_json(&text, slice_of(sentence));
    text_char(&text, '"');
    if (reason) {
        text_add(&text, SLICE(",\"data\":{\"code\":\""));
        text_json(&text, slice_of(reason));
        text_add(&text, SLICE("\"}"));
    }
    text_add(&text, SLICE("}}"));
    return text_end(&text);
}

bool answer_result(struct buffer *out, struct slice id, struct slice result)
{
    buffer_add(out, SLICE("{\"jsonrpc\":\"2.0\",\"id\":"));
    buffer_add(out, id);
    buffer_add(out, SLICE(",\"result\":"));
    buffer_add(out, result);
    buffer_add(out, SLICE("}"));
    return !out->failed;
}

/* --- The site's own --- */

static bool is_id(const struct tree_node *node, struct slice id)
{
    char plain[256];
    const struct tree_node asked = {.kind = TREE_STRING, .text = id};
    if (!node || id.len > sizeof(plain))
        return false;
    if (id.data[0] != '"')
        return node->kind == TREE_NUMBER && slice_eq(node->text, id);
    return tree_is(node, (struct slice){plain, tree_decode(&asked, plain)});
}

static const struct tree_node *result_of(const struct tree *tree)
{
    return tree_member(tree, &tree->nodes[0], SLICE("result"));
}

enum answer_kind answer_judge(const struct tree *tree, struct slice id)
{
    const struct tree_node *root = &tree->nodes[0];
    const struct tree_node *result = result_of(tree), *error = tree_member(tree, root, SLICE("error"));
    if (root->kind == TREE_OBJECT && !result && !error)
        return ANSWER_ASIDE;
    if (error || !result || result->kind != TREE_OBJECT || !is_id(tree_member(tree, root, SLICE("id")), id))
        return ANSWER_REFUSED;
    const struct tree_node *is_error = tree_member(tree, result, SLICE("isError"));
    const struct tree_node *type = tree_member(tree, result, SLICE("resultType"));
    bool complete = !type || tree_is(type, SLICE("complete"));
    return complete && (!is_error || is_error->kind == TREE_FALSE) ? ANSWER_GIVEN : ANSWER_REFUSED;
}

/* The object's members but those that begin so, with `more` in front of them. NULL is an empty object. */
static void put_object(struct buffer *out, const struct tree *tree, const struct tree_node *object,
                       const struct slice *dropped, struct slice more)
{
    buffer_add(out, SLICE("{"));
    buffer_add(out, more);
    bool first = more.len == 0;
    for (const struct tree_node *part = object ? tree_first(tree, object) : NULL; part;
         part = tree_next(tree, part)) {
        bool stays = true;
        for (size_t i = 0; dropped[i].len > 0; i++)
            stays = stays && !slice_eq(part->name, dropped[i]);
        if (!stays)
            continue;
        buffer_add(out, first ? SLICE("\"") : SLICE(",\""));
        buffer_add(out, part->name);
        buffer_add(out, SLICE("\":"));
        buffer_add(out, part->text);
        first = false;
    }
    buffer_add(out, SLICE("}"));
}

/* The object with another _meta, byte for byte else. */
static void put_meta(struct buffer *out, const struct tree *tree, const struct tree_node *object,
                     const struct slice *dropped, struct slice more)
{
    const struct tree_node *meta = tree_member(tree, object, SLICE("_meta"));
    const char *end = object->text.data + object->text.len;
    assert(object->kind == TREE_OBJECT);
    if (meta) {
        buffer_add(out, slice_bytes(object->text.data, (size_t)(meta->text.data - object->text.data)));
        put_object(out, tree, meta->kind == TREE_OBJECT ? meta : NULL, dropped, more);
        const char *behind = meta->text.data + meta->text.len;
        buffer_add(out, slice_bytes(behind, (size_t)(end - behind)));
        return;
    }
    buffer_add(out, SLICE("{\"_meta\":"));
    put_object(out, tree, NULL, dropped, more);
    buffer_add(out, object->parts > 0 ? SLICE(",") : SLICE(""));
    buffer_add(out, slice_bytes(object->text.data + 1, object->text.len - 1));
}

int64_t answer_amount(const struct tree *tree, int64_t charged, const char **fault)
{
    const struct tree_node *meta = tree_member(tree, result_of(tree), SLICE("_meta"));
    const struct tree_node *said = tree_member(tree, meta, SLICE("x402/amount"));
    int64_t micros = 0;
    *fault = NULL;
    if (!said)
        return charged;
    struct slice digits = said->text;
    if (said->kind == TREE_STRING)
        digits = (struct slice){digits.data + 1, digits.len - 2};
    bool number = (said->kind == TREE_STRING || said->kind == TREE_NUMBER) && digits.len > 0;
    for (size_t i = 0; i < digits.len && number && micros <= charged; i++) {
        number = digits.data[i] >= '0' && digits.data[i] <= '9';
        micros = micros * 10 + (digits.data[i] - '0');
    }
    if (!number)
        *fault = "it is no whole number of millionths such as \"20000\"";
    else if (micros > charged)
        *fault = "it is more than what was offered";
    assert(*fault || (micros >= 0 && micros <= charged));
    return *fault ? charged : micros;
}

void answer_write_receipt(struct buffer *result, const struct tree *tree, struct slice receipt)
{
    static const struct slice dropped[] = {SLICE("x402/payment-response"), SLICE("x402/amount"), {NULL, 0}};
    struct buffer more = {.data = NULL};
    buffer_add(&more, SLICE("\"x402/payment-response\":"));
    buffer_add(&more, receipt);
    put_meta(result, tree, result_of(tree), dropped, buffer_all(&more));
    result->failed = result->failed || more.failed;
    buffer_free(&more);
}

void answer_write(struct buffer *out, struct slice text, const struct tree *tree, struct slice result)
{
    struct slice old = result_of(tree)->text;
    const char *behind = old.data + old.len;
    assert(slice_within(old, text));
    buffer_add(out, slice_bytes(text.data, (size_t)(old.data - text.data)));
    buffer_add(out, result);
    buffer_add(out, slice_bytes(behind, (size_t)(text.data + text.len - behind)));
}

/* --- Prices --- */

const struct config_site *answer_keep_prices(struct arena *arena, const struct config_site *site)
{
    struct config_site *kept = arena_alloc(arena, sizeof(*kept));
    struct config_tool *tools = arena_alloc(arena, site->tool_count * sizeof(*tools));
    if (!kept || !tools)
        return NULL;
    *kept = (struct config_site){.currency = arena_copy(arena, slice_of(site->currency)),
                                 .tools = tools,
                                 .tool_count = site->tool_count};
    for (size_t i = 0; i < site->tool_count; i++) {
        tools[i] = site->tools[i];
        tools[i].tool = arena_copy(arena, slice_of(site->tools[i].tool));
        if (!tools[i].tool)
            return NULL;
    }
    return kept->currency ? kept : NULL;
}

/* What clients of the Agents SDK show before they call it: in dollars, which is the only currency that they
 * know; and the same in any. */
static void write_price(struct buffer *more, const struct config_tool *price, const char *currency)
{
    char amount[AMOUNT_TEXT_MAX];
    amount_format(price->price, amount);
    buffer_add(more, SLICE("\"agents-x402/paymentRequired\":true"));
    if (strcmp(currency, "USD") == 0) {
        buffer_add(more, SLICE(",\"agents-x402/priceUSD\":"));
        buffer_add(more, slice_of(amount));
    }
    buffer_add(more, SLICE(",\"x402/price\":{\"amount\":\""));
    buffer_add(more, slice_of(amount));
    buffer_add(more, SLICE("\",\"asset\":\""));
    buffer_add(more, slice_of(currency));
    buffer_add(more, SLICE("\"}"));
}

static void put_tool(struct buffer *out, const struct tree *tree, const struct tree_node *tool,
                     const struct config_site *site)
{
    static const struct slice dropped[] = {
        SLICE("agents-x402/paymentRequired"), SLICE("agents-x402/priceUSD"), SLICE("x402/price"), {NULL, 0}};
    const struct tree_node *name = tree_member(tree, tool, SLICE("name"));
    char plain[512];
    const struct config_tool *price = NULL;
    if (name && name->kind == TREE_STRING && name->text.len <= sizeof(plain))
        price = rpc_price(site, RPC_TOOL, (struct slice){plain, tree_decode(name, plain)});
    if (!price) {
        buffer_add(out, tool->text);
        return;
    }
    struct buffer more = {.data = NULL};
    write_price(&more, price, site->currency);
    put_meta(out, tree, tool, dropped, buffer_all(&more));
    out->failed = out->failed || more.failed;
    buffer_free(&more);
}

static bool put_tools(struct buffer *out, struct slice text, const struct tree *tree,
                      const struct config_site *site)
{
    const struct tree_node *tools = tree_member(tree, result_of(tree), SLICE("tools"));
    const char *at = text.data;
    if (!tools || tools->kind != TREE_ARRAY)
        return false;
    for (const struct tree_node *tool = tree_first(tree, tools); tool; tool = tree_next(tree, tool)) {
        buffer_add(out, slice_bytes(at, (size_t)(tool->text.data - at)));
        put_tool(out, tree, tool, site);
        at = tool->text.data + tool->text.len;
    }
    buffer_add(out, slice_bytes(at, (size_t)(text.data + text.len - at)));
    return true;
}

/* Puts the extension where it belongs in capabilities, which may lack every step of the way. */
static bool put_extension(struct buffer *out, struct slice text, const struct tree *tree)
{
    static const struct slice own[] = {SLICE("org.x402/payment"), {NULL, 0}}, none[] = {{NULL, 0}};
    static const struct slice extension = SLICE("\"org.x402/payment\":{}");
    const struct tree_node *found = tree_member(tree, result_of(tree), SLICE("capabilities"));
    if (!found || found->kind != TREE_OBJECT)
        return false;
    const struct tree_node *extensions = tree_member(tree, found, SLICE("extensions"));
    const struct tree_node *at = extensions && extensions->kind == TREE_OBJECT ? extensions : found;
    const char *behind = at->text.data + at->text.len;
    buffer_add(out, slice_bytes(text.data, (size_t)(at->text.data - text.data)));
    if (at == extensions)
        put_object(out, tree, at, own, extension);
    else
        put_object(out, tree, at, extensions ? (const struct slice[]){SLICE("extensions"), {NULL, 0}} : none,
                   SLICE("\"extensions\":{\"org.x402/payment\":{}}"));
    buffer_add(out, slice_bytes(behind, (size_t)(text.data + text.len - behind)));
    return true;
}

bool answer_annotate(struct buffer *out, struct slice text, enum rpc_kind kind,
                     const struct config_site *site)
{
    struct tree tree;
    assert(kind == RPC_TOOLS || kind == RPC_DISCOVER);
    bool written = false;
    if (!tree_read(text, &tree) && result_of(&tree))
        written = kind == RPC_TOOLS ? put_tools(out, text, &tree, site) : put_extension(out, text, &tree);
    tree_free(&tree);
    return written && !out->failed;
}
