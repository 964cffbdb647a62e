/* Strict rather than helpful: what browsers would repair (backslashes, spaces, missing slashes, numbers as
 * hosts) is refused, since the repair differs from one program to the next, and the account would differ
 * with it. */
#include "ledger/verify/url.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"

#include <assert.h>

static bool is_alnum(char c)
{
    c = slice_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f || strchr("\"<>\\^`{|}", text.data[i]))
            return false;
    return true;
}

static struct slice from(struct slice text, size_t at)
{
    assert(at <= text.len);
    return (struct slice){text.data + at, text.len - at};
}

/* Labels of letters, digits, hyphens and underscores, none empty but for one dot at the end. */
static bool is_name(struct slice host)
{
    size_t label = 0;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (c == '.' ? label == 0 : !is_alnum(c) && c != '-' && c != '_')
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    /* RFC 1035 section 2.3.4: labels of 63 bytes, names of 253 as they are written. */
    return host.len > 0 && host.len <= 253;
}

/* Hosts, without the dot at their end, whose last label is a number are IPv4 literals in some spelling
 * (WHATWG URL, "ends in a number"). */
static bool ends_in_number(struct slice host)
{
    assert(host.len > 0);
    size_t start = host.len;
    while (start > 0 && host.data[start - 1] != '.')
        start--;
    struct slice last = from(host, start);
    bool hex = last.len > 2 && last.data[0] == '0' && slice_lower(last.data[1]) == 'x';
    for (size_t i = hex ? 2 : 0; i < last.len; i++) {
        char c = slice_lower(last.data[i]);
        if (!((c >= '0' && c <= '9') || (hex && c >= 'a' && c <= 'f')))
            return false;
    }
    return last.len > 0;
}

static bool is_port(struct slice port)
{
    for (size_t i = 0; i < port.len; i++)
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
    return port.len <= 5;
}

/* What is wrong with it, or NULL. */
static const char *set_authority(struct arena *arena, struct slice authority, struct url *url)
{
    bool literal = slice_starts(authority, SLICE("["));
    size_t end = literal ? slice_find(authority, ']') + 1 : slice_find(authority, ':');
    if (slice_find(authority, '@') < authority.len)
        return "a user's name stands in the URL";
    if (end > authority.len)
        return "the URL's host has no closing bracket";
    struct slice host = {authority.data, end};
    struct slice port = from(authority, end);
    if (port.len > 0 && port.data[0] != ':')
        return "the URL's host is followed by something else than a port";
    port = port.len > 0 ? from(port, 1) : port;
    if (!is_port(port))
        return "the URL's port is none";
    if (slice_eq(port, slice_eq(url->scheme, SLICE("https")) ? SLICE("443") : SLICE("80")))
        port.len = 0;
    if (!literal && !is_name(host))
        return "the URL's host is no host name";
    char *lower = arena_copy(arena, host);
    if (!lower)
        return "the request is too large";
    for (size_t i = 0; i < host.len; i++)
        lower[i] = slice_lower(lower[i]);
    url->host = slice_bytes(lower, host.len);
    if (url->host.len > 1 && !literal && lower[host.len - 1] == '.')
        url->host.len--;
    url->port = port;
    url->address = literal || ends_in_number(url->host);
    assert(slice_within(url->port, authority) && url->host.len > 0);
    return NULL;
}

/* Percent-encodings: unreserved ones decoded, the others in capitals. False on a broken one. */
static bool normal_escapes(struct text *out, struct slice path)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.len; i++) {
        uint8_t byte;
        if (path.data[i] != '%') {
            text_char(out, path.data[i]);
            continue;
        }
        if (path.len - i < 3 || !encoding_unhex(slice_bytes(path.data + i + 1, 2), &byte, 1) || byte == 0)
            return false;
        i += 2;
        /* Only unreserved characters are the same with and without an escape (RFC 3986 section 6.2.2.2). */
        if (is_alnum((char)byte) || strchr("-._~", byte)) {
            text_char(out, (char)byte);
        } else {
            text_char(out, '%');
            text_char(out, digits[byte >> 4]);
            text_char(out, digits[byte & 15]);
        }
    }
    return true;
}

