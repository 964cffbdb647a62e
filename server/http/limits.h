/* How many connections there may be: in all, by the descriptors that the system grants, and of one client. */
#ifndef SERVER_HTTP_LIMITS_H
#define SERVER_HTTP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raises the limit of open files as far as it goes, and returns how many connections fit: `wanted` (0: as
 * many as possible), but never so many that nothing is left for files, the ledger and key directories. Logs
 * both. */
size_t limits_connections(size_t wanted);

/* Counts connections per client: an IPv4 address or an IPv6 /64. Thread-safe. NULL counts nothing. */
struct limits_clients;

/* At most `most` connections each; room for `connections` in all. NULL without memory. */
struct limits_clients *limits_clients_new(size_t most, size_t connections);
void limits_clients_free(struct limits_clients *clients);

/* Counts one more of the client (as in struct exchange_client). False when that is one too many; it counts
 * all the same. */
bool limits_clients_enter(struct limits_clients *clients, const uint8_t address[16]);
void limits_clients_leave(struct limits_clients *clients, const uint8_t address[16]);

#endif
