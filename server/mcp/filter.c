/* What has come is held until a message is whole: an event, or all of a JSON text. Only then it is known what
 * it is, and goes on. When the reader comes back for more, what he had was sent. */
#include "server/mcp/filter.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>

#define PIECE_BYTES  16384
#define RECEIPT_MAX  8192
#define FILTER_MAGIC 0x41f7d90bu

struct filter {
    struct exchange_stream stream; /* first */
    uint32_t magic;
    struct filter_job job;
    struct exchange_stream *inner;
    struct buffer held; /* come, and not looked at */
    size_t scanned;     /* of held: so many bytes have no end of an event that was not seen */
    size_t line;        /* where in held the line begins that is being looked at */
    struct buffer out;  /* to be sent */
    bool plain;         /* nothing more is looked for: what comes goes on as it is */
    bool over;          /* nothing more comes */
    bool broken;        /* and that is to be seen */
    bool given;         /* the result is in `out`, or has been */
};

static struct filter *filter_of(struct exchange_stream *stream)
{
    struct filter *filter = (struct filter *)(void *)stream;
    OBJECT_CHECK(filter, FILTER_MAGIC);
    return filter;
}

static bool is_paid(const struct filter *filter)
{
    return filter->job.call != NULL;
}

/* --- A call without a result --- */

static void put_message(struct filter *filter, struct slice message)
{
    if (filter->job.events)
        buffer_add(&filter->out, SLICE("event: message\ndata: "));
    buffer_add(&filter->out, message);
    buffer_add(&filter->out, filter->job.events ? SLICE("\n\n") : SLICE("\n"));
}

/* The client hears of it in the place of the result, and the ledger takes the entry back. */
static void fail(struct filter *filter, const char *sentence)
{
    char room[1024];
    struct arena arena;
    assert(is_paid(filter) && !filter->given);
    arena_init(&arena, room, sizeof(room));
    calls_fail(filter->job.calls, filter->job.call, ERR_PAYMENT_UNDELIVERED);
    put_message(filter, answer_error(&arena, filter->job.id, ANSWER_GATE_ERROR, sentence,
                                     err_code(ERR_ORIGIN_UNAVAILABLE)));
    filter->over = true;
}

/* --- Messages --- */

/* What is billed of the call: its server may say so only now that it is made. */
static int64_t amount_of(const struct filter *filter, const struct tree *tree)
{
    const char *fault;
    int64_t micros = answer_amount(tree, filter->job.charged_micros, &fault);
    if (fault)
        LOG(WARN, "amount_refused", {"site", filter->job.site}, {"detail", fault},
            {"hint", "the price that was offered is charged: x402/amount of a result can only lower it"});
    return micros;
}

/* The result with its receipt. False: there was no memory for it. */
static bool write_result(const struct filter *filter, const struct tree *tree, int64_t micros,
                         struct buffer *result)
{
    char room[RECEIPT_MAX];
    struct arena arena;
    arena_init(&arena, room, sizeof(room));
    struct slice receipt = filter->job.receipt(filter->job.receipt_context, &arena, micros);
    if (receipt.data)
        answer_write_receipt(result, tree, receipt);
    return receipt.data && !result->failed;
}

/* The message as it goes on, when it is the answer that is looked for. */
static void give_result(struct filter *filter, struct slice text, const struct tree *tree, struct buffer *out)
{
    struct buffer result = {.data = NULL};
    int64_t micros = amount_of(filter, tree);
    bool written = write_result(filter, tree, micros, &result);
    if (written)
        answer_write(out, text, tree, buffer_all(&result));
    if (!written || out->failed) {
        buffer_free(&result);
        fail(filter, "the gate had no memory for the result; nothing is charged");
        return;
    }
    calls_finish(filter->job.calls, filter->job.call, buffer_all(&result),
                 micros < filter->job.charged_micros ? micros : -1);
    buffer_free(&result);
    filter->given = true;
    filter->plain = true;
}

enum verdict {
    AS_IT_IS,
    CHANGED, /* it stands in the buffer */
    DROPPED, /* the call has failed, and its client is told */
};

