#include "tools/crawltab/entries/delivered.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/encoding.h"
#include "ledger/delivery/delivery.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool delivered_read_client(const char *text, struct delivered_client *client)
{
    client->text = text;
    if (!text || network_parse_address(slice_of(text), client->address))
        return true;
    command_misused("this is no address", text, "give one such as 192.0.2.1 or 2001:db8::1");
    return false;
}

/* By every offer key that is known here: which one it was is not on record. */
static const char *judge_client(const struct delivered *delivered, struct pg_hex tag)
{
    uint8_t kept[CLIENT_TAG_SIZE], made[CLIENT_TAG_SIZE], id[UUID_SIZE];
    const struct offer_keys *keys = &delivered->opener->offer_keys;
    bool same = false;
    if (pg_hex_bytes(tag, kept, sizeof(kept)) != sizeof(kept) ||
        !uuid_parse(slice_of(delivered->payment_id), id))
        return "not recorded";
    for (size_t i = 0; i < keys->count && !same; i++) {
        struct hmac *key = client_tag_key(keys->items[i], OFFER_KEY_SIZE);
        if (key)
            client_tag(key, id, delivered->client->address, made);
        same = key && digest_equal(kept, made, sizeof(kept));
        hmac_free(key);
    }
    return same              ? "the same"
           : keys->count > 0 ? "another one, or its offer key is unknown here"
                             : "no offer key is at hand to tell";
}

static void print_client(const struct delivered *delivered, const struct delivery_read_row *row)
{
    if (delivered->client->text)
        printf("%-12sclient %s: %s\n", "", delivered->client->text, judge_client(delivered, row->client));
    else if (!row->client_null)
        printf("%-12sclient: a keyed hash, which --client ADDRESS tests\n", "");
}

static void print_one(const struct delivered *delivered, const struct delivery_read_row *row)
{
    char at[SHOW_INSTANT_MAX];
    printf("%-12s%s on %s\n", row->repeated ? "Once more" : "Delivered", row->ended,
           show_instant(row->ended_ms, at));
    printf("%-12s%s\n", "", delivery_end_sentence(row->ended));
    if (!row->status_null)
        printf("%-12sstatus %" PRId64, "", row->status);
    if (!row->status_null && !row->sent_bytes_null)
        printf(", %" PRId64 " bytes", row->sent_bytes);
    if (!row->status_null)
        puts("");
    if (!row->body_digest_null) {
        uint8_t digest[DIGEST_SIZE];
        char hex[2 * DIGEST_SIZE + 1];
        pg_hex_bytes(row->body_digest, digest, sizeof(digest));
        encoding_hex(digest, sizeof(digest), hex);
        printf("%-12sSHA-256 %.32s\n%-12s        %s\n", "", hex, "", hex + 32);
    }
    if (row->user_agent) {
        printf("%-12sUser-Agent ", "");
        show_text(stdout, row->user_agent);
        puts("");
    }
    print_client(delivered, row);
}

void delivered_print(const struct delivered *delivered)
{
    for (int i = 0; i < delivered->rows->count; i++) {
        const struct delivery_read_row row = delivery_read_row(delivered->rows, i);
        print_one(delivered, &row);
    }
    if (delivered->rows->count > 0)
        printf("%-12s(the publisher's own record: not that anybody has read the page)\n", "");
    else
        printf("%-12s(not recorded, which proves nothing)\n", "Delivered");
}

json_t *delivered_json(const struct delivered *delivered)
{
    char at[SHOW_INSTANT_MAX];
    json_t *list = json_array();
    for (int i = 0; i < delivered->rows->count; i++) {
        const struct delivery_read_row row = delivery_read_row(delivered->rows, i);
        uint8_t digest[DIGEST_SIZE];
        char hex[2 * DIGEST_SIZE + 1] = "";
        if (pg_hex_bytes(row.body_digest, digest, sizeof(digest)) == sizeof(digest))
            encoding_hex(digest, sizeof(digest), hex);
        const bool asked = delivered->client->text;
        json_array_append_new(
            list, json_pack("{s:b,s:s,s:s,s:o,s:o,s:s?,s:s?,s:s?}", "repeated", row.repeated, "ended",
                            row.ended, "ended_at", show_instant(row.ended_ms, at), "status",
                            row.status_null ? json_null() : json_integer(row.status), "sent_bytes",
                            row.sent_bytes_null ? json_null() : json_integer(row.sent_bytes), "sha256",
                            *hex ? hex : NULL, "user_agent", row.user_agent, "client",
                            asked ? judge_client(delivered, row.client) : NULL));
    }
    return list;
}
