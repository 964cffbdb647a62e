#include "tools/crawler/visit.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/text/text.h"
#include "tools/crawler/receipt.h"
#include "tools/crawler/say.h"
#include "tools/crawler/sign.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define ARENA_SIZE        (256 * 1024)
#define TRIES_MAX         5
#define OFFERS_MAX        2
#define RETRY_SECONDS     1  /* where the site does not say */
#define RETRY_SECONDS_MAX 60 /* longer is not waited */
#define CLOCK_OFF_SECONDS 20 /* worth a hint */
#define LINES_MAX         6

struct visit {
    struct visit_session *session;
    struct arena arena;
    struct target target;
    struct quote quote; /* committed to; id NULL: nothing is */
    struct client_answer answer;
    bool doubt; /* a try of the present commitment may have been charged without an answer */
};

static struct slice field_of(struct visit *visit, const char *name)
{
    return client_field(visit->session->client, &visit->arena, name);
}

static bool field_is(struct visit *visit, const char *name, struct slice value)
{
    struct slice field = field_of(visit, name);
    return field.data && slice_eq(field, value);
}

/* The refusal's code, or nothing. */
static const char *code_of(struct visit *visit)
{
    struct slice code = field_of(visit, "crawler-error");
    return code.data ? code.data : "";
}

/* A structured-field string. */
static void add_string(struct text *text, const char *value)
{
    struct sf_bare bare = {.kind = SF_STRING, .text = slice_of(value)};
    sf_write_bare(text, &bare);
}

static struct slice payment_field(struct arena *arena, const struct quote *quote)
{
    struct text text = text_begin(arena);
    text_add(&text, SLICE("scheme=\"deferred\", network="));
    add_string(&text, quote->network);
    text_add(&text, SLICE(", id="));
    add_string(&text, quote->id);
    return text_end(&text);
}

/* The signed fields of the request as lines for the wire. False when the arena is full. */
static bool make_lines(struct visit *visit, const char *lines[LINES_MAX])
{
    struct arena *arena = &visit->arena;
    struct message_field fields[2];
    struct message message = {.method = SLICE("GET"),
                              .scheme = visit->target.url.scheme,
                              .authority = visit->target.authority,
                              .target = visit->target.request,
                              .fields = fields};
    struct sign_terms terms = {.created = clock_now_ms() / 1000};
    struct sign_fields signed_fields;
    size_t count = 0;
    random_bytes(terms.nonce, sizeof(terms.nonce));
    struct text agent = text_begin(arena);
    add_string(&agent, visit->session->agent);
    fields[message.field_count++] = (struct message_field){SLICE("signature-agent"), text_end(&agent)};
    lines[count++] = arena_format(arena, "Signature-Agent: %s", fields[0].value.data).data;
    if (visit->quote.id) {
        struct slice payment = payment_field(arena, &visit->quote);
        fields[message.field_count++] = (struct message_field){SLICE("payment"), payment};
        lines[count++] = arena_format(arena, "Payment: %s", payment.data).data;
    }
    for (size_t i = 0; i < message.field_count; i++)
        if (!fields[i].value.data)
            return false;
    if (!sign_request(arena, visit->session->key, &message, &terms, &signed_fields))
        return false;
    lines[count++] = arena_format(arena, "Signature-Input: %s", signed_fields.input.data).data;
    lines[count++] = arena_format(arena, "Signature: %s", signed_fields.signature.data).data;
    lines[count] = NULL;
    for (size_t i = 0; i < count; i++)
        if (!lines[i])
            return false;
    return true;
}

/* True when the answer says that the same request may be tried again. */
static bool worth_a_retry(const struct visit *visit)
{
    const struct client_answer *answer = &visit->answer;
    /* A commitment is charged once however often it is sent. */
    if (answer->problem)
        return visit->quote.id && answer->sends > 0 && !answer->too_large;
    return answer->status == 503 || answer->status == 429;
}

/* True when a commitment may have been charged though the page did not come. */
static bool leaves_doubt(struct visit *visit)
{
    const struct client_answer *answer = &visit->answer;
    if (answer->sends > 1)
        return true;
    if (answer->problem)
        return answer->sends > 0;
    return answer->status >= 500 && !field_is(visit, "crawler-error", SLICE("directory_unavailable")) &&
           !field_is(visit, "crawler-error", SLICE("overloaded")) &&
           !field_is(visit, "crawler-error", SLICE("internal_error"));
}

