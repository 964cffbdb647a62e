#include "tools/crawltab/entries/mistyped.h"

#include "ledger/base/text/encoding.h"
#include "sql/rows/entry.h"
#include "tools/crawltab/frame/show.h"

#include <ctype.h>
#include <stdlib.h>

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define HEX       "0123456789abcdef"

/* Characters that hold the UUID: 22 of base64url. */
#define UUID_CHARS 22

static bool is_base64url(char c)
{
    return c != '\0' && strchr(BASE64URL, c) != NULL;
}

bool mistyped_read(const char *word, struct mistyped_given *given)
{
    size_t len = 0, known = 0;
    *given = (struct mistyped_given){.is_id = false};
    for (; *word; word++) {
        if (isspace((unsigned char)*word) || strchr("\"'", *word))
            continue;
        if (len + 1 == sizeof(given->text))
            return false;
        given->text[len++] = *word;
        known += is_base64url(*word);
    }
    const struct slice text = {given->text, len};
    given->is_id = payment_id_bytes(text, given->raw);
    given->is_uuid = !given->is_id && uuid_parse(text, given->raw);
    return given->is_id || given->is_uuid || (len >= MISTYPED_TEXT_FROM && known + 2 >= len);
}

/* --- the list --- */

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static struct mistyped_meant *add(struct mistyped_list *list, const uint8_t uuid[UUID_SIZE])
{
    char text[UUID_TEXT_MAX];
    uuid_format(uuid, text);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].payment_id, text) == 0)
            return NULL;
    if (list->count == MISTYPED_MAX)
        return NULL;
    struct mistyped_meant *meant = &list->items[list->count++];
    memcpy(meant->payment_id, text, sizeof(text));
    return meant;
}

static void add_entry(struct mistyped_list *list, const struct charge_meant_row *entry)
{
    uint8_t uuid[UUID_SIZE];
    size_t len;
    struct mistyped_meant *meant = uuid_parse(slice_of(entry->payment_id), uuid) ? add(list, uuid) : NULL;
    if (!meant)
        return;
    char *base = show_raw(entry->signature_base, &len);
    payment_id_signed((struct slice){base, base ? len : 0}, uuid, meant->id);
    free(base);
    meant->paid = true;
    meant->site = copy(entry->site);
    meant->currency = copy(entry->currency);
    meant->resource = copy(entry->resource);
    meant->amount_micros = entry->amount_micros;
}

static enum err add_entries(struct pg *pg, const char *statement, const struct pg_params *params,
                            struct mistyped_list *list)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(pg, statement, params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct charge_meant_row row = charge_meant_row(&rows, i);
        add_entry(list, &row);
    }
out:
    pg_rows_free(&rows);
    return err;
}

void mistyped_free(struct mistyped_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].site);
        free(list->items[i].currency);
        free(list->items[i].resource);
    }
    list->count = 0;
}

/* --- one slip of the hand --- */

struct slips {
    const struct opener *opener;
    struct mistyped_list *list;
    struct pg_array uuids; /* of what may have been meant, when no key tells */
    const char *alphabet;
    size_t whole; /* characters of an id that is right */
};

/* What may have been meant: an id that a key opens, or, without any key, one of the UUIDs to look for. */
static void consider(struct slips *slips, const char *text)
{
    uint8_t raw[PAYMENT_ID_SIZE];
    if (slips->whole != PAYMENT_ID_TEXT || slips->opener->offer_keys.count == 0) {
        if (uuid_parse(slice_of(text), raw))
            pg_array_bytes(&slips->uuids, slice_bytes(raw, UUID_SIZE));
        return;
    }
    if (!payment_id_bytes(slice_of(text), raw) || !uuid_is_v7(raw))
        return;
    const struct opener_site *site = opener_open(slips->opener, raw);
    struct mistyped_meant *meant = site ? add(slips->list, raw) : NULL;
    if (!meant)
        return;
    memcpy(meant->id, text, PAYMENT_ID_TEXT + 1);
    meant->site = copy(site->name);
    meant->currency = copy(site->currency);
    meant->amount_micros = payment_id_price(raw);
}

/* Each character that could stand at `at` of the text, in the place of what stands there. */
static void put_each(struct slips *slips, char *text, size_t at)
{
    for (const char *c = slips->alphabet; *c; c++) {
        text[at] = *c;
        consider(slips, text);
    }
}

static void change_one(struct slips *slips, const char *given, size_t places)
{
    char text[MISTYPED_TEXT_MAX];
    for (size_t at = 0; at < places; at++) {
        memcpy(text, given, slips->whole + 1);
        if (text[at] == '-' && slips->whole != PAYMENT_ID_TEXT)
            continue; /* a UUID's */
        put_each(slips, text, at);
    }
    for (size_t at = 0; at + 1 < places; at++) {
        memcpy(text, given, slips->whole + 1);
        text[at] = given[at + 1];
        text[at + 1] = given[at];
        consider(slips, text);
    }
}

