/* crawltab check-request: what the gate would say about a request's signature, check by check. The checks,
 * the reading of directories and the settings are the gate's own: what it shows here is what happens there.
 */
#include "tools/crawltab/frame/command.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"
#include "server/agent/directory.h"
#include "ledger/verify/component.h"
#include "ledger/verify/web_bot_auth.h"
#include "tools/crawltab/gate/raw_request.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_SIZE      (4 << 20)
#define TEXT_MAX        (1 << 20)
#define CHECKS_MAX      256
#define EXIT_INVALID    1
#define EXIT_UNVERIFIED 2

/* The command line as given. */
struct words {
    const char *config_path, *site;
    const char *scheme, *now, *keys, *profile, *lifetime, *skew, *algorithms, *insecure_host, *ca;
    bool fetch, literal, allow_test_keys, json;
    const char *file;
};

/* The request under check, and all that is found out about it. */
struct inquiry {
    struct arena arena;
    struct message message;
    struct config *config;          /* of the gate, or the defaults */
    const struct config_site *site; /* of which */
    struct web_bot_auth_policy policy;
    struct web_bot_auth_trace trace;
    struct web_bot_auth_checked checked[CHECKS_MAX];
    struct listing *keys; /* of --keys, or NULL */
    bool fetch;

    enum err err;
    const char *why; /* the request does not parse: what is wrong */
    const struct web_bot_auth_candidate *candidate;
    struct slice base;
};

/* --- Keys. */

static char *read_all(const char *path, size_t *len)
{
    FILE *file = path && strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
    char *text = file ? malloc(TEXT_MAX) : NULL;
    if (!text) {
        command_misused(strerror(errno), path, "name a readable file");
        if (file && file != stdin)
            fclose(file);
        return NULL;
    }
    *len = fread(text, 1, TEXT_MAX, file);
    bool ok = !ferror(file) && *len < TEXT_MAX;
    if (!ok)
        command_misused(ferror(file) ? strerror(errno) : "larger than 1 MiB", path, "name a readable file");
    if (file != stdin)
        fclose(file);
    if (!ok) {
        free(text);
        return NULL;
    }
    return text;
}

/* Reads the file as the gate reads a directory's answer. */
static bool load_keys(struct inquiry *inquiry, const char *path)
{
    size_t len;
    const char *why = NULL;
    char *text = read_all(path, &len);
    if (!text)
        return false;
    const struct fetch_answer answer = {.status = 200, .body = slice_bytes(text, len)};
    inquiry->keys = listing_read(SLICE("https://keys.invalid/"), &answer,
                                 &(struct listing_terms){.now_ms = inquiry->policy.now * 1000}, &why);
    if (!inquiry->keys)
        command_misused(why, path, "a key directory's body is expected: {\"keys\":[…]}");
    free(text);
    return inquiry->keys != NULL;
}

struct waiter {
    struct directory_wait wait; /* first */
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool ready;
};

static void on_ready(struct directory_wait *wait)
{
    struct waiter *waiter = (struct waiter *)(void *)wait;
    pthread_mutex_lock(&waiter->mutex);
    waiter->ready = true;
    pthread_cond_signal(&waiter->condition);
    pthread_mutex_unlock(&waiter->mutex);
}

