#include "server/console/page.h"

#include "ledger/base/version.h"
#include "server/console/deed.h"
#include "server/console/intro.h"
#include "server/console/view/markup.h"
#include "server/console/view/write.h"

#include <stdlib.h>

/* --- what every page has --- */

static void head(FILE *out, const char *title, bool live)
{
    markup(out,
           "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<meta name=\"color-scheme\" content=\"light dark\"><title>%s · crawltab</title>"
           "<link rel=\"stylesheet\" href=\"/assets/console.css\">"
           "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">",
           title);
    if (live)
        fputs("<script src=\"/assets/chart.js\" defer></script>", out);
    fputs("<script src=\"/assets/console.js\" defer></script></head>\n", out);
}

static void menu(FILE *out, const struct caller *caller, const struct view_page *here)
{
    fputs("<nav aria-label=\"Pages\"><ul>", out);
    for (const struct view_page *page = view_pages; page->path; page++)
        if (page->menu && role_may(caller->token.role, page->right))
            markup(out,
                   page == here ? "<li><a aria-current=\"page\" href=\"%s\">%s</a></li>"
                                : "<li><a href=\"%s\">%s</a></li>",
                   page->path, page->menu);
    fputs("</ul></nav>\n", out);
}

static void top(FILE *out, const struct caller *caller, const struct view_page *here, const char *q)
{
    fputs("<body><a class=\"skip\" href=\"#main\">To the content</a>\n<header>"
          "<a class=\"brand\" href=\"/today\">crawltab</a>",
          out);
    if (role_may(caller->token.role, RIGHT_BOOKS))
        markup(out,
               "<form role=\"search\" action=\"/lookup\"><label for=\"q\" class=\"hidden\">Look up"
               "</label><input id=\"q\" name=\"q\" type=\"search\" value=\"%s\" placeholder="
               "\"Look up: payment, invoice, crawler, URL\" autocomplete=\"off\" "
               "aria-keyshortcuts=\"/\"><button>Look up"
               "</button></form>",
               q);
    markup(out,
           "<form method=\"post\" action=\"/logout\" class=\"who\"><span>%s, %s</span>"
           "<input type=\"hidden\" name=\"csrf\" value=\"%s\"><button class=\"plain\">Log out</button>"
           "</form></header>\n",
           caller->token.name, caller->token.role, caller->session.csrf);
    menu(out, caller, here);
    fputs("<main id=\"main\" tabindex=\"-1\">\n", out);
}

static void foot(FILE *out)
{
    markup(out,
           "</main>\n<footer>crawltab %s · <a href=\"/api/v1/openapi.json\">API</a></footer>"
           "</body></html>\n",
           CRAWLTAB_VERSION);
}

/* --- filters --- */

static bool takes(const struct page_content *content, const char *name)
{
    if (view_lists(content->page->needs, name))
        return false;
    for (size_t i = 0; i < content->count; i++)
        if (view_lists(content->views[i]->filters, name))
            return true;
    return false;
}

/* What the page is about stays as it is. */
static void write_filters(FILE *out, const struct asked *ask, const struct page_content *content)
{
    bool any = false;
    for (const struct view_filter *filter = view_filters; filter->name; filter++) {
        const char *value = asked_text(ask, filter->name);
        if (!takes(content, filter->name) || strcmp(filter->name, "order") == 0)
            continue;
        if (!any)
            markup(out, "<form class=\"filters\" action=\"%s\">", content->page->path);
        any = true;
        markup(out, "<label>%s <input name=\"%s\" type=\"%s\" value=\"%s\"></label>", filter->label,
               filter->name, *filter->format == 'd' ? "date" : "text", value);
    }
    for (const struct view_filter *filter = view_filters; any && filter->name; filter++)
        if (view_lists(content->page->needs, filter->name))
            markup(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", filter->name,
                   asked_text(ask, filter->name));
    if (any)
        fputs("<button>Show</button></form>\n", out);
}

/* --- forms --- */

