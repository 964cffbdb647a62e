#include "ledger/proof/shelf.h"

#include "ledger/base/file/file.h"

#include <inttypes.h>

void shelf_begin(struct shelf *shelf, const char *folder, const char *origin)
{
    char *out = shelf->name;
    shelf->folder = folder;
    *out = '\0';
    for (const char *c = origin; *c; c++) {
        size_t room = sizeof(shelf->name) - (size_t)(out - shelf->name);
        out += snprintf(out, room, *c == '/' ? "%%2F" : "%c", *c);
    }
}

bool shelf_path(const struct shelf *shelf, int64_t size, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s.%08" PRId64 ".checkpoint", shelf->folder, shelf->name, size);
    return len > 0 && len < PATH_MAX;
}

bool shelf_has(const struct shelf *shelf, int64_t size)
{
    static const struct file_stamp none;
    char path[PATH_MAX];
    struct file_stamp stamp;
    if (!shelf_path(shelf, size, path))
        return false;
    stamp = file_stamp(path);
    return !file_same(&stamp, &none);
}
