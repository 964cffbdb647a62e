/* A directory's URL is chosen by whoever sends a request, and is fetched from inside the publisher's
 * network: without this the gate would be a way to the machines behind it. What is looked at is the address
 * that is connected to, since a name may have another one a moment later. */
#include "server/agent/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block4 {
    uint32_t start;
    int bits;
};

/* The IANA IPv4 special-purpose registry whole, and multicast and reserved space. Also what it calls globally
 * reachable: anycast services and AS 112 sinks serve no directories. */
static const struct block4 special4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc01fc400, 24}, {0xc034c100, 24},
    {0xc0586300, 24}, {0xc0a80000, 16}, {0xc0af3000, 24}, {0xc6120000, 15}, {0xc6336400, 24},
    {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4},
};

static bool public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(special4) / sizeof(*special4); i++) {
        assert(special4[i].bits > 0 && special4[i].bits < 32); /* a shift by 32 has no meaning */
        uint32_t mask = ~(uint32_t)0 << (32 - special4[i].bits);
        if ((address & mask) == special4[i].start)
            return false;
    }
    return true;
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Only 2000::/3 is global unicast, so that 64:ff9b:1::/48, 100::/64, 5f00::/16, fc00::/7, fe80::/10,
 * fec0::/10 and ff00::/8 need no mention; inside it, what the registry and old transition schemes set apart.
 */
static bool public6(const uint8_t a[16])
{
    static const uint8_t zeros[12] = {0};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return public4(word(a + 12));
    if (memcmp(a, zeros, 12) == 0 || (a[0] & 0xe0) != 0x20)
        return false;
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
        return public4(word(a + 2));
    /* 2001::/23: Teredo, benchmarking, ORCHID and others; its few reachable parts are anycast and sinks. */
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02)
        return false;
    if (word(a) == 0x20010db8 || (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)) /* documentation */
        return false;
    return !(word(a) == 0x2620004f && a[4] == 0x80 && a[5] == 0x00); /* AS 112 */
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof(in));
        return public6(in.sin6_addr.s6_addr);
    }
    return false;
}
