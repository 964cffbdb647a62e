/* What the unit tests share: cmocka's headers in their order, an arena, and requests written as text. */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/base/arena.h"
#include "ledger/base/http/message.h"

/* An empty arena of 64 KiB over static memory: what was in it before is gone. */
struct arena *fresh_arena(void);

/* A request from "GET /path\nname: value\n…" in the arena: scheme https, authority from the host field. */
struct message request_of(struct arena *arena, const char *text);

/* Fails unless the slice is the NUL-terminated text. */
void assert_slice(struct slice got, const char *expected);

#endif
