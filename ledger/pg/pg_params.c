/* A batch of entries is a dozen arrays in binary form: nothing of it is parsed or quoted, and the statement
 * is the same for one entry and for a thousand. */
#include "ledger/pg/pg_params.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

/* Dimensions, has-null flag, element type, length, lower bound: int32 each, big-endian. */
#define HEADER_SIZE 20

static int next(struct pg_params *params)
{
    assert(params->count < PG_PARAMS_MAX);
    return params->count++;
}

void pg_params_text(struct pg_params *params, const char *text)
{
    int at = next(params);
    params->values[at] = text;
    params->formats[at] = 0;
}

void pg_params_number(struct pg_params *params, int64_t number)
{
    int at = next(params);
    params->values[at] = log_number(number, params->numbers[at]);
    params->formats[at] = 0;
}

void pg_params_bytes(struct pg_params *params, struct slice bytes)
{
    assert(bytes.data || bytes.len == 0);
    int at = next(params);
    assert(bytes.len <= INT_MAX);
    params->values[at] = bytes.data ? bytes.data : "";
    params->lengths[at] = (int)bytes.len;
    params->formats[at] = 1;
}

static void put32(char *at, uint32_t value)
{
    /* The protocol is big-endian, whatever the machine is. */
    for (int i = 0; i < 4; i++)
        at[i] = (char)(uint8_t)(value >> (24 - 8 * i));
}

static char *grow(struct pg_array *array, size_t len)
{
    assert(array->len <= array->room);
    if (array->full)
        return NULL;
    /* Doubled, and kept from batch to batch: after the first few nothing is allocated any more. */
    if (len > array->room - array->len) {
        size_t room = array->room ? array->room : 1024;
        while (room - array->len < len && room < INT_MAX / 2)
            room *= 2;
        char *data = room - array->len >= len ? realloc(array->data, room) : NULL;
        if (!data) {
            array->full = true;
            return NULL;
        }
        array->data = data;
        array->room = room;
    }
    array->len += len;
    assert(array->len <= array->room);
    return array->data + array->len - len;
}

void pg_array_begin(struct pg_array *array, enum pg_type type)
{
    array->len = 0;
    array->count = 0;
    array->full = false;
    char *header = grow(array, HEADER_SIZE);
    if (!header)
        return;
    put32(header, 1);
    put32(header + 4, 0);
    put32(header + 8, type);
    put32(header + 16, 1);
}

void pg_array_bytes(struct pg_array *array, struct slice bytes)
{
    assert(array->full || array->len >= HEADER_SIZE); /* begun */
    char *element = bytes.len <= INT_MAX / 2 ? grow(array, 4 + bytes.len) : NULL;
    if (!element) {
        array->full = true;
        return;
    }
    put32(element, (uint32_t)bytes.len);
    if (bytes.len > 0)
        memcpy(element + 4, bytes.data, bytes.len);
    array->count++;
}

void pg_array_number(struct pg_array *array, int64_t number)
{
    char bytes[8];
    put32(bytes, (uint32_t)((uint64_t)number >> 32));
    put32(bytes + 4, (uint32_t)(uint64_t)number);
    pg_array_bytes(array, slice_bytes(bytes, sizeof(bytes)));
}

void pg_array_free(struct pg_array *array)
{
    free(array->data);
    *array = (struct pg_array){0};
}

bool pg_params_array(struct pg_params *params, struct pg_array *array)
{
    if (array->full || array->len > INT_MAX)
        return false;
    assert(array->len >= HEADER_SIZE);
    put32(array->data + 12, array->count);
    pg_params_bytes(params, slice_bytes(array->data, array->len));
    return true;
}
