/* Two readers of one text may differ: in which of two members of a name counts, in whether case does, in the
 * charset, in whether header or body says what is called. Where they could, and money depends on it, the
 * message is refused, whatever the site's own server would make of it. */
#include "server/mcp/rpc.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/glob.h"
#include "ledger/base/text/text.h"
#include "server/mcp/tree.h"

#include <assert.h>

#define NAME_MAX_BYTES 128  /* of a tool or prompt: as MCP asks for */
#define URI_MAX_BYTES  1024 /* of a resource */

static const struct {
    struct slice method, member, folder;
    enum rpc_kind kind;
} kinds[] = {
    {SLICE("tools/call"), SLICE("name"), SLICE("tools/"), RPC_TOOL},
    {SLICE("resources/read"), SLICE("uri"), SLICE("resources/"), RPC_RESOURCE},
    {SLICE("prompts/get"), SLICE("name"), SLICE("prompts/"), RPC_PROMPT},
    {SLICE("tools/list"), SLICE(""), SLICE(""), RPC_TOOLS},
    {SLICE("server/discover"), SLICE(""), SLICE(""), RPC_DISCOVER},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* A message while it is read. */
struct reading {
    struct arena *arena;
    const struct message *message;
    const struct config_site *site;
    struct tree tree;
    struct rpc_refusal *refusal;
};

static bool refuse(struct rpc_refusal *refusal, int code, const char *why)
{
    *refusal = (struct rpc_refusal){code, why};
    return false;
}

static bool can_cost(enum rpc_kind kind)
{
    return kind == RPC_TOOL || kind == RPC_RESOURCE || kind == RPC_PROMPT;
}

static const char *glob_of(const struct config_tool *tool, enum rpc_kind kind)
{
    return kind == RPC_TOOL ? tool->tool : kind == RPC_RESOURCE ? tool->resource : tool->prompt;
}

const struct config_tool *rpc_price(const struct config_site *site, enum rpc_kind kind, struct slice name)
{
    assert(can_cost(kind));
    for (size_t i = 0; i < site->tool_count; i++) {
        const char *glob = glob_of(&site->tools[i], kind);
        if (*glob && glob_matches(slice_of(glob), name))
            return site->tools[i].price > 0 ? &site->tools[i] : NULL;
    }
    return NULL;
}

bool rpc_ends_with_client(const struct message *message)
{
    static const struct slice since = SLICE("2026-07-28");
    const struct message_field *field = message_field(message, SLICE("mcp-protocol-version"));
    struct slice said = field ? slice_trim(field->value) : SLICE("");
    return said.len == since.len && memcmp(said.data, since.data, since.len) >= 0;
}

/* --- How the body is to be read --- */

static bool is_field(const struct message *message, struct slice name, const struct message_field **field)
{
    *field = message_field(message, name);
    return *field && !message_field_next(message, *field);
}

/* A body in another coding or charset than it seems to be in says something else to who decodes it. */
static bool judge_fields(const struct message *message, struct rpc_refusal *refusal)
{
    const struct message_field *field;
    if (message_field(message, SLICE("content-encoding")))
        return refuse(refusal, RPC_INVALID_REQUEST,
                      "a message comes as it is here, without Content-Encoding");
    if (!is_field(message, SLICE("content-type"), &field))
        return refuse(refusal, RPC_INVALID_REQUEST, "a message has one Content-Type, application/json");
    struct slice value = slice_trim(field->value);
    struct slice type = {value.data, slice_find(value, ';')};
    struct slice rest = {value.data + type.len, value.len - type.len};
    if (!slice_eq_nocase(slice_trim(type), SLICE("application/json")))
        return refuse(refusal, RPC_INVALID_REQUEST, "a message has one Content-Type, application/json");
    if (!slice_contains_nocase(rest, SLICE("charset")))
        return true;
    struct slice charset = {rest.data + 1, rest.len - 1};
    charset = slice_trim(charset);
    return slice_eq_nocase(charset, SLICE("charset=utf-8")) ||
           slice_eq_nocase(charset, SLICE("charset=\"utf-8\"")) ||
           refuse(refusal, RPC_INVALID_REQUEST, "a message is in UTF-8, and says no other charset");
}

/* Some programs take "Method" for "method". */
static bool judge_names(const struct tree *tree, const struct tree_node *object, const struct slice *names,
                        struct rpc_refusal *refusal)
{
    const struct tree_node *member = object && object->kind == TREE_OBJECT ? tree_first(tree, object) : NULL;
    for (; member; member = tree_next(tree, member))
        for (size_t i = 0; names[i].len > 0; i++)
            if (tree_name_resembles(member, names[i]))
                return refuse(refusal, RPC_INVALID_REQUEST,
                              "a member is spelt like one of JSON-RPC but for upper and lower case");
    return true;
}

static bool judge_message(const struct tree *tree, const struct tree_node *object,
                          struct rpc_refusal *refusal)
{
    static const struct slice outer[] = {SLICE("jsonrpc"), SLICE("id"),    SLICE("method"), SLICE("params"),
                                         SLICE("result"),  SLICE("error"), {NULL, 0}};
    static const struct slice inner[] = {SLICE("name"),  SLICE("uri"),  SLICE("arguments"),
                                         SLICE("_meta"), SLICE("task"), {NULL, 0}};
    if (object->kind != TREE_OBJECT)
        return refuse(refusal, RPC_INVALID_REQUEST, "a message is a JSON object");
    return judge_names(tree, object, outer, refusal) &&
           judge_names(tree, tree_member(tree, object, SLICE("params")), inner, refusal);
}

/* --- What it calls --- */

static size_t kind_of(const struct tree *tree, const struct tree_node *object)
{
    const struct tree_node *method = tree_member(tree, object, SLICE("method"));
    size_t i = 0;
    while (i < KINDS && !tree_is(method, kinds[i].method))
        i++;
    return i;
}

/* The name of what is called. False: it must have one, and does not. */
static bool read_name(struct reading *reading, const struct tree_node *object, size_t kind,
                      struct slice *name)
{
    const struct tree *tree = &reading->tree;
    const struct tree_node *node =
        tree_member(tree, tree_member(tree, object, SLICE("params")), kinds[kind].member);
    *name = SLICE("");
    if (!node || node->kind != TREE_STRING)
        return refuse(reading->refusal, RPC_INVALID_PARAMS, "what is called is named by a string");
    char *text = arena_bytes(reading->arena, node->text.len);
    if (!text)
        return refuse(reading->refusal, RPC_INVALID_PARAMS, "the name of what is called is too long");
    *name = (struct slice){text, tree_decode(node, text)};
    return true;
}

static bool is_whole_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < '0' || text.data[i] > '9') && (i > 0 || text.data[i] != '-'))
            return false;
    return true;
}

