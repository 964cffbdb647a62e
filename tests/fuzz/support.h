/* What the fuzz targets share. A target is one file: LLVMFuzzerTestOneInput takes the input apart, calls one
 * parser and states what must hold with HOLDS. Sanitizers watch the memory. */
#ifndef TESTS_FUZZ_SUPPORT_H
#define TESTS_FUZZ_SUPPORT_H

#include "ledger/base/arena.h"
#include "ledger/base/http/message.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds always; else libFuzzer keeps the input. */
#define HOLDS(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* The first byte of the input, taken from it; 0 when there is none. */
uint8_t fuzz_byte(struct slice *input);

/* The text up to the next line feed, taken from the input together with it. */
struct slice fuzz_line(struct slice *input);

/* An arena over a block of its own of exactly `size` bytes, so that the sanitizer sees what is written behind
 * it. fuzz_arena_free gives it back. */
struct arena fuzz_arena(size_t size);
void fuzz_arena_free(struct arena *arena);

/* A size of an arena: from nothing to plenty, the byte says which. */
size_t fuzz_arena_size(uint8_t byte);
#define FUZZ_ARENA_PLENTY (1U << 20)

/* A request from "TARGET\nname: value\n…" in the arena, with a Host of "a.example". Values are as wild as the
 * input. At most `FUZZ_FIELDS` fields; the rest is left out. */
#define FUZZ_FIELDS 64
struct message fuzz_request(struct arena *arena, struct slice input);

#endif
