/* A path is judged by where it leads, with dots resolved and escapes decoded, because whoever stands before
 * or behind the gate may do so: a rule for /private/ must not be passed by asking for /x/../private/. Rules
 * are compiled once into one block, and a request allocates nothing of them. */
#include "server/rules/rules.h"

#include "ledger/base/config/ai_crawlers.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/http/agent.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/text/glob.h"
#include "server/rules/offer.h"
#include "server/rules/query.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define MEMORY_SIZE      (1 << 22)
#define METHOD_MAX_BYTES 32
#define HOST_MAX         300 /* a name of 255 and its port */

/* Normalised accounts of crawlers. */
struct accounts {
    struct slice *items;
    size_t count;
};

struct rule {
    enum rules_action action;
    int64_t price_micros, recrawl_ms;
    bool observed;
    const char *name;
    struct slice *globs;
    size_t glob_count;
    struct slice *words; /* of User-Agent */
    size_t word_count;
    struct slice *queries; /* patterns */
    size_t query_count;
    struct slice *methods;
    size_t method_count;
    struct accounts accounts;
};

struct site_rules {
    struct slice *hosts;
    size_t host_count;
    struct slice default_port; /* with its colon */
    struct rule *rules;
    size_t rule_count;
    struct accounts allowed;
    struct accounts denied;
    struct accounts shared; /* origins */
    bool refuse_unknown;
    bool by_query, by_method; /* some of its rules are */
    const struct offer_form *form;
};

#define RULES_MAGIC 0x95ce07dau

struct rules {
    uint32_t magic;
    struct arena arena;
    const struct config *config;
    size_t count;
    struct site_rules *sites;
};

static struct slice *copy_list(struct arena *arena, const struct config_list *list, size_t *count)
{
    struct slice *items = arena_alloc(arena, (list->count + 1) * sizeof(*items));
    for (size_t i = 0; items && i < list->count; i++)
        items[i] = slice_of(list->items[i]);
    *count = list->count;
    return items;
}

static bool compile_accounts(struct arena *arena, const struct config *config, const struct config_list *from,
                             struct accounts *accounts)
{
    accounts->items = copy_list(arena, from, &accounts->count);
    for (size_t i = 0; accounts->items && i < accounts->count; i++) {
        struct signature_agent agent = {.next = NULL};
        if (signature_agent_locate(arena, accounts->items[i], &config->directory_insecure_hosts, &agent) !=
            ERR_OK) {
            LOG(ERROR, "configuration_refused", {"agent", from->items[i]},
                {"detail", "not an https location of a crawler"});
            return false;
        }
        accounts->items[i] = agent.account;
    }
    return accounts->items != NULL;
}

static bool compile_rule(struct arena *arena, const struct config *config, const struct config_rule *from,
                         struct rule *rule)
{
    rule->observed = strcmp(from->mode, "observe") == 0;
    rule->action = strcmp(from->action, "charge") == 0  ? RULES_CHARGE
                   : strcmp(from->action, "block") == 0 ? RULES_BLOCK
                                                        : RULES_ALLOW;
    assert(rule->action != RULES_CHARGE || from->price > 0); /* the configuration has been checked */
    rule->price_micros = from->price;
    rule->recrawl_ms = config_recrawl_ms(from);
    assert(rule->recrawl_ms >= 0);
    rule->name = from->name;
    rule->globs = copy_list(arena, &from->paths, &rule->glob_count);
    rule->words = copy_list(arena, &from->user_agents, &rule->word_count);
    rule->queries = copy_list(arena, &from->query, &rule->query_count);
    rule->methods = copy_list(arena, &from->methods, &rule->method_count);
    return rule->globs && rule->words && rule->queries && rule->methods &&
           compile_accounts(arena, config, &from->agents, &rule->accounts);
}

