#include "server/console/view/write.h"

#include "ledger/base/text/amount.h"
#include "server/console/base/asked.h"
#include "server/console/view/markup.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

void write_query(FILE *out, const json_t *given, const char *less)
{
    const char *name, *head = "";
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        const char *text = json_string_value(value);
        if (!text || !*text || strcmp(name, less) == 0)
            continue;
        fprintf(out, "%s", head);
        asked_escape(out, name);
        fputc('=', out);
        asked_escape(out, text);
        head = "&";
    }
}

/* --- HTML --- */

/* The link of a cell, NULL where a member that it needs is missing. The caller frees. */
static char *link_of(const struct view_column *column, const json_t *row)
{
    char *link = NULL, name[64];
    size_t len;
    bool whole = column->link != NULL;
    FILE *out = whole ? open_memstream(&link, &len) : NULL;
    if (!out)
        return NULL;
    for (const char *c = column->link; *c; c++) {
        if (*c != '{') {
            fputc(*c, out);
            continue;
        }
        size_t size = strcspn(c + 1, "}");
        snprintf(name, sizeof(name), "%.*s", (int)size, c + 1);
        const json_t *value = json_object_get(row, name);
        whole = whole && (json_is_integer(value) || *text_of(row, name));
        if (json_is_integer(value))
            fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            asked_escape(out, text_of(row, name));
        c += size + 1;
    }
    fclose(out);
    if (whole)
        return link;
    free(link);
    return NULL;
}

/* Words that have a meaning have a colour and a shape; those that have none are left alone. */
static const char *meaning_of(const char *word)
{
    static const struct {
        const char *meaning, *words;
    } meanings[] = {
        {"paid", "paid active delivered closed good upheld"},
        {"offered", "issued sent open sealed opened referred waiting part-paid part_upheld"},
        {"refused", "overdue void written-off suspended failing bad rejected revoked expired"},
        {"observed", "credited unknown"},
    };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (view_lists(meanings[i].words, word))
            return meanings[i].meaning;
    return NULL;
}

static void write_value(FILE *out, const struct view_column *column, const json_t *row)
{
    const json_t *value = json_object_get(row, column->name);
    if (json_is_integer(value) && column->kind == VIEW_MONEY) {
        markup_money(out, json_integer_value(value), text_of(row, "currency"));
    } else if (json_is_integer(value)) {
        markup_number(out, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "yes" : "", out);
    } else if (json_is_string(value) && column->kind == VIEW_INSTANT &&
               strlen(json_string_value(value)) > 19) {
        const char *text = json_string_value(value);
        markup(out, "<time datetime=\"%s\">", text);
        fprintf(out, "%.10s %.8s</time>", text, text + 11);
    } else if (json_is_string(value)) {
        bool state = strcmp(column->name, "status") == 0 || strcmp(column->name, "state") == 0 ||
                     strcmp(column->name, "result") == 0;
        const char *meaning = state ? meaning_of(json_string_value(value)) : NULL;
        markup(out, meaning ? "<span class=\"mark %s\">%s</span>" : "", meaning, json_string_value(value));
        markup(out, meaning ? "" : "%s", json_string_value(value));
    }
}

static bool is_number(const struct view_column *column)
{
    return column->kind == VIEW_COUNT || column->kind == VIEW_MONEY;
}

/* A column without a value in any row tells nothing. */
static bool is_empty(const struct view_column *column, const json_t *rows)
{
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const json_t *value = json_object_get(row, column->name);
        if (json_is_integer(value)   ? !column->link || json_integer_value(value) != 0
            : json_is_boolean(value) ? json_is_true(value)
                                     : json_is_string(value) && *json_string_value(value))
            return false;
    }
    return true;
}

static void write_row(FILE *out, const struct view *view, const json_t *rows, const json_t *row)
{
    bool first = true;
    fputs("<tr>", out);
    for (const struct view_column *column = view->columns; column->name; column++) {
        if (is_empty(column, rows))
            continue;
        char *link = link_of(column, row);
        const json_t *value = json_object_get(row, column->name);
        bool linked = link && !json_is_null(value) && value;
        markup(out, first ? "<th scope=\"row\"%s" : "<td%s", "");
        markup(out, is_number(column) ? " class=\"n\" data-t=\"%s\">" : " data-t=\"%s\">", column->title);
        markup(out, linked ? "<a href=\"%s\">" : "", link);
        write_value(out, column, row);
        fputs(linked ? "</a>" : "", out);
        fputs(first ? "</th>" : "</td>", out);
        free(link);
        first = false;
    }
    fputs("</tr>\n", out);
}

static void write_address(FILE *out, const char *address, const json_t *given, const char *less)
{
    char *query = NULL;
    size_t len;
    FILE *text = open_memstream(&query, &len);
    if (text) {
        write_query(text, given, less);
        fclose(text);
    }
    markup(out, query && *query ? "%s?%s" : "%s", address, query);
    free(query);
}

