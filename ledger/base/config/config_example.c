/* Writes config.yaml.example from the table: every key with what it is and its default, and a sample site
 * that runs as it stands. */
#include "ledger/base/config/config_table.h"

#include <assert.h>
#include <string.h>

/* What the demonstration needs beside the defaults. */
static const struct config_sample gate_sample[] = {
    {"directory.insecure_hosts", "[\"127.0.0.1:8403\"]"},
    {NULL, NULL},
};

static const struct config_sample site_sample[] = {
    {"name", "example"},
    {"hosts", "[\"127.0.0.1:8402\", \"localhost:8402\"]"},
    {"scheme", "http"},
    {"root", places_site},
    {"seller", "The Example Gazette"},
    {"network", "\"example:402\""},
    {"terms_url", "https://example.com/terms"},
    {"signature.require_target", "true"},
    {"agents.unknown", "charge"},
    {NULL, NULL},
};

static const struct config_sample first_rule_sample[] = {
    {"name", "about"},
    {"paths", "[\"/about.html\"]"},
    {"action", "allow"},
    {NULL, NULL},
};

static const char more_rules[] = "\n"
                                 "      - name: drafts\n"
                                 "        paths: [\"/drafts/**\"]\n"
                                 "        action: block\n"
                                 "\n"
                                 "      - name: articles\n"
                                 "        paths: [\"/articles/**\"]\n"
                                 "        action: charge\n"
                                 "        price: \"0.05\"\n"
                                 "\n"
                                 "      - name: everything else\n"
                                 "        action: charge\n"
                                 "        price: \"0.0025\"\n";

static const char *sample_of(const struct config_sample *samples, const char *key)
{
    for (; samples && samples->key; samples++)
        if (strcmp(samples->key, key) == 0)
            return samples->yaml;
    return NULL;
}

/* A sample for a key that the table has no more would be left out, and nobody would miss it. */
static bool samples_known(const struct config_table *table, const struct config_sample *samples)
{
    for (; samples && samples->key; samples++) {
        size_t at = 0;
        while (at < table->count && strcmp(table->fields[at].key, samples->key) != 0)
            at++;
        if (at == table->count)
            return false;
    }
    return true;
}

static void write_comment(FILE *out, int indent, const char *text)
{
    fprintf(out, "%*s# ", indent, "");
    for (; *text; text++) {
        fputc(*text, out);
        if (*text == '\n')
            fprintf(out, "%*s# ", indent, "");
    }
    fputc('\n', out);
}

static void write_value(FILE *out, const struct config_field *field, const char *name, const char *sample)
{
    char text[CONFIG_INITIAL_MAX];
    const char *initial = field->initial ? config_initial(field, text) : "";
    /* Quoted where YAML would read something else than a text: "12:30" is a number to some readers. */
    bool plain = *initial && !strpbrk(initial, ":#{}[]&*!|>'\"%@` =");
    assert(sample || !strpbrk(initial, "\"\\\n")); /* nothing is escaped between the quotes */
    if (sample)
        fprintf(out, "%s: %s\n", name, sample);
    else if (field->kind == CONFIG_IS_LIST && *initial)
        fprintf(out, "%s: [\"%s\"]\n", name, initial);
    else if (field->kind == CONFIG_IS_LIST)
        fprintf(out, "%s: []\n", name);
    else
        fprintf(out, plain ? "%s: %s\n" : "%s: \"%s\"\n", name, initial);
}

/* True if none of the first `count` keys is in the section, `len` bytes of `key`. A section that stood twice
 * in a file would be refused when that is read. */
static bool section_is_new(const struct config_table *table, size_t count, const char *key, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(table->fields[i].key, key, len) == 0 && table->fields[i].key[len] == '.')
            return false;
    return true;
}

/* True if a key of the section, `len` bytes of `key`, is written to be used, and not as a comment. */
static bool section_shown(const struct config_table *table, const struct config_sample *samples,
                          const char *key, size_t len)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *other = table->fields[i].key;
        if (strncmp(other, key, len) == 0 && other[len] == '.' && sample_of(samples, other))
            return true;
    }
    return false;
}

void config_write_table(FILE *out, const struct config_table *table, int indent,
                        const struct config_sample *samples, const char *first)
{
    assert(samples_known(table, samples));
    char section[64] = "";
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        const char *dot = strchr(field->key, '.');
        const char *name = dot ? dot + 1 : field->key;
        const char *sample = sample_of(samples, field->key);
        size_t len = dot ? (size_t)(dot - field->key) : 0;
        bool shown = indent == 0 || sample;
        /* Keys of a section follow each other in the table, so that its name is written once. */
        if (strlen(section) != len || strncmp(section, field->key, len) != 0) {
            assert(len < sizeof(section) && section_is_new(table, i, field->key, len));
            snprintf(section, sizeof(section), "%.*s", (int)len, field->key);
            bool used = indent == 0 || section_shown(table, samples, field->key, len);
            if (len > 0)
                fprintf(out, "\n%*s%s%s:\n", indent, "", used ? "" : "# ", section);
        }
        int depth = indent + (dot ? 2 : 0);
        if (!first)
            write_comment(out, depth, field->what);
        if (first)
            fputs(first, out);
        else
            fprintf(out, "%*s%s", depth, "", shown ? "" : "# ");
        first = NULL;
        write_value(out, field, name, sample);
    }
}

/* Most sites have none, so that all of it is a comment. */
static void write_tools(FILE *out)
{
    static const char *const values[] = {"\"search*\"", "\"\"", "\"\"", "\"0.02\""};
    const struct config_table *table = &config_tool_table;
    assert(table->count == sizeof(values) / sizeof(*values));
    fputs(
        "\n    # Where the origin is an MCP server: what of it costs something, in order: the first that fits"
        "\n    # decides. Who calls it pays, whoever he is.\n    # tools:\n",
        out);
    for (size_t i = 0; i < table->count; i++) {
        write_comment(out, 6, table->fields[i].what);
        fprintf(out, "      # %s %s: %s\n", i == 0 ? "-" : " ", table->fields[i].key, values[i]);
    }
}

void config_write_example(FILE *out)
{
    fputs("# crawltab: configuration of the gate and of the operator's command.\n"
          "# Every key is here with its default; keys behind a # are optional.\n"
          "# Check a file with: crawltabd --check-config --config FILE\n\n",
          out);
    config_write_table(out, &config_gate_table, 0, gate_sample, NULL);
    fputs("\n# The sites behind the gate.\nsites:\n", out);
    write_comment(out, 2, config_site_table.fields[0].what);
    config_write_table(out, &config_site_table, 4, site_sample, "  - ");
    fputs("\n    # What crawlers may do, in order: the first rule that fits decides; without one the page is "
          "free.\n"
          "    # People, /robots.txt, /sitemap.xml, /rsl.xml and /.well-known/ are free whatever the rules "
          "say.\n"
          "    rules:\n",
          out);
    write_comment(out, 6, config_rule_table.fields[0].what);
    config_write_table(out, &config_rule_table, 8, first_rule_sample, "      - ");
    fputs(more_rules, out);
    write_tools(out);
}
