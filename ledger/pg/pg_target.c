/* The role is never a part of the connection string: which program may do what is decided by whose role it
 * connects with, and one line that names the owner would take that apart. */
#include "ledger/pg/pg_target.h"

#include "ledger/base/file/file.h"
#include "ledger/base/log.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_MAX 4096

void pg_target_set(struct pg_target *target, const char *key, const char *value)
{
    assert(key);
    if (!value)
        return;
    size_t at = 0;
    while (at < target->count && strcmp(target->keys[at], key) != 0)
        at++;
    if (at == target->count) {
        assert(target->count + 1 < PG_TARGET_OPTIONS_MAX);
        target->count++;
    }
    target->keys[at] = key;
    target->values[at] = value;
}

const char *pg_target_get(const struct pg_target *target, const char *key)
{
    for (size_t i = 0; i < target->count; i++)
        if (strcmp(target->keys[i], key) == 0)
            return target->values[i];
    return NULL;
}

void pg_target_free(struct pg_target *target)
{
    if (target->password)
        explicit_bzero(target->password, strlen(target->password));
    free(target->password);
    PQconninfoFree(target->parsed);
    pg_hosts_free(&target->hosts);
}

bool pg_target_bad(const char *detail, const char *hint)
{
    LOG(ERROR, "ledger_connection_unusable", {"detail", detail}, {"hint", hint});
    return false;
}

/* Read anew for each connection, so that a password can be changed without a restart. */
static bool read_password(struct pg_target *target, const char *path)
{
    struct stat status;
    size_t len;
    if (!*path || strncmp(path, CONFIG_NO_CREDENTIALS, strlen(CONFIG_NO_CREDENTIALS)) == 0)
        return true;
    target->password = file_read(path, PASSWORD_MAX, &len, &status);
    const char *problem = !target->password ? strerror(errno) : NULL;
    if (!problem && file_is_exposed(&status))
        problem = FILE_EXPOSED;
    if (problem) {
        LOG(ERROR, "ledger_password_refused", {"file", path}, {"detail", problem},
            {"hint", target->password ? FILE_EXPOSED_HINT : "see ledger.password_file in the configuration"});
        return false;
    }
    target->password[strcspn(target->password, "\r\n")] = '\0';
    pg_target_set(target, "password", target->password);
    return true;
}

/* The caller frees with pg_target_free, whatever comes back. */
bool pg_target_parse(struct pg_target *target, const struct config *config)
{
    char *problem = NULL;
    *target = (struct pg_target){.parsed = PQconninfoParse(config->ledger_connection, &problem)};
    if (!target->parsed) {
        pg_target_bad(problem ? problem : "out of memory", "correct ledger.connection in the configuration");
        PQfreemem(problem);
        return false;
    }
    /* Also what PGHOST and its like have given: libpq has read them into its options. */
    for (PQconninfoOption *option = target->parsed; option->keyword; option++) {
        if (option->val && strcmp(option->keyword, "user") == 0)
            return pg_target_bad("ledger.connection names a user",
                                 "remove it: each program connects with a role of its own");
        pg_target_set(target, option->keyword, option->val);
    }
    const char *const lists[] = {pg_target_get(target, "host"), pg_target_get(target, "hostaddr"),
                                 pg_target_get(target, "port")};
    char wrong[PG_HOSTS_PROBLEM_MAX];
    if (!pg_hosts_parse(&target->hosts, lists, config->folder, wrong))
        return pg_target_bad(wrong, "correct ledger.connection in the configuration");
    if (!read_password(target, config->ledger_password_file))
        return false;
    /* A standby takes no entries; after a failover the next of the hosts is the one that does. */
    if (!pg_target_get(target, "target_session_attrs"))
        pg_target_set(target, "target_session_attrs", "read-write");
    return true;
}

/* An empty one is libpq's default. */
void pg_target_set_host(struct pg_target *target, const struct pg_host *host)
{
    assert(host->host && host->address && host->port);
    pg_target_set(target, "host", host->host);
    pg_target_set(target, "hostaddr", host->address);
    pg_target_set(target, "port", host->port);
}