/* As it stands: a number may be larger than what a program of 64 bits can hold. */
static struct slice read_id(const struct tree *tree, const struct tree_node *object)
{
    const struct tree_node *id = tree_member(tree, object, SLICE("id"));
    bool good = id && (id->kind == TREE_STRING || (id->kind == TREE_NUMBER && is_whole_number(id->text)));
    return good && id->text.len <= NAME_MAX_BYTES ? id->text : SLICE("");
}

/* --- The header, where MCP 2026-07-28 says it once more --- */

/* A value that no field can have as it stands is "=?base64?…?=" there. */
static struct slice field_value(struct arena *arena, const struct message_field *field)
{
    static const struct slice begin = SLICE("=?base64?"), end = SLICE("?=");
    struct slice value = slice_trim(field->value);
    if (value.len < begin.len + end.len || !slice_starts(value, begin) ||
        memcmp(value.data + value.len - end.len, end.data, end.len) != 0)
        return value;
    struct slice inner = {value.data + begin.len, value.len - begin.len - end.len};
    char *out = arena_bytes(arena, inner.len + 1);
    size_t len;
    return out && encoding_unbase64(inner, false, (uint8_t *)out, inner.len, &len) ? (struct slice){out, len}
                                                                                   : value;
}

/* A server may go by either: where one of the two costs something they must be the same. */
static bool judge_header(struct reading *reading, size_t kind, const struct rpc *rpc, struct slice name)
{
    const struct message *message = reading->message;
    const struct message_field *said = message_field(message, SLICE("mcp-method"));
    const struct message_field *named = message_field(message, SLICE("mcp-name"));
    size_t other = kind;
    if (!said && !named)
        return true;
    bool same =
        (!said || !message_field_next(message, said)) && (!named || !message_field_next(message, named));
    if (said) {
        for (other = 0; other < KINDS && !slice_eq(slice_trim(said->value), kinds[other].method); other++)
            continue;
        same = same && other == kind;
    }
    struct slice value = named ? field_value(reading->arena, named) : name;
    same = same && slice_eq(value, name);
    bool costs =
        other < KINDS && can_cost(kinds[other].kind) && rpc_price(reading->site, kinds[other].kind, value);
    return same || (!rpc->price && !costs) ||
           refuse(reading->refusal, RPC_HEADER_MISMATCH,
                  "Mcp-Method or Mcp-Name say something else than the body");
}

