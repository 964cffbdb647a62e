#include "ledger/base/network.h"

#include <arpa/inet.h>
#include <assert.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const uint8_t address[NETWORK_ADDRESS_SIZE])
{
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool network_parse_address(struct slice text, uint8_t address[NETWORK_ADDRESS_SIZE])
{
    char room[NETWORK_TEXT_MAX];
    struct in_addr four;
    struct in6_addr six;
    /* inet_pton reads up to a NUL, and would take what stands before one for the whole. */
    if (text.len >= sizeof(room) || slice_find(text, '\0') < text.len)
        return false;
    memcpy(room, text.data ? text.data : "", text.len);
    room[text.len] = '\0';
    if (inet_pton(AF_INET, room, &four) == 1) {
        memcpy(address, mapped, sizeof(mapped));
        memcpy(address + sizeof(mapped), &four, sizeof(four));
        return true;
    }
    if (inet_pton(AF_INET6, room, &six) != 1)
        return false;
    memcpy(address, &six, sizeof(six));
    return true;
}

/* Sets what stands behind the bits to zero. True if all of it was. */
static bool cut(struct network *network)
{
    uint8_t before[NETWORK_ADDRESS_SIZE];
    memcpy(before, network->address, sizeof(before));
    for (unsigned i = 0; i < NETWORK_ADDRESS_SIZE; i++) {
        unsigned kept = network->bits <= i * 8 ? 0 : network->bits - i * 8;
        if (kept < 8)
            network->address[i] &= (uint8_t)(0xff00 >> kept);
    }
    return memcmp(before, network->address, sizeof(before)) == 0;
}

const char *network_parse(struct slice text, struct network *network)
{
    size_t slash = slice_find(text, '/');
    unsigned bits = 0;
    if (!network_parse_address((struct slice){text.data, slash}, network->address))
        return "is no address";
    const unsigned most = is_mapped(network->address) ? 32 : 128;
    network->bits = 128;
    if (slash == text.len)
        return NULL;
    size_t digits = text.len - slash - 1;
    for (size_t i = slash + 1; i < text.len && digits <= 3; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return "has no number behind the slash";
        bits = bits * 10 + (unsigned)(text.data[i] - '0');
    }
    if (digits == 0 || digits > 3 || bits > most)
        return most == 32 ? "must have 0 to 32 behind the slash" : "must have 0 to 128 behind the slash";
    network->bits = 128 - most + bits;
    return cut(network) ? NULL : "is an address inside the network, not the network's own";
}

bool network_has(const struct network *network, const uint8_t address[NETWORK_ADDRESS_SIZE])
{
    assert(network->bits <= 128);
    struct network other = {.bits = network->bits};
    memcpy(other.address, address, sizeof(other.address));
    cut(&other);
    return memcmp(other.address, network->address, sizeof(other.address)) == 0;
}

const char *network_format(const uint8_t address[NETWORK_ADDRESS_SIZE], char text[NETWORK_TEXT_MAX])
{
    const bool four = is_mapped(address);
    const char *done =
        inet_ntop(four ? AF_INET : AF_INET6, address + (four ? sizeof(mapped) : 0), text, NETWORK_TEXT_MAX);
    assert(done); /* the room is what the longest one takes */
    return done;
}