static void add_one(struct slips *slips, const char *given, size_t places)
{
    char text[MISTYPED_TEXT_MAX];
    for (size_t at = 0; at < places; at++) {
        memcpy(text, given, at);
        memcpy(text + at + 1, given + at, slips->whole - at);
        put_each(slips, text, at);
    }
}

static void drop_one(struct slips *slips, const char *given, size_t places)
{
    char text[MISTYPED_TEXT_MAX];
    for (size_t at = 0; at < places; at++) {
        memcpy(text, given, at);
        memcpy(text + at, given + at + 1, slips->whole - at + 1);
        consider(slips, text);
    }
}

/* Without a key only slips in the part that is the UUID can be told from others. */
static enum err find_slips(struct pg *pg, const struct opener *opener, const struct mistyped_given *given,
                           struct mistyped_list *list)
{
    bool uuid = given->is_uuid;
    struct slips slips = {.opener = opener,
                          .list = list,
                          .alphabet = uuid ? HEX : BASE64URL,
                          .whole = uuid ? UUID_TEXT_MAX - 1 : PAYMENT_ID_TEXT};
    struct pg_params params = {0};
    size_t len = strlen(given->text);
    size_t places = uuid || opener->offer_keys.count > 0 ? slips.whole : UUID_CHARS;
    enum err err = ERR_OK;
    pg_array_begin(&slips.uuids, PG_TYPE_UUID);
    if (len == slips.whole)
        change_one(&slips, given->text, places);
    else if (len + 1 == slips.whole)
        add_one(&slips, given->text, places);
    else if (len == slips.whole + 1)
        drop_one(&slips, given->text, places + 1);
    if (slips.uuids.count > 0) {
        TRY(pg_params_array(&params, &slips.uuids) ? ERR_OK : ERR_OVERLOADED);
        TRY(add_entries(pg, "charge_among", &params, list));
    }
out:
    pg_array_free(&slips.uuids);
    return err;
}

/* Entries whose ids begin like this one: as far as the first eight bytes go, or the ten characters that hold
 * most of them. */
static enum err find_near(struct pg *pg, const struct mistyped_given *given, struct mistyped_list *list)
{
    uint8_t first[UUID_SIZE] = {0}, last[UUID_SIZE];
    struct pg_params params = {0};
    size_t len, known = UUID_SIZE / 2;
    if (given->is_id || given->is_uuid) {
        memcpy(first, given->raw, known);
    } else {
        uint8_t start[9];
        if (!encoding_unbase64url((struct slice){given->text, 12}, start, sizeof(start), &len))
            return ERR_OK;
        memcpy(first, start, known);
    }
    memset(last, 0xff, sizeof(last));
    memcpy(last, first, known);
    pg_params_bytes(&params, slice_bytes(first, sizeof(first)));
    pg_params_bytes(&params, slice_bytes(last, sizeof(last)));
    return add_entries(pg, "charge_near", &params, list);
}

/* Those that a key has opened may have been paid: then the entry tells more. */
static enum err see_whether_paid(struct pg *pg, struct mistyped_list *list)
{
    struct pg_array uuids = {0};
    struct pg_params params = {0};
    struct mistyped_list paid = {.count = 0};
    enum err err = ERR_OK;
    uint8_t uuid[UUID_SIZE];
    pg_array_begin(&uuids, PG_TYPE_UUID);
    for (size_t i = 0; i < list->count; i++)
        if (uuid_parse(slice_of(list->items[i].payment_id), uuid))
            pg_array_bytes(&uuids, slice_bytes(uuid, UUID_SIZE));
    if (uuids.count == 0)
        goto out;
    TRY(pg_params_array(&params, &uuids) ? ERR_OK : ERR_OVERLOADED);
    TRY(add_entries(pg, "charge_among", &params, &paid));
    for (size_t i = 0; i < paid.count; i++)
        for (size_t k = 0; k < list->count; k++)
            if (strcmp(paid.items[i].payment_id, list->items[k].payment_id) == 0) {
                list->items[k].paid = true;
                list->items[k].resource = paid.items[i].resource;
                paid.items[i].resource = NULL;
            }
out:
    mistyped_free(&paid);
    pg_array_free(&uuids);
    return err;
}

enum err mistyped_find(struct pg *pg, const struct opener *opener, const struct mistyped_given *given,
                       struct mistyped_list *list)
{
    enum err err;
    TRY(find_slips(pg, opener, given, list));
    if (list->count > 0 && opener->offer_keys.count > 0 && !given->is_uuid)
        return see_whether_paid(pg, list); /* a key is never wrong: no guessing besides */
    TRY(find_near(pg, given, list));
out:
    return err;
}
