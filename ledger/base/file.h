/* Files: what the system's calls leave to do. */
#ifndef LEDGER_BASE_FILE_H
#define LEDGER_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of it, however often the kernel takes only a part. False with errno. */
bool file_write_all(int fd, const char *text, size_t len);

#endif
