/* libcurl has parsed all of it by then, and is kind: what it lets through is judged once more, as strictly as
 * a request is, since whoever stands behind the gate reads what it passes on. */
#include "server/origin/origin_head.h"

#include <assert.h>

void origin_head_begin(struct origin_head *head, struct arena *arena, size_t room)
{
    *head = (struct origin_head){.arena = arena, .room = room, .length = EXCHANGE_UNKNOWN_LENGTH};
    head->tail = &head->fields;
}

static enum origin_head_line refuse(struct origin_head *head, const char *why)
{
    head->refusal = why;
    return ORIGIN_HEAD_REFUSED;
}

static bool named(struct slice list, struct slice name)
{
    struct slice member;
    while (message_list_next(&list, &member))
        if (slice_eq_nocase(member, name))
            return true;
    return false;
}

bool origin_head_is_hop(struct slice name, struct slice connection)
{
    static const char *const hops[] = {"connection",       "keep-alive",         "te",
                                       "trailer",          "transfer-encoding",  "upgrade",
                                       "proxy-connection", "proxy-authenticate", "proxy-authorization"};
    for (size_t i = 0; i < sizeof(hops) / sizeof(*hops); i++)
        if (slice_eq_nocase(name, slice_of(hops[i])))
            return true;
    return named(connection, name);
}

/* "HTTP/1.1 200 OK". */
static enum origin_head_line start(struct origin_head *head, struct slice line)
{
    size_t space = slice_find(line, ' ');
    struct arena *arena = head->arena;
    size_t room = head->room;
    if (line.len < space + 4)
        return refuse(head, "its status line does not parse");
    origin_head_begin(head, arena, room);
    for (size_t i = space + 1; i < space + 4; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return refuse(head, "its status line does not parse");
        head->status = head->status * 10 + (unsigned)(line.data[i] - '0');
    }
    /* 000 would look like no status line at all. */
    return head->status >= 100 ? ORIGIN_HEAD_MORE : refuse(head, "its status line does not parse");
}

/* libcurl has checked Content-Length; of two the same it makes one. */
static bool read_length(struct slice value, uint64_t *length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || sum > UINT64_MAX / 10 - 10)
            return false;
        sum = sum * 10 + (uint64_t)(value.data[i] - '0');
    }
    *length = sum;
    return value.len > 0;
}

static enum origin_head_line keep(struct origin_head *head, struct slice name, struct slice value)
{
    struct exchange_header *field = arena_alloc(head->arena, sizeof(*field));
    head->used += name.len + value.len + 4; /* with ": " and the line's end, as it is sent on */
    assert(head->tail && !*head->tail);
    if (!field || head->used > head->room)
        return refuse(head, "its header is larger than the gate passes on");
    field->name = arena_copy(head->arena, name);
    field->value = arena_copy(head->arena, value);
    if (!field->name || !field->value)
        return refuse(head, "its header is larger than the gate passes on");
    *head->tail = field;
    head->tail = &field->next;
    return ORIGIN_HEAD_MORE;
}

/* Fields of one hop go when the whole head is there: Connection may stand anywhere. */
static enum origin_head_line finish(struct origin_head *head)
{
    struct slice connection = {"", 0};
    if (head->status < 200)
        return ORIGIN_HEAD_MORE; /* 100 or 103: another head follows */
    for (struct exchange_header *field = head->fields; field; field = field->next)
        if (slice_eq_nocase(slice_of(field->name), SLICE("connection")))
            connection = slice_of(field->value);
    struct exchange_header **at = &head->fields;
    while (*at) {
        if (origin_head_is_hop(slice_of((*at)->name), connection))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    head->ended = true;
    return ORIGIN_HEAD_END;
}

enum origin_head_line origin_head_line(struct origin_head *head, struct slice line)
{
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    if (head->ended)
        return ORIGIN_HEAD_MORE;
    if (slice_starts(line, SLICE("HTTP/")))
        return start(head, line);
    assert(head->status >= 100); /* libcurl begins with it, and start() has refused what is less */
    if (line.len == 0)
        return finish(head);
    size_t colon = slice_find(line, ':');
    struct slice name = {line.data, colon};
    if (colon == line.len)
        return refuse(head, "a line of its header is no field");
    struct slice value = slice_trim((struct slice){line.data + colon + 1, line.len - colon - 1});
    /* A control byte in a value could end the header early for whoever reads it behind us. */
    if (message_field_fault(name, value))
        return refuse(head, "a line of its header is no field");
    if (!slice_eq_nocase(name, SLICE("content-length")))
        return keep(head, name, value);
    return read_length(value, &head->length) ? ORIGIN_HEAD_MORE
                                             : refuse(head, "its Content-Length does not parse");
}