static void wait_seconds(const struct visit *visit, int64_t seconds)
{
    int64_t until = clock_monotonic_ms() + seconds * 1000;
    while (!*visit->session->stop && clock_monotonic_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

/* Sends the request, with the commitment if there is one, until there is an answer that counts. False when it
 * could not even be built. */
static bool ask(struct visit *visit)
{
    const char *lines[LINES_MAX];
    struct client_answer *answer = &visit->answer;
    for (int tries = 1;; tries++) {
        if (!make_lines(visit, lines))
            return false;
        client_get(visit->session->client, visit->target.text.data, lines, answer);
        if (visit->quote.id && leaves_doubt(visit))
            visit->doubt = true;
        int64_t wait = answer->retry_seconds >= 0 ? answer->retry_seconds : RETRY_SECONDS;
        if (!worth_a_retry(visit) || tries == TRIES_MAX || wait > RETRY_SECONDS_MAX || *visit->session->stop)
            return true;
        if (answer->problem)
            say_problem("%s: %s; trying again in %lld s", visit->target.text.data, answer->problem,
                        (long long)wait);
        else
            say_problem("%s: %ld %s, trying again in %lld s", visit->target.text.data, answer->status,
                        code_of(visit), (long long)wait);
        wait_seconds(visit, wait);
    }
}

/* `file` is where the page is; empty: nowhere. */
static void result_line(const struct visit *visit, const char *what, const char *file)
{
    char status[24] = "---";
    if (visit->answer.status != 0)
        snprintf(status, sizeof(status), "%ld", visit->answer.status);
    int len = snprintf(NULL, 0, "%s  %-15s  %s  -> %s", status, what, visit->target.text.data, file);
    bool one_line = len <= SAY_COLUMNS && *file;
    say_line("%s  %-15s  %s%s%s", status, what, visit->target.text.data, one_line ? "  -> " : "",
             one_line ? file : "");
    if (*file && !one_line)
        say_line("     -> %s", file);
}

static void not_fetched(struct visit *visit, const char *why)
{
    visit->session->failed++;
    result_line(visit, "not fetched", "");
    say_line("     %s", why);
}

/* The sentence of a problem+json or offer, copied to the arena, or NULL. */
static const char *sentence_of(struct visit *visit)
{
    static const char *const names[] = {"detail", "title", "error"};
    const char *sentence = NULL;
    struct slice content = visit->answer.content;
    json_t *object = content.len > 0 ? json_loadb(content.data, content.len, 0, NULL) : NULL;
    for (size_t i = 0; !sentence && i < sizeof(names) / sizeof(*names); i++) {
        const json_t *value = json_object_get(object, names[i]);
        if (json_is_string(value) && json_string_length(value) > 0)
            sentence = arena_copy(&visit->arena, slice_of(json_string_value(value)));
    }
    json_decref(object);
    return sentence;
}

/* What the operator of this crawler can do about it. */
static void give_hint(struct visit *visit)
{
    int64_t off = visit->answer.date - clock_now_ms() / 1000;
    if (field_is(visit, "crawler-error", SLICE("key_unknown")))
        say_line("     hint: the directory under %s must list key %s", visit->session->agent,
                 visit->session->key->keyid);
    else if (field_is(visit, "crawler-error", SLICE("directory_unavailable")))
        say_line("     hint: can the site reach the directory under %s?", visit->session->agent);
    else if (visit->answer.status == 403 && visit->answer.date >= 0 && llabs(off) > CLOCK_OFF_SECONDS)
        say_line("     hint: the site's clock is %lld s %s ours", llabs(off),
                 off > 0 ? "ahead of" : "behind");
}

static void report_refusal(struct visit *visit)
{
    struct slice code = field_of(visit, "crawler-error");
    struct slice location = field_of(visit, "Location");
    const char *sentence = sentence_of(visit);
    const char *why = NULL;
    if (visit->answer.status >= 300 && visit->answer.status < 400 && location.data)
        why = arena_format(&visit->arena, "redirects are not followed; it points to %s", location.data).data;
    else if (code.data)
        why =
            arena_format(&visit->arena, "%s: %s", code.data, sentence ? sentence : "no reason is given").data;
    else
        why = sentence ? sentence : "the site gives no reason";
    not_fetched(visit, why ? why : "the site's reason is too long");
    give_hint(visit);
}

/* The offer in PAYMENT-REQUIRED, or else in the body. */
static enum quote_outcome read_offer(struct visit *visit, struct quote *quote)
{
    enum quote_outcome outcome = QUOTE_UNREADABLE;
    struct slice header = field_of(visit, "PAYMENT-REQUIRED");
    if (header.data)
        outcome = quote_read_base64(&visit->arena, header, visit->target.text, quote);
    if (outcome != QUOTE_OK) {
        enum quote_outcome body = quote_read(&visit->arena, visit->answer.content, visit->target.text, quote);
        outcome = header.data && body == QUOTE_UNREADABLE ? outcome : body;
    }
    return outcome;
}

/* Takes the offer of a 402 if it may be taken. False after reporting why not. */
static bool commit(struct visit *visit)
{
    struct quote quote = {.id = NULL};
    enum quote_outcome outcome = read_offer(visit, &quote);
    const char *refusal =
        outcome == QUOTE_OK ? purse_refuse(&visit->session->purse, &visit->arena, &quote) : NULL;
    if (outcome != QUOTE_OK || refusal) {
        not_fetched(visit, refusal ? refusal : quote_sentence(outcome));
        return false;
    }
    visit->quote = quote;
    return true;
}

/* Keeps the receipt's line; `file` is NULL when the page could not be kept. */
static bool keep_receipt(struct visit *visit, const struct receipt *receipt, const char *file,
                         struct slice charged)
{
    char now[INSTANT_TEXT_MAX];
    struct receipt_record record = {
        .url = visit->target.text.data,
        .keyid = visit->session->key->keyid,
        .file = file,
        .time = instant_format(clock_now_ms(), now),
        .charged = charged,
        .content = visit->answer.problem        ? (struct slice){NULL, 0}
                   : visit->answer.content.data ? visit->answer.content
                                                : SLICE(""),
    };
    char *line = receipt_line(&visit->arena, receipt, &visit->quote, &record);
    bool ok = line && store_receipt(visit->session->store, line);
    free(line);
    return ok;
}

/* A page came for a commitment: is the receipt right, and where does it go? False when something is not. */
static bool take_receipt(struct visit *visit, const char *file)
{
    struct visit_session *session = visit->session;
    struct receipt receipt = {.id = NULL};
    struct slice field = field_of(visit, "Payment-Response");
    struct slice charged = field_of(visit, "crawler-charged");
    if (!field.data || !receipt_parse(&visit->arena, field, &receipt)) {
        say_problem("WARNING: %s came with %s receipt; it may have been charged as payment %s",
                    visit->target.text.data, field.data ? "an unreadable" : "no", visit->quote.id);
        visit->doubt = true;
        return false;
    }
    const char *problem = receipt_check(&visit->arena, &receipt, &visit->quote, charged);
    if (problem)
        say_problem("WARNING: %s: %s", visit->target.text.data, problem);
    visit->doubt = false;
    /* purse_refuse has checked the sum; a site may ask for less than its offer. */
    session->purse.paid_micros += receipt_amount(&visit->quote, charged);
    session->paid_pages++;
    return keep_receipt(visit, &receipt, file, charged) && !problem;
}

static void take_page(struct visit *visit)
{
    struct visit_session *session = visit->session;
    struct slice name = store_page(session->store, &visit->arena, &visit->target, visit->answer.content);
    bool committed = visit->quote.id != NULL;
    bool good = !committed || take_receipt(visit, name.data);
    if (!name.data) {
        not_fetched(visit, "it came, but could not be stored");
        return;
    }
    const char *what = "free";
    if (committed)
        what = arena_format(&visit->arena, "%s %s", visit->doubt ? "unsure" : "paid",
                            purse_text(&visit->arena, visit->quote.currency, visit->quote.price_micros))
                   .data;
    const char *file = arena_format(&visit->arena, "%s/%s", session->folder, name.data).data;
    result_line(visit, what ? what : "paid", file ? file : name.data);
    session->pages++;
    session->failed += good ? 0 : 1;
}

static void conclude(struct visit *visit)
{
    struct visit_session *session = visit->session;
    if (visit->answer.problem) {
        not_fetched(visit, visit->answer.problem);
        if (visit->quote.id && visit->answer.status == 200)
            take_receipt(visit, NULL); /* paid for all the same */
    } else if (visit->answer.status == 200)
        take_page(visit);
    else
        report_refusal(visit);
    if (visit->quote.id && visit->doubt) {
        session->purse.doubt_micros += visit->quote.price_micros;
        say_line("     in doubt: %s may have been charged as payment",
                 purse_text(&visit->arena, visit->quote.currency, visit->quote.price_micros));
        say_line("     %s", visit->quote.id);
    }
}

/* A fresh offer may be taken where the last one ran out unused. */
static bool may_commit(struct visit *visit, int offers)
{
    if (visit->answer.problem || visit->answer.status != 402 || *visit->session->stop)
        return false;
    return offers == 0 ||
           (offers < OFFERS_MAX && !visit->doubt && field_is(visit, "crawler-error", SLICE("offer_expired")));
}

void visit_url(struct visit_session *session, const char *url)
{
    static char memory[ARENA_SIZE];
    struct visit visit = {.session = session};
    arena_init(&visit.arena, memory, sizeof(memory));
    if (!target_parse(&visit.arena, slice_of(url), &visit.target)) {
        session->failed++;
        say_line("---  not fetched      %s", url);
        say_line("     not an absolute http or https URL; other characters are written %%XX");
        return;
    }
    bool built = ask(&visit);
    for (int offers = 0; built && may_commit(&visit, offers); offers++) {
        if (!commit(&visit))
            return;
        built = ask(&visit);
    }
    if (built) {
        conclude(&visit);
    } else {
        visit.answer.status = 0;
        not_fetched(&visit, "the request could not be signed");
    }
}
