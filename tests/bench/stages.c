/* make bench-stages: what each step of verifying one paid request costs, in nanoseconds, and how often it
 * calls malloc, calloc or realloc. Medians of 41 rounds.
 * Exit status 1 when all but Ed25519 takes more than a tenth of Ed25519, or our code allocates. */
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"
#include "ledger/verify/jwk.h"
#include "ledger/verify/web_bot_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 41
#define NOW    1735689700

/* glibc's own, under the names that it keeps for those who put theirs in front. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static size_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One request as ChatGPT's agent signs it, with a commitment. */
struct world {
    char memory[32768];
    struct arena arena;
    struct message_field fields[9];
    struct message message;
    struct web_bot_auth_policy policy;
    struct signature_key *key;
    struct sf_list inputs; /* parsed once, for the base alone */
    char inputs_memory[4096];
    struct slice base;
    char base_memory[4096];
    uint8_t signature[64];
    char input[512];
    char signature_text[128];
};

static struct world world;

static void die(const char *what)
{
    fprintf(stderr, "stages: %s\n", what);
    exit(1);
}

static void set(size_t i, const char *name, const char *value)
{
    world.fields[i] = (struct message_field){slice_of(name), slice_of(value)};
}

static void make_world(void)
{
    static const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {1, 2, 3};
    static const struct config_list none = {NULL, 0};
    struct jwk jwk = {.expires = INT64_MAX};
    char keyid[JWK_KEYID_CHARS + 1] = "";
    char digits[ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + 1] = "";
    struct arena arena;
    if (!signature_public_ed25519(seed, jwk.raw))
        die("no key");
    jwk_complete(&jwk);
    encoding_base64url(jwk.thumbprint, DIGEST_SIZE, keyid);
    world.key = signature_key_from_jwk(&jwk);
    snprintf(
        world.input, sizeof(world.input),
        "sig1=(\"@authority\" \"@method\" \"@path\" \"payment\" \"signature-agent\");created=%d;keyid=\"%s\";"
        "expires=%d;nonce=\"zIW8+cdmA3vdYagbxojpONwa/l0EKJ/O3/wD486VvsQjO/RxPaSt6ZxvQaMcQzNnqKN/"
        "mQ6hpGiFro2L2qkz5A==\";tag=\"web-bot-auth\";alg=\"ed25519\"",
        NOW - 100, keyid, NOW + 3500);
    set(0, "host", "shop.example");
    set(1, "user-agent", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0");
    set(2, "accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    set(3, "accept-encoding", "gzip, br");
    set(4, "payment",
        "scheme=\"deferred\", network=\"example:402\", "
        "id=\"AZq3kXcVf4u8n2mEJr0WzAAAAAAJxGQ0pH7fJk2lQmN8sT5vXyZ1aB3cD4eF6gH7\"");
    set(5, "signature-agent", "\"https://chatgpt.com\"");
    set(6, "signature-input", world.input);
    world.message = (struct message){.method = SLICE("GET"),
                                     .scheme = SLICE("https"),
                                     .authority = SLICE("shop.example"),
                                     .target = SLICE("/articles/harbour-bell.html"),
                                     .fields = world.fields,
                                     .field_count = 8};
    world.policy = (struct web_bot_auth_policy){.now = NOW,
                                                .clock_skew = 30,
                                                .max_lifetime = 86400,
                                                .commitment = SLICE("payment"),
                                                .insecure_hosts = &none};
    arena_init(&arena, world.inputs_memory, sizeof(world.inputs_memory));
    if (!sf_parse_dictionary(&arena, slice_of(world.input), &world.inputs))
        die("the input does not parse");
    arena_init(&arena, world.base_memory, sizeof(world.base_memory));
    if (component_base(&arena, &world.message, world.inputs.first, &world.base, NULL) != ERR_OK ||
        !signature_sign_ed25519(seed, world.base, world.signature))
        die("signing");
    encoding_base64(world.signature, sizeof(world.signature), digits);
    snprintf(world.signature_text, sizeof(world.signature_text), "sig1=:%s:", digits);
    set(7, "signature", world.signature_text);
}

static void fields(void)
{
    struct sf_list list;
    struct sf_member item;
    if (!sf_parse_dictionary(&world.arena, world.fields[6].value, &list) ||
        !sf_parse_dictionary(&world.arena, world.fields[7].value, &list) ||
        !sf_parse_dictionary(&world.arena, world.fields[4].value, &list) ||
        !sf_parse_item(&world.arena, world.fields[5].value, &item))
        die("parsing");
}

static void base(void)
{
    struct slice built;
    if (component_base(&world.arena, &world.message, world.inputs.first, &built, NULL) != ERR_OK)
        die("the base");
}

static void select_all(void)
{
    struct web_bot_auth_candidate *candidates;
    if (web_bot_auth_select(&world.arena, &world.message, &world.policy, &candidates) != ERR_OK)
        die("the policy");
}

/* For /metrics, with the two looks at the clock. */
static void count(void)
{
    int64_t begun_ns = now_ns();
    metrics_observe(HISTOGRAM_VERIFY, now_ns() - begun_ns);
    metrics_decided(1, ERR_OK);
}

static void verify(void)
{
    if (signature_verify(world.key, world.base, slice_bytes(world.signature, 64)) != ERR_OK)
        die("verifying");
}

struct stage {
    const char *name;
    void (*run)(void);
    int count; /* calls a round */
    int64_t ns;
    size_t allocations; /* in one call */
};

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void measure(struct stage *stage)
{
    int64_t took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        size_t before = allocations;
        int64_t start = now_ns();
        for (int i = 0; i < stage->count; i++) {
            arena_init(&world.arena, world.memory, sizeof(world.memory));
            stage->run();
        }
        took[round] = (now_ns() - start) / stage->count;
        stage->allocations = (allocations - before) / (size_t)stage->count;
    }
    qsort(took, ROUNDS, sizeof(*took), by_size);
    stage->ns = took[ROUNDS / 2];
}

int main(void)
{
    struct stage stages[] = {
        {"structured fields", fields, 500, 0, 0},
        {"signature base", base, 500, 0, 0},
        {"all of selection: fields, agent, policy, base", select_all, 500, 0, 0},
        {"counting it for /metrics", count, 500, 0, 0},
        {"Ed25519 (OpenSSL)", verify, 50, 0, 0},
    };
    enum {
        COUNT = sizeof(stages) / sizeof(*stages),
        SELECTION = COUNT - 3,
        COUNTING = COUNT - 2,
        VERIFY = COUNT - 1
    };
    make_world();
    for (int i = 0; i < COUNT; i++)
        measure(&stages[i]);
    printf("| verifying one request | ns | of Ed25519 | allocations |\n|---|---|---|---|\n");
    for (int i = 0; i < COUNT; i++) {
        int64_t tenths = stages[i].ns * 1000 / stages[VERIFY].ns;
        printf("| %s | %lld | %lld.%lld %% | %zu |\n", stages[i].name, (long long)stages[i].ns,
               (long long)(tenths / 10), (long long)(tenths % 10), stages[i].allocations);
    }
    signature_key_free(world.key);
    bool cheap = stages[SELECTION].ns * 10 < stages[VERIFY].ns;
    bool frugal = true;
    for (int i = 0; i <= COUNTING; i++)
        frugal = frugal && stages[i].allocations == 0;
    if (!cheap)
        fputs("selection takes more than a tenth of Ed25519\n", stderr);
    if (!frugal)
        fputs("a stage of ours allocates\n", stderr);
    return cheap && frugal ? 0 : 1;
}
