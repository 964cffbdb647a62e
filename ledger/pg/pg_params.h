/* Parameters of a statement, and arrays in PostgreSQL's binary form. Knows the wire format but not libpq. */
#ifndef LEDGER_PG_PG_PARAMS_H
#define LEDGER_PG_PG_PARAMS_H

#include "ledger/base/log.h"
#include "ledger/base/slice.h"

#include <stdint.h>

#define PG_PARAMS_MAX 18

/* Starts empty: `struct pg_params params = {0};`. Text and bytes belong to the caller and must live until the
 * statement has run; numbers are kept inside, so the structure must not be copied or moved. */
struct pg_params {
    int count;
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX]; /* 0 text, 1 binary */
    char numbers[PG_PARAMS_MAX][LOG_NUMBER_MAX];
};

/* NULL is SQL's NULL. */
void pg_params_text(struct pg_params *params, const char *text);
void pg_params_number(struct pg_params *params, int64_t number);
/* A bytea, uuid or text in binary form. */
void pg_params_bytes(struct pg_params *params, struct slice bytes);

/* Types of array elements: their object identifiers in pg_type. */
enum pg_type { PG_TYPE_BYTEA = 17, PG_TYPE_INT8 = 20, PG_TYPE_TEXT = 25, PG_TYPE_UUID = 2950 };

/* An array that grows. Starts as {0}; may be used again after pg_array_begin. */
struct pg_array {
    char *data;
    size_t len;
    size_t room;
    uint32_t count;
    bool full; /* out of memory: what was added is incomplete */
};

void pg_array_begin(struct pg_array *array, enum pg_type type);
void pg_array_bytes(struct pg_array *array, struct slice bytes);
void pg_array_number(struct pg_array *array, int64_t number);
void pg_array_free(struct pg_array *array);

/* Adds the array as the next parameter. False if memory ran out while it was built. */
bool pg_params_array(struct pg_params *params, struct pg_array *array);

#endif
