#include "server/console/openapi.h"

#include "ledger/base/version.h"
#include "server/console/deed.h"
#include "server/console/files.h"
#include "server/console/view/view_page.h"

#include <stdio.h>
#include <string.h>

/* --- rows --- */

static json_t *schema_of(const struct view_column *column)
{
    switch (column->kind) {
    case VIEW_COUNT:
        return json_pack("{s:[s,s]}", "type", "integer", "null");
    case VIEW_MONEY:
        return json_pack("{s:[s,s],s:s}", "type", "integer", "null", "description",
                         "Micro-units (millionths) of the row's currency.");
    case VIEW_DATE:
        return json_pack("{s:[s,s],s:s}", "type", "string", "null", "format", "date");
    case VIEW_INSTANT:
        return json_pack("{s:[s,s],s:s}", "type", "string", "null", "format", "date-time");
    case VIEW_FLAG:
        return json_pack("{s:[s,s]}", "type", "boolean", "null");
    case VIEW_TEXT:
        break;
    }
    return json_pack("{s:[s,s]}", "type", "string", "null");
}

static json_t *rows_schema(const struct view *view)
{
    json_t *properties = json_object(), *required = json_array();
    bool money = false;
    for (const struct view_column *column = view->columns; column->name; column++) {
        json_t *schema = schema_of(column);
        json_object_set_new(schema, "title", json_string(column->title));
        json_object_set_new(properties, column->name, schema);
        json_array_append_new(required, json_string(column->name));
        money = money || column->kind == VIEW_MONEY;
    }
    if (money) {
        json_object_set_new(properties, "currency", json_pack("{s:s}", "type", "string"));
        json_array_append_new(required, json_string("currency"));
    }
    json_t *row = json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties", properties, "required",
                            required, "additionalProperties", 0);
    return json_pack("{s:s,s:{s:{s:s,s:o},s:{s:[s,s]}},s:[s,s],s:b}", "type", "object", "properties", "rows",
                     "type", "array", "items", row, "next", "type", "string", "null", "required", "rows",
                     "next", "additionalProperties", 0);
}

/* {"object": ..., "views": {"crawlers": {"rows": [...], "next": ...}, ...}} */
static json_t *page_schema(const struct view_page *page)
{
    json_t *tables = json_object();
    for (size_t i = 0; i < 8 && page->views[i]; i++) {
        char pointer[96];
        snprintf(pointer, sizeof(pointer), "#/components/schemas/%s", page->views[i]);
        json_object_set_new(tables, page->views[i], json_pack("{s:s}", "$ref", pointer));
    }
    return json_pack("{s:s,s:{s:{s:[s,s]},s:{s:s,s:o,s:b}},s:[s],s:b}", "type", "object", "properties",
                     "object", "type", "object", "null", "views", "type", "object", "properties", tables,
                     "additionalProperties", 0, "required", "views", "additionalProperties", 0);
}

/* --- parameters --- */

static json_t *parameter_of(const struct view_filter *filter, bool needed)
{
    json_t *schema = json_pack("{s:s}", "type", "string");
    if (strcmp(filter->format, "date") == 0)
        json_object_set_new(schema, "format", json_string("date"));
    if (strcmp(filter->format, "count") == 0)
        json_object_update_new(schema,
                               json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 1, "maximum", 1000));
    if (strcmp(filter->name, "order") == 0)
        json_object_set_new(schema, "enum", json_pack("[s,s]", "newest", "oldest"));
    return json_pack("{s:s,s:s,s:s,s:b,s:o}", "name", filter->name, "in", "query", "description",
                     filter->what, "required", (int)needed, "schema", schema);
}

static bool page_takes(const struct view_page *page, const char *name)
{
    static const char always[] = "view sort limit after";
    bool takes = view_lists(always, name) ||
                 (strcmp(page->path, "/lookup") == 0 && strcmp(name, "at") == 0) ||
                 (page->object && strcmp(name, "site") == 0);
    for (size_t i = 0; i < 8 && page->views[i]; i++)
        takes = takes || view_lists(view_called(page->views[i])->filters, name);
    return takes;
}