/* Asks the directory as the gate would, and waits for it. */
static enum directory_answer
fetch_key(struct inquiry *inquiry, const struct web_bot_auth_candidate *candidate, struct directory_key *key)
{
    struct waiter waiter = {{.ready = on_ready}, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct fetch *fetch = fetch_start(inquiry->config);
    struct directory *directory = fetch ? directory_start(inquiry->config, fetch) : NULL;
    struct slice url = candidate->agent->directory_url;
    enum directory_answer answer = DIRECTORY_UNAVAILABLE;
    if (directory && directory_await(directory, url, &waiter.wait) == ERR_OK) {
        pthread_mutex_lock(&waiter.mutex);
        while (!waiter.ready)
            pthread_cond_wait(&waiter.condition, &waiter.mutex);
        pthread_mutex_unlock(&waiter.mutex);
        answer = directory_find(directory, url, candidate->thumbprint, inquiry->policy.now * 1000, true, key);
    }
    fetch_stop(fetch);
    directory_stop(directory);
    return answer;
}

static enum directory_answer given_key(const struct inquiry *inquiry,
                                       const struct web_bot_auth_candidate *candidate,
                                       struct directory_key *key)
{
    int64_t now_ms = inquiry->policy.now * 1000;
    const struct listing_key *found = listing_find(inquiry->keys, candidate->thumbprint, now_ms);
    if (!found) {
        listing_explain(inquiry->keys, candidate->thumbprint, now_ms, key->why);
        return DIRECTORY_NO_KEY;
    }
    *key = (struct directory_key){.key = signature_key_share(found->key), .jwk = found->listed.jwk};
    return DIRECTORY_KEY;
}

/* --- The checks with the key. */

static enum err find_key(struct inquiry *inquiry, const struct web_bot_auth_candidate *candidate,
                         struct directory_key *key)
{
    enum directory_answer answer = DIRECTORY_UNAVAILABLE;
    const char *what = "";
    if (inquiry->keys)
        answer = given_key(inquiry, candidate, key);
    else if (inquiry->fetch)
        answer = fetch_key(inquiry, candidate, key);
    if (answer == DIRECTORY_KEY)
        what = inquiry->keys ? "in the file, and in force" : "in the directory, and in force";
    else if (answer == DIRECTORY_UNAVAILABLE)
        what = inquiry->fetch ? "the directory could not be read: "
                              : "no keys to look into: give --keys FILE or --fetch";
    struct web_bot_auth_checked checked = {
        .check = CHECK_KEY, .label = candidate->label, .ok = answer == DIRECTORY_KEY};
    web_bot_auth_tell(&inquiry->policy, &inquiry->arena, &checked, "%s%s", what, key->why);
    return answer == DIRECTORY_KEY      ? ERR_OK
           : answer == DIRECTORY_NO_KEY ? ERR_KEY_UNKNOWN
                                        : ERR_DIRECTORY_UNAVAILABLE;
}

static enum err verify(struct inquiry *inquiry, const struct web_bot_auth_candidate *candidate)
{
    enum err err;
    struct directory_key key = {.key = NULL};
    TRY(find_key(inquiry, candidate, &key));
    err = web_bot_auth_verify(&inquiry->arena, &inquiry->policy, candidate, key.key);
out:
    directory_key_clear(&key);
    return err;
}

/* A base to show also when a check failed before one was built: of the first signature. */
static void show_any_base(struct inquiry *inquiry)
{
    bool absent;
    struct sf_list inputs;
    struct slice field =
        component_field(&inquiry->arena, &inquiry->message, SLICE("signature-input"), &absent);
    if (field.data && sf_parse_dictionary(&inquiry->arena, field, &inputs) && inputs.first &&
        inputs.first->value.kind == SF_INNER &&
        component_base(&inquiry->arena, &inquiry->message, inputs.first, &inquiry->base, NULL) != ERR_OK)
        inquiry->base = (struct slice){NULL, 0};
}

/* As in the gate (crawl_authenticate): one good signature suffices, and "not known" wins over "bad". */
static void try_candidates(struct inquiry *inquiry, const struct web_bot_auth_candidate *candidate)
{
    enum web_bot_auth_check failed = CHECK_COUNT;
    for (; candidate; candidate = candidate->next) {
        enum err err = verify(inquiry, candidate);
        if (err == ERR_OK || inquiry->err != ERR_DIRECTORY_UNAVAILABLE) {
            inquiry->err = err;
            inquiry->candidate = candidate;
            failed = inquiry->trace.failed;
        }
        if (err == ERR_OK)
            return;
    }
    inquiry->trace.failed = failed;
}

static void inquire(struct inquiry *inquiry)
{
    struct web_bot_auth_candidate *candidates;
    inquiry->err = web_bot_auth_select(&inquiry->arena, &inquiry->message, &inquiry->policy, &candidates);
    if (inquiry->err == ERR_OK)
        try_candidates(inquiry, candidates);
    if (inquiry->candidate)
        inquiry->base = inquiry->candidate->base;
    else
        show_any_base(inquiry);
}

/* --- The answer. */

static enum exit_status status_of(const struct inquiry *inquiry)
{
    if (inquiry->err == ERR_OK)
        return EXIT_DONE;
    /* Not signed, or by nobody who can be looked up. */
    bool nobody = inquiry->err == ERR_SIGNATURE_REQUIRED &&
                  (inquiry->trace.failed == CHECK_FIELDS || inquiry->trace.failed == CHECK_TAG ||
                   inquiry->trace.failed == CHECK_AGENT_COVERED);
    return (enum exit_status)(nobody || inquiry->err == ERR_DIRECTORY_UNAVAILABLE ? EXIT_UNVERIFIED
                                                                                  : EXIT_INVALID);
}

static const char *verdict_of(const struct inquiry *inquiry)
{
    enum exit_status status = status_of(inquiry);
    return status == EXIT_DONE ? "valid" : (int)status == EXIT_UNVERIFIED ? "unverified" : "invalid";
}

/* Why: what the check that decided found, or what is wrong with the request. */
static const char *reason_of(const struct inquiry *inquiry)
{
    static char reason[512];
    if (inquiry->why)
        return inquiry->why;
    for (size_t i = inquiry->trace.count; i-- > 0;) {
        const struct web_bot_auth_checked *checked = &inquiry->checked[i];
        if (checked->ok || checked->check != inquiry->trace.failed || !checked->detail.data)
            continue;
        snprintf(reason, sizeof(reason), "%s: %s", web_bot_auth_check_name(checked->check),
                 checked->detail.data);
        return reason;
    }
    return err_sentence(inquiry->err);
}

static void keyid_text(const struct web_bot_auth_candidate *candidate, char out[64])
{
    out[encoding_base64url(candidate->thumbprint, DIGEST_SIZE, out)] = '\0';
}

static void print_text(const struct inquiry *inquiry)
{
    char keyid[64];
    for (size_t i = 0; i < inquiry->trace.count; i++) {
        const struct web_bot_auth_checked *checked = &inquiry->checked[i];
        char name[64];
        snprintf(name, sizeof(name), "%s%s%.*s", web_bot_auth_check_name(checked->check),
                 checked->label.len > 0 ? " of " : "", (int)checked->label.len,
                 checked->label.len > 0 ? checked->label.data : "");
        printf("%-5s %-32s %s\n", checked->ok ? "ok" : "FAIL", name,
               checked->detail.data ? checked->detail.data : "");
    }
    if (inquiry->base.data)
        printf("\nsignature base:\n%s\n", inquiry->base.data);
    printf("\nverdict: %s", verdict_of(inquiry));
    if (inquiry->err != ERR_OK)
        printf(", %s: %s", err_code(inquiry->err), reason_of(inquiry));
    putchar('\n');
    if (inquiry->candidate) {
        keyid_text(inquiry->candidate, keyid);
        printf("agent:   %.*s\n", (int)inquiry->candidate->agent->account.len,
               inquiry->candidate->agent->account.data);
        printf("key:     %s\n", keyid);
    }
}

/* A string, or null for no data. Bytes that are not UTF-8 cannot be told in JSON: null as well. */
static json_t *json_slice(struct slice text)
{
    json_t *string = text.data ? json_stringn(text.data, text.len) : NULL;
    return string ? string : json_null();
}

static json_t *json_checks(const struct inquiry *inquiry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < inquiry->trace.count; i++) {
        const struct web_bot_auth_checked *checked = &inquiry->checked[i];
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:b, s:o}", "name", web_bot_auth_check_name(checked->check), "label",
                            checked->label.len > 0 ? json_slice(checked->label) : json_null(), "ok",
                            (int)checked->ok, "detail", json_slice(checked->detail)));
    }
    return list;
}

