/* Read from the right: each proxy adds at the end what it has seen itself. Elements are split off one by one
 * and each must stand by itself, since a quote that a client has left open further left would swallow what
 * the proxy added if the whole were taken for one list. */
#include "server/http/client.h"

#include "ledger/base/network.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>

#define TRUST_MAGIC 0x5a1ce9d7u

/* Read by all HTTP threads, and written by none. */
struct client_trust {
    uint32_t magic;
    bool local;
    size_t count;
    struct network networks[];
};

struct client_trust *client_trust_new(const struct config_list *proxies)
{
    struct client_trust *trust = calloc(1, sizeof(*trust) + proxies->count * sizeof(*trust->networks));
    if (!trust)
        return NULL;
    OBJECT_MAKE(trust, TRUST_MAGIC);
    for (size_t i = 0; i < proxies->count; i++) {
        struct slice proxy = slice_of(proxies->items[i]);
        if (slice_eq(proxy, SLICE("unix")))
            trust->local = true;
        else if (!network_parse(proxy, &trust->networks[trust->count]))
            trust->count++; /* the configuration's reader has refused what is none */
    }
    return trust;
}

void client_trust_free(struct client_trust *trust)
{
    if (!trust)
        return;
    OBJECT_END(trust, TRUST_MAGIC);
    free(trust);
}

bool client_trusted(const struct client_trust *trust, const struct exchange_client *peer, bool local)
{
    OBJECT_CHECK(trust, TRUST_MAGIC);
    if (local)
        return trust->local;
    for (size_t i = 0; i < trust->count; i++)
        if (network_has(&trust->networks[i], peer->address))
            return true;
    return false;
}

/* Who handed the request on. */
struct hop {
    struct exchange_client client;
    bool local; /* by a unix socket */
};

static bool is_port(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0 && text.len <= 5;
}

/* An address, with a port or without; IPv6 with one stands in brackets. nginx writes "unix:" for whom it has
 * met on a unix socket. False for names and for "unknown". */
static bool read_node(struct slice text, struct hop *hop)
{
    size_t end = text.len;
    hop->local = slice_eq(text, SLICE("unix:"));
    if (hop->local)
        return network_parse_address(SLICE("127.0.0.1"), hop->client.address);
    if (text.len > 0 && text.data[0] == '[') {
        end = slice_find(text, ']');
        if (end == text.len ||
            (end + 1 < text.len && (text.data[end + 1] != ':' ||
                                    !is_port((struct slice){text.data + end + 2, text.len - end - 2}))))
            return false;
        return network_parse_address((struct slice){text.data + 1, end - 1}, hop->client.address);
    }
    if (network_parse_address(text, hop->client.address))
        return true;
    end = slice_find(text, ':');
    return end < text.len && is_port((struct slice){text.data + end + 1, text.len - end - 1}) &&
           network_parse_address((struct slice){text.data, end}, hop->client.address);
}

static struct slice without_quotes(struct slice text)
{
    const bool quoted = text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"';
    return quoted ? (struct slice){text.data + 1, text.len - 2} : text;
}

/* "for=192.0.2.1;proto=http", RFC 7239 section 4: the pairs are in any order, `for` is there once. */
static bool read_forwarded(struct slice element, struct hop *hop)
{
    bool found = false;
    while (element.len > 0) {
        size_t end = slice_find(element, ';');
        struct slice pair = slice_trim((struct slice){element.data, end});
        size_t behind = end < element.len ? end + 1 : end;
        element = (struct slice){element.data + behind, element.len - behind};
        if (pair.len < 4 || !slice_eq_nocase((struct slice){pair.data, 4}, SLICE("for=")))
            continue;
        if (found || !read_node(without_quotes((struct slice){pair.data + 4, pair.len - 4}), hop))
            return false;
        found = true;
    }
    return found;
}

/* Takes the last element off. False when there is none. */
static bool take_last(struct slice *list, struct slice *element)
{
    size_t start = list->len;
    if (list->len == 0)
        return false;
    while (start > 0 && list->data[start - 1] != ',')
        start--;
    assert(start < list->len || list->data[start - 1] == ','); /* it gets shorter, or this never ends */
    *element = slice_trim((struct slice){list->data + start, list->len - start});
    list->len = start > 0 ? start - 1 : 0;
    return true;
}

static struct exchange_client walk(const struct client_trust *trust, const struct exchange_client *peer,
                                   const struct message *message, const char *name,
                                   bool (*read)(struct slice element, struct hop *hop))
{
    struct exchange_client client = *peer;
    for (size_t i = message->field_count; i > 0; i--) {
        const struct message_field *field = &message->fields[i - 1];
        struct slice list = field->value, element;
        if (!slice_eq(field->name, slice_of(name)))
            continue;
        while (take_last(&list, &element)) {
            struct hop hop;
            if (element.len == 0)
                continue; /* RFC 9110 section 5.6.1 */
            if (!read(element, &hop))
                return client; /* the last one that is known: what stands further left is hearsay */
            client = hop.client;
            if (!client_trusted(trust, &hop.client, hop.local))
                return client;
        }
    }
    return client;
}

struct exchange_client client_behind(const struct client_trust *trust, const struct exchange_client *peer,
                                     const struct message *message)
{
    struct exchange_client by_list = walk(trust, peer, message, "x-forwarded-for", read_node);
    struct exchange_client by_pairs = walk(trust, peer, message, "forwarded", read_forwarded);
    if (!message_field(message, SLICE("forwarded")))
        return by_list;
    if (!message_field(message, SLICE("x-forwarded-for")))
        return by_pairs;
    /* A proxy that sets one of them hands on the other as a client has written it, and nobody can tell which.
     */
    return memcmp(&by_list, &by_pairs, sizeof(by_list)) == 0 ? by_list : *peer;
}
