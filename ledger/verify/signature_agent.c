/* The URL is normalised before anything is looked up or compared by it, because it is the name of an
 * account: two ways to write one would be two limits, and a denied crawler would be back under the other.
 * Addresses, ports and http are for hosts that the configuration names. */
#include "ledger/verify/signature_agent.h"

#include "ledger/base/http/agent.h"
#include "ledger/verify/component.h"
#include "ledger/verify/url.h"

#include <assert.h>

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

static enum err refuse(struct signature_agent *agent, enum err err, const char *why, struct slice text)
{
    assert(err != ERR_OK && why);
    agent->account = agent->directory_url = SLICE("");
    agent->fault = (struct fault){why, text};
    agent->err = err;
    return err;
}

/* What keeps a location that parses from being taken, or NULL. */
static const char *refusal_of(struct arena *arena, const struct url *url, const struct config_list *insecure)
{
    assert(url->host.len > 0);
    if (slice_eq(url->scheme, SLICE("https")) && url->port.len == 0 && !url->address)
        return NULL;
    if (listed(insecure, url_host_port(arena, url)))
        return NULL;
    return url->address                           ? "its host is an address, a name is wanted"
           : slice_eq(url->scheme, SLICE("http")) ? "it is http, only https is taken"
                                                  : "it names a port, only that of https is taken";
}