static json_t *parameters_of(const struct view_page *page)
{
    json_t *list = json_array();
    for (const struct view_filter *filter = view_filters; filter->name; filter++)
        if (view_lists(page->needs, filter->name) || page_takes(page, filter->name))
            json_array_append_new(list, parameter_of(filter, view_lists(page->needs, filter->name)));
    return list;
}

/* --- answers --- */

static void add_problems(json_t *responses)
{
    static const char *const statuses[] = {"400", "401", "403", "404", "409",
                                           "412", "422", "428", "429", "503"};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        json_object_set_new(responses, statuses[i],
                            json_pack("{s:s}", "$ref", "#/components/responses/problem"));
}

static json_t *answers(json_t *schema, bool csv)
{
    json_t *content = json_pack("{s:{s:o}}", "application/json", "schema", schema);
    if (csv)
        json_object_set_new(content, "text/csv", json_pack("{s:{s:s}}", "schema", "type", "string"));
    json_t *responses = json_pack("{s:{s:s,s:o}}", "200", "description", "As asked.", "content", content);
    add_problems(responses);
    return responses;
}

static json_t *page_operation(const struct view_page *page)
{
    char called[64];
    snprintf(called, sizeof(called), "get_%s", page->path + 1);
    return json_pack("{s:{s:s,s:s*,s:s,s:s,s:o,s:o}}", "get", "summary", page->title, "description",
                     page->about, "operationId", called, "x-right", role_right_name(page->right),
                     "parameters", parameters_of(page), "responses", answers(page_schema(page), true));
}

static json_t *file_operation(const struct file_offer *offer)
{
    char called[64];
    json_t *parameters = json_array();
    for (const struct view_filter *filter = view_filters; filter->name; filter++)
        if (view_lists(offer->needs, filter->name) || view_lists(offer->takes, filter->name))
            json_array_append_new(parameters, parameter_of(filter, view_lists(offer->needs, filter->name)));
    if (view_lists(offer->needs, "format"))
        json_array_append_new(parameters, json_pack("{s:s,s:s,s:b,s:{s:s,s:[s,s,s,s,s]}}", "name", "format",
                                                    "in", "query", "required", 1, "schema", "type", "string",
                                                    "enum", "pdf", "html", "ubl", "csv", "json"));
    snprintf(called, sizeof(called), "get%s", offer->path);
    for (char *c = called; *c; c++)
        *c = *c == '/' ? '_' : *c;
    json_t *responses = json_pack("{s:{s:s,s:{s:{}}}}", "200", "description", "The file.", "content", "*/*");
    add_problems(responses);
    return json_pack("{s:{s:s,s:s,s:s,s:o,s:o}}", "get", "summary", offer->title, "operationId", called,
                     "x-right", role_right_name(offer->right), "parameters", parameters, "responses",
                     responses);
}

static json_t *body_of(const struct deed *deed)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct deed_field *field = deed->fields; field < deed->fields + DEED_FIELDS_MAX && field->name;
         field++) {
        bool flag = strcmp(field->type, "checkbox") == 0;
        json_t *schema = json_pack("{s:s,s:s}", "type", flag ? "boolean" : "string", "title", field->label);
        if (strcmp(field->type, "file") == 0)
            json_object_set_new(schema, "format", json_string("binary"));
        json_t *words = field->words ? json_array() : NULL;
        for (const char *at = field->words; at && *at; at += strspn(at, " ")) {
            size_t len = strcspn(at, " ");
            json_array_append_new(words, json_stringn(at, len));
            at += len;
        }
        if (words)
            json_object_set_new(schema, "enum", words);
        json_object_set_new(properties, field->name, schema);
        if (field->needed)
            json_array_append_new(required, json_string(field->name));
    }
    return json_pack("{s:b,s:{s:{s:{s:s,s:o,s:o,s:b}}}}", "required", 1, "content",
                     deed_takes_file(deed) ? "multipart/form-data" : "application/json", "schema", "type",
                     "object", "properties", properties, "required", required, "additionalProperties", 0);
}

