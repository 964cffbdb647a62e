/* Signature-Input, Signature, Signature-Agent and the signature base: what web_bot_auth_select lets through
 * has a base of printable lines, one per component. Input: POLICY ARENA TARGET LF fields, one a line. */
#include "tests/fuzz/support.h"

#include "ledger/verify/component.h"
#include "ledger/verify/web_bot_auth.h"

#define NOW    1763640000
#define CHECKS 64

static void check_base(struct slice base)
{
    static const char last[] = "\"@signature-params\": (";
    const char *end = base.data;
    HOLDS(base.len > 0);
    for (size_t i = 0; i < base.len; i++) {
        HOLDS(base.data[i] == '\n' || (base.data[i] >= ' ' && base.data[i] < 0x7f) || base.data[i] == '\t');
        if (base.data[i] == '\n')
            end = base.data + i + 1;
        if (i == 0 || base.data[i - 1] == '\n')
            HOLDS(base.data[i] == '"');
    }
    HOLDS(slice_starts((struct slice){end, base.len - (size_t)(end - base.data)}, slice_of(last)));
}

static void check_candidates(const struct web_bot_auth_candidate *candidate)
{
    HOLDS(candidate);
    for (; candidate; candidate = candidate->next) {
        HOLDS(candidate->agent && candidate->agent->err == ERR_OK && candidate->agent->account.len > 0);
        HOLDS(candidate->label.len > 0 && candidate->signature.data);
        check_base(candidate->base);
    }
}

/* Every member of Signature-Input, whatever the policy says of it. */
static void check_components(const struct message *message, size_t arena_size)
{
    bool absent;
    struct sf_list inputs;
    struct slice base;
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct slice field = component_field(&arena, message, SLICE("signature-input"), &absent);
    if (field.data && sf_parse_dictionary(&arena, field, &inputs)) {
        for (const struct sf_member *input = inputs.first; input; input = input->next) {
            struct arena small = fuzz_arena(arena_size);
            if (input->value.kind == SF_INNER &&
                component_base(&small, message, input, &base, NULL) == ERR_OK)
                check_base(base);
            fuzz_arena_free(&small);
        }
    }
    fuzz_arena_free(&arena);
}

static const enum web_bot_auth_target targets[] = {WEB_BOT_AUTH_NO_TARGET, WEB_BOT_AUTH_AUTHORITY,
                                                   WEB_BOT_AUTH_URL, WEB_BOT_AUTH_URL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    uint8_t bits = fuzz_byte(&text);
    size_t arena_size = fuzz_arena_size(fuzz_byte(&text));
    const char *hosts[] = {"127.0.0.1:8403", "localhost"};
    struct config_list insecure = {hosts, 2};
    struct web_bot_auth_checked checked[CHECKS];
    struct web_bot_auth_trace trace = {.checked = checked, .room = bits & 16 ? CHECKS : 0};
    struct web_bot_auth_policy policy = {.now = NOW,
                                         .clock_skew = 30,
                                         .max_lifetime = 86400,
                                         .commitment = bits & 1 ? SLICE("payment") : SLICE(""),
                                         .target = targets[(bits >> 1 & 1) | (bits >> 5 & 2)],
                                         .allow_test_keys = bits & 4,
                                         .insecure_hosts = &insecure,
                                         .trace = bits & 32 ? NULL : &trace};
    struct web_bot_auth_candidate *candidates = NULL;
    struct arena arena = fuzz_arena(FUZZ_ARENA_PLENTY);
    struct arena small = fuzz_arena(arena_size);
    struct message message = fuzz_request(&arena, text);
    enum err err = web_bot_auth_select(&small, &message, &policy, &candidates);
    HOLDS(err >= 0 && err < ERR_COUNT);
    if (err == ERR_OK)
        check_candidates(candidates);
    else if (arena_size == FUZZ_ARENA_PLENTY)
        HOLDS(err != ERR_REQUEST_TOO_LARGE);
    HOLDS(trace.count <= trace.room);
    check_components(&message, arena_size);
    fuzz_arena_free(&small);
    fuzz_arena_free(&arena);
    return 0;
}