/* --- What costs something --- */

static void add_escaped(struct text *text, struct slice name)
{
    static const char digits[] = "0123456789ABCDEF";
    static const struct slice plain = SLICE("-._~");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i], lower = slice_lower(c);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || slice_find(plain, c) < plain.len) {
            text_char(text, c);
            continue;
        }
        text_char(text, '%');
        text_char(text, digits[(uint8_t)c >> 4]);
        text_char(text, digits[(uint8_t)c & 15]);
    }
}

/* The texts by which it is offered and billed. */
static bool write_item(struct arena *arena, const struct tree *tree, size_t kind, struct slice name,
                       struct rpc *rpc)
{
    uint8_t digest[DIGEST_SIZE];
    char shown[ENCODING_BASE64URL_LEN(DIGEST_SIZE)];
    const struct tree_node *params = tree_member(tree, &tree->nodes[0], SLICE("params"));
    struct text text = text_begin(arena);
    text_char(&text, '/');
    text_add(&text, kinds[kind].folder);
    add_escaped(&text, name);
    struct slice whole = {NULL, text.len};
    if (rpc->kind != RPC_RESOURCE) { /* which has none: its URI is all */
        if (!tree_digest(tree, tree_member(tree, params, SLICE("arguments")), digest))
            return false;
        text_add(&text, SLICE("?arguments="));
        text_add(&text, slice_bytes(shown, encoding_base64url(digest, sizeof(digest), shown)));
    }
    rpc->target = text_end(&text);
    if (!rpc->target.data)
        return false;
    rpc->item = (struct slice){rpc->target.data + 1, whole.len - 1};
    rpc->rule = arena_format(arena, "%s%s", kinds[kind].folder.data, glob_of(rpc->price, rpc->kind));
    /* A resource has as many URIs as anybody likes; a bill has lines for what the publisher has named. */
    if (rpc->kind == RPC_RESOURCE)
        rpc->item = rpc->rule;
    return rpc->rule.data != NULL;
}

static bool read_payment(struct arena *arena, const struct tree *tree, const struct tree_node *meta,
                         struct rpc *rpc, struct rpc_refusal *refusal)
{
    const struct tree_node *payment = tree_member(tree, meta, SLICE("x402/payment"));
    const struct tree_node *client =
        tree_member(tree, meta, SLICE("io.modelcontextprotocol/clientCapabilities"));
    rpc->extension =
        tree_member(tree, tree_member(tree, client, SLICE("extensions")), SLICE("org.x402/payment")) != NULL;
    if (!payment)
        return true;
    if (payment->kind == TREE_OBJECT) {
        rpc->payment = slice_of(text_base64(arena, payment->text));
    } else if (payment->kind == TREE_STRING && payment->text.len > 2) {
        char *text = arena_bytes(arena, payment->text.len);
        rpc->payment = (struct slice){text, text ? tree_decode(payment, text) : 0};
    } else {
        return refuse(refusal, RPC_INVALID_PARAMS, "x402/payment is an object, or its base64");
    }
    return rpc->payment.len > 0 ||
           refuse(refusal, RPC_INVALID_PARAMS, "the payment is larger than what is taken");
}

