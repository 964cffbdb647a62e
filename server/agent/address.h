/* Which addresses a key directory may have: public ones only. Pure. */
#ifndef SERVER_AGENT_ADDRESS_H
#define SERVER_AGENT_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for a globally reachable unicast address by the IANA special-purpose registries (RFC 6890 and
 * updates); IPv4 inside IPv6 (mapped, 6to4, NAT64) is judged as the IPv4 address it stands for. */
bool address_is_public(const struct sockaddr *address);

#endif
