#include "server/verify/signature_agent.h"

#include "server/verify/component.h"
#include "server/verify/url.h"

#define LOCATION_MAX 2048 /* what the ledger has room for */

/* How the keys hang on the location: `;type=` of protocol-00, or by the path alone. */
enum location_type { BY_PATH, DIRECTORY, JWKS_URI, UNKNOWN };

static bool listed(const struct config_list *hosts, struct slice host)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (slice_eq_nocase(slice_of(hosts->items[i]), host))
            return true;
    return false;
}

static enum err locate(struct arena *arena, struct slice location, enum location_type type,
                       const struct config_list *insecure, struct signature_agent *agent)
{
    struct url url;
    if (!url_parse(arena, location, &url))
        return ERR_MALFORMED_SIGNATURE_AGENT;
    struct slice origin = url_origin(arena, &url);
    struct slice host = url_host_port(arena, &url);
    if (!origin.data || !host.data)
        return ERR_REQUEST_TOO_LARGE;
    bool secure = slice_eq(url.scheme, SLICE("https")) && url.port.len == 0 && !url.address;
    if (!secure && !listed(insecure, host))
        return ERR_MALFORMED_SIGNATURE_AGENT;
    bool bare = slice_eq(url.path, SLICE("/"));
    bool well_known = slice_eq(url.path, SLICE(SIGNATURE_AGENT_WELL_KNOWN));
    /* A query may choose between key sets, so it makes an account of its own. */
    bool by_origin = url.query.len == 0 && ((bare && type != JWKS_URI) || well_known);
    if (type == DIRECTORY && !by_origin)
        return ERR_MALFORMED_SIGNATURE_AGENT;
    struct text text = text_begin(arena);
    text_add(&text, origin);
    text_add(&text, by_origin ? SLICE(SIGNATURE_AGENT_WELL_KNOWN) : url.path);
    text_add(&text, url.query);
    agent->directory_url = text_end(&text);
    agent->account = by_origin ? origin : agent->directory_url;
    if (!agent->directory_url.data)
        return ERR_REQUEST_TOO_LARGE;
    return agent->directory_url.len <= LOCATION_MAX ? ERR_OK : ERR_MALFORMED_SIGNATURE_AGENT;
}

enum err signature_agent_locate(struct arena *arena, struct slice location,
                                const struct config_list *insecure, struct signature_agent *agent)
{
    return locate(arena, location, BY_PATH, insecure, agent);
}

static enum location_type type_of(const struct sf_member *member)
{
    const struct sf_parameter *type = sf_parameter(member, SLICE("type"));
    if (!type)
        return BY_PATH;
    if (type->value.kind != SF_TOKEN && type->value.kind != SF_STRING)
        return UNKNOWN;
    if (slice_eq(type->value.text, SLICE("directory")))
        return DIRECTORY;
    return slice_eq(type->value.text, SLICE("jwks_uri")) ? JWKS_URI : UNKNOWN;
}

/* "signer.example.com": what the proposal prints. */
static bool is_bare_host(struct slice field)
{
    bool dot = false;
    for (size_t i = 0; i < field.len; i++) {
        char c = slice_lower(field.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':'))
            return false;
        dot = dot || c == '.' || c == ':';
    }
    return dot;
}

static enum err parse_one(struct arena *arena, struct slice location, const struct config_list *insecure,
                          struct signature_agent **agents)
{
    *agents = arena_alloc(arena, sizeof(**agents));
    return *agents ? locate(arena, location, BY_PATH, insecure, *agents) : ERR_REQUEST_TOO_LARGE;
}

static enum err parse_dictionary(struct arena *arena, struct slice field, const struct config_list *insecure,
                                 struct signature_agent **agents)
{
    enum err err = ERR_OK;
    struct sf_list dictionary;
    struct signature_agent **tail = agents;
    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.key_repeated || dictionary.count == 0)
        return ERR_MALFORMED_SIGNATURE_AGENT;
    for (const struct sf_member *member = dictionary.first; member; member = member->next) {
        enum location_type type = type_of(member);
        if (member->value.kind != SF_STRING)
            return ERR_MALFORMED_SIGNATURE_AGENT;
        if (type == UNKNOWN)
            continue;
        struct signature_agent *agent = arena_alloc(arena, sizeof(*agent));
        if (!agent)
            return ERR_REQUEST_TOO_LARGE;
        TRY(locate(arena, member->value.text, type, insecure, agent));
        agent->key = member->key;
        *tail = agent;
        tail = &agent->next;
    }
out:
    return err;
}

enum err signature_agent_parse(struct arena *arena, const struct message *message,
                               const struct config_list *insecure, struct signature_agent **agents)
{
    bool absent;
    struct slice field = component_field(arena, message, SLICE("signature-agent"), &absent);
    *agents = NULL;
    if (absent)
        return ERR_OK;
    if (!field.data)
        return ERR_REQUEST_TOO_LARGE;
    if (is_bare_host(field)) {
        struct slice location = arena_format(arena, "https://%.*s", (int)field.len, field.data);
        return location.data ? parse_one(arena, location, insecure, agents) : ERR_REQUEST_TOO_LARGE;
    }
    if (slice_starts(field, SLICE("\""))) {
        struct sf_member item;
        if (!sf_parse_item(arena, field, &item) || item.value.kind != SF_STRING)
            return ERR_MALFORMED_SIGNATURE_AGENT;
        return parse_one(arena, item.value.text, insecure, agents);
    }
    return parse_dictionary(arena, field, insecure, agents);
}
