#include "server/console/view/traffic_rows.h"

#include "ledger/base/text/amount.h"

#include <stdbool.h>
#include <string.h>

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

/* Of what is observed only, `reason` is what would have come of it. */
static const char *came(const json_t *part)
{
    const char *outcome = text(part, "outcome"), *reason = text(part, "reason");
    if (strcmp(outcome, "observed") != 0)
        return outcome;
    return strcmp(reason, "offered") == 0 || strcmp(reason, "paid") == 0 || strcmp(reason, "free") == 0
               ? reason
               : "refused";
}

/* Requests of the group by outcome, and the reason of most of those refused. */
struct sums {
    json_int_t offered, paid, refused, free, most;
    const char *why;
};

static struct sums sum(const json_t *group)
{
    struct sums sums = {.why = ""};
    const json_t *part;
    size_t i;
    json_array_foreach(json_object_get(group, "outcomes"), i, part)
    {
        const char *outcome = came(part);
        json_int_t requests = number(part, "requests");
        sums.offered += strcmp(outcome, "offered") == 0 ? requests : 0;
        sums.paid += strcmp(outcome, "paid") == 0 ? requests : 0;
        sums.free += strcmp(outcome, "free") == 0 ? requests : 0;
        if (strcmp(outcome, "refused") != 0)
            continue;
        sums.refused += requests;
        if (requests > sums.most) {
            sums.most = requests;
            sums.why = text(part, "reason");
        }
    }
    return sums;
}

static json_t *row_of(const json_t *site, const json_t *group)
{
    const struct sums sums = sum(group);
    const char *key = text(group, text(site, "by"));
    bool verified = json_is_true(json_object_get(group, "verified"));
    return json_pack("{s:s,s:s,s:s?,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:I,s:I}", "key", key,
                     "site", text(site, "site"), "account", verified ? key : NULL, "verified", (int)verified,
                     "requests", number(group, "requests"), "offered", sums.offered, "paid", sums.paid,
                     "refused", sums.refused, "free", sums.free, "pages", number(group, "pages"), "bytes",
                     number(group, "bytes"), "earned_micros", number(group, "earned_micros"),
                     "would_have_earned_micros", number(group, "would_have_earned_micros"), "currency",
                     text(site, "currency"), "reason", sums.why, "requests_yesterday",
                     number(json_object_get(group, "yesterday"), "requests"), "requests_week_ago",
                     number(json_object_get(group, "week_ago"), "requests"));
}

json_t *traffic_rows(const json_t *answer, const json_t *given)
{
    json_t *rows = json_array();
    const json_t *site, *group;
    size_t i, k;
    (void)given;
    json_array_foreach(answer, i, site)
    {
        json_array_foreach(json_object_get(site, "traffic"), k, group)
        {
            json_array_append_new(rows, row_of(site, group));
        }
    }
    return rows;
}

/* People are not among them, nor is who has paid. */
json_t *traffic_rows_refused(const json_t *answer, const json_t *given)
{
    json_t *all = traffic_rows(answer, given), *rows = json_array(), *row;
    size_t i;
    json_array_foreach(all, i, row)
    {
        json_int_t refused = number(row, "refused"), offered = number(row, "offered");
        if (number(row, "paid") > 0 || refused + offered == 0 || strcmp(text(row, "key"), "others") == 0)
            continue;
        const char *why = refused == 0 ? "never answers an offer" : text(row, "reason");
        json_object_set_new(row, "reason", json_string(why));
        json_array_append(rows, row);
    }
    json_decref(all);
    return rows;
}

/* The price that "NAME=PRICE, ..." gives the rule; false: none. */
static bool tried(const char *list, const char *rule, int64_t *micros)
{
    size_t name_len = strlen(rule);
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ",");
        if (len > name_len && strncmp(at, rule, name_len) == 0 && at[name_len] == '=') {
            struct slice price = slice_trim(slice_bytes(at + name_len + 1, len - name_len - 1));
            return amount_parse(price, micros);
        }
        at += len;
    }
    return false;
}

/* A product that does not fit is as much as fits: nobody has so many requests. */
static json_int_t times(json_int_t a, json_int_t b)
{
    json_int_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

json_t *traffic_rows_prices(const json_t *answer, const json_t *given)
{
    json_t *rows = traffic_rows(answer, given), *row;
    const json_t *prices = json_object_get(given, "-prices");
    const char *list = json_string_value(json_object_get(given, "try"));
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const json_t *now = json_object_get(json_object_get(prices, text(row, "site")), text(row, "key"));
        int64_t price = json_integer_value(now), try = price;
        if (list)
            tried(list, text(row, "key"), &try);
        json_int_t paid = number(row, "paid"), asked = paid + number(row, "offered");
        json_object_set_new(row, "price_micros", json_is_integer(now) ? json_integer(price) : json_null());
        json_object_set_new(row, "tried_micros", json_integer(try));
        json_object_set_new(row, "same_payers_micros", json_integer(times(paid, try)));
        json_object_set_new(row, "all_pay_micros", json_integer(times(asked, try)));
    }
    return rows;
}

/* The parts are sketched each by itself, and may have pages in common. */
static json_int_t pages_paid(const json_t *group)
{
    const json_t *part;
    json_int_t pages = 0, all = number(group, "pages");
    size_t i;
    json_array_foreach(json_object_get(group, "outcomes"), i, part)
    {
        pages += strcmp(came(part), "paid") == 0 ? number(part, "pages") : 0;
    }
    return pages < all ? pages : all;
}

/* Rounded; what was estimated may be more than the whole. */
static json_int_t percent(json_int_t part, json_int_t whole)
{
    json_int_t rounded = whole > 0 ? (times(part, 200) + whole) / (2 * whole) : 0;
    return rounded < 100 ? rounded : 100;
}

static json_t *coverage_of(const json_t *site, const json_t *group)
{
    json_int_t taken = pages_paid(group), asked = number(group, "pages"), all = number(site, "pages");
    return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "site", text(site, "site"), "first_date",
                     text(site, "from"), "last_date", text(site, "to"), "pages_taken", taken, "pages_asked",
                     asked, "pages_of_site", all, "taken_percent", percent(taken, all), "asked_percent",
                     percent(asked, all));
}

json_t *traffic_rows_coverage(const json_t *answer, const json_t *given)
{
    json_t *rows = json_array();
    const json_t *site, *group;
    size_t i, k;
    json_array_foreach(answer, i, site)
    {
        json_array_foreach(json_object_get(site, "traffic"), k, group)
        {
            if (json_is_true(json_object_get(group, "verified")) &&
                strcmp(text(group, "crawler"), text(given, "crawler")) == 0)
                json_array_append_new(rows, coverage_of(site, group));
        }
    }
    return rows;
}