static enum verdict judge_paid(struct filter *filter, struct slice text, struct buffer *out)
{
    struct tree tree;
    enum verdict verdict = AS_IT_IS;
    if (tree_read(text, &tree)) {
        fail(filter, "the site's own server answered with what cannot be read for sure; nothing is charged");
        verdict = DROPPED;
    } else {
        switch (answer_judge(&tree, filter->job.id)) {
        case ANSWER_ASIDE:
            break;
        case ANSWER_GIVEN:
            give_result(filter, text, &tree, out);
            verdict = filter->given ? CHANGED : DROPPED;
            break;
        case ANSWER_REFUSED: /* as it is, for the client to read why */
            calls_fail(filter->job.calls, filter->job.call, ERR_PAYMENT_UNDELIVERED);
            filter->plain = true;
            break;
        }
    }
    tree_free(&tree);
    return verdict;
}

static enum verdict judge(struct filter *filter, struct slice text, struct buffer *out)
{
    if (is_paid(filter))
        return judge_paid(filter, text, out);
    bool told = answer_annotate(out, text, filter->job.kind, filter->job.prices);
    filter->plain = told;
    return told ? CHANGED : AS_IT_IS;
}

/* --- Events (WHATWG HTML, section 9.2.5) --- */

/* A line without its end, which is CR, LF or both. */
static struct slice next_line(struct slice *text)
{
    size_t end = 0;
    while (end < text->len && text->data[end] != '\n' && text->data[end] != '\r')
        end++;
    struct slice line = {text->data, end};
    if (end < text->len)
        end += end + 1 < text->len && text->data[end] == '\r' && text->data[end + 1] == '\n' ? 2 : 1;
    *text = (struct slice){text->data + end, text->len - end};
    return line;
}

static bool is_field(struct slice line, struct slice name, struct slice *value)
{
    size_t colon = slice_find(line, ':');
    if (!slice_eq((struct slice){line.data, colon}, name))
        return false;
    *value = colon == line.len ? SLICE("") : (struct slice){line.data + colon + 1, line.len - colon - 1};
    if (value->len > 0 && value->data[0] == ' ')
        *value = (struct slice){value->data + 1, value->len - 1};
    return true;
}

static void put_line(struct buffer *out, struct slice name, struct slice value)
{
    buffer_add(out, name);
    buffer_add(out, value);
    buffer_add(out, SLICE("\n"));
}

/* The event with other data: what it says of itself stays. */
static void put_event(struct filter *filter, struct slice event, struct slice data)
{
    struct slice value;
    while (event.len > 0) {
        struct slice line = next_line(&event);
        if (line.len == 0 || is_field(line, SLICE("data"), &value) ||
            (is_paid(filter) && is_field(line, SLICE("id"), &value)))
            continue;
        put_line(&filter->out, SLICE(""), line);
    }
    while (data.data) {
        struct slice line = next_line(&data);
        put_line(&filter->out, SLICE("data: "), line);
        if (data.len == 0)
            break;
    }
    buffer_add(&filter->out, SLICE("\n"));
}

static void take_event(struct filter *filter, struct slice event)
{
    struct buffer data = {.data = NULL}, changed = {.data = NULL};
    struct slice rest = event, value;
    bool numbered = false, some = false;
    while (rest.len > 0) {
        struct slice line = next_line(&rest);
        numbered = numbered || is_field(line, SLICE("id"), &value);
        if (!is_field(line, SLICE("data"), &value))
            continue;
        if (some)
            buffer_add(&data, SLICE("\n"));
        buffer_add(&data, value);
        some = true;
    }
    struct slice text = buffer_all(&data);
    enum verdict verdict = text.len > 0 && !data.failed ? judge(filter, text, &changed) : AS_IT_IS;
    if (verdict == CHANGED)
        put_event(filter, event, buffer_all(&changed));
    else if (verdict == AS_IT_IS && numbered && is_paid(filter))
        put_event(filter, event, some ? text : (struct slice){NULL, 0});
    else if (verdict == AS_IT_IS)
        buffer_add(&filter->out, event);
    buffer_free(&data);
    buffer_free(&changed);
}

/* How many bytes the first event of what is held has, with its empty line; 0: it is not all there. */
static size_t event_length(struct filter *filter)
{
    struct slice held = buffer_all(&filter->held);
    while (filter->scanned < held.len) {
        char c = held.data[filter->scanned];
        if (c != '\n' && c != '\r') {
            filter->scanned++;
            continue;
        }
        size_t end = filter->scanned + 1;
        if (c == '\r' && end == held.len)
            return 0; /* a LF may belong to it */
        if (c == '\r' && held.data[end] == '\n')
            end++;
        bool empty = filter->scanned == filter->line;
        filter->scanned = filter->line = end;
        if (empty)
            return end;
    }
    return 0;
}

