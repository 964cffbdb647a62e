#include "ledger/base/http/agent.h"

struct slice agent_origin(struct slice url)
{
    size_t host = slice_find(url, ':') + 3; /* "https://" is in front of it */
    if (host < url.len)
        url.len = host + slice_find((struct slice){url.data + host, url.len - host}, '/');
    return url;
}

struct slice agent_account(struct slice url)
{
    struct slice account = {url.data, slice_find(url, '?')};
    struct slice origin = agent_origin(account);
    struct slice path = {account.data + origin.len, account.len - origin.len};
    bool at_origin = slice_eq(path, SLICE("/")) || slice_eq(path, SLICE(AGENT_WELL_KNOWN));
    return at_origin ? origin : account;
}