static bool compile_site(struct arena *arena, const struct config *config, const struct config_site *from,
                         struct site_rules *site)
{
    /* What browsers leave out of Host, crawlers may write, and the other way round. */
    site->default_port = strcmp(from->scheme, "https") == 0 ? SLICE(":443") : SLICE(":80");
    site->hosts = arena_alloc(arena, from->hosts.count * sizeof(*site->hosts));
    site->rules = arena_alloc(arena, (from->rule_count + 1) * sizeof(*site->rules));
    site->host_count = from->hosts.count;
    site->rule_count = from->rule_count;
    if (!site->hosts || !site->rules)
        return false;
    for (size_t i = 0; i < site->host_count; i++)
        site->hosts[i] = arena_lower(arena, slice_of(from->hosts.items[i]));
    for (size_t i = 0; i < site->rule_count; i++) {
        if (!compile_rule(arena, config, &from->rules[i], &site->rules[i]))
            return false;
        site->by_query = site->by_query || site->rules[i].query_count > 0;
        site->by_method = site->by_method || site->rules[i].method_count > 0;
        if (!*from->rules[i].mode)
            site->rules[i].observed = strcmp(from->mode, "observe") == 0;
    }
    site->refuse_unknown = strcmp(from->agents_unknown, "refuse") == 0;
    site->form = offer_form_make(arena, config, from);
    return site->form && compile_accounts(arena, config, &from->agents_allow, &site->allowed) &&
           compile_accounts(arena, config, &from->agents_deny, &site->denied) &&
           compile_accounts(arena, config, &from->agents_shared_origins, &site->shared);
}

struct rules *rules_new(const struct config *config)
{
    struct rules *rules = malloc(sizeof(*rules));
    char *memory = malloc(MEMORY_SIZE);
    if (!rules || !memory) {
        free(rules);
        free(memory);
        return NULL;
    }
    OBJECT_MAKE(rules, RULES_MAGIC);
    /* One block for all, freed at once: 4 MiB are some ten thousand rules. */
    arena_init(&rules->arena, memory, MEMORY_SIZE);
    rules->config = config;
    rules->count = config->site_count;
    rules->sites = arena_alloc(&rules->arena, config->site_count * sizeof(*rules->sites));
    bool ok = rules->sites != NULL;
    for (size_t i = 0; ok && i < rules->count; i++)
        ok = compile_site(&rules->arena, config, &config->sites[i], &rules->sites[i]);
    if (ok)
        return rules;
    LOG(ERROR, "configuration_refused", {"detail", "the rules could not be compiled"});
    rules_free(rules);
    return NULL;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    OBJECT_END(rules, RULES_MAGIC);
    free(rules->arena.memory);
    free(rules);
}

static struct slice without_port(struct slice authority, struct slice port)
{
    if (authority.len > port.len &&
        memcmp(authority.data + authority.len - port.len, port.data, port.len) == 0)
        authority.len -= port.len;
    return authority;
}

/* "shop.example.:8443" is "shop.example:8443", in the room. */
static struct slice without_dot(struct slice authority, char room[HOST_MAX])
{
    size_t end = authority.len;
    while (end > 0 && authority.data[end - 1] >= '0' && authority.data[end - 1] <= '9')
        end--;
    size_t dot = end > 0 && authority.data[end - 1] == ':' ? end - 1 : authority.len;
    if (dot < 2 || authority.data[dot - 1] != '.' || authority.len > HOST_MAX)
        return authority;
    assert(authority.len - 1 <= HOST_MAX);
    memcpy(room, authority.data, dot - 1);
    memcpy(room + dot - 1, authority.data + dot, authority.len - dot);
    return (struct slice){room, authority.len - 1};
}

struct slice rules_only_host(const struct rules *rules)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    const struct site_rules *site = &rules->sites[0];
    return rules->count == 1 ? without_port(site->hosts[0], site->default_port) : SLICE("");
}

bool rules_find_site(const struct rules *rules, struct slice authority, size_t *index, struct slice *host)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    char room[HOST_MAX];
    /* One after the other: gates have a handful of sites. */
    for (size_t i = 0; i < rules->count; i++) {
        const struct site_rules *site = &rules->sites[i];
        struct slice name = without_port(authority, site->default_port);
        struct slice plain = without_dot(name, room);
        for (size_t k = 0; k < site->host_count; k++)
            if (slice_eq(plain, without_port(site->hosts[k], site->default_port))) {
                *index = i;
                *host = name;
                return true;
            }
    }
    return false;
}

const struct offer_form *rules_offer_form(const struct rules *rules, size_t index)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    assert(index < rules->count);
    return rules->sites[index].form;
}

/* Resolves "." and ".." in place (RFC 3986 section 5.2.4), as whoever stands before the gate or behind it may
 * do: what is asked for is judged by where it leads. True if there were none, and no NUL. */
