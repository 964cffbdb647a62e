/* Which paid calls are under way, on disk, so that a gate that was killed in the middle of some knows them
 * when it starts again. A file for each process that runs; what a dead one has left is read by the next. */
#ifndef SERVER_MCP_UNDERWAY_H
#define SERVER_MCP_UNDERWAY_H

#include "ledger/base/identifier/uuid.h"

#include <stdbool.h>

struct underway;

/* `left` is called for each payment id that a process had under way when it died; it stays in the file until
 * underway_end. NULL after logging why: no such folder, no permission. */
struct underway *underway_open(const char *path, void (*left)(void *context, const uint8_t id[UUID_SIZE]),
                               void *context);

/* False: it could not be written (logged), so that the call must not begin. */
bool underway_begin(struct underway *underway, const uint8_t id[UUID_SIZE]);
void underway_end(struct underway *underway, const uint8_t id[UUID_SIZE]);

/* NULL is fine. */
void underway_close(struct underway *underway);

#endif