static void print_json(const struct inquiry *inquiry)
{
    const struct web_bot_auth_candidate *candidate = inquiry->candidate;
    char keyid[64];
    if (candidate)
        keyid_text(candidate, keyid);
    json_t *answer = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "verdict", verdict_of(inquiry), "code",
                               err_code(inquiry->err), "detail", reason_of(inquiry), "agent",
                               candidate ? json_slice(candidate->agent->account) : json_null(), "thumbprint",
                               candidate ? json_string(keyid) : json_null(), "base",
                               json_slice(inquiry->base), "checks", json_checks(inquiry));
    json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(answer);
}

/* --- The command line. */

static bool read_number(const char *text, const char *option, int64_t initial, int64_t *number)
{
    char *end;
    *number = initial;
    if (!text)
        return true;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (*text && !*end && errno == 0 && *number >= 0)
        return true;
    command_misused("not a number of seconds", text, option);
    return false;
}

static bool one_of(const char *text, const char *first, const char *second, const char *option)
{
    if (!text || strcmp(text, first) == 0 || strcmp(text, second) == 0)
        return true;
    command_misused("not a value of this option", text, option);
    return false;
}

/* "a,b" as a list in the arena. */
static struct config_list *split(struct arena *arena, const char *text)
{
    struct config_list *list = arena_alloc(arena, sizeof(*list));
    struct slice rest = slice_of(text);
    if (!list)
        return NULL;
    list->items = arena_alloc(arena, (rest.len / 2 + 2) * sizeof(*list->items));
    while (list->items && rest.len > 0) {
        size_t comma = slice_find(rest, ',');
        size_t used = comma < rest.len ? comma + 1 : comma;
        if (comma > 0)
            list->items[list->count++] = arena_copy(arena, (struct slice){rest.data, comma});
        rest = (struct slice){rest.data + used, rest.len - used};
    }
    return list;
}

