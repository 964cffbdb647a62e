#include "server/http/request.h"

#include <microhttpd.h>
#include <netinet/in.h>

#define FIELDS_MAX 100

#define REPLY_MEMORY 4096 /* the header of an offer takes most */
#define ENTRY_MEMORY 64   /* for each field, cookie and argument */

struct exchange_client request_client(struct MHD_Connection *connection)
{
    struct exchange_client client = {.address = {0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
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
    size_t count;
    bool overflow;
};

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len)
{
    struct gather *gather = context;
    (void)kind;
    char *lower = arena_bytes(gather->arena, name_len);
    if (!lower) {
        gather->overflow = true;
        return MHD_NO;
    }
    for (size_t i = 0; i < name_len; i++)
        lower[i] = slice_lower(name[i]);
    gather->fields[gather->count++] =
        (struct message_field){{lower, name_len}, {value ? value : "", value ? value_len : 0}};
    return MHD_YES;
}

/* Host, or the authority of an absolute-form target, which wins (RFC 9112 section 3.2.2). Lower case, without
 * the default port of either scheme: the handler knows which scheme it is. */
static bool set_authority(struct exchange *exchange)
{
    struct message *message = &exchange->message;
    const struct message_field *host = message_field(message, SLICE("host"));
    struct slice authority = host ? slice_trim(host->value) : (struct slice){"", 0};
    if (host && message_field_next(message, host))
        return false;
    if (!slice_starts(message->target, SLICE("/"))) {
        size_t colon = slice_find(message->target, ':');
        struct slice rest = {message->target.data + colon, message->target.len - colon};
        if (!slice_starts(rest, SLICE("://")))
            return false;
        message->absolute_target = message->target;
        rest = (struct slice){rest.data + 3, rest.len - 3};
        size_t slash = slice_find(rest, '/');
        authority = (struct slice){rest.data, slash};
        message->target = slash < rest.len ? (struct slice){rest.data + slash, rest.len - slash} : SLICE("/");
    }
    message->authority = arena_lower(&exchange->arena, authority);
    return message->authority.len > 0;
}

/* Only visible ASCII may stand in a target (RFC 9112 section 3.2). */
static bool target_is_clean(struct slice target)
{
    for (size_t i = 0; i < target.len; i++)
        if (target.data[i] <= 0x20 || target.data[i] >= 0x7f)
            return false;
    return target.len > 0;
}

bool request_has_body(const struct message *message)
{
    const struct message_field *length = message_field(message, SLICE("content-length"));
    return (length && !slice_eq(slice_trim(length->value), SLICE("0"))) ||
           message_field(message, SLICE("transfer-encoding"));
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
    const char *cookies; /* of which it makes a copy to take apart */
    size_t cookies_len = 0;
    size_t used = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    used += (size_t)MHD_get_connection_values_n(connection, kinds, NULL, NULL) * ENTRY_MEMORY;
    if (MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, "Cookie", 6, &cookies, &cookies_len))
        used += cookies_len;
    return used <= REQUEST_MEMORY - REPLY_MEMORY;
}

enum err request_read(struct exchange *exchange, struct MHD_Connection *connection, struct slice target,
                      const char *method)
{
    struct message *message = &exchange->message;
    struct gather gather = {.arena = &exchange->arena};
    int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    gather.fields = arena_alloc(&exchange->arena, ((size_t)count + 1) * sizeof(*gather.fields));
    if (!target.data || !gather.fields || count > FIELDS_MAX)
        return ERR_REQUEST_TOO_LARGE;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &gather);
    if (gather.overflow || !reply_fits(connection))
        return ERR_REQUEST_TOO_LARGE;
    message->method = slice_of(method);
    message->target = target;
    message->fields = gather.fields;
    message->field_count = gather.count;
    if (!target_is_clean(target) || !set_authority(exchange))
        return ERR_MALFORMED_REQUEST;
    return is_read(message) && request_has_body(message) ? ERR_BODY_REFUSED : ERR_OK;
}
