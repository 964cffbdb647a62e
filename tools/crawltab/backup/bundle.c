/* Tests tests/e2e/programs/backup.test.js */
#include "tools/crawltab/backup/bundle.h"

#include "ledger/base/crypto/digest.h"
#include "ledger/base/log.h"
#include "ledger/base/text/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Empty: none. Nor is there one where systemd was to give it and did not. */
static bool is_file(const char *path)
{
    return *path && strncmp(path, CONFIG_NO_CREDENTIALS, strlen(CONFIG_NO_CREDENTIALS)) != 0;
}

bool bundle_each(const struct config *config, bundle_visit *visit, void *context)
{
    const struct {
        const char *name, *path;
    } files[] = {{"offer.key_file", config->offer_key_file},
                 {"offer.history_file", config->offer_history_file},
                 {"identity.key_file", config->identity_key_file},
                 {"directory.ca_file", config->directory_ca_file},
                 {"ledger.password_file", config->ledger_password_file},
                 {"ledger.checkpoint_key_file", config->ledger_checkpoint_key_file}};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (is_file(files[i].path) && !visit(context, files[i].name, files[i].path))
            return false;
    for (size_t i = 0; i < config->site_count; i++) {
        const struct config_site *site = &config->sites[i];
        char name[BUNDLE_NAME_MAX];
        snprintf(name, sizeof(name), "%s.webhook.secret_file", site->name);
        if (*site->webhook_url && !visit(context, name, site->webhook_secret_file))
            return false;
    }
    return true;
}

bool bundle_path(const char *folder, const char *name, char path[PATH_MAX])
{
    int len = strchr(name, '/') ? -1 : snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (len > 0 && len < PATH_MAX)
        return true;
    LOG(ERROR, "this cannot be the name of a file in a backup", {"folder", folder}, {"name", name});
    return false;
}

/* Mapped, not read: the database's is larger than memory, perhaps. */
static bool digest_file(const char *path, int64_t *bytes, uint8_t digest[DIGEST_SIZE])
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &status) == 0;
    void *text = MAP_FAILED;
    if (ok && status.st_size > 0) {
        text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = text != MAP_FAILED;
    }
    if (ok) {
        *bytes = status.st_size;
        const struct slice whole = {text == MAP_FAILED ? "" : text, (size_t)status.st_size};
        digest_sha256(&whole, 1, digest);
    } else {
        LOG(ERROR, "a file of the backup cannot be read", {"file", path}, {"detail", strerror(errno)});
    }
    if (text != MAP_FAILED)
        munmap(text, (size_t)status.st_size);
    if (fd >= 0)
        close(fd);
    return ok;
}

json_t *bundle_describe(const char *folder, const char *name)
{
    char path[PATH_MAX], hex[2 * DIGEST_SIZE + 1];
    uint8_t digest[DIGEST_SIZE];
    int64_t bytes;
    if (!bundle_path(folder, name, path) || !digest_file(path, &bytes, digest))
        return NULL;
    encoding_hex(digest, sizeof(digest), hex);
    return json_pack("{s:s,s:I,s:s}", "name", name, "bytes", bytes, "sha256", hex);
}
