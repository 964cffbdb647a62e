/* The configuration's tables, and reading the file along them. Every mistake in the file is reported, not
 * only the first; the configuration is used only if there was none. */
#include "ledger/base/config/config_table.h"

#include "ledger/base/cores.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GATE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config, member), initial, min, max, what},
#define SITE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config_site, member), initial, min, max, what},
#define RULE_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config_rule, member), initial, min, max, what},

#define TOOL_FIELD(member, key, kind, initial, min, max, what)                                               \
    {key, CONFIG_IS_##kind, offsetof(struct config_tool, member), initial, min, max, what},

static const struct config_field gate_fields[] = {CONFIG_GATE(GATE_FIELD)};
static const struct config_field site_fields[] = {CONFIG_SITE(SITE_FIELD)};
static const struct config_field rule_fields[] = {CONFIG_RULE(RULE_FIELD)};
static const struct config_field tool_fields[] = {CONFIG_TOOL(TOOL_FIELD)};

#define TABLE(fields, structure) fields, sizeof(fields) / sizeof(*(fields)), offsetof(structure, where)

const struct config_table config_rule_table = {TABLE(rule_fields, struct config_rule), NULL, 0};
const struct config_table config_tool_table = {TABLE(tool_fields, struct config_tool), NULL, 0};

static const struct config_children lists[] = {
    {"rules", &config_rule_table, sizeof(struct config_rule), offsetof(struct config_site, rules),
     offsetof(struct config_site, rule_count)},
    {"tools", &config_tool_table, sizeof(struct config_tool), offsetof(struct config_site, tools),
     offsetof(struct config_site, tool_count)}};
const struct config_table config_site_table = {TABLE(site_fields, struct config_site), lists,
                                               sizeof(lists) / sizeof(*lists)};

static const struct config_children sites = {"sites", &config_site_table, sizeof(struct config_site),
                                             offsetof(struct config, sites),
                                             offsetof(struct config, site_count)};
const struct config_table config_gate_table = {TABLE(gate_fields, struct config), &sites, 1};

#define LOADED_MAGIC 0x9c41d7e5u
/* Whoever has the configuration has the memory of its texts with it, and frees both at once. */
struct loaded {
    struct config config; /* first: config_free gets its address */
    uint32_t magic;       /* a caller of config_free may have made a configuration by itself */
    struct config_reader reader;
};

_Static_assert(offsetof(struct loaded, config) == 0, "config_free gets the address of both");
_Static_assert(sizeof(CONFIG_NUMBER) == sizeof(int64_t) && sizeof(CONFIG_AMOUNT) == sizeof(int64_t) &&
                   sizeof(CONFIG_RATE) == sizeof(int64_t),
               "what is read along the tables is written as 64 bits");

static struct loaded *loaded_new(const struct config_report *report)
{
    struct loaded *loaded = calloc(1, sizeof(*loaded));
    if (!loaded)
        abort();
    loaded->reader = (struct config_reader){.report = *report, .lists_keys = "config.yaml.example"};
    OBJECT_MAKE(loaded, LOADED_MAGIC);
    return loaded;
}

static const char *folder_of(struct config_reader *reader, const char *path)
{
    /* Through symbolic links: who links the file into /etc/crawltab still has its keys beside the file. A
     * file that has gone meanwhile cannot be read either, so that the folder does not matter then. */
    char *full = realpath(path, NULL);
    char *folder = config_keep_text(reader, full ? full : ".");
    free(full);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    assert(folder[0] == '/' || strcmp(folder, ".") == 0); /* what is relative is put behind it and a slash */
    return folder;
}

/* A rule without a name is called by its number. */
static void name_rules(struct config_reader *reader, struct config_site *site)
{
    for (size_t i = 0; i < site->rule_count; i++) {
        if (*site->rules[i].name)
            continue;
        /* Position in the file, as people count. It goes into invoices: a rule that is put in front of
         * it changes the name, which is why config.yaml.example gives all its rules names. */
        char *name = config_keep(reader, 32);
        int len = snprintf(name, 32, "rule %zu", i + 1);
        assert(len > 0 && len < 32); /* two that were cut would be one rule on invoices */
        site->rules[i].name = name;
    }
}

/* What is missing has been told; the rest is judged all the same. */
static void fill(struct config *config)
{
    config_read_fill(&config_gate_table, config);
    for (size_t i = 0; i < config->site_count; i++) {
        config_read_fill(&config_site_table, &config->sites[i]);
        for (size_t k = 0; k < config->sites[i].rule_count; k++)
            config_read_fill(&config_rule_table, &config->sites[i].rules[k]);
        for (size_t k = 0; k < config->sites[i].tool_count; k++)
            config_read_fill(&config_tool_table, &config->sites[i].tools[k]);
    }
}

static struct config *load(const struct config_report *how)
{
    const char *path = how->file;
    struct loaded *loaded = loaded_new(how);
    struct config *config = &loaded->config;
    struct config_report *report = &loaded->reader.report;
    FILE *file = fopen(path, "re");
    if (file) {
        /* The folder first: reading makes paths of texts. */
        config->folder = loaded->reader.folder = folder_of(&loaded->reader, path);
        bool read = config_read(&loaded->reader, &config_gate_table, config, file);
        fclose(file);
        /* Judged also after mistakes: whoever mends a file wants all of them at once. */
        fill(config);
        for (size_t i = 0; i < config->site_count; i++)
            name_rules(&loaded->reader, &config->sites[i]);
        assert(read || report->error_count > 0);
        report->checking = true;
        if (read)
            config_check(config, report);
    } else {
        config_error(report, 0, "cannot be read: %s; copy config.yaml.example or name the file with --config",
                     strerror(errno));
    }
    assert(report->error_count > 0 || config->site_count > 0); /* whoever has it need not ask */
    if (report->error_count == 0)
        return config;
    config_free(config);
    return NULL;
}

struct config *config_load(const char *path, FILE *errors, FILE *warnings)
{
    return load(&(struct config_report){.file = path, .errors = errors, .warnings = warnings});
}

struct config *config_examine(const char *path, FILE *errors, FILE *warnings)
{
    return load(
        &(struct config_report){.file = path, .errors = errors, .warnings = warnings, .examining = true});
}

struct config *config_defaults(void)
{
    /* The tables' defaults are read as a file's values are, so that they cannot mean something else. */
    struct loaded *loaded = loaded_new(&(struct config_report){.file = "defaults"});
    loaded->config.folder = config_keep_text(&loaded->reader, ".");
    loaded->reader.folder = loaded->config.folder;
    config_read_initial(&loaded->reader, &config_gate_table, &loaded->config);
    config_child_make(&loaded->reader, &sites, &loaded->config, 1);
    config_read_initial(&loaded->reader, &config_site_table, &loaded->config.sites[0]);
    assert(loaded->reader.report.error_count == 0);
    return &loaded->config;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    struct loaded *loaded = (struct loaded *)config;
    OBJECT_END(loaded, LOADED_MAGIC);
    config_reader_free(&loaded->reader);
    free(loaded);
}

bool config_on_loopback(const struct config *config)
{
    /* By the text, not by a look-up: a name in /etc/hosts must not decide what is allowed in production. */
    const char *listen = config->listen;
    return strncmp(listen, "unix:", 5) == 0 || strncmp(listen, "127.", 4) == 0 ||
           strncmp(listen, "[::1]:", 6) == 0 || strncmp(listen, "localhost:", 10) == 0;
}

const struct config_site *config_site_called(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->site_count; i++)
        if (strcmp(config->sites[i].name, name) == 0)
            return &config->sites[i];
    return NULL;
}

size_t config_threads(const struct config *config)
{
    size_t threads = config->threads > 0 ? (size_t)config->threads : cores_usable();
    assert(threads > 0);
    return threads;
}