/* A head sorts by its column, and once more the other way around. */
static void write_head(FILE *out, const struct view *view, const json_t *rows, const char *address,
                       const json_t *given)
{
    const char *sorted = text_of(given, "sort");
    fputs("<thead><tr>", out);
    for (const struct view_column *column = view->columns; column->name; column++) {
        if (is_empty(column, rows))
            continue;
        bool up = strcmp(sorted, column->name) == 0;
        bool down = *sorted == '-' && strcmp(sorted + 1, column->name) == 0;
        bool first_down = is_number(column) ? !down : up;
        fputs(is_number(column) ? "<th scope=\"col\" class=\"n\"" : "<th scope=\"col\"", out);
        fputs(up ? " aria-sort=\"ascending\">" : down ? " aria-sort=\"descending\">" : ">", out);
        if (!view->paged) {
            json_t *next = json_copy((json_t *)(uintptr_t)given);
            char by[80];
            snprintf(by, sizeof(by), "%s%s", first_down ? "-" : "", column->name);
            json_object_set_new(next, "sort", json_string(by));
            fputs("<a href=\"", out);
            write_address(out, address, next, "after");
            markup(out, "\">%s</a>", column->title);
            json_decref(next);
        } else {
            markup(out, "%s", column->title);
        }
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

static void write_foot(FILE *out, const struct view *view, const struct view_rows *rows, const char *address,
                       const json_t *given)
{
    char form[128];
    fputs("<p class=\"foot\">", out);
    if (rows->next) {
        json_t *more = json_copy((json_t *)(uintptr_t)given);
        json_object_set_new(more, "after", json_string(rows->next));
        fputs("<a rel=\"next\" href=\"", out);
        write_address(out, address, more, "");
        fputs("\">More rows</a> · ", out);
        json_decref(more);
    }
    snprintf(form, sizeof(form), "%s.csv", address);
    markup(out, "<a href=\"");
    write_address(out, form, given, "");
    markup(out, "\" aria-label=\"%s as CSV\">CSV</a> · <a href=\"", view->title);
    snprintf(form, sizeof(form), "%s.json", address);
    write_address(out, form, given, "");
    markup(out, "\" aria-label=\"%s as JSON\">JSON</a></p>\n", view->title);
}

void write_table(FILE *out, const struct view *view, const struct view_rows *rows, const char *address,
                 const json_t *given)
{
    const json_t *row;
    size_t i;
    markup(out, "<section class=\"view\" id=\"%s\"><h2>%s</h2>\n", view->name, view->title);
    if (json_array_size(rows->rows) == 0) {
        markup(out, "<p class=\"empty\">%s</p></section>\n", view->empty);
        return;
    }
    markup(out, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table>", view->title);
    write_head(out, view, rows->rows, address, given);
    fputs("<tbody>\n", out);
    json_array_foreach(rows->rows, i, row)
    {
        write_row(out, view, rows->rows, row);
    }
    fputs("</tbody></table></div>\n", out);
    write_foot(out, view, rows, address, given);
    fputs("</section>\n", out);
}

/* --- JSON --- */

static bool has_money(const struct view *view)
{
    for (const struct view_column *column = view->columns; column->name; column++)
        if (column->kind == VIEW_MONEY)
            return true;
    return false;
}

json_t *write_json(const struct view *view, const struct view_rows *rows)
{
    json_t *list = json_array(), *row;
    size_t i;
    json_array_foreach(rows->rows, i, row)
    {
        json_t *object = json_object();
        for (const struct view_column *column = view->columns; column->name; column++) {
            json_t *value = json_object_get(row, column->name);
            json_object_set(object, column->name, value ? value : json_null());
        }
        if (has_money(view))
            json_object_set_new(object, "currency", json_string(text_of(row, "currency")));
        json_array_append_new(list, object);
    }
    return json_pack("{s:o,s:s?}", "rows", list, "next", rows->next);
}

/* --- CSV --- */

static void write_field(FILE *out, const char *text)
{
    fputc('"', out);
    if (*text && strchr("=+-@\t\r", *text))
        fputc('\'', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void write_cell(FILE *out, const struct view_column *column, const json_t *row)
{
    const json_t *value = json_object_get(row, column->name);
    char amount[AMOUNT_TEXT_MAX];
    if (json_is_integer(value) && column->kind == VIEW_MONEY)
        fputs(amount_format(json_integer_value(value), amount), out);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
    else if (json_is_string(value))
        write_field(out, json_string_value(value));
}

/* The column of an amount is named without "_micros": it is in whole units here. */
static void write_column_name(FILE *out, const struct view_column *column)
{
    size_t len = strlen(column->name);
    bool micros = column->kind == VIEW_MONEY && len > 7 && strcmp(column->name + len - 7, "_micros") == 0;
    fprintf(out, "%.*s", (int)(micros ? len - 7 : len), column->name);
}

void write_csv(FILE *out, const struct view *view, const struct view_rows *rows)
{
    bool money = has_money(view);
    const json_t *row;
    size_t i;
    for (const struct view_column *column = view->columns; column->name; column++) {
        fputs(column == view->columns ? "" : ",", out);
        write_column_name(out, column);
    }
    fputs(money ? ",currency\r\n" : "\r\n", out);
    json_array_foreach(rows->rows, i, row)
    {
        for (const struct view_column *column = view->columns; column->name; column++) {
            fputs(column == view->columns ? "" : ",", out);
            write_cell(out, column, row);
        }
        if (money) {
            fputc(',', out);
            write_field(out, text_of(row, "currency"));
        }
        fputs("\r\n", out);
    }
}
