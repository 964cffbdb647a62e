/* Structured fields: what parses is written canonically, and the canonical form parses to itself. A small
 * arena may make parsing fail, and nothing else. Input: TYPE ARENA TEXT. */
#include "tests/fuzz/support.h"

#include "ledger/verify/sf.h"

enum type { ITEM, LIST, DICTIONARY, TYPES };

struct parsed {
    bool ok;
    struct sf_member item;
    struct sf_list list;
};

static struct parsed parse(struct arena *arena, enum type type, struct slice text)
{
    struct parsed parsed = {.ok = false};
    if (type == ITEM)
        parsed.ok = sf_parse_item(arena, text, &parsed.item);
    else if (type == LIST)
        parsed.ok = sf_parse_list(arena, text, &parsed.list);
    else
        parsed.ok = sf_parse_dictionary(arena, text, &parsed.list);
    return parsed;
}

static struct slice serialise(struct arena *arena, enum type type, const struct parsed *parsed)
{
    struct text out = text_begin(arena);
    if (type == ITEM)
        sf_write_member(&out, &parsed->item);
    else if (type == LIST)
        sf_write_list(&out, &parsed->list);
    else
        sf_write_dictionary(&out, &parsed->list);
    return text_end(&out);
}

/* Every member can be found by its key, and it is the only one with it. */
static void check_keys(const struct sf_list *dictionary)
{
    size_t count = 0;
    for (const struct sf_member *member = dictionary->first; member; member = member->next, count++) {
        HOLDS(count < 4096 ? sf_find(dictionary, member->key) == member : true);
        for (const struct sf_parameter *p = member->parameters; p; p = p->next)
            HOLDS(sf_parameter(member, p->key) == p);
    }
    HOLDS(count == dictionary->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    enum type type = fuzz_byte(&text) % TYPES;
    struct arena small = fuzz_arena(fuzz_arena_size(fuzz_byte(&text)));
    struct arena large = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct parsed tight = parse(&small, type, text);
    struct parsed parsed = parse(&large, type, text);
    HOLDS(!tight.ok || parsed.ok);
    if (parsed.ok && text.len < 4096) {
        struct slice first = serialise(&large, type, &parsed);
        HOLDS(first.data);
        struct parsed again = parse(&large, type, first);
        HOLDS(again.ok);
        HOLDS(slice_eq(serialise(&large, type, &again), first));
        if (tight.ok)
            HOLDS(slice_eq(serialise(&large, type, &tight), first));
        if (type == DICTIONARY)
            check_keys(&parsed.list);
        serialise(&small, type, &parsed);
    }
    fuzz_arena_free(&small);
    fuzz_arena_free(&large);
    return 0;
}
