#include "tools/crawler/account/session.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/file/file.h"
#include "ledger/base/text/text.h"
#include "ledger/base/version.h"
#include "ledger/verify/sf.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"
#include "tools/crawler/sign.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_BYTES     (256 * 1024)
#define TRIES_MAX        8
#define WAIT_SECONDS_MAX 60
#define OPTIONS_MAX      24
#define CLOCK_OFF        20 /* seconds: worth a hint */
#define LINES_MAX        8

enum { CA = 256, TIMEOUT, CLOCK_OFFSET, OWN };

static bool number_of(const char *option, const char *text, int64_t min, int64_t max, int64_t *number)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text && !*end && errno == 0 && value >= min && value <= max) {
        *number = value;
        return true;
    }
    say_problem("--%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64, option, text, min, max);
    return false;
}

/* False after saying why the value does not do. */
static bool take_option(struct session *session, int c, const struct session_usage *usage)
{
    const int64_t decade = INT64_C(10) * 366 * 86400;
    int64_t number;
    switch (c) {
    case 'k':
        session->key_file = optarg;
        return true;
    case 'a':
        session->agent = optarg;
        return true;
    case 'v':
        session->client_options.verbose = true;
        return true;
    case CA:
        session->client_options.ca_file = optarg;
        return true;
    case TIMEOUT:
        if (!number_of("timeout", optarg, 1, 86400, &number))
            return false;
        session->client_options.timeout_seconds = (long)number;
        return true;
    case CLOCK_OFFSET:
        if (!number_of("clock-offset", optarg, -decade, decade, &number))
            return false;
        clock_set_offset_ms(number * 1000);
        return true;
    default:
        if (c < OWN)
            return false;
        if (usage->options[c - OWN].flag)
            *usage->options[c - OWN].flag = true;
        else
            *usage->options[c - OWN].text = optarg;
        return true;
    }
}

static void list_options(const struct session_usage *usage, struct option longs[OPTIONS_MAX])
{
    static const struct option common[] = {
        {"key", required_argument, NULL, 'k'},
        {"agent", required_argument, NULL, 'a'},
        {"ca", required_argument, NULL, CA},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"clock-offset", required_argument, NULL, CLOCK_OFFSET},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
    };
    size_t count = sizeof(common) / sizeof(*common);
    memcpy(longs, common, sizeof(common));
    for (int i = 0; usage->options[i].name; i++) {
        assert(count + 1 < OPTIONS_MAX);
        int argument = usage->options[i].flag ? no_argument : required_argument;
        longs[count++] = (struct option){usage->options[i].name, argument, NULL, OWN + i};
    }
    longs[count] = (struct option){NULL, 0, NULL, 0};
}

static bool check(const struct session *session, const struct session_usage *usage, const char *name)
{
    char memory[4096];
    struct arena arena;
    struct url url;
    const char *missing = !session->key_file                       ? "--key FILE"
                          : !session->agent                        ? "--agent URL"
                          : session->word_count < usage->words_min ? usage->missing
                                                                   : NULL;
    if (missing) {
        say_problem("%s is missing; try '%s --help'", missing, name);
        return false;
    }
    if (session->word_count > usage->words_max) {
        say_problem("\"%s\" is one word too many; try '%s --help'", session->words[usage->words_max], name);
        return false;
    }
    arena_init(&arena, memory, sizeof(memory));
    if (!url_parse(&arena, slice_of(session->agent), &url)) {
        say_problem("--agent: \"%s\" is not a URL such as https://my.crawler.example", session->agent);
        return false;
    }
    return true;
}

int session_parse(struct session *session, int argc, char **argv, const struct session_usage *usage)
{
    struct option longs[OPTIONS_MAX];
    *session = (struct session){.client_options = {.user_agent = "crawltab-crawler/" CRAWLTAB_VERSION,
                                                   .timeout_seconds = 60,
                                                   .max_bytes = (size_t)256 << 20}};
    list_options(usage, longs);
    for (int c; (c = getopt_long(argc, argv, "k:a:vh", longs, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage->help, stdout);
            return COMMANDS_OK;
        }
        if (!take_option(session, c, usage)) {
            say_problem("try '%s --help'", argv[0]);
            return COMMANDS_USAGE;
        }
    }
    session->words = argv + optind;
    session->word_count = argc - optind;
    return check(session, usage, argv[0]) ? -1 : COMMANDS_USAGE;
}