/* What a form is filled in with: what the page was asked, and texts and numbers of its object. */
static json_t *known_of(const struct asked *ask, const struct page_content *content)
{
    json_t *known = json_object(), *value;
    const char *name;
    char number[32];
    json_object_foreach(content->object, name, value)
    {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        if (json_is_string(value))
            json_object_set(known, name, value);
        else if (json_is_integer(value))
            json_object_set_new(known, name, json_string(number));
    }
    json_object_update(known, ask->query);
    return known;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void write_field(FILE *out, const struct deed_field *field, const char *value)
{
    const char *needed = field->needed ? " required" : "";
    if (strcmp(field->type, "hidden") == 0) {
        markup(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", field->name, value);
    } else if (strcmp(field->type, "area") == 0) {
        bool long_text = strcmp(field->name, "terms") == 0;
        markup(out, "<label>%s <textarea name=\"%s\" rows=\"%d\"%s>%s</textarea></label>", field->label,
               field->name, (int64_t)(long_text ? 24 : 4), needed, value);
    } else if (strcmp(field->type, "select") == 0) {
        char word[64];
        markup(out, "<label>%s <select name=\"%s\">", field->label, field->name);
        for (const char *at = field->words; *at; at += strspn(at, " ")) {
            size_t len = strcspn(at, " ");
            snprintf(word, sizeof(word), "%.*s", (int)len, at);
            markup(out, "<option>%s</option>", word);
            at += len;
        }
        fputs("</select></label>", out);
    } else {
        bool check = strcmp(field->type, "checkbox") == 0;
        markup(out,
               check ? "<label class=\"check\">%s <input name=\"%s\" type=\"%s\" value=\"true\"%s></label>"
                     : "<label>%s <input name=\"%s\" type=\"%s\"%s></label>",
               field->label, field->name, field->type, needed);
    }
}

/* Every hidden field that is needed is known here. */
static bool fits(const struct deed *deed, const json_t *known)
{
    for (const struct deed_field *field = deed->fields; field < deed->fields + DEED_FIELDS_MAX && field->name;
         field++)
        if (field->needed && strcmp(field->type, "hidden") == 0 && !*text_of(known, field->name))
            return false;
    return true;
}

static void write_form(FILE *out, const struct deed *deed, const struct deed *other,
                       const struct caller *caller, const json_t *known)
{
    struct session chance;
    markup(out, "<details class=\"deed\"><summary>%s</summary><form method=\"post\" action=\"%s\"",
           other ? other->title : deed->title, deed->path);
    markup(out, deed_takes_file(deed) ? " enctype=\"multipart/form-data\"><p>%s</p>" : "><p>%s</p>",
           other ? other->what : deed->what);
    session_once(chance.id);
    markup(out,
           "<input type=\"hidden\" name=\"csrf\" value=\"%s\"><input type=\"hidden\" name=\"once\" "
           "value=\"%s\">",
           caller->session.csrf, chance.id);
    for (const struct deed_field *field = deed->fields; field < deed->fields + DEED_FIELDS_MAX && field->name;
         field++)
        write_field(out, field, text_of(known, field->name));
    if (view_lists(deed->keeps, "q"))
        markup(out, "<input type=\"hidden\" name=\"q\" value=\"%s\">", text_of(known, "q"));
    markup(out, "<button>%s</button>", deed->title);
    if (other)
        markup(out, " <button formaction=\"%s\">%s</button>", other->path, other->title);
    fputs("</form></details>\n", out);
}

/* A deed that can be tried first shares its form with the trial. */
static void write_forms(FILE *out, const struct caller *caller, const struct asked *ask,
                        const struct page_content *content)
{
    json_t *known = known_of(ask, content);
    bool decided = json_is_false(json_object_get(content->object, "open"));
    for (const struct deed *deed = deeds; deed->path; deed++) {
        if (strcmp(deed->page, content->page->path) != 0 || !role_may(caller->token.role, deed->right) ||
            !fits(deed, known) || (decided && strcmp(deed->page, "/dispute") == 0))
            continue;
        bool trial = deed->input && deed[1].path && deed[1].input;
        write_form(out, deed, trial ? &deed[1] : NULL, caller, known);
        deed += trial;
    }
    json_decref(known);
}

/* --- pages --- */

static void write_title(FILE *out, const struct view_page *page, const struct asked *ask)
{
    const char *open = strchr(page->title, '{');
    char name[32];
    if (!open) {
        markup(out, "%s", page->title);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(open + 1, "}"), open + 1);
    fprintf(out, "%.*s", (int)(open - page->title), page->title);
    markup(out, "%s", asked_text(ask, name));
}

static void write_tables(FILE *out, const struct asked *ask, const struct page_content *content)
{
    for (size_t i = 0; i < content->count; i++) {
        const struct view *view = content->views[i];
        json_t *given = json_copy(ask->query);
        const char *wanted = asked_text(ask, "view");
        bool first = strcmp(view->name, content->page->views[0]) == 0;
        if (wanted ? strcmp(wanted, view->name) != 0 : !first) {
            json_object_del(given, "sort"); /* they are the other table's */
            json_object_del(given, "after");
        }
        if (!first)
            json_object_set_new(given, "view", json_string(view->name));
        write_table(out, view, &content->rows[i], content->page->path, given);
        json_decref(given);
    }
}

void page_write(FILE *out, const struct seat *seat, const struct caller *caller, const struct asked *ask,
                const struct page_content *content)
{
    char *title = NULL;
    size_t len;
    FILE *text = open_memstream(&title, &len);
    if (text) {
        const char *open = strchr(content->page->title, '{');
        char name[32] = "";
        if (open)
            snprintf(name, sizeof(name), "%.*s", (int)strcspn(open + 1, "}"), open + 1);
        const char *value = open ? asked_text(ask, name) : NULL;
        fprintf(text, "%.*s%s", (int)(open ? open - content->page->title : 200), content->page->title,
                value ? value : "");
        fclose(text);
    }
    head(out, title ? title : "crawltab", strcmp(content->page->path, "/today") == 0);
    free(title);
    top(out, caller, content->page, asked_text(ask, "q"));
    fputs("<h1>", out);
    write_title(out, content->page, ask);
    fputs("</h1>\n", out);
    markup(out, content->page->about ? "<p class=\"about\">%s</p>\n" : "", content->page->about);
    write_filters(out, ask, content);
    intro_write(out, seat, caller, ask, content);
    write_tables(out, ask, content);
    write_forms(out, caller, ask, content);
    foot(out);
}

void page_write_login(FILE *out, const char *wrong)
{
    head(out, "Log in", false);
    fputs("<body class=\"door\"><main id=\"main\"><h1>crawltab</h1>", out);
    markup(out, wrong ? "<p class=\"wrong\" role=\"alert\">%s</p>" : "", wrong);
    fputs(
        "<form method=\"post\" action=\"/login\"><label>Key <input name=\"token\" type=\"password\" required "
        "autocomplete=\"current-password\" autofocus></label><button>Log in</button></form>"
        "<p>An owner makes keys with <code>crawltab token add NAME --role owner</code>.</p></main></body>"
        "</html>\n",
        out);
}

void page_write_problem(FILE *out, const struct caller *caller, const struct reply_problem *problem)
{
    head(out, problem->title, false);
    top(out, caller, NULL, "");
    markup(out, "<h1>%s</h1><p class=\"wrong\" role=\"alert\">%s.</p>", problem->title,
           problem->detail ? problem->detail : problem->title);
    markup(out, problem->hint && *problem->hint ? "<p>What to do: %s.</p>" : "", problem->hint);
    markup(out, "<p>%s</p><p><a href=\"/today\">To today's numbers</a></p>",
           problem->status >= 500 ? "The ledger is as it was: what was recorded before stays recorded."
                                  : "Nothing was changed.");
    foot(out);
}

void page_write_done(FILE *out, const struct caller *caller, const char *title, const json_t *answer,
                     const char *back)
{
    head(out, title, false);
    top(out, caller, NULL, "");
    markup(out, "<h1>%s</h1>\n<section class=\"view\">", title);
    markup_object(out, answer);
    markup(out, "</section><p><a href=\"%s\">Back</a></p>", back);
    foot(out);
}
