#include "server/verify/url.h"

#include "ledger/base/encoding.h"
#include "ledger/base/text.h"

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
    return host.len > 0 && host.len <= 253;
}

/* Hosts, without the dot at their end, whose last label is a number are IPv4 literals in some spelling
 * (WHATWG URL, "ends in a number"). */
static bool ends_in_number(struct slice host)
{
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

static bool set_authority(struct arena *arena, struct slice authority, struct url *url)
{
    bool literal = slice_starts(authority, SLICE("["));
    size_t end = literal ? slice_find(authority, ']') + 1 : slice_find(authority, ':');
    if (end > authority.len || slice_find(authority, '@') < authority.len)
        return false;
    struct slice host = {authority.data, end};
    struct slice port = from(authority, end);
    if (port.len > 0 && port.data[0] != ':')
        return false;
    port = port.len > 0 ? from(port, 1) : port;
    for (size_t i = 0; i < port.len; i++)
        if (port.data[i] < '0' || port.data[i] > '9' || port.len > 5)
            return false;
    if (slice_eq(port, slice_eq(url->scheme, SLICE("https")) ? SLICE("443") : SLICE("80")))
        port.len = 0;
    if (!literal && !is_name(host))
        return false;
    char *lower = arena_copy(arena, host);
    if (!lower)
        return false;
    for (size_t i = 0; i < host.len; i++)
        lower[i] = slice_lower(lower[i]);
    url->host = slice_bytes(lower, host.len);
    if (url->host.len > 1 && !literal && lower[host.len - 1] == '.')
        url->host.len--;
    url->port = port;
    url->address = literal || ends_in_number(url->host);
    return true;
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
    return out;
}

bool url_parse(struct arena *arena, struct slice text, struct url *url)
{
    *url = (struct url){.scheme = SLICE("https")};
    if (text.len > 2048 || !printable(text) || slice_find(text, '#') < text.len)
        return false;
    size_t skip = 8;
    if (text.len >= 7 && slice_eq_nocase((struct slice){text.data, 7}, SLICE("http://"))) {
        url->scheme = SLICE("http");
        skip = 7;
    } else if (text.len < 8 || !slice_eq_nocase((struct slice){text.data, 8}, SLICE("https://"))) {
        return false;
    }
    struct slice rest = from(text, skip);
    size_t query = slice_find(rest, '?');
    url->query = from(rest, query);
    rest.len = query;
    size_t slash = slice_find(rest, '/');
    if (!set_authority(arena, (struct slice){rest.data, slash}, url))
        return false;
    struct slice path = slash < rest.len ? from(rest, slash) : SLICE("/");
    struct text normal = text_begin(arena);
    bool ok = normal_escapes(&normal, path);
    struct slice done = text_end(&normal);
    if (!ok || !done.data)
        return false;
    char *start = arena->memory + (done.data - arena->memory);
    url->path = slice_bytes(start, remove_dots(start, done.len));
    return true;
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
    struct text text = text_begin(arena);
    text_add(&text, url->scheme);
    text_add(&text, SLICE("://"));
    add_host_port(&text, url);
    return text_end(&text);
}

struct slice url_host_port(struct arena *arena, const struct url *url)
{
    struct text text = text_begin(arena);
    add_host_port(&text, url);
    return text_end(&text);
}
