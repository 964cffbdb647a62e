/* Bytes that never change. Lengths and numbers have fixed places, so that no two entries can have the same
 * bytes with their boundaries moved; a field of any length has a bounded leaf, because signature bases and
 * URLs are as long as crawlers like. */
#include "ledger/proof/leaf.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/instant.h"
#include "ledger/base/identifier/uuid.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define VERSION        0x01
#define DIGEST_INSTEAD 0xffff

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *put_number(uint8_t *at, int64_t number, size_t size)
{
    assert(size <= sizeof(number));
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)((uint64_t)number >> 8 * (size - 1 - i));
    return at + size;
}

static uint8_t *put_digest(uint8_t *at, struct slice bytes)
{
    assert(bytes.data || bytes.len == 0);
    digest_sha256(&bytes, 1, at);
    return at + DIGEST_SIZE;
}

static uint8_t *put_field(uint8_t *at, struct slice field)
{
    _Static_assert(LEAF_FIELD_MAX < DIGEST_INSTEAD, "the length that stands for a digest is none of a field");
    if (field.len > LEAF_FIELD_MAX)
        return put_digest(put_number(at, DIGEST_INSTEAD, 2), field);
    at = put_number(at, (int64_t)field.len, 2);
    return field.len > 0 ? put_bytes(at, field.data, field.len) : at;
}

size_t leaf_write(const struct leaf *leaf, uint8_t out[LEAF_MAX])
{
    assert(leaf->payment_id && leaf->thumbprint);
    uint8_t *at = out;
    *at++ = VERSION;
    at = put_bytes(at, leaf->payment_id, UUID_SIZE);
    at = put_number(at, leaf->recorded_at_ms, 8);
    at = put_number(at, leaf->amount_micros, 8);
    at = put_number(at, leaf->agreement_version, 4);
    at = put_bytes(at, leaf->thumbprint, DIGEST_SIZE);
    at = put_digest(at, leaf->signature_base);
    at = put_field(at, leaf->site);
    at = put_field(at, leaf->agent);
    at = put_field(at, leaf->rule);
    at = put_field(at, leaf->resource);
    at = put_field(at, leaf->signature);
    assert(at - out <= LEAF_MAX);
    return (size_t)(at - out);
}

#define LEAF_FACTS_MAX 128

static void write_facts(const struct leaf_day *day, char out[LEAF_FACTS_MAX])
{
    char root[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    root[encoding_base64(day->facts_root, DIGEST_SIZE, root)] = '\0';
    int len = snprintf(out, LEAF_FACTS_MAX, "facts %" PRId64 "\nfacts-root %s\n", day->facts, root);
    assert(len > 0 && len < LEAF_FACTS_MAX);
}

size_t leaf_write_day(const struct leaf_day *day, char out[LEAF_DAY_MAX])
{
    char starts[INSTANT_TEXT_MAX], ends[INSTANT_TEXT_MAX];
    char root[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1], facts[LEAF_FACTS_MAX] = "";
    if (day->facts_root)
        write_facts(day, facts);
    root[encoding_base64(day->root, DIGEST_SIZE, root)] = '\0';
    int len = snprintf(out, LEAF_DAY_MAX,
                       "crawltab-day/%d\nlog %s\ndate %s\nstarts %s\nends %s\nzone %s\ncurrency %s\n"
                       "entries %" PRId64 "\nsum %" PRId64 "\nroot %s\n%s",
                       day->facts_root ? 2 : 1, day->origin, day->date,
                       instant_format(day->starts_ms, starts), instant_format(day->ends_ms, ends), day->zone,
                       day->currency, day->entries, day->sum_micros, root, facts);
    assert(len > 0);
    return len < LEAF_DAY_MAX ? (size_t)len : 0;
}

static bool escape(const char *text, char *out, size_t *len)
{
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:";
    static const char digits[] = "0123456789ABCDEF";
    assert(*len < LEAF_ORIGIN_MAX);
    for (; *text; text++) {
        if (*len + sizeof("%XX") > LEAF_ORIGIN_MAX)
            return false;
        if (strchr(kept, *text)) {
            out[(*len)++] = *text;
            continue;
        }
        out[(*len)++] = '%';
        out[(*len)++] = digits[(uint8_t)*text >> 4];
        out[(*len)++] = digits[(uint8_t)*text & 15];
    }
    out[*len] = '\0';
    return true;
}

bool leaf_origin(const char *network, const char *site, char out[LEAF_ORIGIN_MAX])
{
    size_t len = 0;
    if (!escape(network, out, &len) || len + 2 > LEAF_ORIGIN_MAX)
        return false;
    out[len++] = '/';
    bool fits = escape(site, out, &len);
    assert(!fits || (strlen(out) == len && !strpbrk(out, " +\n"))); /* as a key's name must be */
    return fits;
}
