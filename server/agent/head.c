/* Fields are copied out of libcurl's buffer as they come, into a bounded place: what does not fit ends the
 * fetch. Names in lower case, as message.h has them, so that the same code looks at requests and answers. */
#include "server/agent/head.h"

#include <assert.h>

static char *keep(struct head *head, struct slice text)
{
    assert(head->used <= sizeof(head->bytes));
    if (text.len > sizeof(head->bytes) - head->used)
        return NULL;
    char *at = head->bytes + head->used;
    memcpy(at, text.data, text.len);
    head->used += text.len;
    return at;
}

bool head_line(struct head *head, struct slice line)
{
    assert(head->count <= HEAD_FIELDS_MAX);
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    /* A further status line: an answer before it was interim (RFC 9110 section 15.2), and its fields do not
     * count. */
    if (slice_starts(line, SLICE("HTTP/"))) {
        head->count = head->used = 0;
        head->ended = false;
        return true;
    }
    if (line.len == 0)
        head->ended = true;
    /* Fields behind the body (RFC 9110 section 6.5) say nothing that is signed or cached by. */
    if (head->ended)
        return true;
    size_t colon = slice_find(line, ':');
    if (colon == 0 || colon == line.len || line.data[0] == ' ' || line.data[0] == '\t' ||
        head->count == HEAD_FIELDS_MAX)
        return false;
    struct slice value = slice_trim((struct slice){line.data + colon + 1, line.len - colon - 1});
    char *name = keep(head, (struct slice){line.data, colon});
    char *text = name ? keep(head, value) : NULL;
    if (!text)
        return false;
    for (size_t i = 0; i < colon; i++)
        name[i] = slice_lower(name[i]);
    head->fields[head->count++] = (struct message_field){{name, colon}, {text, value.len}};
    return true;
}
