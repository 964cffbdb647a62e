/* URLs and Signature-Agent: a normal form is its own normal form, and one account does not become two.
 * Input: ARENA TEXT; the text is one URL, and the value of a field. */
#include "tests/fuzz/support.h"

#include "ledger/verify/signature_agent.h"
#include "ledger/verify/url.h"

static const char *listed[] = {"127.0.0.1:8403", "localhost", "[::1]:8403"};
static const struct config_list insecure = {listed, 3};

static struct slice write_url(struct arena *arena, const struct url *url)
{
    struct slice origin = url_origin(arena, url);
    HOLDS(origin.data);
    return arena_format(arena, "%.*s%.*s%.*s", (int)origin.len, origin.data, (int)url->path.len,
                        url->path.data, (int)url->query.len, url->query.len > 0 ? url->query.data : "");
}

static void check_url(struct arena *arena, struct slice text)
{
    struct url url;
    struct url again;
    if (!url_parse(arena, text, &url))
        return;
    HOLDS(url.path.len > 0 && url.path.data[0] == '/');
    struct slice written = write_url(arena, &url);
    HOLDS(written.data && url_parse(arena, written, &again));
    HOLDS(slice_eq(url.scheme, again.scheme) && slice_eq(url.host, again.host) &&
          slice_eq(url.port, again.port) && slice_eq(url.path, again.path) &&
          slice_eq(url.query, again.query) && url.address == again.address);
    HOLDS(slice_eq(write_url(arena, &again), written));
}

static void check_location(struct arena *arena, struct slice text)
{
    struct signature_agent agent;
    struct signature_agent again;
    if (signature_agent_locate(arena, text, &insecure, &agent) != ERR_OK)
        return;
    HOLDS(signature_agent_locate(arena, agent.account, &insecure, &again) == ERR_OK);
    HOLDS(slice_eq(agent.account, again.account));
    HOLDS(slice_find(agent.account, '?') == agent.account.len);
    HOLDS(slice_starts(agent.directory_url, agent.account));
}

static void check_field(struct arena *arena, struct slice text)
{
    struct message_field field = {SLICE("signature-agent"), text};
    struct message message = {.fields = &field, .field_count = 1};
    struct signature_agents agents;
    if (signature_agent_parse(arena, &message, &insecure, &agents) != ERR_OK) {
        HOLDS(agents.fault.why);
        return;
    }
    HOLDS(!agents.fault.why);
    for (const struct signature_agent *agent = agents.first; agent; agent = agent->next) {
        HOLDS((agent->err == ERR_OK) == !agent->fault.why);
        HOLDS((agent->err == ERR_OK) == (agent->account.len > 0));
        if (agent->err != ERR_OK)
            continue;
        HOLDS(agent->account.len > 0 && agent->directory_url.len > 0);
        HOLDS(slice_starts(agent->directory_url, SLICE("https://")) ||
              slice_starts(agent->directory_url, SLICE("http://127.0.0.1:8403/")) ||
              slice_starts(agent->directory_url, SLICE("http://localhost/")) ||
              slice_starts(agent->directory_url, SLICE("http://[::1]:8403/")));
        for (size_t i = 0; i < agent->directory_url.len; i++)
            HOLDS(agent->directory_url.data[i] > ' ' && agent->directory_url.data[i] < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct signature_agent agent;
    struct url url;
    check_url(&arena, text);
    check_location(&arena, text);
    check_field(&arena, text);
    if (url_parse(&small, text, &url))
        url_host_port(&small, &url);
    if (signature_agent_locate(&small, text, &insecure, &agent) == ERR_OK)
        HOLDS(agent.account.data && agent.directory_url.data);
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
