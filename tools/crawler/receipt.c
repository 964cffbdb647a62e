#include "tools/crawler/receipt.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/verify/sf.h"
#include "tools/crawler/purse.h"

#include <jansson.h>
#include <stdlib.h>

static const char *take_string(struct arena *arena, const struct sf_list *dictionary, struct slice key)
{
    const struct sf_member *member = sf_find(dictionary, key);
    return member && member->value.kind == SF_STRING ? arena_copy(arena, member->value.text) : NULL;
}

bool receipt_parse(struct arena *arena, struct slice field, struct receipt *receipt)
{
    struct sf_list dictionary;
    if (!sf_parse_dictionary(arena, field, &dictionary))
        return false;
    const struct sf_member *timestamp = sf_find(&dictionary, SLICE("timestamp"));
    const char *scheme = take_string(arena, &dictionary, SLICE("scheme"));
    receipt->id = take_string(arena, &dictionary, SLICE("id"));
    receipt->network = take_string(arena, &dictionary, SLICE("network"));
    if (!timestamp || timestamp->value.kind != SF_INTEGER || !scheme || strcmp(scheme, "deferred") != 0)
        return false;
    receipt->timestamp = timestamp->value.number;
    return receipt->id && receipt->network;
}

const char *receipt_check(struct arena *arena, const struct receipt *receipt, const struct quote *quote,
                          struct slice charged)
{
    char currency[PURSE_CURRENCY_MAX];
    int64_t micros;
    const char *text = NULL;
    if (strcmp(receipt->id, quote->id) != 0)
        text = arena_format(arena, "the receipt is for payment %s, not for %s", receipt->id, quote->id).data;
    else if (strcmp(receipt->network, quote->network) != 0)
        text =
            arena_format(arena, "the receipt is of network %s, not of %s", receipt->network, quote->network)
                .data;
    else if (charged.data && (!purse_parse(charged, currency, &micros) ||
                              strcmp(currency, quote->currency) != 0 || micros > quote->price_micros))
        text = arena_format(arena, "%.*s was charged, not %s", (int)charged.len, charged.data,
                            purse_text(arena, quote->currency, quote->price_micros))
                   .data;
    else
        return NULL;
    return text ? text : "the receipt does not agree with the commitment";
}

int64_t receipt_amount(const struct quote *quote, struct slice charged)
{
    char currency[PURSE_CURRENCY_MAX];
    int64_t micros;
    bool less = charged.data && purse_parse(charged, currency, &micros) &&
                strcmp(currency, quote->currency) == 0 && micros < quote->price_micros;
    return less ? micros : quote->price_micros;
}

/* A JSON string, or null when the text is missing or is not UTF-8. */
static json_t *string_or_null(struct slice text)
{
    json_t *value = text.data ? json_stringn(text.data, text.len) : NULL;
    return value ? value : json_null();
}

char *receipt_line(struct arena *arena, const struct receipt *receipt, const struct quote *quote,
                   const struct receipt_record *record)
{
    uint8_t digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    char *line = NULL;
    struct slice sha256 = {NULL, 0};
    if (record->content.data) {
        digest_sha256(&record->content, 1, digest);
        sha256 = slice_of(encoding_hex(digest, sizeof(digest), hex));
    }
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:s, s:s}", "url", record->url, "id", receipt->id,
        "network", receipt->network, "price", purse_text(arena, quote->currency, quote->price_micros),
        "timestamp", (json_int_t)receipt->timestamp, "charged", string_or_null(record->charged), "file",
        string_or_null(slice_of(record->file)), "sha256", string_or_null(sha256), "bytes",
        (json_int_t)record->content.len, "keyid", record->keyid, "time", record->time);
    if (object && strcmp(receipt->id, quote->id) != 0)
        json_object_set_new(object, "committed", json_string(quote->id));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text) {
        size_t len = strlen(text);
        line = realloc(text, len + 2);
        if (line)
            memcpy(line + len, "\n", 2);
        else
            free(text);
    }
    json_decref(object);
    return line;
}