static bool resolve_dots(char *path, size_t *len)
{
    bool plain = true;
    size_t out = 0;
    assert(*len > 0 && path[0] == '/');
    for (size_t at = 0; at < *len;) {
        size_t end = at + 1;
        while (end < *len && path[end] != '/')
            end++;
        struct slice segment = {path + at + 1, end - at - 1};
        bool up = slice_eq(segment, SLICE(".."));
        bool dots = up || slice_eq(segment, SLICE("."));
        plain = plain && !dots && slice_find(segment, '\0') == segment.len;
        if (!dots) {
            memmove(path + out, path + at, end - at);
            out += end - at;
        }
        while (up && out > 0 && path[--out] != '/')
            continue;
        if (dots && end == *len)
            path[out++] = '/'; /* they name a folder */
        at = end;
    }
    *len = out;
    assert(out > 0 && out <= *len && path[0] == '/');
    return plain;
}

struct slice rules_page(struct slice path)
{
    static const char index[] = "/index.html";
    size_t len = sizeof(index) - 1;
    if (path.len >= len && memcmp(path.data + path.len - len, index, len) == 0)
        path.len -= len - 1;
    return path;
}

enum err rules_path(struct arena *arena, struct slice target_path, struct slice *path, bool *plain)
{
    assert(target_path.len > 0 && target_path.data[0] == '/');
    char *out = arena_bytes(arena, target_path.len);
    size_t len = 0;
    if (!out)
        return ERR_REQUEST_TOO_LARGE;
    for (size_t i = 0; i < target_path.len; i++) {
        char c = target_path.data[i];
        if (c == '%') {
            uint8_t byte;
            if (target_path.len - i < 3 ||
                !encoding_unhex(slice_bytes(target_path.data + i + 1, 2), &byte, 1))
                return ERR_MALFORMED_REQUEST;
            c = (char)byte;
            i += 2;
        }
        /* Several slashes are one, as file systems and most servers have it. */
        if (c != '/' || len == 0 || out[len - 1] != '/')
            out[len++] = c;
    }
    assert(len > 0 && len <= target_path.len);
    *plain = resolve_dots(out, &len);
    *path = rules_page((struct slice){out, len});
    return ERR_OK;
}

bool rules_glob_fits(struct slice glob, struct slice path)
{
    static const struct slice index = SLICE("index.html");
    char name[PATH_MAX]; /* longer ones are no file's */
    if (glob_matches(glob, path))
        return true;
    if (path.len == 0 || path.data[path.len - 1] != '/' || path.len + index.len > sizeof(name))
        return false;
    /* A folder is asked for by its name alone; a glob such as "*.html" means its page as well. */
    memcpy(name, path.data, path.len);
    memcpy(name + path.len, index.data, index.len);
    return glob_matches(glob, (struct slice){name, path.len + index.len});
}

bool rules_free_for_all(struct slice path)
{
    /* What a crawler must read to know the rules is not for sale (RFC 9309, RFC 8615). rsl.xml: what asks for
     * money must tell its price to who has none. */
    return slice_eq(path, SLICE("/robots.txt")) || slice_eq(path, SLICE("/sitemap.xml")) ||
           slice_eq(path, SLICE("/rsl.xml")) || slice_starts(path, SLICE("/.well-known/"));
}

/* Who asks, as far as it matters to rules. */
struct visitor {
    struct slice user_agent;
    struct slice known; /* the name of the list that is in it, or empty */
    bool crawler;       /* says so in User-Agent, or signs or pays */
    const struct signature_agent *agents;
    struct slice method;
    struct slice query;
    unsigned reading; /* of the query */
};

static bool path_fits(const struct rule *rule, struct slice path)
{
    for (size_t i = 0; i < rule->glob_count; i++)
        if (rules_glob_fits(rule->globs[i], path))
            return true;
    return false;
}

static const struct slice *account_in(const struct accounts *accounts, struct slice account)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (slice_eq(accounts->items[i], account))
            return &accounts->items[i];
    return NULL;
}

static const struct slice *account_fits(const struct rule *rule, const struct signature_agent *agents)
{
    const struct slice *account = NULL;
    for (; agents && !account; agents = agents->next)
        account = account_in(&rule->accounts, agents->account);
    return account;
}

bool rules_share_origin(const struct rules *rules, size_t index, struct slice account)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    assert(index < rules->count);
    return account_in(&rules->sites[index].shared, agent_origin(account)) != NULL;
}

bool rules_charges(const struct rules *rules, size_t index, size_t rule, struct slice account)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    assert(index < rules->count && rule < rules->sites[index].rule_count);
    const struct rule *one = &rules->sites[index].rules[rule];
    bool anyone = one->accounts.count == 0 || one->word_count > 0;
    return one->action == RULES_CHARGE && !one->observed && (anyone || account_in(&one->accounts, account));
}

