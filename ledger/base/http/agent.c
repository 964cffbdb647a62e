/* An account ends at the query: behind it anybody could make as many accounts as he likes, and limits would
 * mean nothing. The well-known path is where every origin's directory is, so that it says no more than the
 * origin does. SQL's crawler_account must say the same, or what was recorded before would be owed by
 * somebody else. */
#include "ledger/base/http/agent.h"

#include <assert.h>

struct slice agent_origin(struct slice url)
{
    const struct slice whole = url;
    size_t host = slice_find(url, ':') + 3; /* "https://" is in front of it */
    if (host < url.len)
        url.len = host + slice_find((struct slice){url.data + host, url.len - host}, '/');
    assert(slice_within(url, whole));
    return url;
}

struct slice agent_account(struct slice url)
{
    struct slice account = {url.data, slice_find(url, '?')};
    struct slice origin = agent_origin(account);
    struct slice path = {account.data + origin.len, account.len - origin.len};
    bool at_origin = slice_eq(path, SLICE("/")) || slice_eq(path, SLICE(AGENT_WELL_KNOWN));
    assert(slice_within(account, url) && origin.len <= account.len);
    return at_origin ? origin : account;
}
