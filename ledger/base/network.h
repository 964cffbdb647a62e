/* Addresses of the Internet and networks of them. IPv4 is kept as ::ffff:a.b.c.d, so that there is one kind.
 * Pure. */
#ifndef LEDGER_BASE_NETWORK_H
#define LEDGER_BASE_NETWORK_H

#include "ledger/base/slice.h"

#define NETWORK_ADDRESS_SIZE 16
#define NETWORK_TEXT_MAX     46

struct network {
    uint8_t address[NETWORK_ADDRESS_SIZE]; /* zero behind the bits */
    unsigned bits;                         /* that all its addresses have in common, of 128 */
};

/* "192.0.2.1" or "2001:db8::1", and nothing else. False: `address` is as it was. */
bool network_parse_address(struct slice text, uint8_t address[NETWORK_ADDRESS_SIZE]);

/* An address, or a network in CIDR notation (RFC 4632 section 3.1): "10.0.0.0/8", "2001:db8::/32". NULL, or
 * what is wrong with it. Static text. */
const char *network_parse(struct slice text, struct network *network);

bool network_has(const struct network *network, const uint8_t address[NETWORK_ADDRESS_SIZE]);

/* As in network_parse_address; returns `text`. */
const char *network_format(const uint8_t address[NETWORK_ADDRESS_SIZE], char text[NETWORK_TEXT_MAX]);

#endif
