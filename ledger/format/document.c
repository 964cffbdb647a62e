/* The list of members in document.h makes structure, reader and end of each part, so that a member that is
 * added is read, or its lack is an error; no renderer asks for a path in words that could be misspelt. */
#include "ledger/format/document.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in the document the reader is, for what it has to say. */
struct place {
    char path[80]; /* "" or "lines[2]." */
    char *problem;
};

enum need { MUST, MAY_BE_NULL, MAY_BE_LEFT_OUT };

static bool fail(const struct place *place, const char *name, const char *what)
{
    assert(place->problem && *name);
    snprintf(place->problem, DOCUMENT_PROBLEM_MAX, "%s%s %s", place->path, name, what);
    return false;
}

/* Whether there may be no value: of what was null as a whole, everything may. */
static bool may_lack(const json_t *json, const json_t *value, enum need need)
{
    /* A member that is null is there. One that is missing was forgotten by whoever made the document. */
    return !json || (need == MAY_BE_NULL && json_is_null(value)) ||
           (need == MAY_BE_LEFT_OUT && (!value || json_is_null(value)));
}

static bool read_text(const json_t *json, const char *name, enum need need, const char **text,
                      const struct place *place)
{
    const json_t *value = json_object_get(json, name);
    *text = json_is_string(value) ? json_string_value(value) : "";
    return json_is_string(value) || may_lack(json, value, need) ||
           fail(place, name, value ? "is no text" : "is missing");
}

static bool read_number(const json_t *json, const char *name, enum need need, int64_t *number,
                        const struct place *place)
{
    const json_t *value = json_object_get(json, name);
    *number = json_integer_value(value);
    return json_is_integer(value) || may_lack(json, value, need) ||
           fail(place, name, value ? "is no integer" : "is missing");
}

static bool find_object(const json_t *json, const char *name, enum need need, json_t **object,
                        const struct place *place)
{
    json_t *value = json_object_get(json, name);
    *object = json_is_object(value) ? value : NULL;
    return *object || may_lack(json, value, need) || fail(place, name, value ? "is no object" : "is missing");
}

static bool find_list(const json_t *json, const char *name, const json_t **list, const struct place *place)
{
    *list = json_object_get(json, name);
    return json_is_array(*list) || fail(place, name, *list ? "is no list" : "is missing");
}

/* Its texts are bounded, so that a hostile document gets no long path: what is too long is cut off. */
static struct place inside(const struct place *place, const char *name)
{
    assert(*name);
    struct place inner = {.problem = place->problem};
    snprintf(inner.path, sizeof(inner.path), "%.50s%.20s.", place->path, name);
    return inner;
}

/* One function reads one struct, another a list of it; each member is a condition that must hold. */
#define READ(kind, name, ...)         READ_##kind(name, __VA_ARGS__)
#define READ_TEXT(name, of)           read_text(json, #name, MUST, &self->name, place) &&
#define READ_TEXT_OR_NULL(name, of)   read_text(json, #name, MAY_BE_NULL, &self->name, place) &&
#define READ_MAY_TEXT(name, of)       read_text(json, #name, MAY_BE_LEFT_OUT, &self->name, place) &&
#define READ_NUMBER(name, of)         read_number(json, #name, MUST, &self->name, place) &&
#define READ_MAY_NUMBER(name, of)     read_number(json, #name, MAY_BE_LEFT_OUT, &self->name, place) &&
#define READ_OBJECT(name, of)         of##_member(json, #name, MUST, &self->name, place) &&
#define READ_OBJECT_OR_NULL(name, of) of##_member(json, #name, MAY_BE_NULL, &self->name, place) &&
#define READ_LIST(name, of)           of##_list(json, #name, &self->name.items, &self->name.count, place) &&

#define READER(of, MEMBERS)                                                                                  \
    static bool of##_read(json_t *json, struct of *self, const struct place *place)                          \
    {                                                                                                        \
        self->json = json;                                                                                   \
        return MEMBERS(READ) true;                                                                           \
    }

#define OBJECT_READER(of, MEMBERS)                                                                           \
    READER(of, MEMBERS)                                                                                      \
    static bool of##_member(const json_t *json, const char *name, enum need need, struct of *self,           \
                            const struct place *place)                                                       \
    {                                                                                                        \
        const struct place inner = inside(place, name);                                                      \
        json_t *object;                                                                                      \
        return find_object(json, name, need, &object, place) && of##_read(object, self, &inner);             \
    }

