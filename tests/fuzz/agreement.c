/* The terms of an agreement: what is taken can be written and read again, stored and read again, and says the
 * same. Input: KEY=VALUE, a line feed, and a file. */
#include "tests/fuzz/support.h"

#include "ledger/terms/terms.h"

static struct terms *read_text(const char *text, size_t len, FILE *errors)
{
    FILE *file = fmemopen((void *)(uintptr_t)(len > 0 ? text : "\n"), len > 0 ? len : 1, "r");
    HOLDS(file);
    struct terms *terms = terms_read(file, "input", "EUR", errors);
    fclose(file);
    return terms;
}

static void check_same(const struct terms *a, const struct terms *b)
{
    json_t *first = terms_json(a), *second = terms_json(b);
    HOLDS(first && second && json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

static void check(const struct terms *terms, FILE *nowhere)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    HOLDS(out);
    terms_write(terms, out);
    fclose(out);
    struct terms *again = read_text(text, len, nowhere);
    HOLDS(again);
    check_same(terms, again);
    HOLDS(terms_write_changes(terms, again, nowhere) == 0);
    json_t *json = terms_json(terms);
    struct terms *stored = terms_from_json(json);
    HOLDS(stored);
    check_same(terms, stored);
    json_decref(json);
    terms_free(again);
    terms_free(stored);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_bytes(data, size);
    struct slice line = fuzz_line(&input);
    char *change = calloc(1, line.len + 1);
    const char *const changes[] = {change};
    FILE *nowhere = fopen("/dev/null", "w");
    HOLDS(change && nowhere);
    if (line.len > 0)
        memcpy(change, line.data, line.len);
    struct terms *terms = read_text(input.data, input.len, nowhere);
    if (terms) {
        check(terms, nowhere);
        struct terms *changed = terms_change(terms, changes, 1, "EUR", nowhere);
        if (changed)
            check(changed, nowhere);
        terms_free(changed);
    }
    terms_free(terms);
    fclose(nowhere);
    free(change);
    return 0;
}