enum err rules_admit(const struct rules *rules, size_t index, const struct signature_agent *agent)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    assert(index < rules->count && agent->account.len > 0);
    const struct site_rules *site = &rules->sites[index];
    /* Whoever could choose another path of a denied origin would be back at once. */
    bool by_origin = account_in(&site->denied, agent_origin(agent->account)) &&
                     !rules_share_origin(rules, index, agent->account);
    if (by_origin || account_in(&site->denied, agent->account))
        return ERR_AGENT_SUSPENDED;
    if (site->refuse_unknown && !account_in(&site->allowed, agent->account))
        return ERR_AGENT_UNKNOWN;
    return ERR_OK;
}

static const struct slice *word_fits(const struct rule *rule, struct slice user_agent)
{
    for (size_t i = 0; i < rule->word_count; i++)
        if (ai_crawlers_word(user_agent, rule->words[i]))
            return &rule->words[i];
    return NULL;
}

/* HEAD asks about what GET gets. */
static bool method_fits(const struct rule *rule, struct slice method)
{
    struct slice same = slice_eq(method, SLICE("HEAD")) ? SLICE("GET") : method;
    for (size_t i = 0; i < rule->method_count; i++)
        if (slice_eq(rule->methods[i], method) || slice_eq(rule->methods[i], same))
            return true;
    return rule->method_count == 0;
}

/* The first of its patterns that fits and looks at names that those in `seen` do not; empty: none does. */
static struct slice query_fitting(const struct rule *rule, const struct visitor *visitor, struct slice seen)
{
    for (size_t i = 0; i < rule->query_count; i++)
        if (query_has_other(rule->queries[i], seen) &&
            query_fits(visitor->query, rule->queries[i], visitor->reading))
            return rule->queries[i];
    return SLICE("");
}

/* Fills in whom the rule is for. */
static bool fits(const struct rule *rule, const struct visitor *visitor, struct slice path,
                 struct rules_decision *decision)
{
    decision->account = NULL;
    if (!method_fits(rule, visitor->method) || !path_fits(rule, path) ||
        (rule->query_count > 0 && query_fitting(rule, visitor, SLICE("")).len == 0))
        return false;
    /* A rule that names nobody is for crawlers alone: people pay nothing, whatever they ask for. */
    if (rule->word_count == 0 && rule->accounts.count == 0)
        return visitor->crawler;
    if (rule->accounts.count > 0)
        decision->account = account_fits(rule, visitor->agents);
    const struct slice *word = decision->account ? NULL : word_fits(rule, visitor->user_agent);
    if (word && decision->crawler.len == 0)
        decision->crawler = *word;
    return decision->account || word;
}

/* "Authorization: License TOKEN" (RSL): a licence that was bought elsewhere. Nothing is given for it here, as
 * a bearer's token is nobody's signature; but nobody else than a crawler sends it. */
static bool has_licence(const struct message *message)
{
    const struct message_field *field = message_field(message, SLICE("authorization"));
    if (!field)
        return false;
    struct slice value = slice_trim(field->value);
    return slice_eq_nocase((struct slice){value.data, slice_find(value, ' ')}, SLICE(AI_CRAWLERS_SCHEME));
}

/* By a field's name in any case. */
static bool signs_or_pays(const struct message *message)
{
    if (has_licence(message))
        return true;
    for (size_t i = 0; i < message->field_count; i++)
        for (const char *const *name = ai_crawlers_fields; *name; name++)
            if (slice_eq_nocase(message->fields[i].name, slice_of(*name)))
                return true;
    return false;
}

static struct slice user_agent_of(const struct message *message)
{
    const struct message_field *field = message_field(message, SLICE("user-agent"));
    return field ? field->value : SLICE("");
}

bool rules_by_crawler(const struct rules *rules, const struct message *message, struct slice *known)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    *known = ai_crawlers_find(rules->config, user_agent_of(message));
    return known->len > 0 || signs_or_pays(message);
}