static bool read_priced(struct reading *reading, size_t kind, struct slice name, struct rpc *rpc)
{
    const struct tree *tree = &reading->tree;
    const struct tree_node *object = &tree->nodes[0];
    const struct tree_node *params = tree_member(tree, object, SLICE("params"));
    struct rpc_refusal *refusal = reading->refusal;
    if (!slice_eq(reading->message->method, SLICE("POST")))
        return refuse(refusal, RPC_INVALID_REQUEST, "what costs something is called by POST");
    if (rpc->id.len == 0)
        return refuse(refusal, RPC_INVALID_REQUEST,
                      "what costs something is called with an id, a string or a whole number");
    if (name.len > (rpc->kind == RPC_RESOURCE ? URI_MAX_BYTES : NAME_MAX_BYTES) || name.len == 0)
        return refuse(refusal, RPC_INVALID_PARAMS, "the name of what is called is empty, or too long");
    /* Its result would be fetched later, by calls that nobody pays for. */
    if (tree_member(tree, params, SLICE("task")))
        return refuse(refusal, RPC_INVALID_PARAMS, "what costs something is not called as a task");
    if (!write_item(reading->arena, tree, kind, name, rpc))
        return refuse(refusal, RPC_INVALID_PARAMS, "the call is larger than what is taken");
    return read_payment(reading->arena, tree, tree_member(tree, params, SLICE("_meta")), rpc, refusal);
}

/* One message. */
static bool read_object(struct reading *reading, struct rpc *rpc)
{
    const struct tree_node *object = &reading->tree.nodes[0];
    struct slice name = SLICE("");
    rpc->id = read_id(&reading->tree, object);
    if (!judge_message(&reading->tree, object, reading->refusal))
        return false;
    size_t kind = kind_of(&reading->tree, object);
    rpc->kind = kind < KINDS ? kinds[kind].kind : RPC_OTHER;
    if (can_cost(rpc->kind)) {
        if (!read_name(reading, object, kind, &name))
            return false;
        rpc->price = rpc_price(reading->site, rpc->kind, name);
    }
    return judge_header(reading, kind, rpc, name) && (!rpc->price || read_priced(reading, kind, name, rpc));
}

/* Several at once: one answer would have to tell of several payments, or of none. */
static bool judge_batch(struct reading *reading)
{
    const struct rpc none = {.kind = RPC_OTHER};
    const struct tree *tree = &reading->tree;
    for (const struct tree_node *each = tree_first(tree, &tree->nodes[0]); each;
         each = tree_next(tree, each)) {
        struct slice name;
        size_t used = reading->arena->used;
        if (!judge_message(tree, each, reading->refusal))
            return false;
        size_t kind = kind_of(tree, each);
        if (kind == KINDS || !can_cost(kinds[kind].kind))
            continue;
        if (!read_name(reading, each, kind, &name))
            return false;
        bool costs = rpc_price(reading->site, kinds[kind].kind, name) != NULL;
        reading->arena->used = used; /* of ten thousand names one at a time */
        if (costs)
            return refuse(reading->refusal, RPC_INVALID_REQUEST,
                          "what costs something is not called inside a batch");
    }
    return judge_header(reading, KINDS, &none, SLICE(""));
}

bool rpc_read(struct arena *arena, const struct message *message, const struct config_site *site,
              struct rpc *rpc, struct rpc_refusal *refusal)
{
    struct reading reading = {.arena = arena, .message = message, .site = site, .refusal = refusal};
    assert(site->tool_count > 0 && message->body.len > 0);
    *rpc = (struct rpc){.kind = RPC_OTHER, .id = SLICE("")};
    if (!judge_fields(message, refusal))
        return false;
    const char *fault = tree_read(message->body, &reading.tree);
    bool ok = fault                                      ? refuse(refusal, RPC_PARSE_ERROR, fault)
              : reading.tree.nodes[0].kind == TREE_ARRAY ? judge_batch(&reading)
                                                         : read_object(&reading, rpc);
    tree_free(&reading.tree);
    assert(!ok || !rpc->price || (rpc->id.len > 0 && rpc->target.len > 0 && rpc->item.len > 0));
    return ok;
}
