#include "tests/unit/support_document.h"

#include "tests/unit/support.h"

static void lack(json_t *json, const char *name, json_t *value)
{
    if (json_object_get(json, name))
        json_decref(value);
    else
        json_object_set_new(json, name, value);
}

/* From the lists of the header, each struct in a function of its own. */
#define COMPLETE(kind, name, ...)       COMPLETE_##kind(name, __VA_ARGS__)
#define COMPLETE_TEXT(name, of)         lack(json, #name, json_string(""));
#define COMPLETE_TEXT_OR_NULL(name, of) lack(json, #name, json_null());
#define COMPLETE_MAY_TEXT(name, of)
#define COMPLETE_NUMBER(name, of) lack(json, #name, json_integer(0));
#define COMPLETE_MAY_NUMBER(name, of)
#define COMPLETE_OBJECT(name, of)                                                                            \
    lack(json, #name, json_object());                                                                        \
    complete_##of(json_object_get(json, #name));
#define COMPLETE_OBJECT_OR_NULL(name, of)                                                                    \
    lack(json, #name, json_null());                                                                          \
    if (json_is_object(json_object_get(json, #name)))                                                        \
        complete_##of(json_object_get(json, #name));
#define COMPLETE_LIST(name, of)                                                                              \
    lack(json, #name, json_array());                                                                         \
    for (size_t i = 0; i < json_array_size(json_object_get(json, #name)); i++)                               \
        complete_##of(json_array_get(json_object_get(json, #name), i));

#define COMPLETER(of, MEMBERS)                                                                               \
    static void complete_##of(json_t *json)                                                                  \
    {                                                                                                        \
        MEMBERS(COMPLETE)                                                                                    \
    }

COMPLETER(document_reference, DOCUMENT_REFERENCE)
COMPLETER(document_period, DOCUMENT_PERIOD)
COMPLETER(document_party, DOCUMENT_PARTY)
/* All of it may be left out. */
static void complete_document_settlement(const json_t *json)
{
    assert_true(json_is_object(json));
}
COMPLETER(document_agreement, DOCUMENT_AGREEMENT)
COMPLETER(document_line, DOCUMENT_LINE)
COMPLETER(document_tax, DOCUMENT_TAX)
COMPLETER(document_event, DOCUMENT_EVENT)
COMPLETER(document_payment, DOCUMENT_PAYMENT)
COMPLETER(document_applied, DOCUMENT_APPLIED)
COMPLETER(document_credit_note, DOCUMENT_CREDIT_NOTE)
COMPLETER(document_day, DOCUMENT_DAY)
COMPLETER(document, DOCUMENT)

json_t *document_complete(json_t *document)
{
    complete_document(document);
    return document;
}

void document_open_complete(const json_t *document, struct document *opened)
{
    char problem[DOCUMENT_PROBLEM_MAX];
    json_t *copy = document_complete(json_deep_copy(document));
    if (!document_open(copy, opened, problem))
        fail_msg("%s", problem);
    json_decref(copy);
}

bool document_render(const json_t *document, rendering_function *render, struct format_output *out)
{
    struct document opened;
    document_open_complete(document, &opened);
    bool ok = render(&opened, out);
    document_free(&opened);
    return ok;
}