/* The configuration's site of this name or, without one, what a site has by default. */
static bool set_site(struct inquiry *inquiry, const struct words *words)
{
    inquiry->config = words->site ? command_config(words->config_path) : config_defaults();
    for (size_t i = 0; inquiry->config && i < inquiry->config->site_count; i++)
        if (!words->site || strcmp(inquiry->config->sites[i].name, words->site) == 0)
            inquiry->site = &inquiry->config->sites[i];
    if (inquiry->config && !inquiry->site)
        command_misused("the configuration has no such site", words->site, "see its sites");
    return inquiry->site != NULL;
}

/* What the words of the command line say instead of the configuration. */
static bool change_policy(struct inquiry *inquiry, const struct words *words)
{
    struct web_bot_auth_policy *policy = &inquiry->policy;
    if (!read_number(words->lifetime, "see --max-lifetime", policy->max_lifetime, &policy->max_lifetime) ||
        !read_number(words->skew, "see --skew", policy->clock_skew, &policy->clock_skew))
        return false;
    if (words->literal && policy->commitment.len > 0)
        policy->target = WEB_BOT_AUTH_NO_TARGET;
    policy->allow_test_keys = policy->allow_test_keys || words->allow_test_keys;
    if (words->algorithms)
        policy->algorithms = split(&inquiry->arena, words->algorithms);
    if (words->insecure_host)
        inquiry->config->directory_insecure_hosts = *split(&inquiry->arena, words->insecure_host);
    if (words->ca)
        inquiry->config->directory_ca_file = words->ca;
    return true;
}

static bool profile_is(const struct words *words, const char *name)
{
    return words->profile && strcmp(words->profile, name) == 0;
}

static bool is_profile(const char *name)
{
    if (!name || strcmp(name, "identity") == 0 || strcmp(name, "free") == 0 || strcmp(name, "payment") == 0)
        return true;
    command_misused("--profile is identity, free or payment", name, NULL);
    return false;
}

static bool set_policy(struct inquiry *inquiry, const struct words *words)
{
    struct web_bot_auth_policy *policy = &inquiry->policy;
    int64_t now;
    if (!one_of(words->scheme, "https", "http", "--scheme is https or http") || !is_profile(words->profile) ||
        !read_number(words->now, "--now is in seconds since 1970", clock_now_ms() / 1000, &now) ||
        !set_site(inquiry, words))
        return false;
    *policy = web_bot_auth_policy(inquiry->config, inquiry->site,
                                  profile_is(words, "payment") ? SLICE("payment") : SLICE(""));
    if (!words->profile || profile_is(words, "identity")) {
        policy->target = WEB_BOT_AUTH_AUTHORITY; /* who it is, whatever is asked for */
        policy->max_age = 0;
    }
    policy->now = now;
    policy->trace = &inquiry->trace;
    inquiry->trace = (struct web_bot_auth_trace){CHECK_COUNT, inquiry->checked, CHECKS_MAX, 0};
    inquiry->fetch = words->fetch;
    return change_policy(inquiry, words) && (!words->keys || load_keys(inquiry, words->keys));
}

