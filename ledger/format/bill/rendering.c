/* A format is a row here and a file of its own; nothing else knows how many there are. */
#include "ledger/format/bill/rendering.h"

#include <assert.h>
#include <string.h>

const struct rendering renderings[] = {
    {"json", "json", json_render},
    {"csv", "csv", csv_render},
    {"html", "html", html_render},
    {"pdf", "pdf", pdf_render},
    {"ubl", "xml", ubl_render},
    {"hledger", "journal", hledger_render},
    {"ledger", "ledger", ledger_render},
    {"beancount", "beancount", beancount_render},
    {NULL, NULL, NULL},
};

const struct rendering *rendering_called(const char *name)
{
    for (const struct rendering *rendering = renderings; rendering->name; rendering++)
        if (strcmp(rendering->name, name) == 0)
            return rendering;
    return NULL;
}

bool json_render(const struct document *document, struct format_output *out)
{
    char *text = json_dumps(document->json, JSON_INDENT(2));
    size_t len = text ? strlen(text) : 0;
    assert(!text || (len > 0 && text[0] == '{'));
    out->bytes = text ? realloc(text, len + 2) : NULL;
    if (!out->bytes) {
        free(text);
        return format_fail(out, "no memory");
    }
    memcpy(out->bytes + len, "\n", 2);
    out->len = len + 1;
    return true;
}
