/* Version 7 and not 4: the ledger's partitions and the order of a day's entries are those of the ids' time,
 * and an insert at the end of an index costs a fraction of one in its middle. */
#include "ledger/base/identifier/uuid.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>

#define PAYMENT_ID_SIZE 48

void uuid_make(int64_t ms, const uint8_t random[10], uint8_t out[UUID_SIZE])
{
    assert((uint64_t)ms >> 48 == 0);
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
    memcpy(out + 6, random, 10);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x70);
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
    assert(uuid_is_v7(out) && uuid_ms(out) == ms);
}

int64_t uuid_ms(const uint8_t uuid[UUID_SIZE])
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid[i];
    return (int64_t)ms;
}

bool uuid_is_v7(const uint8_t uuid[UUID_SIZE])
{
    return uuid[6] >> 4 == 7 && uuid[8] >> 6 == 2;
}

void uuid_next(const uint8_t uuid[UUID_SIZE], uint8_t next[UUID_SIZE])
{
    memcpy(next, uuid, UUID_SIZE);
    for (size_t i = UUID_SIZE; i-- > 0 && ++next[i] == 0;)
        continue;
}

const char *uuid_format(const uint8_t uuid[UUID_SIZE], char out[UUID_TEXT_MAX])
{
    char hex[2 * UUID_SIZE + 1];
    encoding_hex(uuid, UUID_SIZE, hex);
    size_t at = 0;
    for (size_t i = 0; i < 2 * UUID_SIZE; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = hex[i];
    }
    out[at] = '\0';
    assert(at == UUID_TEXT_MAX - 1);
    return out;
}

bool uuid_parse(struct slice text, uint8_t out[UUID_SIZE])
{
    if (text.len == ENCODING_BASE64URL_LEN(PAYMENT_ID_SIZE)) {
        _Static_assert(PAYMENT_ID_SIZE >= UUID_SIZE, "a payment id begins with its UUID");
        uint8_t id[PAYMENT_ID_SIZE];
        size_t len;
        if (!encoding_unbase64url(text, id, sizeof(id), &len))
            return false;
        memcpy(out, id, UUID_SIZE);
        return true;
    }
    char hex[2 * UUID_SIZE];
    size_t digits = 0;
    if (text.len != UUID_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen != (text.data[i] == '-'))
            return false;
        if (!hyphen)
            hex[digits++] = text.data[i];
    }
    assert(digits == sizeof(hex));
    return encoding_unhex(slice_bytes(hex, digits), out, UUID_SIZE);
}