static enum exit_status answer(struct inquiry *inquiry, const struct words *words)
{
    size_t len;
    char *text = read_all(words->file, &len);
    if (!text)
        return EXIT_USAGE;
    if (raw_request_parse(&inquiry->arena, slice_bytes(text, len),
                          words->scheme ? words->scheme : inquiry->site->scheme, &inquiry->message,
                          &inquiry->why))
        inquire(inquiry);
    else
        inquiry->err = ERR_MALFORMED_REQUEST;
    if (words->json)
        print_json(inquiry);
    else
        print_text(inquiry);
    free(text);
    return status_of(inquiry);
}

static enum exit_status check_request(const char *config_path, int argc, char **argv)
{
    struct words w = {.config_path = config_path};
    const struct command_option options[] = {{"--site", &w.site, NULL},
                                             {"--scheme", &w.scheme, NULL},
                                             {"--now", &w.now, NULL},
                                             {"--keys", &w.keys, NULL},
                                             {"--fetch", NULL, &w.fetch},
                                             {"--profile", &w.profile, NULL},
                                             {"--no-require-target", NULL, &w.literal},
                                             {"--max-lifetime", &w.lifetime, NULL},
                                             {"--skew", &w.skew, NULL},
                                             {"--algorithms", &w.algorithms, NULL},
                                             {"--allow-test-keys", NULL, &w.allow_test_keys},
                                             {"--insecure-hosts", &w.insecure_host, NULL},
                                             {"--ca", &w.ca, NULL},
                                             {"--json", NULL, &w.json},
                                             {NULL, NULL, NULL}};
    struct command_words names;
    if (!command_parse(argc, argv, options, &names))
        return EXIT_USAGE;
    if (names.count > 1)
        return command_misused("one file at a time", names.items[1], "see crawltab check-request --help");
    if (w.keys && w.fetch)
        return command_misused("--keys and --fetch exclude each other", NULL,
                               "see crawltab check-request --help");
    w.file = names.count > 0 ? names.items[0] : NULL;
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    char *memory = malloc(ARENA_SIZE);
    enum exit_status status = EXIT_USAGE;
    if (inquiry && memory) {
        arena_init(&inquiry->arena, memory, ARENA_SIZE);
        log_set_level(LOG_LEVEL_ERROR); /* what a fetch would log is told with its check */
        if (set_policy(inquiry, &w))
            status = answer(inquiry, &w);
        config_free(inquiry->config);
        listing_free(inquiry->keys);
    }
    free(inquiry);
    free(memory);
    return status;
}

const struct command check_request_command = {
    "check-request", "show what the gate would say of a signed request",
    "usage: crawltab check-request [OPTIONS] [FILE]\n"
    "\n"
    "Reads a raw HTTP/1.1 request from FILE or standard input, makes the checks that\n"
    "the gate makes of its signature, in that order, and shows each with what was\n"
    "found, the signature base as it was built, and the verdict. Needs no ledger, and\n"
    "no configuration: a gate's defaults hold.\n"
    "\n"
    "options:\n"
    "  --keys FILE         the crawler's key directory, as a file\n"
    "  --fetch             fetch the key directory, as the gate would\n"
    "  --site NAME         judge by this site of the configuration (--config FILE)\n"
    "  --scheme NAME       https (default) or http: how the request was sent\n"
    "  --now UNIX          the time of the check (default: now)\n"
    "  --profile NAME      identity (default): who signs; free: for a page that is\n"
    "                      free for one crawler; payment: Payment must be covered\n"
    "  --no-require-target a payment need not cover @authority or @target-uri\n"
    "  --max-lifetime S    the longest from created to expires\n"
    "  --skew S            how far created may lie ahead\n"
    "  --algorithms LIST   with commas: ed25519,ecdsa-p256-sha256,rsa-pss-sha512\n"
    "  --allow-test-keys   take the key pairs that are printed in RFC 9421\n"
    "  --insecure-hosts LIST\n"
    "                      directories that may use http, any port and any address\n"
    "  --ca FILE           certificates to trust when fetching, PEM (default: system)\n"
    "  --json              the same for programs\n"
    "\n"
    "exit status: 0 valid, 1 invalid, 2 unverified (signed by nobody who can be\n"
    "looked up, or no key to be had), 64 wrong usage\n",
    "  crawltab check-request --json request.txt\n", check_request};