bool rules_dearer(const struct rules_decision *a, const struct rules_decision *b)
{
    /* What is observed only is given to everybody. */
    bool a_holds = a->action != RULES_ALLOW || a->account, b_holds = b->action != RULES_ALLOW || b->account;
    if (a->observed != b->observed && a_holds && b_holds)
        return b->observed;
    static const int ranks[] = {[RULES_ALLOW] = 0, [RULES_CHARGE] = 2, [RULES_BLOCK] = 3};
    int rank_a = ranks[a->action] + (a->action == RULES_ALLOW && a->account);
    int rank_b = ranks[b->action] + (b->action == RULES_ALLOW && b->account);
    if (rank_a != rank_b)
        return rank_a > rank_b;
    return a->action == RULES_CHARGE && a->price_micros > b->price_micros;
}

static void take_rule(struct rules_decision *decision, const struct rule *rule)
{
    assert(rule->name && *rule->name);
    decision->action = rule->action;
    decision->price_micros = rule->price_micros;
    decision->recrawl_ms = rule->recrawl_ms;
    decision->rule = rule->name;
    decision->observed = rule->observed && (rule->action != RULES_ALLOW || decision->account);
}

/* The first rule that fits. But if it is for a query, those behind it that look at other names of the query
 * are judged too, and the dearest holds: it costs a crawler nothing to add what a cheap rule asks for, and
 * the site may look at the rest. */
static struct rules_decision first_rule(const struct site_rules *site, const struct visitor *visitor,
                                        struct slice path)
{
    struct rules_decision none = {.action = RULES_ALLOW, .crawler = visitor->known}, found = none;
    struct slice seen = SLICE("");
    for (size_t i = 0; i < site->rule_count; i++) {
        const struct rule *rule = &site->rules[i];
        struct rules_decision decision = none;
        if ((found.rule && rule->query_count == 0) || !fits(rule, visitor, path, &decision))
            continue;
        struct slice pattern = query_fitting(rule, visitor, seen);
        if (found.rule && pattern.len == 0)
            continue;
        take_rule(&decision, rule);
        if (!found.rule || rules_dearer(&decision, &found))
            found = decision, seen = pattern;
        if (rule->query_count == 0)
            break;
    }
    return found;
}

static void keep_dearest(struct rules_decision *decision, const struct site_rules *site,
                         const struct visitor *visitor, struct slice path)
{
    struct rules_decision other = first_rule(site, visitor, path);
    if (rules_dearer(&other, decision))
        *decision = other;
}

/* What the site may take for the method of a POST, which can say there that it stands for another one. */
static void judge_overrides(struct rules_decision *decision, const struct site_rules *site,
                            struct visitor visitor, const struct message *message, struct slice path)
{
    static const char *const names[] = {"x-http-method-override", "x-http-method", "x-method-override", NULL};
    char room[METHOD_MAX_BYTES];
    if (!site->by_method || !slice_eq(message->method, SLICE("POST")))
        return;
    /* Rails, Symfony and others take these; each is judged, as nobody knows here which the site takes. */
    for (size_t i = 0; names[i]; i++) {
        const struct message_field *field = message_field(message, slice_of(names[i]));
        if (!field)
            continue;
        visitor.method = slice_trim(field->value);
        keep_dearest(decision, site, &visitor, path);
    }
    if (query_value(visitor.query, SLICE("_method"), 0, room, sizeof(room), &visitor.method))
        keep_dearest(decision, site, &visitor, path);
}

struct rules_decision rules_decide(const struct rules *rules, size_t index, const struct message *message,
                                   struct slice path, const struct signature_agent *agents)
{
    OBJECT_CHECK(rules, RULES_MAGIC);
    assert(index < rules->count && path.len > 0);
    const struct site_rules *site = &rules->sites[index];
    struct slice query = message_query(message);
    struct visitor visitor = {.user_agent = user_agent_of(message),
                              .agents = agents,
                              .method = message->method,
                              .query = {query.data + (query.len > 0), query.len - (query.len > 0)}};
    visitor.crawler = rules_by_crawler(rules, message, &visitor.known);
    if (rules_free_for_all(path))
        return (struct rules_decision){
            .action = RULES_ALLOW, .by_crawler = visitor.crawler, .crawler = visitor.known};
    struct rules_decision decision = first_rule(site, &visitor, path);
    judge_overrides(&decision, site, visitor, message, path);
    for (unsigned i = 1; site->by_query && visitor.query.len > 0 && i < QUERY_READINGS; i++) {
        visitor.reading = i;
        keep_dearest(&decision, site, &visitor, path);
    }
    /* Also who is in no list, but in a rule. */
    decision.by_crawler = visitor.crawler || decision.crawler.len > 0 || decision.account;
    return decision;
}