static enum err locate(struct arena *arena, struct slice location, enum location_type type,
                       const struct config_list *insecure, struct signature_agent *agent)
{
    struct url url;
    if (!url_parse(arena, location, &url))
        return refuse(agent, ERR_MALFORMED_SIGNATURE_AGENT, url.why, location);
    struct slice origin = url_origin(arena, &url);
    const char *refusal = refusal_of(arena, &url, insecure);
    if (refusal)
        return refuse(agent, ERR_MALFORMED_SIGNATURE_AGENT, refusal, location);
    /* An origin alone names its directory; a URL with a path is one
     * (draft-ietf-webbotauth-httpsig-protocol-01). */
    bool bare = slice_eq(url.path, SLICE("/")) && url.query.len == 0;
    bool well_known = slice_eq(url.path, SLICE(AGENT_WELL_KNOWN)) && url.query.len == 0;
    if (type == DIRECTORY && !bare && !well_known)
        return refuse(agent, ERR_MALFORMED_SIGNATURE_AGENT,
                      "with ;type=directory it is an origin, without a path or query", location);
    struct text text = text_begin(arena);
    text_add(&text, origin);
    text_add(&text, bare && type != JWKS_URI ? SLICE(AGENT_WELL_KNOWN) : url.path);
    text_add(&text, url.query);
    struct slice directory_url = text_end(&text);
    if (!origin.data || !directory_url.data)
        return refuse(agent, ERR_REQUEST_TOO_LARGE, "the request is too large", SLICE(""));
    if (directory_url.len > LOCATION_MAX)
        return refuse(agent, ERR_MALFORMED_SIGNATURE_AGENT, "the URL is longer than 2,048 bytes", location);
    agent->directory_url = directory_url;
    assert(slice_starts(directory_url, origin));
    agent->account = agent_account(directory_url);
    assert(agent->account.len > 0 && slice_within(agent->account, directory_url));
    agent->err = ERR_OK;
    return ERR_OK;
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

/* The field, and what comes of it. */
struct reading {
    struct arena *arena;
    const struct config_list *insecure;
    struct signature_agents *agents;
};

static enum err malformed(const struct reading *reading, const char *why, struct slice text)
{
    assert(why);
    reading->agents->fault = (struct fault){why, text};
    return ERR_MALFORMED_SIGNATURE_AGENT;
}

static enum err read_one(const struct reading *reading, struct slice location)
{
    assert(!reading->agents->first);
    struct signature_agent *agent = arena_alloc(reading->arena, sizeof(*agent));
    if (!agent)
        return ERR_REQUEST_TOO_LARGE;
    reading->agents->first = agent;
    return locate(reading->arena, location, BY_PATH, reading->insecure, agent);
}

static enum err read_bare_host(const struct reading *reading, struct slice field)
{
    struct slice location = arena_format(reading->arena, "https://%.*s", (int)field.len, field.data);
    return location.data ? read_one(reading, location) : ERR_REQUEST_TOO_LARGE;
}

static enum err read_string(const struct reading *reading, struct slice field)
{
    struct sf_member item;
    struct sf_list list;
    if (sf_parse_item(reading->arena, field, &item) && item.value.kind == SF_STRING)
        return read_one(reading, item.value.text);
    if (sf_parse_list(reading->arena, field, &list))
        return malformed(reading, "several strings: several signers are label=\"URL\" each, with commas",
                         field);
    return malformed(reading, "it is no string in double quotes (RFC 9651)", field);
}

/* What somebody meant who did not write a dictionary. */
static const char *guess(struct slice field)
{
    if (field.len == 0)
        return "it is empty";
    if (slice_starts(field, SLICE("https://")) || slice_starts(field, SLICE("http://")))
        return "a URL is written in double quotes, as in \"https://crawler.example\", and this has none";
    if (slice_starts(field, SLICE("'")))
        return "a URL is written in double quotes, as in \"https://crawler.example\", and these are single "
               "ones";
    return "it is neither a string in double quotes nor a dictionary (RFC 9651)";
}

static enum err read_member(const struct reading *reading, const struct sf_member *member,
                            struct signature_agent *agent)
{
    assert(member->key.len > 0);
    const struct sf_parameter *type = sf_parameter(member, SLICE("type"));
    agent->key = member->key;
    if (member->value.kind != SF_STRING)
        return refuse(agent, ERR_MALFORMED_SIGNATURE_AGENT, "a member is no string in double quotes",
                      member->key);
    if (type_of(member) == UNKNOWN)
        return refuse(agent, ERR_SIGNATURE_REQUIRED, "its type is not known here, directory and jwks_uri are",
                      type->value.text);
    return locate(reading->arena, member->value.text, type_of(member), reading->insecure, agent);
}

/* The first failure of a malformed member, if no member is good and not all are merely of other types. */
static enum err read_dictionary(const struct reading *reading, struct slice field)
{
    assert(!reading->agents->first);
    struct sf_list dictionary;
    struct signature_agent **tail = &reading->agents->first;
    const struct signature_agent *worst = NULL;
    bool good = false;
    if (!sf_parse_dictionary(reading->arena, field, &dictionary) || dictionary.count == 0)
        return malformed(reading, guess(field), field);
    if (dictionary.key_repeated)
        return malformed(reading, "a member stands in it twice", field);
    for (const struct sf_member *member = dictionary.first; member; member = member->next) {
        struct signature_agent *agent = arena_alloc(reading->arena, sizeof(*agent));
        enum err err = agent ? read_member(reading, member, agent) : ERR_REQUEST_TOO_LARGE;
        if (err == ERR_REQUEST_TOO_LARGE)
            return err;
        good = good || err == ERR_OK;
        worst = !worst && err == ERR_MALFORMED_SIGNATURE_AGENT ? agent : worst;
        *tail = agent;
        tail = &agent->next;
    }
    return !good && worst ? malformed(reading, worst->fault.why, worst->fault.text) : ERR_OK;
}

static enum err read_field(const struct reading *reading, struct slice field)
{
    if (!is_bare_host(field) && !slice_starts(field, SLICE("\"")))
        return read_dictionary(reading, field);
    enum err err = is_bare_host(field) ? read_bare_host(reading, field) : read_string(reading, field);
    if (err != ERR_OK && reading->agents->first)
        reading->agents->fault = reading->agents->first->fault;
    return err;
}

enum err signature_agent_parse(struct arena *arena, const struct message *message,
                               const struct config_list *insecure, struct signature_agents *agents)
{
    bool absent;
    struct slice field = component_field(arena, message, SLICE("signature-agent"), &absent);
    const struct reading reading = {arena, insecure, agents};
    *agents = (struct signature_agents){.err = ERR_OK};
    if (absent)
        return ERR_OK;
    agents->err = field.data ? read_field(&reading, field) : ERR_REQUEST_TOO_LARGE;
    if (agents->err == ERR_REQUEST_TOO_LARGE)
        agents->fault = (struct fault){"the request is too large", SLICE("")};
    assert(agents->err == ERR_OK ? agents->first && !agents->fault.why : agents->fault.why != NULL);
    return agents->err;
}
