/* What is refused here could be read in two ways by the gate and by whoever stands before it (two hosts, a
 * body where none is looked at, bytes outside ASCII in a target): one of the two would be charged for, and
 * the other given away. */
#include "server/http/request.h"

#include "ledger/base/network.h"
#include "server/http/framing.h"

#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>

#define FIELDS_MAX 100

#define ENTRY_MEMORY 64 /* for each field and argument */

_Static_assert(FIELDS_MAX *ENTRY_MEMORY + REPLY_MEMORY < REQUEST_MEMORY,
               "so many fields are read if they are short, and the reply has room behind them");
_Static_assert(HEAD_ROOM < REPLY_MEMORY, "an origin's fields leave room for the gate's own");

struct exchange_client request_peer(struct MHD_Connection *connection, bool *local)
{
    struct exchange_client client = {.address = {0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *local = info && info->client_addr->sa_family == AF_UNIX;
    if (*local)
        network_parse_address(SLICE("127.0.0.1"), client.address);
    if (info && info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, info->client_addr, sizeof(in));
        client.address[10] = client.address[11] = 0xff;
        memcpy(client.address + 12, &in.sin_addr, 4);
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, info->client_addr, sizeof(in));
        memcpy(client.address, &in.sin6_addr, sizeof(client.address));
    }
    return client;
}

struct gather {
    struct arena *arena;
    struct message_field *fields;
    size_t room; /* for so many */
    size_t count;
    bool overflow;
};

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len)
{
    struct gather *gather = context;
    (void)kind;
    if (framing_is_ours(name))
        return MHD_YES;
    char *lower = arena_bytes(gather->arena, name_len);
    if (!lower) {
        gather->overflow = true;
        return MHD_NO;
    }
    for (size_t i = 0; i < name_len; i++)
        lower[i] = slice_lower(name[i]);
    assert(gather->count < gather->room);
    gather->fields[gather->count++] =
        (struct message_field){{lower, name_len}, {value ? value : "", value ? value_len : 0}};
    return MHD_YES;
}

bool request_has_body(const struct message *message)
{
    size_t length;
    return message_body_length(message, 1, &length) || length > 0;
}

/* What is asked for is all in the fields. libmicrohttpd takes no reply while a body comes in, so one that had
 * to wait would be lost. */
static bool is_read(const struct message *message)
{
    return slice_eq(message->method, SLICE("GET")) || slice_eq(message->method, SLICE("HEAD"));
}

/* Reply headers are made in what the request leaves of the connection's memory. Where that is too little,
 * libmicrohttpd closes the connection: a crawler would have paid for nothing. */
static bool reply_fits(struct MHD_Connection *connection)
{
    const enum MHD_ValueKind kinds = MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND;
    size_t used = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    used += (size_t)MHD_get_connection_values_n(connection, kinds, NULL, NULL) * ENTRY_MEMORY;
    return used <= REQUEST_MEMORY - REPLY_MEMORY;
}

/* Whoever stands in front must see the same request, or none. */
static bool is_well_formed(const struct message *message)
{
    size_t length;
    for (size_t i = 0; i < message->field_count; i++)
        if (message_field_fault(message->fields[i].name, message->fields[i].value))
            return false;
    return !message_body_length(message, 1, &length);
}

/* RFC 9112 section 3.2 */
static bool may_name_no_host(const struct message *message, const struct framing_line *line)
{
    return strcmp(line->version, "HTTP/1.0") == 0 || slice_eq(message_path(message), EXCHANGE_HEALTH);
}

enum err request_read(struct exchange *exchange, struct MHD_Connection *connection, struct slice target,
                      const struct framing_line *line)
{
    struct message *message = &exchange->message;
    struct gather gather = {.arena = &exchange->arena};
    int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    gather.fields = arena_alloc(&exchange->arena, ((size_t)count + 1) * sizeof(*gather.fields));
    gather.room = (size_t)count + 1;
    if (!target.data || !gather.fields)
        return ERR_REQUEST_TOO_LARGE;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &gather);
    assert(gather.count <= (size_t)count);
    /* What of it could be read says whose request is refused. */
    message->method = slice_of(arena_copy(&exchange->arena, slice_of(line->method)));
    message->target = target;
    message->fields = gather.fields;
    message->field_count = gather.count;
    /* Read to the end first, so that what is refused is refused for its size, and not for a part of it. */
    if (gather.overflow || count > FIELDS_MAX || !message->method.data || !reply_fits(connection))
        return ERR_REQUEST_TOO_LARGE;
    if (!framing_holds(connection, line) || !is_well_formed(message) ||
        message_take_target(&exchange->arena, message) ||
        (message->authority.len == 0 && !may_name_no_host(message, line)))
        return ERR_MALFORMED_REQUEST;
    assert(slice_starts(message->target, SLICE("/"))); /* what all rules are about */
    return is_read(message) && request_has_body(message) ? ERR_BODY_REFUSED : ERR_OK;
}