static void take_events(struct filter *filter)
{
    for (size_t length; !filter->plain && !filter->over && (length = event_length(filter)) > 0;) {
        struct slice held = buffer_all(&filter->held);
        take_event(filter, (struct slice){held.data, length});
        buffer_drop(&filter->held, length);
        filter->scanned = filter->line = 0;
    }
}

/* --- Bytes --- */

static void pass_held(struct filter *filter)
{
    buffer_add(&filter->out, buffer_all(&filter->held));
    buffer_free(&filter->held);
}

static void feed(struct filter *filter, struct slice piece)
{
    buffer_add(filter->plain ? &filter->out : &filter->held, piece);
    if (filter->plain)
        return;
    if (filter->job.events)
        take_events(filter);
    bool too_long = buffer_all(&filter->held).len > filter->job.result_max || filter->held.failed;
    if (!filter->plain && !filter->over && too_long) {
        if (is_paid(filter))
            fail(filter, "the result is longer than mcp.result_bytes; nothing is charged");
        else
            filter->plain = true;
    }
    if (filter->plain)
        pass_held(filter);
}

/* The site's own server has said all, or as much as it will. */
static void end(struct filter *filter, bool whole)
{
    struct buffer changed = {.data = NULL};
    struct slice held = buffer_all(&filter->held);
    if (whole && !filter->plain && !filter->job.events && held.len > 0) {
        enum verdict verdict = judge(filter, held, &changed);
        if (verdict == CHANGED)
            buffer_add(&filter->out, buffer_all(&changed));
        else if (verdict == AS_IT_IS)
            pass_held(filter);
        buffer_free(&changed);
    }
    if (is_paid(filter) && !filter->plain && !filter->over)
        fail(filter, "the site's own server ended without a result; nothing is charged");
    else if (!is_paid(filter) && !filter->plain)
        pass_held(filter);
    filter->broken = !whole && (!is_paid(filter) || filter->given);
    filter->over = true;
}

static ptrdiff_t hand_out(struct filter *filter, char *out, size_t room)
{
    struct slice all = buffer_all(&filter->out);
    size_t bytes = all.len < room ? all.len : room;
    memcpy(out, all.data, bytes);
    buffer_drop(&filter->out, bytes);
    return (ptrdiff_t)bytes;
}

static ptrdiff_t read_filter(struct exchange_stream *stream, char *out, size_t room)
{
    struct filter *filter = filter_of(stream);
    char piece[PIECE_BYTES];
    assert(room > 0);
    for (;;) {
        if (buffer_all(&filter->out).len > 0)
            return hand_out(filter, out, room);
        /* He comes back: what he was given last is with the network. */
        if (filter->given)
            calls_delivered(filter->job.calls, filter->job.call);
        if (filter->out.failed)
            return EXCHANGE_BROKEN;
        if (filter->over)
            return filter->broken ? EXCHANGE_BROKEN : EXCHANGE_END;
        ptrdiff_t bytes = filter->inner->read(filter->inner, piece, sizeof(piece));
        if (bytes == EXCHANGE_LATER)
            return EXCHANGE_LATER;
        if (bytes > 0)
            feed(filter, slice_bytes(piece, (size_t)bytes));
        else
            end(filter, bytes == EXCHANGE_END);
    }
}

static void close_filter(struct exchange_stream *stream)
{
    struct filter *filter = filter_of(stream);
    filter->inner->close(filter->inner);
    if (is_paid(filter)) {
        /* Nobody waits for the rest any more; it does nothing where there is a result. */
        calls_fail(filter->job.calls, filter->job.call, ERR_PAYMENT_UNDELIVERED);
        calls_let_go(filter->job.calls, filter->job.call);
    }
    buffer_free(&filter->held);
    buffer_free(&filter->out);
    OBJECT_END(filter, FILTER_MAGIC);
    free(filter);
}

struct exchange_stream *filter_new(const struct filter_job *job, struct exchange_stream *inner)
{
    struct filter *filter = calloc(1, sizeof(*filter));
    if (!filter)
        return NULL;
    assert(job->call ? job->receipt && job->id.len > 0 : job->prices != NULL);
    OBJECT_MAKE(filter, FILTER_MAGIC);
    filter->job = *job;
    filter->inner = inner;
    filter->stream = (struct exchange_stream){.read = read_filter, .close = close_filter};
    return &filter->stream;
}
