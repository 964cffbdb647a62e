/* Amounts: signed 64-bit counts of micro-units (millionths of a currency's unit). No floating point, all
 * arithmetic checked (DESIGN.md section 7). */
#ifndef LEDGER_BASE_TEXT_AMOUNT_H
#define LEDGER_BASE_TEXT_AMOUNT_H

#include "ledger/base/slice.h"

#include <stdint.h>

/* The largest price that a payment id can carry: 48 bits. */
#define AMOUNT_PRICE_MAX ((int64_t)((1ULL << 48) - 1))

#define AMOUNT_TEXT_MAX 32

/* Reads a plain decimal such as "0.0025" into micro-units. False for anything else: signs, exponents, more
 * than six decimals, or a number that does not fit. */
bool amount_parse(struct slice text, int64_t *micros);

/* Writes micro-units as a decimal with at least two and at most six decimals: 2500 is "0.0025", 1000000 is
 * "1.00". Returns `out`. */
const char *amount_format(int64_t micros, char out[AMOUNT_TEXT_MAX]);

/* Writes minor units with the currency's decimals: 1234 and 2 give "12.34". Returns `out`. */
const char *amount_format_minor(int64_t minor, int exponent, char out[AMOUNT_TEXT_MAX]);

/* The same with exactly so many decimals, 0 to 6; what is beyond is cut off. Returns `out`. */
const char *amount_format_decimals(int64_t micros, int decimals, char out[AMOUNT_TEXT_MAX]);

/* How many decimals the amount needs: 2 to 6. */
int amount_decimals(int64_t micros);

/* Writes millionths as percent: 190000 is "19", 88750 is "8.875". Returns `out`. */
const char *amount_format_percent(int64_t ppm, char out[AMOUNT_TEXT_MAX]);

/* a + b; false on overflow. */
bool amount_add(int64_t a, int64_t b, int64_t *sum);

/* The number of decimals of an ISO 4217 currency (USD 2, JPY 0, KWD 3), or -1 when the code is not one. */
int amount_exponent(struct slice currency);

/* Micro-units in one minor unit: 10,000 for USD. `exponent` is 0 to 4. */
int64_t amount_minor_micros(int exponent);

#endif