bool session_open(struct session *session)
{
    session->memory = malloc(MEMORY_BYTES);
    if (!session->memory)
        return false;
    struct arena arena;
    arena_init(&arena, session->memory, MEMORY_BYTES / 4);
    if (!target_parse(&arena, slice_of(session->words[0]), &session->site)) {
        say_problem("\"%s\" is not a URL of a site such as https://gazette.example", session->words[0]);
        return false;
    }
    if (!key_load(session->key_file, &session->key))
        return false;
    session->client = client_new(&session->client_options);
    return session->client != NULL;
}

void session_close(struct session *session)
{
    client_free(session->client);
    key_forget(&session->key);
    free(session->memory);
}

/* --- One request --- */

/* What is asked: a POST where there is a body. */
struct order {
    const char *request;
    struct slice body;
};

static const char *digest_of(struct arena *arena, struct slice body)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(&body, 1, digest);
    const char *text = text_base64(arena, slice_bytes(digest, sizeof(digest)));
    return text ? arena_format(arena, "sha-256=:%s:", text).data : NULL;
}

/* The fields that are signed, each with its line. False when the arena is full. */
static bool make_fields(struct session *session, const struct order *order, struct message_field fields[2],
                        const char *lines[LINES_MAX])
{
    struct arena *arena = &session->arena;
    struct text agent = text_begin(arena);
    const struct sf_bare bare = {.kind = SF_STRING, .text = slice_of(session->agent)};
    sf_write_bare(&agent, &bare);
    fields[0] = (struct message_field){SLICE("signature-agent"), text_end(&agent)};
    lines[0] =
        fields[0].value.data ? arena_format(arena, "Signature-Agent: %s", fields[0].value.data).data : NULL;
    if (order->body.len == 0)
        return lines[0];
    const char *digest = digest_of(arena, order->body);
    fields[1] = (struct message_field){SLICE("content-digest"), slice_of(digest)};
    lines[1] = digest ? arena_format(arena, "Content-Digest: %s", digest).data : NULL;
    lines[2] = "Content-Type: application/json";
    lines[3] = "Expect:"; /* the body goes at once */
    return lines[0] && lines[1];
}

static bool make_lines(struct session *session, const struct order *order, const char *lines[LINES_MAX])
{
    struct arena *arena = &session->arena;
    struct sign_terms terms = {.created = clock_now_ms() / 1000, .tag = "crawltab-account"};
    struct sign_fields made;
    struct message_field fields[2];
    bool posts = order->body.len > 0;
    const struct message message = {.method = posts ? SLICE("POST") : SLICE("GET"),
                                    .scheme = session->site.url.scheme,
                                    .authority = session->site.authority,
                                    .target = slice_of(order->request),
                                    .fields = fields,
                                    .field_count = posts ? 2 : 1,
                                    .body = order->body};
    size_t count = posts ? 4 : 1;
    random_bytes(terms.nonce, sizeof(terms.nonce));
    if (!make_fields(session, order, fields, lines) ||
        !sign_request(arena, &session->key, &message, &terms, &made))
        return false;
    lines[count] = arena_format(arena, "Signature-Input: %s", made.input.data).data;
    lines[count + 1] = arena_format(arena, "Signature: %s", made.signature.data).data;
    lines[count + 2] = NULL;
    return lines[count] && lines[count + 1];
}

/* The sentence of a problem, or NULL; the caller frees. */
static char *detail_of(const struct client_answer *answer)
{
    json_t *problem =
        answer->content.len > 0 ? json_loadb(answer->content.data, answer->content.len, 0, NULL) : NULL;
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    char *copy = detail ? strdup(detail) : NULL;
    json_decref(problem);
    return copy;
}