static json_t *deed_operation(const struct deed *deed)
{
    char called[64];
    json_t *parameters = json_pack("[{s:s}]", "$ref", "#/components/parameters/once");
    if (deed->matches)
        json_array_append_new(parameters, json_pack("{s:s}", "$ref", "#/components/parameters/match"));
    snprintf(called, sizeof(called), "post%s", deed->path);
    for (char *c = called; *c; c++)
        *c = *c == '/' ? '_' : *c;
    return json_pack("{s:{s:s,s:s,s:s,s:s,s:o,s:o,s:o}}", "post", "summary", deed->title, "description",
                     deed->what, "operationId", called, "x-right", role_right_name(deed->right), "parameters",
                     parameters, "requestBody", body_of(deed), "responses",
                     answers(json_pack("{s:s}", "type", "object"), false));
}

/* --- the whole --- */

static json_t *components(void)
{
    json_t *schemas = json_object();
    for (const struct view *view = views; view->name; view++)
        json_object_set_new(schemas, view->name, rows_schema(view));
    json_t *problem = json_pack("{s:s,s:{s:{s:s},s:{s:s},s:{s:s},s:{s:s},s:{s:s}},s:[s,s,s]}", "type",
                                "object", "properties", "type", "type", "string", "title", "type", "string",
                                "status", "type", "integer", "detail", "type", "string", "hint", "type",
                                "string", "required", "type", "title", "status");
    json_object_set_new(schemas, "problem", problem);
    json_t *once =
        json_pack("{s:s,s:s,s:s,s:{s:s,s:i,s:i}}", "name", "Idempotency-Key", "in", "header", "description",
                  "Chosen by the client: the same request with the same key is done "
                  "once, and answered as it was then.",
                  "schema", "type", "string", "minLength", 1, "maxLength", 200);
    json_t *match = json_pack("{s:s,s:s,s:b,s:s,s:{s:s}}", "name", "If-Match", "in", "header", "required", 1,
                              "description", "The ETag of the agreement that is to be changed.", "schema",
                              "type", "string");
    return json_pack("{s:o,s:{s:o,s:o},s:{s:{s:s,s:{s:{s:{s:s}}}}},s:{s:{s:s,s:s}}}", "schemas", schemas,
                     "parameters", "once", once, "match", match, "responses", "problem", "description",
                     "What failed, and what to do (RFC 9457).", "content", "application/problem+json",
                     "schema", "$ref", "#/components/schemas/problem", "securitySchemes", "token", "type",
                     "http", "scheme", "bearer");
}

static void add(json_t *paths, const char *path, json_t *operation)
{
    json_object_set_new(paths, path, operation);
}

json_t *openapi_json(void)
{
    json_t *paths = json_object();
    for (const struct view_page *page = view_pages; page->path; page++)
        add(paths, page->path, page_operation(page));
    for (const struct file_offer *offer = file_offers; offer->path; offer++)
        add(paths, offer->path, file_operation(offer));
    for (const struct deed *deed = deeds; deed->path; deed++)
        add(paths, deed->path, deed_operation(deed));
    add(paths, "/openapi.json",
        json_pack("{s:{s:s,s:s,s:o}}", "get", "summary", "This description", "operationId", "get_openapi",
                  "responses", answers(json_pack("{s:s}", "type", "object"), false)));
    return json_pack("{s:s,s:{s:s,s:s,s:s},s:[{s:s}],s:[{s:[]}],s:o,s:o}", "openapi", "3.1.0", "info",
                     "title", "crawltab console", "version", CRAWLTAB_VERSION, "description",
                     "What the operator's console shows and does.", "servers", "url", "/api/v1", "security",
                     "token", "paths", paths, "components", components());
}
