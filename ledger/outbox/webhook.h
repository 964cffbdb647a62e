/* Webhooks by the conventions of Standard Webhooks: the headers webhook-id, webhook-timestamp and
 * webhook-signature, the secret as "whsec_" and base64, and when a message is sent again. Pure but for the
 * secret's file. */
#ifndef LEDGER_OUTBOX_WEBHOOK_H
#define LEDGER_OUTBOX_WEBHOOK_H

#include "ledger/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define WEBHOOK_SECRET_MAX      64
#define WEBHOOK_SECRET_TEXT_MAX 128

struct webhook_secret {
    uint8_t bytes[WEBHOOK_SECRET_MAX];
    size_t len;
    char text[WEBHOOK_SECRET_TEXT_MAX]; /* "whsec_...", for whoever checks the signatures */
};

/* Reads the file, and makes it first with 32 random bytes if it is not there. False after logging why. */
bool webhook_secret_load(const char *path, struct webhook_secret *secret);

/* From the text: 24 to 64 bytes. */
bool webhook_secret_parse(struct slice text, struct webhook_secret *secret);

#define WEBHOOK_SIGNATURE_MAX 64

/* "v1,<base64 of HMAC-SHA-256 over id.timestamp.body>". False without memory. */
bool webhook_sign(const struct webhook_secret *secret, const char *id, int64_t timestamp, struct slice body,
                  char out[WEBHOOK_SIGNATURE_MAX]);

/* Milliseconds to wait after the `failed`th failure (1 is the first); -1: three days have gone by, no more.
 */
int64_t webhook_wait_ms(int64_t failed);

#endif
