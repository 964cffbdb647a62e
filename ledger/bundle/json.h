/* JSON as bundles have it: read strictly, so that nothing stands in a file that no check has seen. */
#ifndef LEDGER_BUNDLE_JSON_H
#define LEDGER_BUNDLE_JSON_H

#include "ledger/base/arena.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/identifier/uuid.h"

#include <jansson.h>

/* True for an object with these members, and no others; the last name is NULL. */
bool bundle_has(const json_t *object, const char *const *names);
#define BUNDLE_HAS(object, ...) bundle_has(object, (const char *const[]){__VA_ARGS__, NULL})

/* A member that is a text; NULL if it is none. */
const char *bundle_text(const json_t *object, const char *name);

/* A member that is a whole number, 0 or more. */
bool bundle_number(const json_t *object, const char *name, int64_t *number);

/* Base64 of exactly 32 bytes. */
bool bundle_hash(const json_t *text, uint8_t hash[DIGEST_SIZE]);

/* A member in base64, its bytes in the arena; data is NULL if it is none. */
struct slice bundle_bytes(struct arena *arena, const json_t *object, const char *name);

/* PostgreSQL's "\\x" and hex, likewise. */
struct slice bundle_hex(struct arena *arena, const char *text);

/* A UUID in its one spelling, lower case with hyphens. */
bool bundle_uuid(const char *text, uint8_t uuid[UUID_SIZE]);

#endif
