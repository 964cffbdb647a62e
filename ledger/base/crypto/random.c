/* The kernel's generator alone, for everything: what is only meant to differ and what must not be guessed
 * are too easily taken for each other. */
#include "ledger/base/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A small pool per thread, so that an offer does not cost a system call. Used bytes are wiped. */
static _Thread_local unsigned char pool[1024];
static _Thread_local size_t left;

static void fill(void *out, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t got = getrandom((char *)out + have, len - have, 0);
        if (got < 0 && errno != EINTR) {
            perror("getrandom");
            abort();
        }
        have += got > 0 ? (size_t)got : 0;
    }
}

void random_bytes(void *out, size_t len)
{
    assert(left <= sizeof(pool));
    if (len > sizeof(pool)) {
        fill(out, len);
        return;
    }
    if (left < len) {
        fill(pool, sizeof(pool));
        left = sizeof(pool);
    }
    /* Wiped once given out: a key that was made of these bytes is in nobody's pool afterwards. */
    left -= len;
    memcpy(out, pool + left, len);
    explicit_bzero(pool + left, len);
}