static void tell_refusal(struct session *session, const char *request)
{
    const struct client_answer *answer = &session->answer;
    if (answer->problem) {
        say_problem("%s: %s", session->words[0], answer->problem);
        return;
    }
    struct slice code = client_field(session->client, &session->arena, "crawler-error");
    char *detail = detail_of(answer);
    int64_t off = answer->date - clock_now_ms() / 1000;
    if (!code.data)
        say_problem("%s: %ld for %s: is there a gate, and does the site's front send this path to it?",
                    session->words[0], answer->status, request);
    else
        say_problem("%s: %s", code.data, detail ? detail : "no reason is given");
    if (answer->status == 403 && answer->date >= 0 && llabs(off) > CLOCK_OFF)
        say_problem("hint: the site's clock is %lld s %s ours", llabs(off), off > 0 ? "ahead of" : "behind");
    free(detail);
}

static void send_once(struct session *session, const char *url, const struct order *order,
                      const char *const *lines)
{
    if (order->body.len > 0)
        client_post(session->client, url, lines, order->body, &session->answer);
    else
        client_get(session->client, url, lines, &session->answer);
}

static bool ask(struct session *session, const struct order *order)
{
    const char *lines[LINES_MAX];
    const struct client_answer *answer = &session->answer;
    for (int tries = 1;; tries++) {
        arena_init(&session->arena, session->memory + MEMORY_BYTES / 4, MEMORY_BYTES / 4 * 3);
        const char *url = arena_format(&session->arena, "%.*s://%.*s%s", (int)session->site.url.scheme.len,
                                       session->site.url.scheme.data, (int)session->site.authority.len,
                                       session->site.authority.data, order->request)
                              .data;
        if (!url || !make_lines(session, order, lines)) {
            say_problem("the request cannot be signed: it is too long");
            return false;
        }
        send_once(session, url, order, lines);
        int64_t wait = answer->retry_seconds >= 0 ? answer->retry_seconds : 1;
        bool later = !answer->problem && (answer->status == 429 || answer->status == 503);
        if (!later || tries == TRIES_MAX || wait > WAIT_SECONDS_MAX)
            break;
        nanosleep(&(struct timespec){.tv_sec = (time_t)wait}, NULL);
    }
    if (!answer->problem && (answer->status == 200 || answer->status == 201))
        return true;
    tell_refusal(session, order->request);
    return false;
}

static bool ask_below(struct session *session, const char *below, struct slice body)
{
    bool whole = strncmp(below, SESSION_PATH, strlen(SESSION_PATH)) == 0;
    size_t room = strlen(SESSION_PATH) + strlen(below) + 1;
    char *request = malloc(room);
    if (!request)
        return false;
    snprintf(request, room, "%s%s", whole ? "" : SESSION_PATH, below);
    const struct order order = {request, body};
    bool ok = ask(session, &order);
    free(request);
    return ok;
}

bool session_get(struct session *session, const char *below)
{
    return ask_below(session, below, SLICE(""));
}

bool session_post(struct session *session, const char *below, struct slice json)
{
    assert(json.len > 0);
    return ask_below(session, below, json);
}

json_t *session_json(struct session *session, const char *below)
{
    json_error_t error;
    if (!session_get(session, below))
        return NULL;
    json_t *json = json_loadb(session->answer.content.data, session->answer.content.len, 0, &error);
    if (!json_is_object(json)) {
        say_problem("%s: the answer is no JSON that can be read: %s", session->words[0], error.text);
        json_decref(json);
        return NULL;
    }
    return json;
}

char *session_escape(const char *text)
{
    char *escaped = malloc(3 * strlen(text) + 1), *out = escaped;
    for (; escaped && *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            *out++ = *text;
        else
            out += snprintf(out, 4, "%%%02X", (unsigned char)*text);
    if (escaped)
        *out = '\0';
    return escaped;
}

bool session_print_json(json_t *json)
{
    bool ok = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0;
    json_decref(json);
    if (ok && putchar('\n') != EOF && fflush(stdout) == 0)
        return true;
    say_problem("the answer cannot be written");
    return false;
}

bool session_write(const char *path, struct slice bytes)
{
    if (!path) {
        bool ok = fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0;
        if (!ok)
            say_problem("the answer cannot be written");
        return ok;
    }
    const char *problem = file_replace(path, bytes.data, bytes.len, FILE_PRIVATE);
    if (problem)
        say_problem("%s: %s", path, problem);
    return !problem;
}
