#include "server/http/framing.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Later versions judge by themselves, by MHD_OPTION_CLIENT_DISCIPLINE_LVL, and keep their buffer otherwise.
 */
#if MHD_VERSION < 0x00097600

#define VERSION_LEN 8 /* HTTP/1.1 */

static const char length_name[] = "Content-Length";
static const char cookie_name[] = "Cookie";

#define PAGE_BYTES 4096

/* True if the text before the NUL in front of `target`, where libmicrohttpd has the method, ends so. Looks at
 * no other page than the target's: where a short method begins, its memory may. */
static bool method_ends(const char *target, const char *end)
{
    const char *at = target - 1;
    for (size_t i = strlen(end); i > 0; i--) {
        if ((uintptr_t)at % PAGE_BYTES == 0 || at[-1] != end[i - 1])
            return false;
        at--;
    }
    return true;
}

static bool is_read(const char *target)
{
    return method_ends(target, "GET") || method_ends(target, "HEAD");
}

/* libmicrohttpd looks for Content-Length and Cookie once all fields are there, and takes the first of each. A
 * bad Content-Length, or a Cookie that it has no room to copy, it answers itself, and then goes on as if it
 * had not, which sends the answer's head twice. So the first of each is ours and harmless, and the client's
 * are looked at by us. A body is then never read: a request that has one is answered at once, and its
 * connection closed. Where bodies are wanted, that holds of Content-Length for GET and HEAD alone, and
 * framing_answer sees to what libmicrohttpd makes of others'. The documentation allows this call in the
 * access handler only, for the sake of locks that a daemon without threads of its own does not have. */
bool framing_begin(struct MHD_Connection *connection, const char *target, bool bodies)
{
    bool read = bodies && !is_read(target);
    return (read || MHD_set_connection_value_n(connection, MHD_HEADER_KIND, length_name,
                                               sizeof(length_name) - 1, "0", 1) == MHD_YES) &&
           MHD_set_connection_value_n(connection, MHD_HEADER_KIND, cookie_name, sizeof(cookie_name) - 1, "",
                                      0) == MHD_YES;
}

bool framing_complains(const char *format)
{
    return strstr(format, length_name) != NULL;
}

/* As libmicrohttpd reads it: the first one, where no coding stands beside it. */
static enum err length_fault(struct MHD_Connection *connection)
{
    const char *text;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, "Transfer-Encoding", 17, &text, &len) ==
            MHD_YES ||
        MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, length_name, sizeof(length_name) - 1,
                                      &text, &len) != MHD_YES)
        return ERR_OK;
    size_t digits = 0;
    uint64_t value = 0;
    bool huge = false;
    for (; digits < len && text[digits] >= '0' && text[digits] <= '9'; digits++) {
        const uint64_t digit = (uint64_t)(text[digits] - '0');
        huge = huge || value > (UINT64_MAX - 1 - digit) / 10;
        value = value * 10 + digit;
    }
    if (digits == 0 || digits < len)
        return ERR_MALFORMED_REQUEST;
    return huge ? ERR_BODY_REFUSED : ERR_OK;
}

void framing_answer(struct MHD_Connection *connection, int socket)
{
    const enum err err = length_fault(connection);
    char body[512], answer[1024];
    if (err == ERR_OK)
        return;
    int len = snprintf(
        body, sizeof(body),
        "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\",\"detail\":\"%s\"}",
        err_phrase(err), err_status(err), err_code(err), err_sentence(err));
    int whole = snprintf(answer, sizeof(answer),
                         "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
                         "crawler-error: %s\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s",
                         err_status(err), err_phrase(err), err_code(err), len, body);
    /* It fits into the socket's buffer, in which nothing is but whole answers. */
    (void)!send(socket, answer, (size_t)whole, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(socket, SHUT_WR);
}

bool framing_is_ours(const char *name)
{
    return name == length_name || name == cookie_name;
}

/* libmicrohttpd takes the head apart where it lies: it writes a NUL over each colon, CR and LF that it has
 * understood. What lies between its parts tells what it has passed over. */
struct walk {
    const char *at; /* behind the line before, with its line end ahead */
    bool broken;
};

/* A line end: CR LF or, which RFC 9112 section 2.2 permits, LF alone. Returns the place behind it if `next`
 * may begin there; else NULL. */
static const char *behind_line_end(const char *at, const char *next)
{
    if (next == at + 1 && at[0] == '\0')
        return next;
    return next == at + 2 && at[0] == '\0' && at[1] == '\0' ? next : NULL;
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len)
{
    struct walk *walk = context;
    (void)kind;
    if (framing_is_ours(name))
        return MHD_YES;
    /* The name of a folded field lies elsewhere, and has the second line's text at its end. */
    const char *gap = behind_line_end(walk->at, name) ? name + name_len + 1 : NULL;
    while (gap && gap != value && (*gap == ' ' || *gap == '\t'))
        gap++;
    walk->broken = gap != value;
    walk->at = value + value_len;
    return walk->broken ? MHD_NO : MHD_YES;
}

bool framing_holds(struct MHD_Connection *connection, const struct framing_line *line)
{
    struct walk walk = {.at = line->version + VERSION_LEN};
    size_t size = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    const char *end = line->method + size;
    if (line->method + strlen(line->method) + 1 != line->target ||
        line->target + line->target_len + 1 != line->version)
        return false;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &walk);
    if (walk.broken || end < walk.at)
        return false;
    /* The empty line is a line end behind a line end. */
    return (end - walk.at >= 2 && behind_line_end(walk.at, end - 1)) ||
           (end - walk.at >= 3 && behind_line_end(walk.at, end - 2));
}

#else

bool framing_begin(struct MHD_Connection *connection, const char *target, bool bodies)
{
    (void)connection, (void)target, (void)bodies;
    return true;
}

bool framing_complains(const char *format)
{
    (void)format;
    return false;
}

void framing_answer(struct MHD_Connection *connection, int socket)
{
    (void)connection, (void)socket;
}

bool framing_is_ours(const char *name)
{
    (void)name;
    return false;
}

bool framing_holds(struct MHD_Connection *connection, const struct framing_line *line)
{
    (void)connection, (void)line;
    return true;
}

#endif
