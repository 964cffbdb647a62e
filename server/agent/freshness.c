/* RFC 9111 as a shared cache has it, with every doubt on the side of "stale": keys that are asked for once
 * more cost a fetch, and keys that live too long are a withdrawn key's signatures. */
#include "server/agent/freshness.h"

#include "ledger/base/instant.h"

#include <assert.h>

#define SECONDS_MAX ((int64_t)1 << 31) /* RFC 9111 section 1.2.2: larger ones are taken for this */

/* Digits alone, with or without quotes. False: it does not parse. */
static bool read_seconds(struct slice text, int64_t *seconds)
{
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        text = (struct slice){text.data + 1, text.len - 2};
    *seconds = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (*seconds < SECONDS_MAX)
            *seconds = *seconds * 10 + (text.data[i] - '0');
    }
    if (*seconds > SECONDS_MAX)
        *seconds = SECONDS_MAX;
    assert(*seconds >= 0 && *seconds <= SECONDS_MAX);
    return text.len > 0;
}

/* What Cache-Control says, over all its lines. -1: not said. */
struct cache_control {
    int64_t max_age;
    int64_t s_maxage;
    bool unusable; /* no-store, no-cache or private */
};

static void note_seconds(struct slice value, int64_t *noted)
{
    int64_t seconds;
    /* What does not parse is stale (RFC 9111 section 4.2.1), and of several the shortest counts. */
    if (!read_seconds(value, &seconds))
        seconds = 0;
    if (*noted < 0 || seconds < *noted)
        *noted = seconds;
    assert(*noted >= 0);
}

static void note_directive(struct slice directive, struct cache_control *control)
{
    size_t equals = slice_find(directive, '=');
    struct slice name = slice_trim((struct slice){directive.data, equals});
    struct slice value = SLICE("");
    if (equals < directive.len)
        value = slice_trim((struct slice){directive.data + equals + 1, directive.len - equals - 1});
    if (slice_eq_nocase(name, SLICE("max-age")))
        note_seconds(value, &control->max_age);
    else if (slice_eq_nocase(name, SLICE("s-maxage")))
        note_seconds(value, &control->s_maxage);
    else if (slice_eq_nocase(name, SLICE("no-store")) || slice_eq_nocase(name, SLICE("no-cache")) ||
             slice_eq_nocase(name, SLICE("private")))
        control->unusable = true;
}

/* Where the directive that starts the text ends: at a comma that is not inside quotes. */
static size_t directive_end(struct slice text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (quoted && text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            quoted = !quoted;
        else if (text.data[i] == ',' && !quoted)
            return i;
    }
    return text.len;
}

static struct cache_control read_control(const struct message *answer)
{
    struct cache_control control = {.max_age = -1, .s_maxage = -1};
    for (const struct message_field *field = message_field(answer, SLICE("cache-control")); field;
         field = message_field_next(answer, field)) {
        struct slice rest = field->value;
        while (rest.len > 0) {
            size_t end = directive_end(rest);
            note_directive((struct slice){rest.data, end}, &control);
            size_t used = end < rest.len ? end + 1 : end;
            assert(used > 0 && used <= rest.len);
            rest = (struct slice){rest.data + used, rest.len - used};
        }
    }
    return control;
}

static bool field_date(const struct message *answer, struct slice name, int64_t now, int64_t *seconds)
{
    const struct message_field *field = message_field(answer, name);
    return field && instant_parse_http(slice_trim(field->value), now, seconds);
}

/* Section 4.2.3, without the time that the answer was under way: a fetch is short. */
static int64_t current_age(const struct message *answer, int64_t now)
{
    int64_t date;
    int64_t age = 0;
    const struct message_field *field = message_field(answer, SLICE("age"));
    if (field && !read_seconds(slice_trim(field->value), &age))
        age = 0; /* section 5.1: an invalid Age is ignored */
    if (field_date(answer, SLICE("date"), now, &date) && now - date > age)
        age = now - date;
    assert(age >= 0);
    return age;
}

/* Sections 4.2.1 and 4.2.2. */
static int64_t lifetime(const struct message *answer, const struct cache_control *control, int64_t now)
{
    int64_t date;
    int64_t until;
    if (!field_date(answer, SLICE("date"), now, &date))
        date = now;
    if (control->s_maxage >= 0)
        return control->s_maxage;
    if (control->max_age >= 0)
        return control->max_age;
    if (message_field(answer, SLICE("expires"))) /* section 5.3: "0" and the like have expired */
        return field_date(answer, SLICE("expires"), now, &until) ? until - date : 0;
    if (field_date(answer, SLICE("last-modified"), now, &until) && until < date)
        return (date - until) / 10;
    return FRESHNESS_UNSTATED_SECONDS;
}

bool freshness_stated(const struct message *answer)
{
    struct cache_control control = read_control(answer);
    return control.unusable || control.max_age >= 0 || control.s_maxage >= 0 ||
           message_field(answer, SLICE("expires"));
}

int64_t freshness_seconds(const struct message *answer, int64_t now)
{
    struct cache_control control = read_control(answer);
    if (control.unusable)
        return 0;
    int64_t left = lifetime(answer, &control, now) - current_age(answer, now);
    return left > 0 ? left : 0;
}

int64_t freshness_retry_seconds(const struct message *answer, int64_t now)
{
    int64_t seconds;
    const struct message_field *field = message_field(answer, SLICE("retry-after"));
    if (!field)
        return 0;
    if (read_seconds(slice_trim(field->value), &seconds))
        return seconds;
    return field_date(answer, SLICE("retry-after"), now, &seconds) && seconds > now ? seconds - now : 0;
}