/* RFC 3986 section 5.2.4, in place: `path` starts with a slash and only shrinks. */
static size_t remove_dots(char *path, size_t len)
{
    assert(len > 0 && path[0] == '/');
    size_t out = 0;
    for (size_t i = 0; i < len;) {
        size_t next = i + 1;
        while (next < len && path[next] != '/')
            next++;
        struct slice segment = {path + i + 1, next - i - 1};
        bool dots = slice_eq(segment, SLICE(".."));
        if (dots)
            while (out > 0 && path[--out] != '/') {
            }
        if (dots || slice_eq(segment, SLICE("."))) {
            if (next == len)
                path[out++] = '/';
        } else {
            memmove(path + out, path + i, next - i);
            out += next - i;
        }
        i = next;
    }
    assert(out > 0 && out <= len && path[0] == '/');
    return out;
}

/* The scheme, and the text behind its slashes. */
static const char *take_scheme(struct slice *text, struct url *url)
{
    static const struct slice schemes[] = {SLICE("https"), SLICE("http")};
    for (size_t i = 0; i < 2; i++) {
        struct slice scheme = schemes[i];
        if (text->len < scheme.len + 3 || !slice_eq_nocase((struct slice){text->data, scheme.len}, scheme) ||
            !slice_starts(from(*text, scheme.len), SLICE("://")))
            continue;
        url->scheme = scheme;
        *text = from(*text, scheme.len + 3);
        return NULL;
    }
    return "it is no URL that begins with https://";
}

static const char *parse(struct arena *arena, struct slice text, struct url *url)
{
    if (text.len > 2048)
        return "the URL is longer than 2,048 bytes";
    if (!printable(text))
        return "the URL has a character that must not stand in one";
    if (slice_find(text, '#') < text.len)
        return "the URL has a fragment";
    /* No fragment: it never reaches a server, so that two accounts could have one directory. */
    const char *why = take_scheme(&text, url);
    if (why)
        return why;
    size_t query = slice_find(text, '?');
    url->query = from(text, query);
    assert(url->query.len == 0 || url->query.data[0] == '?');
    text.len = query;
    size_t slash = slice_find(text, '/');
    why = set_authority(arena, (struct slice){text.data, slash}, url);
    if (why)
        return why;
    struct slice path = slash < text.len ? from(text, slash) : SLICE("/");
    struct text normal = text_begin(arena);
    bool escaped = normal_escapes(&normal, path);
    struct slice done = text_end(&normal);
    if (!escaped)
        return "the URL's path has a broken percent-encoding";
    if (!done.data)
        return "the request is too large";
    char *start = arena->memory + (done.data - arena->memory);
    url->path = slice_bytes(start, remove_dots(start, done.len));
    return NULL;
}

bool url_parse(struct arena *arena, struct slice text, struct url *url)
{
    *url = (struct url){.scheme = SLICE("https")};
    url->why = parse(arena, text, url);
    assert(url->why || (url->host.len > 0 && url->path.len > 0 && url->path.data[0] == '/'));
    return !url->why;
}

static void add_host_port(struct text *out, const struct url *url)
{
    text_add(out, url->host);
    if (url->port.len > 0) {
        text_char(out, ':');
        text_add(out, url->port);
    }
}

struct slice url_origin(struct arena *arena, const struct url *url)
{
    assert(url->host.len > 0);
    struct text text = text_begin(arena);
    text_add(&text, url->scheme);
    text_add(&text, SLICE("://"));
    add_host_port(&text, url);
    return text_end(&text);
}

struct slice url_host_port(struct arena *arena, const struct url *url)
{
    assert(url->host.len > 0);
    struct text text = text_begin(arena);
    add_host_port(&text, url);
    return text_end(&text);
}
