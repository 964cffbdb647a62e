/* Much of what can be wrong is found by what the other commands do, which log it: so logs are listened to,
 * and a cause has the same words here and there. */
#include "tools/crawltab/doctor/diagnosis.h"

#include "ledger/base/log.h"
#include "tools/crawltab/frame/show.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FOUND_MAX 1024
#define HINT      "  hint: "

static const char *const names[DIAGNOSIS_STATES] = {"ok", "warn", "bad"};

void diagnosis_begin(struct diagnosis *diagnosis)
{
    *diagnosis = (struct diagnosis){.findings = json_array()};
}

void diagnosis_end(struct diagnosis *diagnosis)
{
    assert(!diagnosis->ear);
    json_decref(diagnosis->findings);
}

void diagnosis_add(struct diagnosis *diagnosis, const char *check, enum diagnosis_state state,
                   const char *advice, const char *format, ...)
{
    char found[FOUND_MAX];
    va_list values;
    va_start(values, format);
    vsnprintf(found, sizeof(found), format, values);
    va_end(values);
    assert(state < DIAGNOSIS_STATES);
    diagnosis->counts[state]++;
    json_array_append_new(diagnosis->findings,
                          json_pack("{s:s,s:s,s:o,s:o}", "check", check, "state", names[state], "found",
                                    show_json_text(found), "advice", show_json_text(advice)));
}

FILE *diagnosis_ear(struct diagnosis *diagnosis)
{
    assert(!diagnosis->ear);
    diagnosis->ear = open_memstream(&diagnosis->heard, &diagnosis->heard_len);
    return diagnosis->ear;
}

void diagnosis_listen(struct diagnosis *diagnosis)
{
    log_to(diagnosis_ear(diagnosis));
}

/* "crawltab: what is wrong", and perhaps a hint on the next line. */
static int add_lines(struct diagnosis *diagnosis, const char *check, enum diagnosis_state state)
{
    static const char program[] = "crawltab: ";
    int count = 0;
    char *next = NULL;
    for (char *line = diagnosis->heard; line && *line; line = next) {
        char *hint = NULL;
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (strncmp(next, HINT, sizeof(HINT) - 1) == 0) {
            hint = next + sizeof(HINT) - 1;
            next += strcspn(next, "\n");
            if (*next)
                *next++ = '\0';
        }
        if (strncmp(line, program, sizeof(program) - 1) == 0)
            line += sizeof(program) - 1;
        diagnosis_add(diagnosis, check, state, hint, "%s", line);
        count++;
    }
    return count;
}

int diagnosis_hear(struct diagnosis *diagnosis, const char *check, enum diagnosis_state state)
{
    int count = 0;
    log_to(NULL);
    if (diagnosis->ear && fclose(diagnosis->ear) == 0)
        count = add_lines(diagnosis, check, state);
    free(diagnosis->heard);
    diagnosis->ear = NULL;
    diagnosis->heard = NULL;
    return count;
}

enum diagnosis_state diagnosis_state(const struct diagnosis *diagnosis)
{
    return diagnosis->counts[DIAGNOSIS_BAD] > 0    ? DIAGNOSIS_BAD
           : diagnosis->counts[DIAGNOSIS_WARN] > 0 ? DIAGNOSIS_WARN
                                                   : DIAGNOSIS_OK;
}

static const char *text_of(const json_t *finding, const char *key)
{
    const char *text = json_string_value(json_object_get(finding, key));
    return text ? text : "";
}

/* Whoever watches shows the first line alone: it has the worst. */
static void print_sum(const struct diagnosis *diagnosis)
{
    enum diagnosis_state worst = diagnosis_state(diagnosis);
    size_t i;
    json_t *finding;
    printf("%s: %d bad, %d to be looked at, %d ok", names[worst], diagnosis->counts[DIAGNOSIS_BAD],
           diagnosis->counts[DIAGNOSIS_WARN], diagnosis->counts[DIAGNOSIS_OK]);
    json_array_foreach(diagnosis->findings, i, finding)
    {
        if (worst == DIAGNOSIS_OK || strcmp(text_of(finding, "state"), names[worst]) != 0)
            continue;
        printf("; %s: ", text_of(finding, "check"));
        show_text(stdout, text_of(finding, "found"));
        break;
    }
    puts("\n");
}

void diagnosis_print(const struct diagnosis *diagnosis)
{
    size_t i;
    json_t *finding;
    print_sum(diagnosis);
    json_array_foreach(diagnosis->findings, i, finding)
    {
        printf("%-4s  %-13s ", text_of(finding, "state"), text_of(finding, "check"));
        show_text(stdout, text_of(finding, "found"));
        putchar('\n');
        if (*text_of(finding, "advice")) {
            printf("%20s-> ", "");
            show_text(stdout, text_of(finding, "advice"));
            putchar('\n');
        }
    }
}

bool diagnosis_json(const struct diagnosis *diagnosis)
{
    return show_json(json_pack("{s:s,s:i,s:i,s:i,s:O}", "state", names[diagnosis_state(diagnosis)], "bad",
                               diagnosis->counts[DIAGNOSIS_BAD], "warn", diagnosis->counts[DIAGNOSIS_WARN],
                               "ok", diagnosis->counts[DIAGNOSIS_OK], "findings", diagnosis->findings),
                     JSON_INDENT(2));
}
