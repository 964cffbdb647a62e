#include "tools/crawler/target.h"

bool target_parse(struct arena *arena, struct slice text, struct target *target)
{
    text.len = slice_find(text, '#');
    if (!url_parse(arena, text, &target->url))
        return false;
    struct slice origin = url_origin(arena, &target->url);
    target->authority = url_host_port(arena, &target->url);
    if (!origin.data || !target->authority.data)
        return false;
    target->text = arena_format(arena, "%s%.*s%.*s", origin.data, (int)target->url.path.len,
                                target->url.path.data, (int)target->url.query.len, target->url.query.data);
    if (!target->text.data)
        return false;
    target->request = (struct slice){target->text.data + origin.len, target->text.len - origin.len};
    return true;
}