#define LIST_READER(of, MEMBERS)                                                                             \
    READER(of, MEMBERS)                                                                                      \
    static bool of##_list(const json_t *json, const char *name, struct of **items, size_t *count,            \
                          const struct place *place)                                                         \
    {                                                                                                        \
        const json_t *list;                                                                                  \
        if (!find_list(json, name, &list, place))                                                            \
            return false;                                                                                    \
        if (!(*items = calloc(json_array_size(list) + 1, sizeof(**items))))                                  \
            return fail(place, name, "does not fit into memory");                                            \
        for (; *count < json_array_size(list); ++*count) {                                                   \
            char item[32];                                                                                   \
            snprintf(item, sizeof(item), "%.15s[%zu]", name, *count);                                        \
            const struct place inner = inside(place, item);                                                  \
            json_t *object = json_array_get(list, *count);                                                   \
            if (!json_is_object(object))                                                                     \
                return fail(place, item, "is no object");                                                    \
            if (!of##_read(object, &(*items)[*count], &inner))                                               \
                return false;                                                                                \
        }                                                                                                    \
        return true;                                                                                         \
    }

OBJECT_READER(document_reference, DOCUMENT_REFERENCE)
OBJECT_READER(document_period, DOCUMENT_PERIOD)
OBJECT_READER(document_party, DOCUMENT_PARTY)
OBJECT_READER(document_settlement, DOCUMENT_SETTLEMENT)
OBJECT_READER(document_agreement, DOCUMENT_AGREEMENT)
OBJECT_READER(document_tax, DOCUMENT_TAX)
LIST_READER(document_line, DOCUMENT_LINE)
LIST_READER(document_event, DOCUMENT_EVENT)
LIST_READER(document_payment, DOCUMENT_PAYMENT)
LIST_READER(document_applied, DOCUMENT_APPLIED)
LIST_READER(document_credit_note, DOCUMENT_CREDIT_NOTE)
LIST_READER(document_day, DOCUMENT_DAY)
READER(document, DOCUMENT)

bool document_open(json_t *json, struct document *document, char problem[DOCUMENT_PROBLEM_MAX])
{
    assert(json);
    const struct place top = {.problem = problem};
    *document = (struct document){.json = NULL};
    if (document_read(json_incref(json), document, &top))
        return true;
    document_free(document);
    return false;
}

bool document_party_open(json_t *json, struct document_party *party, char problem[DOCUMENT_PROBLEM_MAX])
{
    assert(json);
    const struct place top = {.problem = problem};
    return document_party_read(json, party, &top);
}

#define FREE(kind, name, ...) FREE_##kind(name)
#define FREE_TEXT(name)
#define FREE_TEXT_OR_NULL(name)
#define FREE_MAY_TEXT(name)
#define FREE_NUMBER(name)
#define FREE_MAY_NUMBER(name)
#define FREE_OBJECT(name)
#define FREE_OBJECT_OR_NULL(name)
#define FREE_LIST(name) free(document->name.items);

void document_free(struct document *document)
{
    DOCUMENT(FREE)
    json_decref(document->json);
    *document = (struct document){.json = NULL};
}

bool document_is_credit_note(const struct document *document)
{
    assert(document->kind);
    return strcmp(document->kind, "credit-note") == 0;
}

#define NAMED(kind, name)                                                                                    \
    if (strcmp(wanted, #name) == 0)                                                                          \
        return party->name;

const char *document_party_text(const struct document_party *party, const char *wanted)
{
    DOCUMENT_PARTY(NAMED)
    assert(!"a member of a party");
    return "";
}

static bool set(struct document *document, const char *name, const char *text, const char **member)
{
    assert(document->json);
    json_t *value = json_string(text);
    *member = value ? json_string_value(value) : "";
    return json_object_set_new(document->json, name, value) == 0;
}

bool document_set_entries_url(struct document *document, const char *url)
{
    return set(document, "entries_url", url, &document->entries_url);
}

bool document_set_mark(struct document *document, const char *mark, const char *mark_url)
{
    return set(document, "mark", mark, &document->mark) &&
           (!mark_url || set(document, "mark_url", mark_url, &document->mark_url));
}
