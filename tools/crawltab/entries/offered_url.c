#include "tools/crawltab/entries/offered_url.h"

#include "sql/rows/entry.h"

#include <ctype.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILES_MAX 200000
#define AROUND_MS ((int64_t)86400000)
#define URL_MAX   8192

struct search {
    const struct opener_site *site;
    const uint8_t *raw;
    char *found;
};

static bool is_it(struct search *search, const char *url)
{
    struct payment_offer offer;
    if (!search->found && opener_bind(search->site->name, url, &offer) &&
        payment_id_is_for(&offer, search->raw))
        search->found = strdup(url);
    return search->found != NULL;
}

/* A path at each of the site's hosts. */
static void try_path(struct search *search, const char *path)
{
    const struct config_site *site = search->site->config;
    char url[URL_MAX];
    for (size_t i = 0; i < site->hosts.count && !search->found; i++)
        if (snprintf(url, sizeof(url), "%s://%s%s", site->scheme, site->hosts.items[i], path) < URL_MAX)
            is_it(search, url);
}

/* What a URL cannot hold as it is (RFC 3986 section 3.3) is written as %XX. */
static bool escape(const char *path, char out[URL_MAX])
{
    size_t len = 0;
    for (; *path; path++) {
        if (len + sizeof("%XX") > URL_MAX)
            return false;
        if (isalnum((unsigned char)*path) || strchr("/-._~!$&'()*+,;=:@", *path))
            out[len++] = *path;
        else
            len += (size_t)snprintf(out + len, URL_MAX - len, "%%%02X", (unsigned char)*path);
    }
    out[len] = '\0';
    return true;
}

/* A file is asked for by its path, a folder's index also by the folder's. */
static void try_file(struct search *search, const char *path)
{
    char target[URL_MAX];
    size_t len = strlen(path), index = strlen("index.html");
    if (!escape(path, target))
        return;
    try_path(search, target);
    if (len > index && strcmp(path + len - index, "index.html") == 0 && path[len - index - 1] == '/') {
        target[strlen(target) - index] = '\0';
        try_path(search, target);
    }
}

static void try_files(struct search *search)
{
    const struct config_site *site = search->site->config;
    char *const roots[] = {strdup(site->root), NULL};
    FTS *tree = roots[0] ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL) : NULL;
    size_t files = 0;
    for (FTSENT *entry; tree && !search->found && files < FILES_MAX && (entry = fts_read(tree));) {
        if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP || entry->fts_info == FTS_ERR)
            continue;
        const char *path = entry->fts_path + strlen(site->root);
        files++;
        try_file(search, *path == '/' ? path : path - 1); /* of a root that ends with a slash */
    }
    if (tree)
        fts_close(tree);
    free(roots[0]);
}

static void try_rules(struct search *search)
{
    const struct config_site *site = search->site->config;
    for (size_t i = 0; i < site->rule_count; i++)
        for (size_t k = 0; k < site->rules[i].paths.count && !search->found; k++)
            if (!strpbrk(site->rules[i].paths.items[k], "*?"))
                try_path(search, site->rules[i].paths.items[k]);
}

static enum err try_paid(struct pg *pg, struct search *search)
{
    uint8_t first[UUID_SIZE], last[UUID_SIZE];
    static const uint8_t lowest[10], highest[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    int64_t ms = uuid_ms(search->raw);
    uuid_make(ms > AROUND_MS ? ms - AROUND_MS : 0, lowest, first);
    uuid_make(ms + AROUND_MS, highest, last);
    pg_params_number(&params, search->site->site_id);
    pg_params_bytes(&params, slice_bytes(first, sizeof(first)));
    pg_params_bytes(&params, slice_bytes(last, sizeof(last)));
    TRY(pg_run(pg, "resources_near", &params, &rows));
    for (int i = 0; i < rows.count && !search->found; i++)
        is_it(search, resources_near_row(&rows, i).resource);
out:
    pg_rows_free(&rows);
    return err;
}

enum err offered_url_find(struct pg *pg, const struct opener_site *site, const uint8_t raw[PAYMENT_ID_SIZE],
                          const char *asked, char **url)
{
    struct search search = {.site = site, .raw = raw};
    enum err err = ERR_OK;
    if (asked)
        is_it(&search, asked);
    if (!search.found && site->config) {
        try_path(&search, "/");
        try_rules(&search);
        try_files(&search);
    }
    if (!search.found && site->site_id)
        TRY(try_paid(pg, &search));
out:
    *url = search.found;
    return err;
}
