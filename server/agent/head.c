#include "server/agent/head.h"

static char *keep(struct head *head, struct slice text)
{
    if (text.len > sizeof(head->bytes) - head->used)
        return NULL;
    char *at = head->bytes + head->used;
    memcpy(at, text.data, text.len);
    head->used += text.len;
    return at;
}

bool head_line(struct head *head, struct slice line)
{
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    if (slice_starts(line, SLICE("HTTP/"))) {
        head->count = head->used = 0;
        head->ended = false;
        return true;
    }
    if (line.len == 0)
        head->ended = true;
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
