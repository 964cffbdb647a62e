/* Nonces of signatures that opened a page which is free for one crawler: whoever sees such a request cannot
 * send it once more. Many threads and generations share one of these. */
#ifndef SERVER_GATE_NONCES_H
#define SERVER_GATE_NONCES_H

#include "ledger/base/crypto/digest.h"

struct nonces;

/* With room for as many as that, of about 24 bytes each. NULL without memory. */
struct nonces *nonces_new(size_t room);
void nonces_free(struct nonces *nonces);

/* Takes the nonce of a signature by the key with this thumbprint: true the first time until `until`
 * (seconds), at which the signature is refused anyway. Where there is no room the one that is refused soonest
 * is forgotten. */
bool nonces_take(struct nonces *nonces, const uint8_t thumbprint[DIGEST_SIZE], struct slice nonce,
                 int64_t now, int64_t until);

#endif
